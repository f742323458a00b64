"""What a scorecard makes of an enterprise as it ages, and that the vectorised scorer agrees to the last point."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from random import Random
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.risk import packed, vectorised
from services.risk.domain import (
    ERASURE,
    INDUSTRY,
    PRODUCED,
    Assessment,
    Band,
    Basis,
    Fact,
    RiskClass,
    Rule,
    Scorecard,
    Sector,
    Step,
    add_months,
    assess,
    live_facts,
)
from services.risk.scorecards import load_scorecard

CARD = load_scorecard("district-2026-1")
USCC = "91310106MA1FY00X0X"
REGISTERED_ON = date(2026, 1, 5)
A, B, C, D = RiskClass
DAY = timedelta(days=1)


def fact(
    indicator: str, on: date, value: int | None = 1, *, sequence: int = 1, record: str = "", subject: str = USCC,
    source: str = "/jingan/registration", n: int = 0,
) -> Fact:  # fmt: skip
    event_id = UUID(int=sequence)
    return Fact(source, subject, sequence, n, indicator, on, value, record or f"{indicator}:{sequence}", event_id)


def newcomer(capital: int | None = 500_000, industry: int = 7249, on: date = REGISTERED_ON) -> list[Fact]:
    return [
        fact("newly_registered", on, record="registration", n=0),
        fact("registered_capital", on, capital, record="capital", n=1),
        fact("industry_risk", on, industry, record="industry", n=2),
        fact("foreign_invested", on, 10_000, record="ownership", n=3),
    ]


def judged(facts: Sequence[Fact], on: date, card: Scorecard = CARD) -> Assessment:
    """The reference's judgement, after checking that the vectorised scorer comes to the same."""
    assert computed(facts, {USCC: 0}, [on], card) == [expected(facts, on, card)]
    return assess(facts, on, card)


def points(assessment: Assessment) -> dict[str, int]:
    return {contribution.rule: contribution.points for contribution in assessment.contributions}


def test_a_new_enterprise_is_rated_down_after_a_year_and_again_after_three() -> None:
    story = [
        (date(2026, 1, 5), 55, B, date(2027, 1, 5)),
        (date(2027, 1, 4), 55, B, date(2027, 1, 5)),
        (date(2027, 1, 5), 40, A, date(2029, 1, 5)),
        (date(2029, 1, 4), 40, A, date(2029, 1, 5)),
        (date(2029, 1, 5), 25, A, None),
    ]
    for on, score, risk_class, next_step_on in story:
        result = judged(newcomer(), on)
        assert (result.score, result.risk_class, result.next_step_on) == (score, risk_class, next_step_on), on


@pytest.mark.parametrize(
    ("legal_date", "months", "expected"),
    [
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2024, 2, 29), 48, date(2028, 2, 29)),
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2026, 8, 31), 6, date(2027, 2, 28)),
        (date(2026, 12, 15), 1, date(2027, 1, 15)),
        (date(2026, 11, 30), 3, date(2027, 2, 28)),
        (date(2025, 12, 31), 24, date(2027, 12, 31)),
    ],
)
def test_months_end_on_the_same_day_or_on_the_last_of_a_shorter_month(
    legal_date: date, months: int, expected: date
) -> None:
    assert add_months(legal_date, months) == expected
    moved = vectorised.add_months(np.array([vectorised.days(legal_date)], np.int32), months)
    assert moved.tolist() == [vectorised.days(expected)]


def test_moves_are_counted_up_to_the_cap_and_leave_one_by_one() -> None:
    moves = [fact("address_changes_12m", date(2026, month, 31), sequence=month) for month in (1, 3, 5)]
    in_june = judged(moves, date(2026, 6, 1))
    assert points(in_june) == {"address_changes_12m": 20}
    assert in_june.contributions[0].event_ids == (UUID(int=1), UUID(int=3), UUID(int=5))
    # 31 January and six months is 31 July; 31 March and six months 30 September; 31 May and six months 30 November
    story = {
        date(2026, 7, 30): 20, date(2026, 7, 31): 20, date(2026, 9, 29): 20, date(2026, 9, 30): 20,
        date(2026, 11, 29): 20, date(2026, 11, 30): 15, date(2027, 1, 30): 15, date(2027, 1, 31): 10,
        date(2027, 3, 31): 5, date(2027, 5, 31): 0,
    }  # fmt: skip
    assert {on: judged(moves, on).score for on in story} == story
    assert judged(moves, date(2027, 5, 31)).next_step_on is None


