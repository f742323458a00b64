"""Names for codes, as the pages show them, and the code lists of the form. Copied from the services' own law."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from libs.common.policy import read_table, unique

FILE = Path(__file__).with_name("names.csv")

Kind = Literal[
    "area", "industry", "country", "currency", "permit_item", "department", "credit_ground", "inspection_result",
    "risk_rule", "risk_sector", "indicator", "section", "place",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Name:
    """What a code is called. Countries and currencies are named by the reader's language, not here."""

    kind: Kind
    code: str
    zh: str | None
    en: str | None
    source: str
    confidence: str


@cache
def current(file: Path = FILE) -> Mapping[Kind, Mapping[str, Name]]:
    """All names by kind and code. Raises PolicyError."""
    table = read_table(file, Name, required=("kind", "code", "source"))
    unique(table, lambda row: (row.kind, row.code))
    table.require(lambda row: row.zh is not None or row.kind in ("country", "currency"), "{code}: no Chinese name")
    found: dict[Kind, dict[str, Name]] = defaultdict(dict)
    for row in table:
        found[row.kind][row.code] = row
    return found
