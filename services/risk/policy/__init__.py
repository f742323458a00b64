"""Tables of risk that are no scorecard: when people are warned, and how classes are distributed elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Literal, get_args

from libs.common.policy import PolicyError, Table, read_table, unique

FOLDER = Path(__file__).parent

WarningKind = Literal["sudden_rise", "address_cluster", "agent_cluster", "sector_findings"]
Over = Literal["score", "registered_at", "filed_by", "inspection"]
Confidence = Literal["verified", "memory", "doubtful", "setting"]
OVER: Mapping[WarningKind, Over] = dict(zip(get_args(WarningKind), get_args(Over), strict=True))
"""What each kind is counted over: the rise of a score in points, or how many events name the same object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WarningRule:
    """People are warned when `over` reaches `threshold` (points, or events) within `window_days` days."""

    kind: WarningKind
    over: Over
    threshold: int
    window_days: int
    zh: str
    en: str
    valid_from: date
    source: str
    confidence: Confidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """How many enterprises a place has reported in a class: `share_pct` percent of all."""

    place: str
    year: int
    risk_class: Literal["A", "B", "C", "D"]
    count: int
    share_pct: Decimal
    source: str
    confidence: Confidence


def load_warnings(path: Path = FOLDER / "warnings.csv") -> Mapping[WarningKind, WarningRule]:
    """The rules for warnings, by kind. Raises PolicyError (file, line, reason): a kind twice or left out, a threshold
    or a window that is none, a kind over what it cannot be counted over."""
    rules = read_table(path, WarningRule, required=("source", "zh", "en"))
    unique(rules, lambda row: row.kind)
    rules.require(lambda row: row.threshold > 0 and row.window_days > 0, "{kind}: neither may be zero")
    rules.require(lambda row: OVER[row.kind] == row.over, "{kind}: not counted over {over}")
    if missing := OVER.keys() - {row.kind for row in rules}:
        raise PolicyError(path, 1, f"left out: {', '.join(sorted(missing))}")
    return {row.kind: row for row in rules}


@cache
def warning_rules() -> Mapping[WarningKind, WarningRule]:
    return load_warnings()


@cache
def published_shares() -> Table[Share]:
    """The distributions that other places have reported, as they stand in their notices."""
    return read_table(FOLDER / "risk_distribution.csv", Share)