def test_raised_capital_replaces_the_first_and_the_cause_is_the_later_event() -> None:
    raised = fact("registered_capital", date(2026, 3, 1), 2_000_000, sequence=4, record="capital")
    result = judged([raised, *newcomer()], date(2026, 3, 1))
    assert points(result) == {"newly_registered": 30, "registered_capital": 12}
    assert {c.rule: c.event_ids for c in result.contributions}["registered_capital"] == (UUID(int=4),)
    enough = raised._replace(value=10_000_000)
    assert points(judged([enough, *newcomer()], date(2026, 3, 1))) == {"newly_registered": 30}


def test_industries_are_ranges_of_classes() -> None:
    for industry, expected in [(6899, 0), (6900, 40), (6999, 40), (7000, 0), (111, 0), (6632, 30)]:
        result = judged(newcomer(industry=industry), REGISTERED_ON)
        assert points(result).get("industry_risk", 0) == expected, industry


def test_a_listed_enterprise_is_class_c_whatever_its_score_until_it_is_delisted() -> None:
    listed = fact("abnormal_list_active", date(2026, 2, 1), sequence=2, record="listing:1", source="/jingan/credit")
    old = newcomer(on=date(2015, 1, 5))
    result = judged([*old, listed], date(2026, 2, 1))
    assert (result.score, result.risk_class) == (145, C)  # 145 alone is B
    assert [c.at_least for c in result.contributions if c.rule == "abnormal_list_active"] == [C]
    delisted = listed._replace(sequence=3, value=0, legal_date=date(2026, 5, 1))
    assert judged([*old, delisted, listed], date(2026, 5, 1)).risk_class is A


def test_a_direct_trigger_ends_with_its_window() -> None:
    refused = fact("refuses_inspection", date(2026, 2, 28), source="/jingan/supervision")
    assert judged([refused], date(2029, 2, 27)).risk_class is D
    assert judged([refused], date(2029, 2, 27)).next_step_on == date(2029, 2, 28)
    assert judged([refused], date(2029, 2, 28)).risk_class is A


def test_foreign_ownership_changes_nothing() -> None:
    foreign = newcomer()
    domestic = [f._replace(value=0) if f.indicator == "foreign_invested" else f for f in foreign]
    unstated = [f for f in foreign if f.indicator != "foreign_invested"]
    for on in (REGISTERED_ON, date(2027, 1, 5), date(2030, 1, 5)):
        assert judged(foreign, on) == judged(domestic, on) == judged(unstated, on)


def test_what_is_unknown_is_named_and_its_weight_goes_nowhere() -> None:
    known = judged(newcomer(), REGISTERED_ON)
    assert set(known.missing) == {rule.indicator for rule in CARD.rules} - PRODUCED  # nobody states these yet
    in_dollars = judged(newcomer(capital=None), REGISTERED_ON)
    assert set(in_dollars.missing) - set(known.missing) == {"registered_capital"}
    assert in_dollars.score == known.score - 25
    nothing_heard = judged([], REGISTERED_ON)
    assert {"newly_registered", "registered_capital", "industry_risk"} <= set(nothing_heard.missing)
    assert "address_changes_12m" not in nothing_heard.missing  # no move heard of is no move
    assert (nothing_heard.score, nothing_heard.risk_class, nothing_heard.next_step_on) == (0, A, None)


