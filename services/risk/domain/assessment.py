"""The facts of one enterprise judged by a scorecard on one date: the reference that `vectorised` must equal."""

from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.risk.domain.facts import PRODUCED, Fact, live_facts
from services.risk.domain.scorecard import NOTHING, RiskClass, Rule, Scorecard, Step


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one rule added, the least class it demands, and the events that caused it, oldest legal date first."""

    rule: str
    points: int
    at_least: RiskClass | None
    event_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Assessment:
    """`score` is the sum of the contributions. `missing`: indicators unknown here, whose weight nothing takes over.
    `next_step_on`: the first later date on which a fact earns something else by age alone (None: never).
    """

    score: int
    risk_class: RiskClass
    contributions: tuple[Contribution, ...]
    missing: tuple[str, ...]
    next_step_on: date | None


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
    contributions: list[Contribution] = []
    missing: set[str] = set()
    steps_on: list[date] = []
    for rule in scorecard.rules:
        known = by_indicator[rule.indicator]
        if is_missing(rule, known):
            missing.add(rule.indicator)
        standing = [(fact, step) for fact in known if (step := step_of(rule, fact, on)) is not None]
        steps_on += [add_months(f.legal_date, s.within_months) for f, s in standing if s.within_months is not None]
        if earning := [(fact, step) for fact, step in standing if step.earns != NOTHING]:
            contributions.append(_contribution(rule, earning))
    score = sum(contribution.points for contribution in contributions)
    by_score = max(band.risk_class for band in scorecard.bands if band.from_score <= score)
    demanded = [contribution.at_least for contribution in contributions if contribution.at_least is not None]
    return Assessment(
        score=score,
        risk_class=max([by_score, *demanded]),
        contributions=tuple(contributions),
        missing=tuple(sorted(missing)),
        next_step_on=min(steps_on, default=None),
    )


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
