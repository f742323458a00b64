"""Scorecards from `policy/<name>/`: rules.csv, steps.csv and bands.csv, refused with file and line where unfit.

Empty cells: no bound (`value_from`, `value_below`), no age limit (`within_months`), no trigger (`at_least`).
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Literal, TypeVar

from libs.common.policy import Table, read_table
from services.risk.domain import Band, Basis, RiskClass, Rule, Scorecard, ScorecardError, Step

POLICY = Path(__file__).parent / "policy"
IN_FORCE = "district-2026-1"

Row = TypeVar("Row", bound="BasisRow")

ClassLetter = Literal["A", "B", "C", "D"]
Confidence = Literal["verified", "memory", "doubtful", "setting"]  # setting: the district's own, nothing to verify


@dataclass(frozen=True, slots=True, kw_only=True)
class BasisRow:
    valid_from: date
    source: str
    confidence: Confidence


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleRow(BasisRow):
    rule: str
    indicator: str
    cap: int
    required: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRow(BasisRow):
    rule: str
    value_from: int | None
    value_below: int | None
    within_months: int | None
    points: int
    at_least: ClassLetter | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BandRow(BasisRow):
    risk_class: ClassLetter
    from_score: int


@cache
def current() -> Scorecard:
    """The scorecard this process scores by, read once."""
    return load_scorecard(IN_FORCE)


def load_scorecard(name: str, policy: Path = POLICY) -> Scorecard:
    """The scorecard in `policy/<name>`.

    Raises PolicyError for a row that is wrong by itself and ScorecardError for rows that do not fit together
    (bands that overlap, a cap exceeded, two `valid_from`); both name the file and the line.
    """
    rules = read_table(policy / name / "rules.csv", RuleRow, required=("rule", "indicator", "source"))
    steps = read_table(policy / name / "steps.csv", StepRow)
    bands = read_table(policy / name / "bands.csv", BandRow)
    names = {row.rule for row in rules}
    steps.require(lambda row: row.rule in names, "no rule {rule} in rules.csv")
    steps_of: defaultdict[str, list[Step]] = defaultdict(list)
    for row, basis in _with_basis(steps):
        steps_of[row.rule].append(
            Step(
                value_from=row.value_from,
                value_below=row.value_below,
                within_months=row.within_months,
                points=row.points,
                at_least=RiskClass[row.at_least] if row.at_least else None,
                basis=basis,
            )
        )
    return Scorecard(
        name=name,
        valid_from=_only_date([*_with_basis(rules), *_with_basis(steps), *_with_basis(bands)]),
        rules=tuple(
            Rule(row.rule, row.indicator, row.cap, row.required, tuple(steps_of[row.rule]), basis)
            for row, basis in _with_basis(rules)
        ),
        bands=tuple(Band(RiskClass[row.risk_class], row.from_score, basis) for row, basis in _with_basis(bands)),
    )


def _with_basis(table: Table[Row]) -> list[tuple[Row, Basis]]:
    return [
        (row, Basis(f"{table.path}:{line}", row.source, row.confidence))
        for row, line in zip(table.rows, table.lines, strict=True)
    ]


def _only_date(rows: Sequence[tuple[BasisRow, Basis]]) -> date:
    """A scorecard is activated as a whole, so its rows hold from one day."""
    if not rows:
        raise ScorecardError("a scorecard without rows")
    first = rows[0][0].valid_from
    for row, basis in rows:
        if row.valid_from != first:
            raise ScorecardError(f"{basis.at}: valid from {row.valid_from}, other rows from {first}")
    return first
