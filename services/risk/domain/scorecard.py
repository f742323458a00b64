"""A scorecard: integer rules over facts, the bands of the classes, and what makes one unfit for use."""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum
from itertools import pairwise

SCALE = 1000
MONTHS_AT_MOST = 1200
WEIGHTLESS = frozenset({"foreign_invested"})  # national treatment: foreign ownership never rates an enterprise


class RiskClass(IntEnum):
    """A low, B general, C higher, D high risk (国市监信发〔2022〕6号)."""

    A = 0
    B = 1
    C = 2
    D = 3


class ScorecardError(ValueError):
    """A scorecard that must not be used; the message names the row."""


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
    direct trigger (`at_least`). `required`: no fact at all means unknown, not none.
    Raises ScorecardError on bands that overlap, on steps that change nothing, and on points beyond the cap.
    """

    name: str
    indicator: str
    cap: int
    required: bool
    steps: tuple[Step, ...]
    basis: Basis = field(compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", tuple(sorted(self.steps, key=lambda step: (step.band, step.months))))
        if not 0 <= self.cap <= SCALE:
            raise ScorecardError(f"{self.basis.at}: the cap of {self.name} is not between 0 and {SCALE}")
        if self.indicator in WEIGHTLESS and (self.cap or any(step.at_least is not None for step in self.steps)):
            raise ScorecardError(f"{self.basis.at}: {self.indicator} carries no weight and triggers no class")
        for step in self.steps:
            if step.band[0] >= step.band[1]:
                raise ScorecardError(f"{step.basis.at}: the band is empty")
            if step.at_least is RiskClass.A:
                raise ScorecardError(f"{step.basis.at}: at least A demands nothing")
            if not 0 <= step.points <= self.cap:
                raise ScorecardError(f"{step.basis.at}: the points are not between 0 and the cap {self.cap}")
            if not (step.within_months is None or 0 < step.within_months <= MONTHS_AT_MOST):
                raise ScorecardError(f"{step.basis.at}: the months are not between 1 and {MONTHS_AT_MOST}")
        for step, after in pairwise(self.steps):
            if after.band != step.band and after.band[0] < step.band[1]:
                raise ScorecardError(f"{after.basis.at}: the band overlaps that of {step.basis.at}")
            if after.band == step.band and after.months == step.months:
                raise ScorecardError(f"{after.basis.at}: the same band and months as {step.basis.at}")
        # A step whose end changes nothing would set next_step_on to a day on which nothing happens.
        for i, step in enumerate(self.steps):
            older = [later.earns for later in self.steps[i + 1 : i + 2] if later.band == step.band]
            if step.earns == (older[0] if older else NOTHING):
                raise ScorecardError(f"{step.basis.at}: the end of this step changes nothing")


@dataclass(frozen=True, slots=True)
class Band:
    risk_class: RiskClass
    from_score: int
    basis: Basis = field(compare=False)


@dataclass(frozen=True, slots=True)
class Scorecard:
    """Rules by name and the score from which each class begins. It holds as a whole; a new one is a new scorecard.

    Raises ScorecardError unless the caps stay within the scale (so that no score is ever cut off and the contributions
    sum to it) and the bands are A from 0, then B, C, D.
    """

    name: str
    valid_from: date
    rules: tuple[Rule, ...]
    bands: tuple[Band, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "rules", tuple(sorted(self.rules, key=lambda rule: rule.name)))
        object.__setattr__(self, "bands", tuple(sorted(self.bands, key=lambda band: band.risk_class)))
        for rule, after in pairwise(self.rules):
            if rule.name == after.name:
                raise ScorecardError(f"{after.basis.at}: the rule {rule.name} is already in {rule.basis.at}")
        if (total := sum(rule.cap for rule in self.rules)) > SCALE:
            raise ScorecardError(f"{self.name}: the caps sum to {total}, beyond the scale of {SCALE}")
        starts = [band.from_score for band in self.bands]
        if [band.risk_class for band in self.bands] != list(RiskClass) or starts[0] != 0:
            raise ScorecardError(f"{self.name}: the bands are not A from 0, B, C and D, each once")
        for band, after_band in pairwise(self.bands):
            if not band.from_score < after_band.from_score <= SCALE:
                raise ScorecardError(f"{after_band.basis.at}: {after_band.risk_class.name} begins out of order")

    @property
    def digest(self) -> str:
        """SHA-256 over what decides a result (not over names of sources), whatever the order of the rows."""
        rules = [
            [rule.name, rule.indicator, rule.cap, rule.required,
             [[s.value_from, s.value_below, s.within_months, s.points, s.at_least] for s in rule.steps]]
            for rule in self.rules
        ]  # fmt: skip
        decisive = [rules, [[band.risk_class, band.from_score] for band in self.bands]]
        return hashlib.sha256(json.dumps(decisive, separators=(",", ":")).encode()).hexdigest()
