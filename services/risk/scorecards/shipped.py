"""The scorecard that a release brings, in `policy/<name>/`: rules.csv, steps.csv, bands.csv and sectors.csv, refused
with file and line where unfit. It is in force until people have put another one in its place.

Empty cells: no bound (`value_from`, `value_below`), no age limit (`within_months`), no trigger (`at_least`), a general
rule or band (`sector`).
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Literal, TypeVar

from libs.common.policy import Table, read_table
from services.risk.domain import Band, Basis, Defect, RiskClass, Rule, Scorecard, ScorecardError, Sector, Step

POLICY = Path(__file__).parents[1] / "policy"
SHIPPED = "district-2026-2"

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
    sector: str | None


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
    sector: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SectorRow(BasisRow):
    sector: str
    industry_from: int
    industry_below: int


@cache
def shipped() -> Scorecard:
    """The scorecard of this release, read once. What is scored by is `in_force`, which the database tells."""
    return load_scorecard(SHIPPED)


def load_scorecard(name: str, policy: Path = POLICY) -> Scorecard:
    """The scorecard in `policy/<name>`.

    Raises PolicyError for a row that is wrong by itself and ScorecardError for rows that do not fit together
    (bands that overlap, a cap exceeded, two `valid_from`); both name the file and the line.
    """
    rules = read_table(policy / name / "rules.csv", RuleRow, required=("rule", "indicator", "source"))
    steps = read_table(policy / name / "steps.csv", StepRow)
    bands = read_table(policy / name / "bands.csv", BandRow)
    sectors = read_table(policy / name / "sectors.csv", SectorRow, required=("sector", "source"))
    names, known = {row.rule for row in rules}, {row.sector for row in sectors}
    steps.require(lambda row: row.rule in names, "no rule {rule} in rules.csv")
    for table in (rules, bands):
        table.require(lambda row: row.sector is None or row.sector in known, "no sector {sector} in sectors.csv")
    steps_of: defaultdict[str, list[Step]] = defaultdict(list)
    for row, basis in _with_basis(steps):
        steps_of[row.rule].append(_step(row, basis))

    def rules_of(sector: str | None) -> tuple[Rule, ...]:
        return tuple(
            Rule(row.rule, row.indicator, row.cap, row.required, tuple(steps_of[row.rule]), basis)
            for row, basis in _with_basis(rules)
            if row.sector == sector
        )

    def bands_of(sector: str | None) -> tuple[Band, ...]:
        return tuple(
            Band(RiskClass[row.risk_class], row.from_score, basis)
            for row, basis in _with_basis(bands)
            if row.sector == sector
        )

    industries: defaultdict[str, list[tuple[SectorRow, Basis]]] = defaultdict(list)
    for sector_row, basis in _with_basis(sectors):
        industries[sector_row.sector].append((sector_row, basis))
    return Scorecard(
        name=name,
        valid_from=_only_date([*_with_basis(rules), *_with_basis(steps), *_with_basis(bands), *_with_basis(sectors)]),
        rules=rules_of(None),
        bands=bands_of(None),
        sectors=tuple(
            Sector(
                sector,
                tuple((row.industry_from, row.industry_below) for row, _ in of_sector),
                rules_of(sector),
                bands_of(sector),
                of_sector[0][1],
            )
            for sector, of_sector in industries.items()
        ),
    )


def _step(row: StepRow, basis: Basis) -> Step:
    return Step(
        value_from=row.value_from,
        value_below=row.value_below,
        within_months=row.within_months,
        points=row.points,
        at_least=RiskClass[row.at_least] if row.at_least else None,
        basis=basis,
    )


def _with_basis(table: Table[Row]) -> list[tuple[Row, Basis]]:
    return [
        (row, Basis(f"{table.path}:{line}", row.source, row.confidence))
        for row, line in zip(table.rows, table.lines, strict=True)
    ]


def _only_date(rows: Sequence[tuple[BasisRow, Basis]]) -> date:
    """A scorecard is activated as a whole, so its rows hold from one day."""
    if not rows:
        raise ScorecardError(Defect("", "scorecard_empty", "a scorecard without rows"))
    first = rows[0][0].valid_from
    others = [(basis.at, row.valid_from) for row, basis in rows if row.valid_from != first]
    if others:
        text = "valid from {day}, other rows from {first}"
        defects = (Defect(at, "valid_from_differs", text.format(day=day, first=first)) for at, day in others)
        raise ScorecardError(*defects)
    return first