def test_a_fact_dated_ahead_counts_as_age_zero() -> None:
    ahead = [fact("address_changes_12m", date(2026, 3, 31))]
    for on in (date(2026, 1, 1), date(2026, 3, 31), date(2026, 9, 29)):
        result = judged(ahead, on)
        assert (result.score, result.next_step_on) == (10, date(2026, 9, 30))


def test_a_class_begins_at_its_score() -> None:
    at_the_edge = [
        *newcomer(capital=10_000_000),
        fact("address_changes_12m", REGISTERED_ON, sequence=2),
        fact("penalties_3y", REGISTERED_ON, source="/jingan/credit"),
    ]
    result = judged(at_the_edge, REGISTERED_ON)
    assert (result.score, result.risk_class) == (50, B)
    assert judged(at_the_edge[:-1], REGISTERED_ON).risk_class is A


# --- properties over random facts, dates and scorecards ---------------------------------------------------------------

INDICATORS = [
    "newly_registered", "registered_capital", "address_changes_12m", "penalties_3y", "unreachable", INDUSTRY,
]  # fmt: skip
BASIS = Basis("random", "random", "setting")


@st.composite
def rules(draw: st.DrawFn, name: str) -> Rule:
    cap = draw(st.integers(0, 150))
    bounds = draw(st.lists(st.integers(-3, 3), unique=True, max_size=3).map(sorted))
    steps: list[Step] = []
    for low, below in pairwise([None, *bounds, None]):
        ages = draw(st.lists(st.one_of(st.integers(1, 14), st.none()), unique=True, max_size=3))
        after: tuple[int, RiskClass | None] = (0, None)
        for months in sorted(ages, key=lambda age: -1000 if age is None else -age):
            earns = draw(st.tuples(st.integers(0, cap), st.sampled_from([None, B, C, D])).filter(after.__ne__))
            steps.append(Step(low, below, months, *earns, BASIS))
            after = earns
    return Rule(name, draw(st.sampled_from(INDICATORS)), cap, draw(st.booleans()), tuple(steps), BASIS)


@st.composite
def bands(draw: st.DrawFn) -> tuple[Band, ...]:
    starts = [0, *sorted(draw(st.sets(st.integers(1, 300), min_size=3, max_size=3)))]
    return tuple(Band(risk_class, start, BASIS) for risk_class, start in zip(RiskClass, starts, strict=True))


@st.composite
def scorecards(draw: st.DrawFn) -> Scorecard:
    general = tuple(draw(rules(f"rule {number}")) for number in range(draw(st.integers(1, 5))))
    sectors = tuple(
        Sector(
            f"sector {number}",
            tuple((low, low + draw(st.integers(1, 4))) for low in draw(st.sets(st.integers(-4, 3), min_size=1))),
            tuple(draw(rules(f"rule {number} of a sector {i}")) for i in range(draw(st.integers(1, 2)))),
            draw(bands()),
            BASIS,
        )
        for number in range(draw(st.integers(0, 2)))
    )
    return Scorecard("random", date(2026, 1, 1), general, draw(bands()), sectors)


DATES = st.one_of(
    st.dates(date(2024, 1, 1), date(2027, 12, 31)),
    st.sampled_from([date(2024, 2, 29), date(2025, 1, 31), date(2025, 8, 31), date(2025, 12, 31), date(2026, 2, 28)]),
)


@st.composite
def facts(draw: st.DrawFn, subject: str = USCC, at_most: int = 12) -> list[Fact]:
    """Facts with unique keys, as the inbox leaves them: records corrected, erased, dated ahead and not comparable."""
    keys = draw(st.sets(st.tuples(st.sampled_from("rc"), st.integers(1, 6), st.integers(0, 1)), max_size=at_most))
    return [
        fact(
            draw(st.sampled_from([*INDICATORS, *INDICATORS, "unrated", ERASURE])),
            draw(DATES),
            draw(st.one_of(st.integers(-4, 4), st.none())),
            sequence=sequence,
            source=source,
            n=n,
            subject=subject,
            record=f"{subject}:{draw(st.sampled_from('123456'))}",
        )
        for source, sequence, n in sorted(keys)
    ]


