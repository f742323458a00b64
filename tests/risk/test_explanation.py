"""Why an enterprise stands where it does, what would lower its class, and when time alone will."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import combinations
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from services.risk.domain import INDUSTRY, Fact, RiskClass, Scorecard, assess, live_facts
from services.risk.domain.explanation import by_time, differences, explain, first_lower, ways_down
from services.risk.scorecards import load_scorecard
from tests.risk.test_scoring import DATES, INDICATORS, REGISTERED_ON, fact, facts, newcomer, scorecards

CARD = load_scorecard("district-2026-1")
A, B, C, D = RiskClass
MENDABLE = {"registered_capital", "abnormal_list_active", "penalties_3y", "address_changes_12m"}


def listed(sequence: int = 7) -> Fact:
    return fact("abnormal_list_active", date(2026, 2, 1), sequence=sequence, record="listing:1", source="/credit")


def test_the_nearest_class_takes_the_fewest_changes_and_names_their_events() -> None:
    known = [*newcomer(on=date(2015, 1, 5)), listed()]  # 25 for capital, 120 for the list: B by points, C by the list
    to_b, to_a = ways_down(known, date(2026, 2, 2), CARD, MENDABLE)
    assert to_b.changes is not None
    assert to_a.changes is not None
    assert (to_b.to, [change.record_id for change in to_b.changes], to_b.score) == (B, ["listing:1"], 25)
    assert [change.event_id for change in to_a.changes] == [UUID(int=7)]  # without the list it is A at once
    assert to_b.risk_class is to_a.risk_class is A


def test_what_people_cannot_mend_is_left_to_time() -> None:
    known = [*newcomer(industry=6999), fact("refuses_inspection", REGISTERED_ON, source="/supervision")]
    assert [way.changes for way in ways_down(known, REGISTERED_ON, CARD, MENDABLE)] == [None, None, None]
    story = by_time(known, REGISTERED_ON, CARD)
    assert [(at.on, at.score, at.risk_class) for at in story] == [
        (date(2027, 1, 5), 180, D),
        (date(2029, 1, 5), 65, B),
    ]
    assert first_lower(story, D) == story[1]


def test_each_rule_shows_the_facts_that_it_counts_and_until_when() -> None:
    moves = [fact("address_changes_12m", date(2026, month, 5), sequence=month) for month in (1, 2, 3)]
    (line,) = explain(moves, date(2026, 3, 6), CARD).lines
    assert (line.rule, line.points, line.cap) == ("address_changes_12m", 20, 20)
    assert [(one.points, one.ends_on) for one in line.facts] == [
        (10, date(2026, 7, 5)), (10, date(2026, 8, 5)), (10, date(2026, 9, 5)),
    ]  # fmt: skip


def test_what_has_aged_is_told_from_what_was_said_anew() -> None:
    known = newcomer()
    raised = fact("registered_capital", date(2027, 2, 1), 20_000_000, sequence=9, record="capital")
    before = assess(known, REGISTERED_ON, CARD)
    after = assess([*known, raised], date(2027, 3, 1), CARD)
    standing = {one.event_id for one in live_facts([*known, raised])}
    found = {one.rule: one for one in differences(before, after, standing)}
    assert set(found) == {"newly_registered", "registered_capital"}
    assert (found["newly_registered"].points_before, found["newly_registered"].points_after) == (30, 15)
    assert found["newly_registered"].by_time
    assert not differences(before, before)
    late = assess(known, date(2030, 1, 5), CARD)
    assert [one.by_time for one in differences(before, late, standing)] == [True]
    assert [one.by_time for one in differences(before, late)] == [False]  # for all we know it was erased


@given(facts(), DATES, scorecards())
def test_the_lines_sum_to_the_score_and_the_facts_to_their_lines(known: list[Fact], on: date, card: Scorecard) -> None:
    told = explain(known, on, card)
    assert told.assessment == assess(known, on, card)
    assert sum(line.points for line in told.lines if line.sector is None) == told.assessment.score
    for line in told.lines:
        assert line.points == min(line.cap, sum(one.points for one in line.facts))
        assert line.facts


@settings(max_examples=150, deadline=None)
@given(facts(at_most=8), DATES, scorecards(), st.sets(st.sampled_from(INDICATORS)))
def test_no_smaller_set_of_changes_lowers_the_class(
    known: list[Fact], on: date, card: Scorecard, mendable: set[str]
) -> None:
    held = live_facts(known)
    judged = assess(held, on, card)
    ways = ways_down(known, on, card, mendable)
    assert [way.to for way in ways] == list(range(judged.risk_class - 1, -1, -1))
    free = [one for one in held if one.indicator in mendable - {INDUSTRY}]
    for way in ways:
        least = next(
            (
                size
                for size in range(len(free) + 1)
                for gone in combinations(free, size)
                if assess([one for one in held if one not in gone], on, card).risk_class <= way.to
            ),
            None,
        )
        if way.changes is None:
            assert least is None
            continue
        assert len(way.changes) == least
        gone_keys = {(change.indicator, change.record_id, change.event_id) for change in way.changes}
        left = [one for one in held if (one.indicator, one.record_id, one.event_id) not in gone_keys]
        after = assess(left, on, card)
        assert (after.score, after.risk_class) == (way.score, way.risk_class)
        assert after.risk_class <= way.to


@settings(max_examples=60, deadline=None)
@given(facts(at_most=6), DATES, scorecards())
def test_time_alone_does_what_is_foretold(known: list[Fact], on: date, card: Scorecard) -> None:
    judged = assess(known, on, card)
    stands = judged.score, judged.risk_class
    foretold = {at.on: (at.score, at.risk_class) for at in by_time(known, on, card)}
    for days in range(1, 1900):
        day = on + timedelta(days=days)
        stands = foretold.get(day, stands)
        if days % 9 == 0 or day in foretold or day + timedelta(days=1) in foretold:
            now = assess(known, day, card)
            assert (now.score, now.risk_class) == stands


def test_a_long_history_is_searched_at_once() -> None:
    """Hundreds of facts: the search goes by what facts earn, not by sets of facts."""
    many = [
        fact("penalties_3y", date(2026, 1, 1 + n % 28), sequence=n, record=f"p{n}")._replace(n=0) for n in range(1, 400)
    ]
    (way,) = ways_down(many, date(2026, 2, 1), CARD, {"penalties_3y"})
    assert way.to is A
    assert way.changes is not None
    assert len(way.changes) == 395  # 40 points at most for class A: four penalties may stand
