"""Reads the law of supervision from the files beside this module and refuses data that contradicts itself."""

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import get_args

from libs.common.policy import Table, digest, read_table, unique
from services.supervision.domain.policy import (
    CLASSES,
    Ceiling,
    CodeSet,
    InspectionItem,
    LegalBasis,
    Policy,
    Reading,
    ResultCode,
    RiskClass,
    SchemeRow,
    Term,
)

FOLDER = Path(__file__).parent

NAMED_OTHERWISE: Mapping[str, RiskClass] = {"low": "A", "mid": "B", "mid-high": "C", "high": "D"}
"""Henan 2021 has names for its four classes; in the order of risk they are A to D."""


def load(folder: Path = FOLDER) -> Policy:
    """Read, check and index the policy. Raises PolicyError (file, line, reason)."""
    items = read_table(folder / "inspection_items.csv", InspectionItem, required=("source", "department", "item_zh"))
    unique(items, lambda row: row.item_code)
    bases = read_table(folder / "legal_bases.csv", LegalBasis)
    unique(bases, lambda row: row.code)
    results = read_table(folder / "inspection_results.csv", ResultCode)
    unique(results, lambda row: (row.code_set, row.code))
    terms = {row.act: row.working_days for row in read_table(folder / "deadlines.csv", Term)}
    return Policy(
        digest=digest(folder),
        items={row.item_code: row for row in items},
        legal_bases={row.code: row for row in bases},
        schemes=_schemes(folder / "risk_classes.csv"),
        ceilings=_ceilings(folder / "ratio_ceilings.csv"),
        results={(row.code_set, row.code): row for row in results},
        readings=_readings(folder / "result_readings.csv", results),
        publication_days=terms["publication"],
        correction_days=terms["correction"],
    )


@cache
def current() -> Policy:
    """The policy this process serves, read once."""
    return load()


def _schemes(path: Path) -> Mapping[str, Mapping[RiskClass, Decimal]]:
    """The schemes that state a ratio for every class; of a range its upper end.

    A scheme from memory is not offered: nobody could say what the plan rests on.
    """
    table = read_table(path, SchemeRow)
    unique(table, lambda row: (row.scheme, row.risk_class))
    table.require(lambda row: _is_percent(row.ratio_max_pct), "{scheme} {risk_class}: {ratio_max_pct} is no percent")
    schemes: defaultdict[str, dict[RiskClass, Decimal]] = defaultdict(dict)
    for row in table:
        letter = next((one for one in CLASSES if one == row.risk_class), None) or NAMED_OTHERWISE.get(row.risk_class)
        if letter is not None and row.ratio_max_pct is not None and row.confidence == "verified":
            schemes[row.scheme][letter] = row.ratio_max_pct
    return {name: ratios for name, ratios in schemes.items() if set(ratios) == set(CLASSES)}


def _ceilings(path: Path) -> Mapping[RiskClass, Decimal]:
    table = read_table(path, Ceiling)
    unique(table, lambda row: (row.kind, row.risk_class))
    table.require(lambda row: row.kind == "general", "{kind}: key items have no ceiling")
    table.require(lambda row: _is_percent(row.ratio_max_pct), "{ratio_max_pct} is no percent")
    return {row.risk_class: row.ratio_max_pct for row in table}


def _readings(path: Path, results: Table[ResultCode]) -> Mapping[tuple[str, str], Reading]:
    table = read_table(path, Reading)
    unique(table, lambda row: (row.code_set, row.code))
    known: dict[tuple[str, str], ResultCode]
    known = {(row.code_set, row.code): row for row in results if row.code_set in get_args(CodeSet)}
    table.require(lambda row: (row.code_set, row.code) in known, "{code_set} {code} is no result code")
    table.require(lambda row: row.problem or row.correction == "none", "{code}: a correction without a problem")
    table.require(
        lambda row: not (known[row.code_set, row.code].exclusive and (row.problem or row.refused or row.unreachable)),
        "{code}: what excludes all others finds nothing",
    )
    read: dict[tuple[str, str], Reading] = {(row.code_set, row.code): row for row in table}
    if unread := sorted(set(known) - set(read)):
        raise table.error(0, f"no reading of {unread[0][0]} {unread[0][1]}")
    return read


def _is_percent(value: Decimal | None) -> bool:
    return value is None or 0 <= value <= 100
