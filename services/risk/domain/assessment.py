"""The facts of one enterprise judged by a scorecard on one date: the reference that `vectorised` must equal."""

from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.risk.domain.facts import INDUSTRY, PRODUCED, Fact, live_facts
from services.risk.domain.scorecard import NOTHING, Band, RiskClass, Rule, Scorecard, Step


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one rule added, the least class it demands, and the events that caused it, oldest legal date first."""

    rule: str
    points: int
    at_least: RiskClass | None
    event_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class SectorAssessment:
    """What a sector's own rules make of an enterprise of that sector."""

    sector: str
    score: int
    risk_class: RiskClass
    contributions: tuple[Contribution, ...]


@dataclass(frozen=True, slots=True)
class Assessment:
    """`score` is the sum of the contributions, which are those of the general rules. `risk_class` combines: the highest
    of `general_class` and the classes of the enterprise's sectors.

    `missing`: indicators unknown here, whose weight nothing takes over. `next_step_on`: the first later date on which a
    fact earns something else by age alone (None: never).
    """

    score: int
    risk_class: RiskClass
    contributions: tuple[Contribution, ...]
    missing: tuple[str, ...]
    next_step_on: date | None
    general_class: RiskClass = RiskClass.A
    sectors: tuple[SectorAssessment, ...] = ()

    @property
    def all_contributions(self) -> tuple[Contribution, ...]:
        return (*self.contributions, *(part for sector in self.sectors for part in sector.contributions))


def add_months(day: date, months: int) -> date:
    """The same day of the month, or the month's last day where there is none: 31 January and 1 month: 28 February."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def step_of(rule: Rule, fact: Fact, on: date) -> Step | None:
    """The step a fact stands on. It is younger than m months while `on` < add_months(legal date, m): a fact of
    5 January is twelve months old on the next 5 January. A legal date still to come counts as age zero.
    """
    if fact.value is None:
        return None
    for step in rule.steps:  # by band, then youngest first
        low, below = step.band
        young = step.within_months is None or on < add_months(fact.legal_date, step.within_months)
        if low <= fact.value < below and young:
            return step
    return None


def assess(facts: Iterable[Fact], on: date, scorecard: Scorecard) -> Assessment:
    """The facts of one enterprise, live or not, judged on one date. No hysteresis: the past score plays no part."""
    by_indicator: defaultdict[str, list[Fact]] = defaultdict(list)
    for fact in live_facts(facts):
        by_indicator[fact.indicator].append(fact)
    general = _judge(by_indicator, on, scorecard.rules, scorecard.bands)
    sectors = {
        sector.name: _judge(by_indicator, on, sector.rules, sector.bands)
        for sector in scorecard.sectors
        if any(sector.covers(fact.value) for fact in by_indicator[INDUSTRY])
    }
    parts = [general, *sectors.values()]
    return Assessment(
        score=general.score,
        risk_class=max(part.risk_class for part in parts),
        contributions=general.contributions,
        missing=tuple(sorted({name for part in parts for name in part.missing})),
        next_step_on=min((day for part in parts for day in part.steps_on), default=None),
        general_class=general.risk_class,
        sectors=tuple(
            SectorAssessment(name, part.score, part.risk_class, part.contributions) for name, part in sectors.items()
        ),
    )


@dataclass(frozen=True, slots=True)
class _Judged:
    """What one set of rules and bands makes of the facts."""

    score: int
    risk_class: RiskClass
    contributions: tuple[Contribution, ...]
    missing: frozenset[str]
    steps_on: tuple[date, ...]


def _judge(
    by_indicator: Mapping[str, Sequence[Fact]], on: date, rules: Sequence[Rule], bands: Sequence[Band]
) -> _Judged:
    contributions: list[Contribution] = []
    missing: set[str] = set()
    steps_on: list[date] = []
    for rule in rules:
        known = by_indicator.get(rule.indicator, ())
        if is_missing(rule, known):
            missing.add(rule.indicator)
        standing = [(fact, step) for fact in known if (step := step_of(rule, fact, on)) is not None]
        steps_on += [add_months(f.legal_date, s.within_months) for f, s in standing if s.within_months is not None]
        if earning := [(fact, step) for fact, step in standing if step.earns != NOTHING]:
            contributions.append(_contribution(rule, earning))
    score = sum(contribution.points for contribution in contributions)
    demanded = [contribution.at_least for contribution in contributions if contribution.at_least is not None]
    return _Judged(
        score, max([class_by_score(score, bands), *demanded]), tuple(contributions), frozenset(missing), tuple(steps_on)
    )


def class_by_score(score: int, bands: Iterable[Band]) -> RiskClass:
    return max(band.risk_class for band in bands if band.from_score <= score)


def is_missing(rule: Rule, known: Sequence[Fact]) -> bool:
    """Unknown: a fact that cannot be compared, or none where one is required or where nobody states it yet."""
    if not known:
        return rule.required or rule.indicator not in PRODUCED
    return any(fact.value is None for fact in known)


def _contribution(rule: Rule, earning: Sequence[tuple[Fact, Step]]) -> Contribution:
    classes = [step.at_least for _, step in earning if step.at_least is not None]
    in_order = sorted((fact.legal_date, fact.event_id) for fact, _ in earning)
    return Contribution(
        rule=rule.name,
        points=min(rule.cap, sum(step.points for _, step in earning)),
        at_least=max(classes, default=None),
        event_ids=tuple(dict.fromkeys(event_id for _, event_id in in_order)),
    )
