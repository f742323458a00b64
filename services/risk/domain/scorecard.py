"""A scorecard: integer rules over facts, the bands of the classes, and what makes one unfit for use."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum
from itertools import pairwise
from typing import Any

from services.risk.domain.facts import RELATED

SCALE = 2000  # the proposed weights of all indicators (policy/indicators.csv) sum to 1,700
MONTHS_AT_MOST = 1200
WEIGHTLESS = frozenset({"foreign_invested"})  # national treatment: foreign ownership never rates an enterprise


class RiskClass(IntEnum):
    """A low, B general, C higher, D high risk (国市监信发〔2022〕6号)."""

    A = 0
    B = 1
    C = 2
    D = 3


@dataclass(frozen=True, slots=True)
class Defect:
    """One thing to mend: where it stands (a row's `Basis.at`, "" for the whole), a stable code, figures for a sentence
    about it in any language, and that sentence in English."""

    at: str
    code: str
    text: str
    params: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.at}: {self.text}" if self.at else self.text


class ScorecardError(ValueError):
    """A scorecard that must not be used, with everything that is wrong with it; the message has a line for each."""

    def __init__(self, *defects: Defect) -> None:
        super().__init__("\n".join(map(str, defects)))
        self.defects = defects


@dataclass(frozen=True, slots=True)
class Basis:
    """Where a row stands ("steps.csv:7"), what it rests on, and how sure that is."""

    at: str
    source: str
    confidence: str


@dataclass(frozen=True, slots=True)
class Step:
    """What a fact earns with `value_from` <= value < `value_below` (None: open) while younger than `within_months`
    (None: as long as its record stands)."""

    value_from: int | None
    value_below: int | None
    within_months: int | None
    points: int
    at_least: RiskClass | None
    basis: Basis = field(compare=False)

    @property
    def band(self) -> tuple[float, float]:
        low = float("-inf") if self.value_from is None else self.value_from
        return low, float("inf") if self.value_below is None else self.value_below

    @property
    def months(self) -> float:
        return float("inf") if self.within_months is None else self.within_months

    @property
    def earns(self) -> tuple[int, RiskClass | None]:
        return self.points, self.at_least


NOTHING: tuple[int, RiskClass | None] = (0, None)


@dataclass(frozen=True, slots=True)
class Rule:
    """Every live fact of `indicator` earns by its value band and age; the points add up to `cap` at most.

    So one form serves an age (one fact, steps), a count in a window (many facts, a cap), a state (bands, no age) and a
    direct trigger (`at_least`). `required`: no fact at all means unknown, not none. What makes a rule unfit is told by
    the scorecard that it is part of.
    """

    name: str
    indicator: str
    cap: int
    required: bool
    steps: tuple[Step, ...]
    basis: Basis = field(compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", tuple(sorted(self.steps, key=lambda step: (step.band, step.months))))


@dataclass(frozen=True, slots=True)
class Band:
    risk_class: RiskClass
    from_score: int
    basis: Basis = field(compare=False)


@dataclass(frozen=True, slots=True)
class Sector:
    """A sector's own classification: rules and bands for the enterprises whose main industry is in `industries` (ranges
    of GB/T 4754 classes, the end not included). It is shown beside the general class, and can only raise it."""

    name: str
    industries: tuple[tuple[int, int], ...]
    rules: tuple[Rule, ...]
    bands: tuple[Band, ...]
    basis: Basis = field(compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "industries", tuple(sorted(self.industries)))
        object.__setattr__(self, "rules", tuple(sorted(self.rules, key=lambda rule: rule.name)))
        object.__setattr__(self, "bands", tuple(sorted(self.bands, key=lambda band: band.risk_class)))

    def covers(self, industry: int | None) -> bool:
        return industry is not None and any(low <= industry < below for low, below in self.industries)


@dataclass(frozen=True, slots=True)
class Scorecard:
    """Rules by name and the score from which each class begins. It holds as a whole; a new one is a new scorecard.

    Raises ScorecardError with all defects unless the caps stay within the scale (so that no score is ever cut off and
    the contributions sum to it), the bands are A from 0, then B, C, D, and each rule's steps lie apart, change
    something and stay within its cap; the same for each sector, and no two rules share a name.
    """

    name: str
    valid_from: date
    rules: tuple[Rule, ...]
    bands: tuple[Band, ...]
    sectors: tuple[Sector, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "rules", tuple(sorted(self.rules, key=lambda rule: rule.name)))
        object.__setattr__(self, "bands", tuple(sorted(self.bands, key=lambda band: band.risk_class)))
        object.__setattr__(self, "sectors", tuple(sorted(self.sectors, key=lambda sector: sector.name)))
        if defects := (*_of_rules(self.rules), *_of_bands(self.bands), *_of_sectors(self.sectors, self.rules)):
            raise ScorecardError(*defects)

    @property
    def all_rules(self) -> tuple[Rule, ...]:
        """The general rules, then those of each sector."""
        return (*self.rules, *(rule for sector in self.sectors for rule in sector.rules))

    @property
    def digest(self) -> str:
        """SHA-256 over what decides a result (not over names of sources), whatever the order of the rows."""
        decisive = _decisive(self.rules, self.bands)
        if self.sectors:
            decisive.append([[s.name, s.industries, *_decisive(s.rules, s.bands)] for s in self.sectors])
        return hashlib.sha256(json.dumps(decisive, separators=(",", ":")).encode()).hexdigest()


def _decisive(rules: Sequence[Rule], bands: Sequence[Band]) -> list[Any]:
    return [
        [
            [rule.name, rule.indicator, rule.cap, rule.required,
             [[s.value_from, s.value_below, s.within_months, s.points, s.at_least] for s in rule.steps]]
            for rule in rules
        ],
        [[band.risk_class, band.from_score] for band in bands],
    ]  # fmt: skip


def _of_rules(rules: Sequence[Rule]) -> Iterator[Defect]:
    if not rules:
        yield Defect("", "scorecard_empty", "a scorecard without rows")
    for rule, after in pairwise(rules):
        if rule.name == after.name:
            text = f"the rule {rule.name} is already in {rule.basis.at}"
            yield Defect(after.basis.at, "rule_twice", text, {"at": rule.basis.at})
    for rule in rules:
        yield from _of_rule(rule)
    if (total := sum(rule.cap for rule in rules)) > SCALE:
        text = f"the caps sum to {total}, beyond the scale of {SCALE}"
        yield Defect("", "caps_beyond_scale", text, {"total": total, "scale": SCALE})


def _of_rule(rule: Rule) -> Iterator[Defect]:
    if not 0 <= rule.cap <= SCALE:
        text = f"the cap of {rule.name} is not between 0 and {SCALE}"
        yield Defect(rule.basis.at, "cap_out_of_range", text, {"scale": SCALE})
    if rule.indicator in WEIGHTLESS and (rule.cap or any(step.at_least is not None for step in rule.steps)):
        yield Defect(rule.basis.at, "weightless_indicator", f"{rule.indicator} carries no weight and triggers no class")
    for step in rule.steps:
        at = step.basis.at
        if step.band[0] >= step.band[1]:
            yield Defect(at, "band_empty", "the band is empty")
        if rule.indicator in RELATED and (step.band[0] < 1 or step.at_least is not None):
            text = f"a step over {rule.indicator} begins at 1 or above and demands no class"
            yield Defect(at, "related_step", text)
        if step.at_least is RiskClass.A:
            yield Defect(at, "at_least_a", "at least A demands nothing")
        if not 0 <= step.points <= rule.cap:
            text = f"the points are not between 0 and the cap {rule.cap}"
            yield Defect(at, "points_out_of_range", text, {"cap": rule.cap})
        if not (step.within_months is None or 0 < step.within_months <= MONTHS_AT_MOST):
            text = f"the months are not between 1 and {MONTHS_AT_MOST}"
            yield Defect(at, "months_out_of_range", text, {"most": MONTHS_AT_MOST})
    for step, after in pairwise(rule.steps):
        earlier = {"at": step.basis.at}
        if after.band != step.band and after.band[0] < step.band[1]:
            yield Defect(after.basis.at, "bands_overlap", f"the band overlaps that of {step.basis.at}", earlier)
        if after.band == step.band and after.months == step.months:
            yield Defect(after.basis.at, "step_twice", f"the same band and months as {step.basis.at}", earlier)
    # A step whose end changes nothing would set next_step_on to a day on which nothing happens.
    for i, step in enumerate(rule.steps):
        older = [later.earns for later in rule.steps[i + 1 : i + 2] if later.band == step.band]
        if step.earns == (older[0] if older else NOTHING):
            yield Defect(step.basis.at, "step_changes_nothing", "the end of this step changes nothing")


def _of_sectors(sectors: Sequence[Sector], general: Sequence[Rule]) -> Iterator[Defect]:
    names = {rule.name: rule.basis.at for rule in general}
    for i, sector in enumerate(sectors):
        at = sector.basis.at
        if any(other.name == sector.name for other in sectors[:i]):
            yield Defect(at, "sector_twice", f"the sector {sector.name} is there already")
        if not sector.industries or any(low >= below for low, below in sector.industries):
            yield Defect(at, "sector_without_industries", f"the sector {sector.name} covers no industry")
        yield from _of_rules(sector.rules)
        yield from _of_bands(sector.bands)
        for rule in sector.rules:
            if rule.name in names:
                text = f"the rule {rule.name} is already in {names[rule.name]}"
                yield Defect(rule.basis.at, "rule_twice", text, {"at": names[rule.name]})
            names[rule.name] = rule.basis.at


def _of_bands(bands: Sequence[Band]) -> Iterator[Defect]:
    starts = [band.from_score for band in bands]
    if [band.risk_class for band in bands] != list(RiskClass) or starts[0] != 0:
        yield Defect("", "bands_incomplete", "the bands are not A from 0, B, C and D, each once")
    for band, after in pairwise(bands):
        if not band.from_score < after.from_score <= SCALE:
            text = f"{after.risk_class.name} begins out of order"
            yield Defect(after.basis.at, "band_out_of_order", text, {"risk_class": after.risk_class.name})
