"""Reads the catalogue of licensing from the files beside this module and refuses data that contradicts itself."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import get_args

from libs.common.policy import PolicyError, Table, digest, read_table, unique
from services.licensing.domain.catalogue import (
    Bar,
    BarName,
    Catalogue,
    Condition,
    DualCode,
    OrdinaryTerm,
    PermitItem,
    Round,
    Setting,
    SettingName,
    StartException,
)

FOLDER = Path(__file__).parent


def load(folder: Path = FOLDER) -> Catalogue:
    """Read, check and index the catalogue. Raises PolicyError (file, line, reason) for an unreadable row, a missing
    source, a condition without its question, a cancelled item with another mode, and a setting left out."""
    conditions = _conditions(folder / "permit_conditions.csv")
    items = _items(folder / "permit_items.csv", conditions)
    settings = read_table(folder / "settings.csv", Setting)
    unique(settings, lambda row: row.setting)
    settings.require(lambda row: row.value > 0, "{setting}: {value} days are none")
    _require_all(settings, get_args(SettingName), {row.setting for row in settings})
    terms = read_table(folder / "ordinary_terms.csv", OrdinaryTerm)
    unique(terms, lambda row: (row.item_id, row.part))
    known = {(row.item_id, row.part) for row in items}
    terms.require(lambda row: (row.item_id, row.part) in known, "no item {item_id}, part {part}")
    exceptions = read_table(folder / "start_exceptions.csv", StartException)
    unique(exceptions, lambda row: row.item_id)
    exceptions.require(lambda row: any(row.item_id == id for id, _ in known), "no item {item_id}")
    bars = read_table(folder / "commitment_bars.csv", Bar)
    unique(bars, lambda row: row.bar)
    _require_all(bars, get_args(BarName), {row.bar for row in bars})
    codes = read_table(folder / "dual_notification_codes.csv", DualCode)
    unique(codes, lambda row: (row.code_set, row.code))
    return Catalogue(
        digest=digest(folder),
        items=items.rows,
        conditions={row.condition: row for row in conditions},
        settings={row.setting: row for row in settings},
        ordinary_terms={(row.item_id, row.part): row for row in terms},
        start_exceptions={row.item_id: row for row in exceptions},
        bars={row.bar: row for row in bars},
        dual_codes=codes.rows,
        rounds=read_table(folder / "separation_mode_counts.csv", Round).rows,
    )


@cache
def current() -> Catalogue:
    """The catalogue this process serves, read once."""
    return load()


def _items(path: Path, conditions: Table[Condition]) -> Table[PermitItem]:
    table = read_table(path, PermitItem, required=("item_id", "item", "item_zh", "department", "basis", "source"))
    unique(table, lambda row: (row.item_id, row.part))
    known = {row.condition for row in conditions}
    table.require(lambda row: known.issuperset(row.condition), "{item_id}: no question for {condition}")
    table.require(
        lambda row: all(code.isdigit() and 2 <= len(code) <= 4 for code in row.trigger_gbt4754_codes),
        "{item_id}: a trigger is neither division, group nor class: {trigger_gbt4754_codes}",
    )
    table.require(
        lambda row: bool(row.trigger_gbt4754_codes or row.condition), "{item_id}: neither trigger nor condition"
    )
    table.require(
        lambda row: (row.status == "cancelled") == (row.mode == "direct_cancellation"),
        "{item_id}: {status} does not go with {mode}",
    )
    return table


def _conditions(path: Path) -> Table[Condition]:
    table = read_table(path, Condition, required=("condition", "question", "question_zh"))
    unique(table, lambda row: row.condition)
    by_code = {row.condition: row for row in table}
    table.require(lambda row: by_code.keys() >= set(row.excludes), "{condition}: excludes an unknown fact: {excludes}")
    table.require(
        lambda row: all(row.condition in by_code[other].excludes for other in row.excludes),
        "{condition}: what it excludes does not exclude it",
    )
    return table


def _require_all(table: Table[Setting] | Table[Bar], wanted: Iterable[str], held: Iterable[str]) -> None:
    if missing := sorted(set(wanted) - set(held)):
        raise PolicyError(table.path, 1, f"no row for {', '.join(missing)}")