@given(facts(), DATES, scorecards(), st.randoms(use_true_random=False))
def test_contributions_sum_to_the_score_and_order_does_not_matter(
    given_facts: list[Fact], on: date, card: Scorecard, random: Random
) -> None:
    judged = assess(given_facts, on, card)
    assert judged.score == sum(contribution.points for contribution in judged.contributions) <= 1000
    demanded = [contribution.at_least for contribution in judged.contributions if contribution.at_least]
    by_score = [band.risk_class for band in card.bands if band.from_score <= judged.score]
    assert judged.general_class == max([*by_score, *demanded])
    assert judged.risk_class == max([judged.general_class, *(sector.risk_class for sector in judged.sectors)])
    for sector in judged.sectors:
        assert sector.score == sum(contribution.points for contribution in sector.contributions)
    again = given_facts + given_facts[:3]
    random.shuffle(again)
    assert assess(again, on, card) == judged
    live_events = {live.event_id for live in live_facts(given_facts)}
    assert all(set(c.event_ids) <= live_events and c.event_ids for c in judged.all_contributions)


@pytest.mark.timeout(400)
@settings(max_examples=60)
@given(facts(at_most=6), DATES, scorecards())
def test_nothing_changes_before_the_next_step_and_something_does_on_it(
    given_facts: list[Fact], on: date, card: Scorecard
) -> None:
    judged = assess(given_facts, on, card)
    last_of_all = add_months(date(2027, 12, 31), 15)
    day = on + DAY
    while day < (judged.next_step_on or last_of_all):
        assert replace(assess(given_facts, day, card), next_step_on=judged.next_step_on) == judged
        day += DAY
    if judged.next_step_on is not None:
        assert judged.next_step_on > on
        held = live_facts(given_facts)
        industry = [fact for fact in held if fact.indicator == INDUSTRY]  # decides which sectors' rules apply
        alone = [[assess([live, *industry], at, card) for at in (day - DAY, day)] for live in held]
        assert any(before.all_contributions != after.all_contributions for before, after in alone)


# --- the vectorised scorer --------------------------------------------------------------------------------------------

Row = tuple[int, int, int, set[str], set[str]]


def expected(facts_of_one: Sequence[Fact], on: date, card: Scorecard) -> Row:
    judged = assess(facts_of_one, on, card)
    step = vectorised.NO_STEP if judged.next_step_on is None else vectorised.days(judged.next_step_on)
    return judged.score, judged.risk_class, step, {c.rule for c in judged.all_contributions}, set(judged.missing)


def computed(given_facts: Sequence[Fact], numbers: dict[str, int], on: Sequence[date], card: Scorecard) -> list[Row]:
    enterprises = np.array([numbers[one.subject] for one in given_facts], np.int32)
    held, _ = packed.merged(packed.Facts(enterprises, packed.pack(given_facts)))
    scores = vectorised.score(
        vectorised.columns(held, card), np.array([vectorised.days(day) for day in on], np.int32), card
    )
    assert (scores.score.dtype, scores.risk_class.dtype, scores.next_step_on.dtype) == (np.int32, np.int8, np.int32)
    indicator = {rule.name: rule.indicator for rule in card.all_rules}
    return [
        (
            int(scores.score[i]),
            int(scores.risk_class[i]),
            int(scores.next_step_on[i]),
            set(vectorised.rule_names(card, int(scores.reasons[i]))),
            {indicator[name] for name in vectorised.rule_names(card, int(scores.missing[i]))},
        )
        for i in range(len(on))
    ]


