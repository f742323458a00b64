"""Which permits and filings activities call for, by the rows of the catalogue."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.licensing import policy
from services.licensing.domain import Facts, answered, contradictions, requirements, uncovered
from services.licensing.domain.requirements import Requirement
from services.licensing.domain.terms import ordinary_term

LAW = policy.load()
TODAY = date(2026, 1, 5)


def needed(
    *activities: str, on: date = TODAY, capital: str | None = "foreign", **answers: bool
) -> dict[str, Requirement]:
    """What is found, by item; of an item with several rows the last."""
    facts = Facts(activities, answers, capital)  # type: ignore[arg-type]
    return {one.row.item_id: one for one in requirements(facts, on, LAW)}


def due(*activities: str, on: date = TODAY, **answers: bool) -> set[str]:
    return {item for item, one in needed(*activities, on=on, **answers).items() if one.due == "yes"}


class TestARestaurant:
    def test_touches_every_mode_of_the_reform(self) -> None:
        found = needed("6210")
        assert {item: one.row.reform_mode for item, one in found.items() if one.triggers} == {
            "P001": "optimised_access",
            "P024": "direct_cancellation",
            "P033": "notification_commitment",
            "P077": "approval_to_filing",
            "P122": "optimised_access",
        }

    def test_is_told_why_by_the_trigger_that_its_class_matches(self) -> None:
        found = needed("6210", "5432")
        assert found["P001"].triggers == (("6210", "6210"),)
        assert found["P122"].triggers == (("6210", "62"),), "drainage is a matter of the whole division"

    def test_waits_for_its_permits_and_for_no_filing_and_nothing_that_was_cancelled(self) -> None:
        found = needed("6210")
        assert {item for item, one in found.items() if one.blocks} == {"P001", "P033", "P122"}
        assert found["P024"].due == "no"

    def test_sees_which_modes_are_from_memory(self) -> None:
        found = needed("6210")
        assert found["P001"].row.mode_confidence == "memory"
        assert found["P033"].row.mode_confidence == "verified"

    @pytest.mark.parametrize(
        ("on", "status"), [(date(2023, 7, 9), "permit"), (date(2023, 7, 10), "cancelled"), (TODAY, "cancelled")]
    )
    def test_needed_a_liquor_licence_until_it_became_part_of_the_food_licence(self, on: date, status: str) -> None:
        assert needed("6210", on=on)["P024"].row.status == status

    def test_was_inspected_for_fire_before_commitments_were_taken(self) -> None:
        assert needed("6210", on=date(2021, 4, 28))["P033"].row.reform_mode == "none"
        assert needed("6210", on=date(2021, 4, 29))["P033"].row.reform_mode == "notification_commitment"


class TestAnUnansweredQuestion:
    def test_makes_an_item_conditional_and_is_asked(self) -> None:
        pool = needed("8930")["P026"]
        assert (pool.due, pool.questions) == ("conditional", ("swimming_pool",))
        assert not pool.blocks, "nobody waits for what may not be needed"

    def test_is_settled_by_yes_and_by_no(self) -> None:
        assert needed("8930", swimming_pool=True)["P026"].due == "yes"
        assert "P026" not in needed("8930", swimming_pool=False)

    def test_is_settled_where_one_of_several_facts_is_enough(self) -> None:
        sports = needed("8930", high_risk_sport=False)["P061"]
        assert (sports.due, sports.questions) == ("conditional", ("swimming_pool",))
        assert needed("8930", high_risk_sport=False, swimming_pool=True)["P061"].holds == ("swimming_pool",)

    def test_is_settled_by_the_answer_to_its_opposite(self) -> None:
        """Loose food or prepackaged only: who sells food does the one or the other."""
        assert answered(Facts((), {"prepackaged_only": True}), LAW)["loose_or_processed_food"] is False
        assert answered(Facts((), {"prepackaged_only": False}), LAW)["loose_or_processed_food"] is True
        assert {"P002", "P003"} & due("5221", loose_or_processed_food=True) == {"P002"}
        assert {"P002", "P003"} & due("5221", prepackaged_only=True) == {"P003"}

    def test_is_not_settled_by_denying_what_merely_excludes_it(self) -> None:
        """No statutory audits does not mean that books are kept for clients."""
        assert "bookkeeping_agency" not in answered(Facts((), {"statutory_audit": False}), LAW)
        assert answered(Facts((), {"statutory_audit": True}), LAW)["bookkeeping_agency"] is False

    def test_about_the_capital_is_answered_by_the_investors(self) -> None:
        assert needed("8820", capital="domestic")["P047"].due == "yes"
        assert "P047" not in needed("8820", capital="foreign")
        assert needed("8820", capital="foreign")["P141"].due == "yes"
        assert needed("8820", capital=None)["P047"].questions == ("capital_domestic",)


def test_facts_that_rule_each_other_out_are_found() -> None:
    both = {"prepackaged_only": True, "loose_or_processed_food": True}
    neither = dict.fromkeys(both, False)
    assert [(one.fact, one.other) for one in contradictions(both, LAW)] == [
        ("loose_or_processed_food", "prepackaged_only")
    ]
    assert list(contradictions(neither, LAW)), "one of the two must hold"
    assert not list(contradictions({"statutory_audit": False, "bookkeeping_agency": False}, LAW))


def test_a_franchisor_files_whatever_the_trade() -> None:
    assert "P022" in due("6550", franchisor=True)
    assert needed("6550", franchisor=True)["P022"].triggers == ()


def test_an_activity_of_which_no_row_speaks_is_said_to_be_unknown() -> None:
    assert uncovered(("6210", "7011"), LAW) == ("7011",)


def test_a_row_without_a_mode_says_unknown() -> None:
    row = next(one for one in LAW.items if one.item_id == "P001")
    assert replace(row, mode=None).reform_mode == "unknown"


def test_commitment_is_offered_only_where_mode_and_row_are_verified() -> None:
    offered = {(row.item_id, row.part) for row in LAW.items if row.offers_commitment}
    assert offered == {("P026", 1), ("P026", 2), ("P033", 2), ("P039", 2), ("P052", 2)}


def test_a_notice_expressly_wanted_beforehand_blocks_and_other_filings_do_not() -> None:
    assert needed("4910")["P016"].blocks
    assert not needed("6210")["P077"].blocks


def test_the_ordinary_way_has_the_term_of_its_row_or_says_what_else_it_rests_on() -> None:
    term = {row.item_id: ordinary_term(row, LAW) for row in LAW.items}
    assert (term["P001"].days, term["P001"].basis) == (20, "default_Licensing_Law_Art42")
    assert (term["P033"].days, term["P033"].day_type) == (10, "working")
    assert (term["P061"].days, term["P061"].day_type) == (30, "calendar")


classes = st.sampled_from(
    sorted({code for row in LAW.items for code in row.trigger_gbt4754_codes if len(code) == 4} | {"6210", "4790"})
)
answers = st.dictionaries(st.sampled_from(sorted(LAW.conditions)), st.booleans(), max_size=8)
days = st.dates(date(2017, 1, 1), date(2027, 12, 31))
situations = st.tuples(st.lists(classes, max_size=5, unique=True).map(tuple), answers)


def keys(found: tuple[Requirement, ...], *kinds: str) -> set[tuple[str, int]]:
    return {(one.row.item_id, one.row.part) for one in found if one.due in kinds}


@given(situations, answers, days)
def test_more_answers_never_hide_an_item_that_is_due(
    situation: tuple[tuple[str, ...], dict[str, bool]], more: dict[str, bool], on: date
) -> None:
    activities, given_answers = situation
    before = requirements(Facts(activities, given_answers), on, LAW)
    known = answered(Facts(activities, given_answers), LAW)
    added = {code: holds for code, holds in more.items() if code not in known}
    after = requirements(Facts(activities, {**given_answers, **added}), on, LAW)
    assert keys(before, "yes") <= keys(after, "yes")


@given(situations, classes, days)
def test_another_activity_never_hides_anything(
    situation: tuple[tuple[str, ...], dict[str, bool]], more: str, on: date
) -> None:
    activities, given_answers = situation
    before = requirements(Facts(activities, given_answers), on, LAW)
    after = requirements(Facts((*activities, more), given_answers), on, LAW)
    assert keys(before, "yes", "conditional", "no") <= keys(after, "yes", "conditional", "no")


@given(situations, days)
def test_a_cancelled_item_is_never_due_and_never_blocks(
    situation: tuple[tuple[str, ...], dict[str, bool]], on: date
) -> None:
    found = requirements(Facts(*situation), on, LAW)
    assert all((one.due == "no") == (one.row.status == "cancelled") for one in found)
    assert not any(one.blocks for one in found if one.due != "yes")


@given(situations, days)
def test_a_conditional_item_always_says_what_to_ask(
    situation: tuple[tuple[str, ...], dict[str, bool]], on: date
) -> None:
    found = requirements(Facts(*situation), on, LAW)
    assert all(bool(one.questions) for one in found if one.due == "conditional")
    assert all(set(one.questions) <= set(LAW.conditions) for one in found)


def test_every_row_of_the_catalogue_has_its_source() -> None:
    assert len(LAW.items) == 157
    assert len(LAW.item_ids) == 143
    assert all(row.source and row.basis and row.department_code in LAW.departments for row in LAW.items)
