"""Events become facts; a set of facts has one state, in whatever order it came."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.risk.domain import (
    ERASURE,
    FACT_ROWS,
    Fact,
    FactRow,
    UnreadableFact,
    facts_of,
    is_registered,
    live_facts,
)
from services.risk.domain.facts import numbered

USCC = "91310106MA1FY00X0X"
REGISTRATION, CREDIT = "/jingan/registration", "/jingan/credit"
REGISTERED = {
    "application_id": "0195d3a0-0000-7000-8000-000000000001",
    "registered_on": date(2026, 1, 5),
    "enterprise_type": "limited_liability",
    "industry": "6930",
    "activities": ["6930", "7249"],
    "area": "310106013",
    "registered_capital": "5000000.50",
    "capital_currency": "CNY",
    "foreign_share": "33.3333",
}


def registered(**other: Any) -> tuple[Fact, ...]:
    return stated("registration.enterprise_registered.v1", 1, {**REGISTERED, **other})


def changed(sequence: int, on: date, *codes: str, **values: Any) -> tuple[Fact, ...]:
    return stated("registration.enterprise_changed.v1", sequence, {"changed_on": on, "changed": list(codes), **values})


def stated(
    event_type: str, sequence: int, data: dict[str, Any], rows: Sequence[FactRow] = FACT_ROWS
) -> tuple[Fact, ...]:
    return facts_of(
        data, event_type=event_type, source=REGISTRATION, subject=USCC, sequence=sequence, event_id=UUID(int=sequence),
        rows=numbered(rows),
    )  # fmt: skip


def by_indicator(facts: Sequence[Fact]) -> dict[str, tuple[date, int | None]]:
    assert len({fact.indicator for fact in facts}) == len(facts)
    return {fact.indicator: (fact.legal_date, fact.value) for fact in facts}


def test_a_registration_states_age_capital_industry_foreign_share_and_area() -> None:
    on = date(2026, 1, 5)
    assert by_indicator(registered()) == {
        "newly_registered": (on, 1),
        "registered_capital": (on, 5_000_000),
        "industry_risk": (on, 6930),
        "foreign_invested": (on, 3333),
        "entity_type": (on, None),
        "area": (on, 310106013),
    }
    assert [fact.key for fact in registered()] == [(REGISTRATION, USCC, 1, n) for n in range(6)]
    assert by_indicator(registered(enterprise_type="partnership"))["entity_type"] == (on, 3)


def test_capital_in_another_currency_or_none_is_not_comparable_and_not_converted() -> None:
    on = date(2026, 1, 5)
    assert by_indicator(registered(capital_currency="USD"))["registered_capital"] == (on, None)
    raised = changed(2, date(2026, 3, 1), "registered_capital", registered_capital="9000000")
    assert by_indicator(raised)["registered_capital"] == (date(2026, 3, 1), None)


def test_each_named_change_is_a_fact_and_new_capital_and_industry_replace_the_first() -> None:
    first = registered()
    later = changed(
        2, date(2026, 3, 1), "area", "registered_capital", "activities", "legal_representative",
        area="310106014", registered_capital="10000000", capital_currency="CNY", activities=["6210"], industry="6210",
    )  # fmt: skip
    assert set(by_indicator(later)) == {
        "address_changes_12m", "registered_capital", "scope_changes_12m", "legal_rep_changes_12m", "industry_risk",
        "area",
    }  # fmt: skip
    state = by_indicator(live_facts([*first, *later]))
    assert state["registered_capital"] == (date(2026, 3, 1), 10_000_000)
    assert state["industry_risk"] == (date(2026, 3, 1), 6210)
    assert state["area"] == (date(2026, 3, 1), 310106014)
    assert state["newly_registered"] == (date(2026, 1, 5), 1)
    moved_again = changed(3, date(2026, 4, 1), "area", area="310106")
    assert by_indicator(moved_again)["area"] == (date(2026, 4, 1), None), "a district is no street"
    moves = [fact for fact in live_facts([*first, *later, *moved_again]) if fact.indicator == "address_changes_12m"]
    assert [fact.legal_date for fact in moves] == [date(2026, 3, 1), date(2026, 4, 1)]


def test_a_change_of_something_else_and_an_unknown_type_state_nothing() -> None:
    assert changed(2, date(2026, 3, 1), "business_term") == ()
    assert stated("registration.application_submitted.v1", 2, {}) == ()


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"registered_on": "2026-01-05"}, "registered_on"),
        ({"registered_on": datetime(2026, 1, 5, tzinfo=UTC)}, "registered_on"),
        ({"registered_on": date(1899, 12, 31)}, "registered_on"),
        ({"registered_on": date(2200, 1, 1)}, "registered_on"),
        ({"registered_capital": "five"}, "registered_capital"),
        ({"registered_capital": None}, "registered_capital"),
        ({"registered_capital": "-1"}, "registered_capital"),
        ({"registered_capital": "NaN"}, "registered_capital"),
        ({"registered_capital": "10000000000000000"}, "registered_capital"),
        ({"registered_capital": "1e999999999"}, "registered_capital"),
        ({"industry": "693"}, "industry"),
        ({"industry": "６９３０"}, "industry"),
        ({"industry": 6930}, "industry"),
    ],
)
def test_an_unreadable_event_is_refused_by_field_without_repeating_the_value(wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(UnreadableFact) as refused:
        registered(**wrong)
    assert str(refused.value).startswith(f"registration.enterprise_registered.v1: {field}: ")
    assert str(next(iter(wrong.values()))) not in str(refused.value)


LISTING = (
    FactRow("credit.subject_listed.v1", "abnormal_list_active", "listing:{listing_id}", "listed_on"),
    FactRow("credit.subject_delisted.v1", "abnormal_list_active", "listing:{listing_id}", "delisted_on", lambda _: 0),
    FactRow("credit.record_erased.v1", ERASURE, "{record_id}", "erased_on"),
)


def test_another_service_is_heard_by_rows_alone() -> None:
    listed = stated("credit.subject_listed.v1", 1, {"listing_id": "L1", "listed_on": date(2026, 2, 1)}, LISTING)
    delisted = stated("credit.subject_delisted.v1", 2, {"listing_id": "L1", "delisted_on": date(2026, 5, 1)}, LISTING)
    erased = stated("credit.record_erased.v1", 3, {"record_id": "listing:L1", "erased_on": date(2026, 6, 1)}, LISTING)
    assert by_indicator(live_facts(listed)) == {"abnormal_list_active": (date(2026, 2, 1), 1)}
    assert by_indicator(live_facts([*delisted, *listed])) == {"abnormal_list_active": (date(2026, 5, 1), 0)}
    assert live_facts([*erased, *delisted, *listed]) == ()
    with pytest.raises(UnreadableFact, match=r"credit\.subject_listed\.v1: listing_id: missing"):
        stated("credit.subject_listed.v1", 1, {"listed_on": date(2026, 2, 1)}, LISTING)


# --- the state is a function of the set -------------------------------------------------------------------------------


def fact(sequence: int, record_id: str, source: str = CREDIT, indicator: str = "penalties_3y", n: int = 0) -> Fact:
    return Fact(source, USCC, sequence, n, indicator, date(2026, 1, 1), 1, record_id, UUID(int=sequence))


def test_an_erasure_from_another_service_wins_even_if_it_came_first() -> None:
    erasure = fact(1, "penalty:9", "/jingan/supervision", ERASURE)
    penalty, corrected = fact(7, "penalty:9"), fact(8, "penalty:9")
    assert live_facts([erasure]) == ()
    assert live_facts([erasure, penalty]) == ()
    assert live_facts([penalty, erasure, corrected]) == ()
    assert live_facts([penalty, fact(2, "penalty:3", indicator=ERASURE)]) == (penalty,)


def test_of_a_record_all_facts_of_its_greatest_sequence_hold_and_no_others() -> None:
    old = [fact(3, "penalty:1", n=n) for n in range(3)]
    new = [fact(5, "penalty:1", n=n) for n in range(2)]
    assert live_facts([*new, *old]) == tuple(new)


# The key decides the rest of a fact, as an event does, so that any list of these is a set of facts with duplicates.
KEYS = st.tuples(st.sampled_from([REGISTRATION, CREDIT]), st.integers(1, 8), st.integers(0, 1))


def of_key(key: tuple[str, int, int]) -> Fact:
    source, sequence, n = key
    record = f"{'any' if n else source}:{sequence % 3}"
    return fact(sequence, record, source, ERASURE if (sequence, n) == (8, 1) else "penalties_3y", n)


@given(st.lists(KEYS.map(of_key), max_size=20), st.randoms())
def test_neither_order_nor_repetition_matters(facts: list[Fact], random: Any) -> None:
    state = live_facts(facts)
    again = [*facts, *random.choices(facts, k=3)] if facts else []
    random.shuffle(again)
    assert live_facts(again) == state
    assert live_facts(state) == state
    for live in state:
        rivals = [f.sequence for f in facts if (f.source, f.record_id) == (live.source, live.record_id)]
        assert live.sequence == max(rivals)
        assert not any(f.indicator == ERASURE and f.record_id == live.record_id for f in facts)


LISTED_AS, RECORD = UUID(int=71), UUID(int=72)


def from_credit(sequence: int, type: str, **data: Any) -> tuple[Fact, ...]:
    return facts_of(
        data, event_type=f"credit.{type}.v1", source=CREDIT, subject=USCC, sequence=sequence,
        event_id=UUID(int=100 + sequence),
    )  # fmt: skip


def state(*given: tuple[Fact, ...]) -> dict[str, int | None]:
    """The live value of each indicator that these events speak of."""
    return {fact.indicator: fact.value for fact in live_facts([fact for facts in given for fact in facts])}


def test_a_listing_holds_until_its_delisting_and_is_still_counted_after_it() -> None:
    listed = from_credit(
        1, "subject_listed", listing_id=LISTED_AS, list="abnormal_operation", listed_on=date(2026, 2, 2)
    )
    ended = {"listing_id": LISTED_AS, "list": "abnormal_operation", "delisted_on": date(2026, 5, 4)}
    assert state(listed) == {"abnormal_list_active": 1, "abnormal_list_count_3y": 1}

    cured = from_credit(2, "subject_delisted", reason="ground_cured", **ended)
    assert state(cured, listed) == {"abnormal_list_active": 0, "abnormal_list_count_3y": 1}


def test_a_listing_that_should_never_have_been_is_not_counted() -> None:
    listed = from_credit(
        1, "subject_listed", listing_id=LISTED_AS, list="abnormal_operation", listed_on=date(2026, 2, 2)
    )
    upheld = from_credit(
        2, "subject_delisted", listing_id=LISTED_AS, list="abnormal_operation", reason="objection_upheld",
        delisted_on=date(2026, 2, 9),
    )  # fmt: skip
    assert state(upheld, listed) == {"abnormal_list_active": 0}


def test_a_breach_counts_until_its_repair_is_granted_and_a_refused_repair_changes_nothing() -> None:
    breach = from_credit(
        1, "record_accepted", record_id=RECORD, kind="commitment_breach", effective_on=date(2026, 3, 2)
    )
    decided = {"target": RECORD, "record_kind": "commitment_breach", "decided_on": date(2026, 9, 1)}
    assert from_credit(2, "repair_decided", granted=False, **decided) == ()
    assert state(breach) == {"commitment_breach": 1}
    assert state(breach, from_credit(2, "repair_decided", granted=True, **decided)) == {"commitment_breach": 0}


def test_an_erased_record_was_never_there() -> None:
    penalty = from_credit(1, "record_accepted", record_id=RECORD, kind="penalty", effective_on=date(2026, 3, 2))
    erased = from_credit(2, "record_erased", record_id=RECORD, erased_on=date(2026, 3, 9))
    assert state(erased, penalty) == state(erased) == {}


def inspected(sequence: int, on: date, **found: bool) -> tuple[Fact, ...]:
    return facts_of(
        {"inspection_id": UUID(int=sequence), "completed_on": on, "problem": False, "refused": False,
         "unreachable": False, **found},
        event_type="supervision.inspection_completed.v1", source="/jingan/supervision", subject=USCC,
        sequence=sequence, event_id=UUID(int=200 + sequence),
    )  # fmt: skip


def test_an_enterprise_is_unreachable_until_an_inspection_has_reached_it() -> None:
    missed = inspected(1, date(2026, 3, 2), problem=True, unreachable=True)
    assert state(missed) == {"spot_check_fail_3y": 1, "unreachable": 1}
    assert state(missed, inspected(2, date(2026, 4, 7))) == {"spot_check_fail_3y": 1, "unreachable": 0}


def test_a_permit_that_was_revoked_is_held_no_more_and_counts_against_the_enterprise_for_a_breach_alone() -> None:
    def revoked(reason: str) -> tuple[Fact, ...]:
        return facts_of(
            {"permit_id": UUID(int=9), "reason": reason, "revoked_on": date(2026, 4, 1)},
            event_type="licensing.permit_revoked.v1", source="/jingan/licensing", subject=USCC, sequence=1,
            event_id=UUID(int=300),
        )  # fmt: skip

    assert state(revoked("commitment_unkept")) == {"licence_revoked": 1, "permits_held": 0}
    assert state(revoked("enterprise_deregistered")) == {"permits_held": 0}


def test_one_that_was_taken_over_is_what_a_registered_one_is() -> None:
    over = stated("registration.enterprise_taken_over.v1", 1, REGISTERED)
    assert is_registered(over)
    assert state(over) == state(registered())


def test_a_notice_of_deregistration_ends_where_it_is_refused_or_the_registration_withdrawn() -> None:
    def said(sequence: int, act: str, **data: object) -> tuple[Fact, ...]:
        return facts_of(
            data, event_type=f"registration.{act}.v1", source="/jingan/registration", subject=USCC, sequence=sequence,
            event_id=UUID(int=400 + sequence),
        )  # fmt: skip

    noticed = said(2, "deregistration_requested", procedure="simplified", requested_on=date(2026, 4, 1))
    assert state(noticed) == {"simplified_deregistration_notice": 1}
    withdrawn = said(3, "registration_withdrawn", case_id=UUID(int=5), withdrawn_on=date(2026, 4, 9))
    refused = said(
        3, "deregistration_refused", procedure="simplified", refused_by="objection", refused_on=date(2026, 4, 8)
    )
    for ended in (withdrawn, refused):
        assert state(noticed, ended) == state(ended, noticed) == {"simplified_deregistration_notice": 0}


def test_what_credit_says_of_an_unknown_identifier_waits_until_it_is_registered() -> None:
    penalty = from_credit(1, "record_accepted", record_id=RECORD, kind="penalty", effective_on=date(2026, 3, 2))
    assert not is_registered(penalty)
    assert is_registered([*penalty, *registered()])