@pytest.mark.timeout(400)  # a failure is shrunk for up to 300 s before it is shown
@settings(max_examples=200)
@given(st.data())
def test_the_vectorised_scorer_equals_the_reference_in_any_order_and_any_batches(data: st.DataObject) -> None:
    card = data.draw(scorecards())
    names = [f"enterprise {i}" for i in range(data.draw(st.integers(1, 5)))]
    known = {name: data.draw(facts(name, at_most=8)) for name in names}
    on = {name: data.draw(DATES) for name in names}
    reference = {name: expected(known[name], on[name], card) for name in names}
    each = [one for those in known.values() for one in those]
    order = data.draw(st.permutations([*each, *each[::3]]))
    cut = data.draw(st.integers(0, len(names)))
    for batch in (names, names[:cut], names[cut:]):
        numbers = {name: i for i, name in enumerate(batch)}
        touched = [one for one in order if one.subject in numbers]
        assert computed(touched, numbers, [on[name] for name in batch], card) == [reference[name] for name in batch]


@given(st.lists(st.dates(date(1900, 1, 1), date(2199, 12, 31)), max_size=20), st.integers(1, 1200))
def test_vectorised_months_equal_the_reference(days: list[date], months: int) -> None:
    moved = vectorised.add_months(np.array([vectorised.days(day) for day in days], np.int32), months)
    assert moved.tolist() == [vectorised.days(add_months(day, months)) for day in days]


@pytest.mark.parametrize("months", [1, 11, 12, 36, 1200])
def test_vectorised_months_of_many_days_equal_the_reference(months: int) -> None:
    """Many days are looked up in a table, whose ends are days like any other; a day beyond it changes nothing."""
    first, last = vectorised.TABLED[0], vectorised.TABLED[-1]
    every = np.concatenate([np.arange(first, first + 1500), np.arange(last - 1500, last + 1)]).astype(np.int32)
    for days in (every, np.append(every, np.int32(last + 1))):
        moved = vectorised.add_months(days, months).tolist()
        expected = [add_months(date.fromordinal(day + vectorised.EPOCH), months) for day in days.tolist()]
        assert moved == [vectorised.days(day) for day in expected]


@given(st.lists(st.lists(st.integers(1, 9), max_size=4), max_size=6), st.integers(0, 30), st.integers(0, 9))
def test_facts_among_other_bytes_are_those_behind_one_another(
    sheets: list[list[int]], before_all: int, before_each: int
) -> None:
    """As a COPY sends them: with a header, and some bytes before each row."""
    packs = [packed.pack([fact("penalties_3y", REGISTERED_ON, value) for value in sheet]).tobytes() for sheet in sheets]
    lengths = np.array([len(pack) for pack in packs], np.int64)
    alone = packed.joined(lengths, b"".join(packs))
    among = packed.scattered(
        lengths,
        b"h" * before_all + b"".join(b"r" * before_each + pack for pack in packs) + b"e",
        before_all,
        before_each,
    )
    assert among.enterprise.tolist() == alone.enterprise.tolist()
    assert among.packed.tobytes() == alone.packed.tobytes()


def test_an_erasure_from_another_source_reaches_the_record_of_its_own_enterprise_alone() -> None:
    penalty = fact("penalties_3y", REGISTERED_ON, record="penalty:1", source="/jingan/credit")
    erasure = fact(ERASURE, REGISTERED_ON, record="penalty:1", source="/jingan/supervision")
    elsewhere = penalty._replace(subject="other")
    numbers, on = {USCC: 0, "other": 1}, [REGISTERED_ON, REGISTERED_ON]
    assert assess([erasure, penalty], REGISTERED_ON, CARD).score == 0
    assert [row[0] for row in computed([penalty], numbers, on, CARD)] == [10, 0]
    assert [row[0] for row in computed([erasure, penalty, elsewhere], numbers, on, CARD)] == [0, 10]


def test_large_amounts_stay_exact() -> None:
    step = [Step(10**17 + 1, None, None, 7, None, BASIS)]
    rule = Rule("large", "registered_capital", 7, True, tuple(step), BASIS)
    card = replace(CARD, rules=(rule,))
    for value, score in [(10**17, 0), (10**17 + 1, 7)]:
        one = [fact("registered_capital", REGISTERED_ON, value)]
        assert assess(one, REGISTERED_ON, card).score == score
        assert computed(one, {USCC: 0}, [REGISTERED_ON], card)[0][0] == score
