"""Why an enterprise stands where it does: what each rule added, what changed, what would lower the class, and when."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from services.risk.domain.assessment import Assessment, Contribution, add_months, assess, step_of
from services.risk.domain.facts import INDUSTRY, Fact, live_facts
from services.risk.domain.scorecard import NOTHING, Band, RiskClass, Rule, Scorecard

DATES_AT_MOST = 60


@dataclass(frozen=True, slots=True)
class FactLine:
    """One fact that earns: what it earns before its rule's cap, and the day from which it earns something else."""

    event_id: UUID
    record_id: str
    legal_date: date
    stated_at: datetime
    value: int
    points: int
    at_least: RiskClass | None
    ends_on: date | None


@dataclass(frozen=True, slots=True)
class Line:
    """One rule that adds points or demands a class; `sector` is None for a general rule."""

    rule: str
    indicator: str
    sector: str | None
    points: int
    cap: int
    at_least: RiskClass | None
    facts: tuple[FactLine, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    assessment: Assessment
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """A rule that counts otherwise than before. `by_time`: by age alone, since the same events cause it."""

    rule: str
    points_before: int
    points_after: int
    at_least_before: RiskClass | None
    at_least_after: RiskClass | None
    new_event_ids: tuple[UUID, ...]
    gone_event_ids: tuple[UUID, ...]
    by_time: bool


@dataclass(frozen=True, slots=True)
class Change:
    """A fact that would no longer count: a record repaired, a listing ended, capital raised."""

    indicator: str
    record_id: str
    event_id: UUID


@dataclass(frozen=True, slots=True)
class WayDown:
    """The smallest set of changes after which the class is `to` or lower (`risk_class`), and what the score would be.

    `changes` is None where no set of changes gets there: only time does, or nothing.
    """

    to: RiskClass
    changes: tuple[Change, ...] | None
    score: int | None
    risk_class: RiskClass | None


@dataclass(frozen=True, slots=True)
class AtDate:
    """What time alone makes of it from a day on."""

    on: date
    score: int
    risk_class: RiskClass


def explain(facts: Iterable[Fact], on: date, scorecard: Scorecard) -> Explanation:
    """The assessment with each rule that counts, general ones first, and under it the facts that it counts."""
    given = live_facts(facts)
    judged = assess(given, on, scorecard)
    rules = {rule.name: rule for rule in scorecard.all_rules}
    parts: list[tuple[str | None, Contribution]] = [(None, part) for part in judged.contributions]
    parts += [(sector.sector, part) for sector in judged.sectors for part in sector.contributions]
    lines = [
        Line(
            rule=part.rule,
            indicator=rules[part.rule].indicator,
            sector=sector,
            points=part.points,
            cap=rules[part.rule].cap,
            at_least=part.at_least,
            facts=tuple(_fact_lines(rules[part.rule], given, on)),
        )
        for sector, part in parts
    ]
    return Explanation(judged, tuple(lines))


def _fact_lines(rule: Rule, given: Sequence[Fact], on: date) -> list[FactLine]:
    lines = []
    for fact in sorted(given, key=lambda fact: (fact.legal_date, fact.event_id)):
        step = step_of(rule, fact, on) if fact.indicator == rule.indicator else None
        if step is None or fact.value is None or step.earns == NOTHING:
            continue
        ends_on = None if step.within_months is None else add_months(fact.legal_date, step.within_months)
        lines.append(
            FactLine(
                fact.event_id, fact.record_id, fact.legal_date, fact.stated_at, fact.value, step.points, step.at_least,
                ends_on,
            )
        )  # fmt: skip
    return lines


def differences(before: Assessment, after: Assessment, standing: Collection[UUID] = ()) -> tuple[Difference, ...]:
    """What changed from one assessment to another, rule by rule, by name. `standing`: the events whose facts hold at
    the later one; what counts no more though it stands has aged."""
    was = {part.rule: part for part in before.all_contributions}
    now = {part.rule: part for part in after.all_contributions}
    return tuple(
        _difference(name, was.get(name), now.get(name), frozenset(standing))
        for name in sorted(was.keys() | now.keys())
        if was.get(name) != now.get(name)
    )


def _difference(
    rule: str, before: Contribution | None, after: Contribution | None, standing: Collection[UUID]
) -> Difference:
    old, new = (part.event_ids if part else () for part in (before, after))
    came = tuple(id for id in new if id not in old)
    gone = tuple(id for id in old if id not in new)
    return Difference(
        rule=rule,
        points_before=before.points if before else 0,
        points_after=after.points if after else 0,
        at_least_before=before.at_least if before else None,
        at_least_after=after.at_least if after else None,
        new_event_ids=came,
        gone_event_ids=gone,
        by_time=not came and all(id in standing for id in gone),
    )


def by_time(facts: Iterable[Fact], on: date, scorecard: Scorecard, at_most: int = DATES_AT_MOST) -> tuple[AtDate, ...]:
    """Each later date on which age alone changes the score or the class, as far as nothing else happens."""
    given = live_facts(facts)
    judged = assess(given, on, scorecard)
    stands = judged.score, judged.risk_class
    found: list[AtDate] = []
    while judged.next_step_on is not None and len(found) < at_most:
        day = judged.next_step_on
        judged = assess(given, day, scorecard)
        if (judged.score, judged.risk_class) != stands:
            stands = judged.score, judged.risk_class
            found.append(AtDate(day, *stands))
    return tuple(found)


def first_lower(dates: Iterable[AtDate], than: RiskClass) -> AtDate | None:
    """The first of these dates on which the class is lower."""
    return next((at for at in dates if at.risk_class < than), None)


def ways_down(facts: Iterable[Fact], on: date, scorecard: Scorecard, mendable: Collection[str]) -> tuple[WayDown, ...]:
    """For each class below the present one, nearest first: the fewest facts that would have to count no more.

    `mendable`: the indicators whose facts people can set right; the main industry never is. Exact: the fewest that
    suffice, of those the ones that leave the least score.
    """
    given = live_facts(facts)
    judged = assess(given, on, scorecard)
    covering = {sector.sector for sector in judged.sectors}
    parts = [_Part(scorecard.rules, scorecard.bands)]
    parts += [_Part(sector.rules, sector.bands) for sector in scorecard.sectors if sector.name in covering]
    indicators = [
        _options_of(indicator, [fact for fact in given if fact.indicator == indicator], on, parts, mendable)
        for indicator in sorted({rule.indicator for part in parts for rule in part.rules})
    ]
    return tuple(
        _way_down(RiskClass(to), given, on, scorecard, parts, indicators)
        for to in range(judged.risk_class - 1, RiskClass.A - 1, -1)
    )


@dataclass(frozen=True, slots=True)
class _Part:
    """The general classification or that of a sector."""

    rules: tuple[Rule, ...]
    bands: tuple[Band, ...]

    def most(self, to: RiskClass) -> float:
        """The greatest score of class `to` or a lower one."""
        return min((band.from_score for band in self.bands if band.risk_class > to), default=float("inf")) - 1


@dataclass(frozen=True, slots=True)
class _Group:
    """Facts of one indicator that earn the same by every rule: which of them go makes no difference."""

    facts: tuple[Fact, ...]
    points: tuple[tuple[int, ...], ...]  # by part, by rule of this indicator
    at_least: RiskClass
    mendable: bool


@dataclass(frozen=True, slots=True)
class _Indicator:
    groups: tuple[_Group, ...]
    caps: tuple[tuple[int, ...], ...]


def _options_of(
    indicator: str, known: Sequence[Fact], on: date, parts: Sequence[_Part], mendable: Collection[str]
) -> _Indicator:
    """The facts of one indicator by what they earn."""
    rules = [[rule for rule in part.rules if rule.indicator == indicator] for part in parts]
    groups: defaultdict[tuple[tuple[tuple[int, ...], ...], RiskClass], list[Fact]] = defaultdict(list)
    for fact in known:
        steps = [[step_of(rule, fact, on) for rule in of_part] for of_part in rules]
        points = tuple(tuple(step.points if step else 0 for step in of_part) for of_part in steps)
        demanded = [step.at_least for of_part in steps for step in of_part if step and step.at_least is not None]
        groups[points, max(demanded, default=RiskClass.A)].append(fact)
    return _Indicator(
        groups=tuple(
            _Group(tuple(of_group), points, at_least, indicator in mendable and indicator != INDUSTRY)
            for (points, at_least), of_group in sorted(groups.items())
        ),
        caps=tuple(tuple(rule.cap for rule in of_part) for of_part in rules),
    )


_Taken = tuple[Fact, ...]
_Scores = tuple[int, ...]
"""The points of each part."""


def _way_down(
    to: RiskClass, given: Sequence[Fact], on: date, scorecard: Scorecard, parts: Sequence[_Part],
    indicators: Sequence[_Indicator],
) -> WayDown:  # fmt: skip
    """Indicators add up, so they are combined one by one, keeping only what nothing else betters."""
    kept: list[tuple[_Taken, _Scores]] = [((), (0,) * len(parts))]
    for indicator in indicators:
        options = _choices(indicator, to)
        if options is None:
            return WayDown(to, None, None, None)
        combined = [
            ((*taken, *more), tuple(map(sum, zip(scores, added, strict=True))))
            for taken, scores in kept
            for more, added in options
        ]
        kept = _undominated(combined)
    limits = [part.most(to) for part in parts]
    enough = [one for one in kept if all(score <= limit for score, limit in zip(one[1], limits, strict=True))]
    if not enough:
        return WayDown(to, None, None, None)
    taken, _ = min(enough, key=lambda one: (len(one[0]), one[1]))
    after = assess([fact for fact in given if fact not in taken], on, scorecard)
    changes = tuple(Change(fact.indicator, fact.record_id, fact.event_id) for fact in taken)
    return WayDown(to, changes, after.score, after.risk_class)


def _choices(indicator: _Indicator, to: RiskClass) -> list[tuple[_Taken, _Scores]] | None:
    """Which facts of an indicator may go, and what the rest earns; None where one must go that cannot."""
    chosen: list[tuple[_Taken, tuple[int, ...]]] = [((), ())]
    for group in indicator.groups:
        must_go = group.at_least > to
        if must_go and not group.mendable:
            return None
        counts = [len(group.facts)] if must_go else range((len(group.facts) if group.mendable else 0) + 1)
        chosen = [
            ((*taken, *group.facts[:gone]), (*left, len(group.facts) - gone))
            for taken, left in chosen
            for gone in counts
        ]
    return _undominated([(taken, _earned(indicator, left)) for taken, left in chosen])


def _earned(indicator: _Indicator, left: Sequence[int]) -> _Scores:
    """The points by part where `left[i]` facts of group i are left."""
    return tuple(
        sum(
            min(cap, sum(count * group.points[part][rule] for count, group in zip(left, indicator.groups, strict=True)))
            for rule, cap in enumerate(caps)
        )
        for part, caps in enumerate(indicator.caps)
    )


def _undominated(options: Iterable[tuple[_Taken, _Scores]]) -> list[tuple[_Taken, _Scores]]:
    """Without those for which another takes no more facts and leaves no more points in any part."""
    kept: list[tuple[_Taken, _Scores]] = []
    for option in sorted(options, key=lambda one: (len(one[0]), one[1])):
        if not any(all(a <= b for a, b in zip(better[1], option[1], strict=True)) for better in kept):
            kept.append(option)
    return kept
