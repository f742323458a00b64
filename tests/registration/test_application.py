"""The single form: from the body people send, through everything that sends it back, to the act it asks for."""

import copy
import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cache
from itertools import pairwise
from typing import Any, get_args
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from libs.common.policy import PolicyError
from libs.common.problems import catalogue
from services.registration import domain
from services.registration.domain.application import FaultCode
from services.registration.domain.measures import Reason
from services.registration.domain.policy import Policy
from services.registration.forms import APPLICATION_EXAMPLE, CHANGE_EXAMPLE, ApplicationForm, EnterpriseChangeForm
from services.registration.messages import messages, text
from services.registration.policy import load
from services.registration.use_cases import recorded
from services.registration.views import DecisionView

TODAY = date(2026, 1, 5)
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@cache
def law() -> Policy:
    return load()


def body(**fields: Any) -> dict[str, Any]:
    return {**copy.deepcopy(APPLICATION_EXAMPLE), **fields}


def form(**fields: Any) -> ApplicationForm:
    return ApplicationForm.model_validate(body(**fields))


def investor(share: str, country: str = "CN", kind: str = "legal", **fields: Any) -> dict[str, Any]:
    return {"name": "某投资者", "kind": kind, "country": country, "share": share, **fields}


def faults(**fields: Any) -> list[tuple[str, str]]:
    application = form(**fields).command().application
    return [(fault.field, fault.code) for fault in domain.faults(application, law())]


def problems(candidate: dict[str, Any], form: type[BaseModel] = ApplicationForm) -> list[tuple[str, str]]:
    try:
        form.model_validate(candidate)
    except ValidationError as refused:
        return [(".".join(map(str, problem["loc"])), problem["type"]) for problem in refused.errors()]
    return []


class TestForm:
    def test_the_example_of_the_api_is_registered_at_the_window(self) -> None:
        application = domain.checked(form().command().application, law())
        assert application.name.full == "上海青禾餐饮有限公司"
        assert (application.registered_capital, application.capital_currency) == (Decimal("5000000.00"), "CNY")
        assert application.activities[0] == "6210"
        assert domain.decide(application, law(), TODAY).outcome == "accepted"

    def test_names_of_people_stay_with_the_parties_under_fresh_ids(self) -> None:
        ids = iter(UUID(int=number) for number in range(3))
        command = form().command(new_id=lambda: next(ids))

        assert [(party.role, party.name) for party in command.parties] == [
            ("investor", "Grünfeld Gastronomie GmbH"),
            ("investor", "上海禾苗商贸有限公司"),
            ("legal_representative", "Anna Weber"),
        ]
        assert command.application.investor_parties == (UUID(int=0), UUID(int=1))
        assert command.application.legal_representative == UUID(int=2)
        decision = domain.decide(command.application, law(), TODAY)
        told = json.dumps(domain.recorded(decision.facts), ensure_ascii=False) + repr(command.application)
        assert not any(party.name in told for party in command.parties)

    def test_ids_of_parties_are_random(self) -> None:
        assert form().command().application.investor_parties != form().command().application.investor_parties

    @pytest.mark.parametrize(
        ("fields", "problem"),
        [
            ({"colour": "red"}, ("colour", "extra_forbidden")),
            ({"investors": [investor("100", passport="G1")]}, ("investors.0.passport", "extra_forbidden")),
            ({"registered_capital": 5000000}, ("registered_capital", "decimal_not_text")),
            ({"registered_capital": True}, ("registered_capital", "decimal_not_text")),
            ({"registered_capital": None}, ("registered_capital", "decimal_not_text")),
            ({"registered_capital": "NaN"}, ("registered_capital", "decimal_format")),
            ({"registered_capital": "Infinity"}, ("registered_capital", "decimal_format")),
            ({"registered_capital": "1e9"}, ("registered_capital", "decimal_format")),
            ({"registered_capital": "-5"}, ("registered_capital", "decimal_format")),
            ({"registered_capital": "1 000"}, ("registered_capital", "decimal_format")),
            ({"registered_capital": "5\n"}, ("registered_capital", "decimal_format")),
            ({"registered_capital": "５"}, ("registered_capital", "decimal_format")),
            ({"registered_capital": "1" * 16}, ("registered_capital", "decimal_format")),
            ({"registered_capital": "0." + "1" * 100_000}, ("registered_capital", "decimal_format")),
            ({"registered_capital": "5.001"}, ("registered_capital", "decimal_too_many_places")),
            ({"investors": [investor("99.99999")]}, ("investors.0.share", "decimal_too_many_places")),
            ({"investors": [investor("1000")]}, ("investors.0.share", "decimal_format")),
            ({"investors": []}, ("investors", "too_short")),
            ({"investors": [investor("1")] * 51}, ("investors", "too_long")),
            ({"investors": {"0": investor("100")}}, ("investors", "list_type")),
            ({"investors": [investor("100", kind="trust")]}, ("investors.0.kind", "literal_error")),
            ({"investors": [investor("100", is_fie="yes")]}, ("investors.0.is_fie", "bool_type")),
            ({"investors": [investor("100", is_fie=1)]}, ("investors.0.is_fie", "bool_type")),
            ({"investors": ["DE 100"]}, ("investors.0", "model_type")),
            ({"activities": "6210"}, ("activities", "list_type")),
            ({"activities": [6210]}, ("activities.0", "string_type")),
            ({"activities": ["6210"] * 51}, ("activities", "too_long")),
            ({"activities": ["A0112"]}, ("activities.0", "string_too_long")),
            ({"area": "3101060\u00002"}, ("area", "text_not_printable")),
            ({"capital_currency": "\ud800NY"}, ("capital_currency", "string_unicode")),
            ({"enterprise_type": "company"}, ("enterprise_type", "literal_error")),
            ({"treaty_claim": "my uncle knows someone"}, ("treaty_claim", "literal_error")),
            ({"term": {"starts": "2026-02-30"}}, ("term.starts", "date_format")),
            ({"term": {"starts": "20260201"}}, ("term.starts", "date_format")),
            ({"term": {"starts": 1767225600}}, ("term.starts", "date_format")),
            ({"permit_facts": ["sells_liquor"]}, ("permit_facts", "dict_type")),
            ({"permit_facts": {"sells_liquor": "yes"}}, ("permit_facts.sells_liquor", "bool_type")),
            ({"permit_facts": {"Liquor!": True}}, ("permit_facts.Liquor!.[key]", "string_pattern_mismatch")),
            ({"draft_id": "the first one"}, ("draft_id", "uuid_parsing")),
            ({"legal_representative": {"name": "甲\u202e乙", "nationality": "CN"}},
             ("legal_representative.name", "text_not_printable")),
            ({"legal_representative": {"name": "   ", "nationality": "CN"}},
             ("legal_representative.name", "string_too_short")),
            ({"legal_representative": {"name": "甲" * 201, "nationality": "CN"}},
             ("legal_representative.name", "string_too_long")),
        ],
    )  # fmt: skip
    def test_a_body_out_of_shape_is_refused_at_its_field(
        self, fields: dict[str, Any], problem: tuple[str, str]
    ) -> None:
        found = problems(body(**fields))
        if problem[1] == "model_type":  # the name differs between Python and JSON input
            assert [path for path, _ in found] == [problem[0]]
        else:
            assert found == [problem]

    @pytest.mark.parametrize("field", sorted(set(APPLICATION_EXAMPLE) - {"term", "permit_facts"}))
    def test_every_core_field_is_required(self, field: str) -> None:
        candidate = body()
        del candidate[field]
        assert problems(candidate) == [(field, "missing")]

    @pytest.mark.parametrize("candidate", [None, [], "form", 7, True])
    def test_a_body_that_is_no_object_is_refused(self, candidate: Any) -> None:
        assert len(problems(candidate)) == 1

    def test_a_refusal_does_not_repeat_what_was_typed(self) -> None:
        with pytest.raises(ValidationError) as refused:
            form(registered_capital="secret-amount")
        assert "secret-amount" not in str(refused.value)

    def test_the_same_body_reads_alike_as_json(self) -> None:
        assert ApplicationForm.model_validate_json(json.dumps(body())) == form()

    @given(JUNK, st.data())
    def test_whatever_stands_in_a_field_is_read_or_answered_with_a_sentence(
        self, junk: Any, data: st.DataObject
    ) -> None:
        candidate = body()
        field = data.draw(st.sampled_from([*sorted(candidate), "investor", "representative"]))
        if field == "investor":
            candidate["investors"][0][data.draw(st.sampled_from([*candidate["investors"][0], "is_fie", "other"]))] = (
                junk
            )
        elif field == "representative":
            candidate["legal_representative"]["name"] = junk
        else:
            candidate[field] = junk
        try:
            ApplicationForm.model_validate(candidate)
        except ValidationError as refused:
            for problem in refused.errors():
                spoken = catalogue()[problem["type"]]
                assert spoken["zh"].format_map(problem.get("ctx", {}))
                assert spoken["en"].format_map(problem.get("ctx", {}))


class TestFaults:
    def test_the_example_has_none(self) -> None:
        assert faults() == []

    @pytest.mark.parametrize(
        ("fields", "fault"),
        [
            ({"registered_capital": "0.00"}, ("registered_capital", "capital_not_positive")),
            ({"capital_currency": "XAU"}, ("capital_currency", "currency_unknown")),
            ({"activities": ["6210", "9999"]}, ("activities.1", "activity_unknown")),
            ({"activities": ["62"]}, ("activities.0", "activity_not_a_class")),
            ({"activities": ["H"]}, ("activities.0", "activity_not_a_class")),
            ({"activities": ["6210", "5432", "6210"]}, ("activities.2", "activity_repeated")),
            ({"area": "310106"}, ("area", "area_outside_district")),
            ({"area": "310000"}, ("area", "area_outside_district")),
            ({"area": "310115005"}, ("area", "area_outside_district")),
            ({"area": "310106999"}, ("area", "area_unknown")),
            ({"area": "静安"}, ("area", "area_unknown")),
            ({"legal_representative": {"name": "甲", "nationality": "XX"}},
             ("legal_representative.nationality", "country_unknown")),
            ({"enterprise_name": {"division": "上海", "trade_name": "禾", "industry": "餐饮", "form": "有限公司"}},
             ("enterprise_name.trade_name", "trade_name_too_short")),
            ({"term": {"starts": "2026-02-01", "ends": "2026-02-01"}}, ("term.ends", "term_ends_before_start")),
            ({"investors": [investor("100")], "treaty_claim": "cepa"},
             ("treaty_claim", "treaty_claim_without_foreign_investor")),
            ({"investors": [investor("100", "ZZ")]}, ("investors.0.country", "country_unknown")),
            ({"investors": [investor("100"), investor("0")]}, ("investors.1.share", "share_not_positive")),
            ({"investors": [investor("60"), investor("39.9999")]}, ("investors", "shares_not_100")),
            ({"investors": [investor("60"), investor("40.0001")]}, ("investors", "shares_not_100")),
            ({"investors": [investor("100", "DE", is_fie=True)]}, ("investors.0.is_fie", "fie_not_chinese_enterprise")),
            ({"investors": [investor("100", kind="natural", is_fie=True)]},
             ("investors.0.is_fie", "fie_not_chinese_enterprise")),
            ({"investors": [investor("100", settled_abroad=True)]},
             ("investors.0.settled_abroad", "settled_abroad_not_chinese_citizen")),
            ({"permit_facts": {"sells_gold": True}}, ("permit_facts.sells_gold", "permit_fact_unknown")),
            ({"permit_facts": {"capital_foreign": True}}, ("permit_facts.capital_foreign", "permit_fact_unknown")),
        ],
    )  # fmt: skip
    def test_one_mistake_is_one_fault_at_its_field(self, fields: dict[str, Any], fault: tuple[str, str]) -> None:
        assert faults(**fields) == [fault]

    def test_what_sells_prepackaged_food_only_sells_no_other_and_one_of_the_two_is_so(self) -> None:
        both, neither = (
            faults(permit_facts={"prepackaged_only": answer, "loose_or_processed_food": answer})
            for answer in (True, False)
        )
        pair = ["permit_facts.loose_or_processed_food", "permit_facts.prepackaged_only"]
        assert both == [(field, "permit_facts_contradict") for field in pair]
        assert neither == [(field, "permit_facts_incomplete") for field in pair]
        assert faults(permit_facts={"prepackaged_only": False}) == [], "the other question is not answered yet"

    def test_every_fault_comes_back_at_once(self) -> None:
        command = form(
            registered_capital="0",
            capital_currency="ZZZ",
            activities=["9999", "62"],
            area="310115005",
            investors=[investor("0", "ZZ"), investor("50")],
        ).command()
        with pytest.raises(domain.FormReturned) as returned:
            domain.checked(command.application, law())
        assert [(fault.field, fault.code) for fault in returned.value.faults] == [
            ("registered_capital", "capital_not_positive"),
            ("capital_currency", "currency_unknown"),
            ("activities.0", "activity_unknown"),
            ("activities.1", "activity_not_a_class"),
            ("area", "area_outside_district"),
            ("investors.0.country", "country_unknown"),
            ("investors.0.share", "share_not_positive"),
            ("investors", "shares_not_100"),
        ]
        assert returned.value.faults[-1].params == {"total": "50", "required": "100"}
        for fault in returned.value.faults:
            assert text(fault.code, "zh", **fault.params)
            assert text(fault.code, "en", **fault.params)

    @given(st.lists(st.integers(1, 999_999), max_size=20, unique=True), st.data())
    def test_shares_pass_exactly_when_they_sum_to_a_hundred(self, cuts: list[int], data: st.DataObject) -> None:
        edges = [0, *sorted(cuts), 1_000_000]
        shares = [Decimal(high - low) / 10_000 for low, high in pairwise(edges)]
        assert faults(investors=[investor(f"{share:f}") for share in shares]) == []

        position = data.draw(st.integers(0, len(shares) - 1))
        shares[position] += Decimal("0.0001")
        assert ("investors", "shares_not_100") in faults(investors=[investor(f"{share:f}") for share in shares])

    def test_every_street_of_the_district_is_served(self) -> None:
        streets = [area.code for area in law().areas.values() if area.level == "street"]
        assert len(streets) == 14
        assert all(faults(area=street) == [] for street in streets)


class TestCapital:
    @pytest.mark.parametrize(
        ("investors", "capital"),
        [
            ([investor("100")], "domestic"),
            ([investor("99"), investor("1", "DE")], "foreign"),
            ([investor("60", "HK"), investor("40")], "hk_mo_tw"),
            ([investor("60", "HK"), investor("20", "TW"), investor("20", "MO")], "hk_mo_tw"),
            ([investor("99", "HK"), investor("1", "DE")], "foreign"),
            ([investor("60", is_fie=True), investor("40")], "foreign"),
            ([investor("100", kind="natural", settled_abroad=True)], "foreign"),
        ],
    )
    def test_is_of_the_farthest_origin_among_its_investors(self, investors: list[Any], capital: str) -> None:
        assert form(investors=investors).command().application.structure.capital == capital


class TestChange:
    def changed(self, **fields: Any) -> domain.EnterpriseChange:
        return EnterpriseChangeForm.model_validate(fields).command()

    def test_the_example_changes_the_capital_and_nothing_else(self) -> None:
        change = domain.checked_change(self.changed(**CHANGE_EXAMPLE), law())
        assert change == domain.EnterpriseChange(registered_capital=Decimal("8000000.00"), capital_currency="CNY")

    def test_all_items_may_change_at_once(self) -> None:
        change = self.changed(activities=["7242", "6210"], legal_representative_nationality="HK", area="310106019")
        assert domain.checked_change(change, law()) == domain.EnterpriseChange(
            area="310106019", activities=("7242", "6210"), legal_representative_nationality="HK"
        )

    @pytest.mark.parametrize(
        ("fields", "fault"),
        [
            ({}, ("", "change_empty")),
            ({"area": None}, ("", "change_empty")),
            ({"area": "310115005"}, ("area", "area_outside_district")),
            ({"registered_capital": "8"}, ("capital_currency", "change_capital_incomplete")),
            ({"capital_currency": "CNY"}, ("registered_capital", "change_capital_incomplete")),
            ({"registered_capital": "0", "capital_currency": "CNY"}, ("registered_capital", "capital_not_positive")),
            ({"activities": ["62"]}, ("activities.0", "activity_not_a_class")),
            ({"legal_representative_nationality": "XX"}, ("legal_representative_nationality", "country_unknown")),
        ],
    )
    def test_a_wrong_change_comes_back(self, fields: dict[str, Any], fault: tuple[str, str]) -> None:
        with pytest.raises(domain.FormReturned) as returned:
            domain.checked_change(self.changed(**fields), law())
        assert [(one.field, one.code) for one in returned.value.faults] == [fault]

    def test_a_change_out_of_shape_is_refused(self) -> None:
        assert problems({"activities": []}, EnterpriseChangeForm) == [("activities", "too_short")]
        assert problems({"uscc": "91"}, EnterpriseChangeForm) == [("uscc", "extra_forbidden")]
        assert problems({"registered_capital": 8}, EnterpriseChangeForm) == [("registered_capital", "decimal_not_text")]


class TestWords:
    @pytest.mark.parametrize(("kind", "codes"), [("finding", Reason), ("fault", FaultCode)])
    def test_every_code_has_a_sentence_and_every_sentence_a_code(self, kind: str, codes: Any) -> None:
        assert {message.code for message in messages().values() if message.kind == kind} == set(get_args(codes))

    def test_a_decision_is_explained_in_the_language_of_the_caller(self) -> None:
        application = replace(form().command().application, activities=("5128",))
        record = recorded(domain.decide(application, law(), TODAY))
        zh, en = DecisionView.recorded(record, "zh"), DecisionView.recorded(record, "en")

        assert (zh.outcome, zh.policy_digest, zh.judged_for) == ("refused", law().digest, TODAY)
        (finding,) = en.findings
        assert (finding.item_no, finding.item_key, finding.edition) == (7, "tobacco", "2024")
        assert finding.source
        assert finding.reasons == ["prohibited"]
        assert (zh.findings[0].sentences, finding.sentences) == (
            ["该领域禁止外商投资。"],
            ["Foreign investment in this field is prohibited."],
        )

    @pytest.mark.parametrize(
        ("row", "reason"),
        [
            ("a,fault,至少{x},At least {y}", "figures differ"),
            ("a,fault,,Nothing", "zh: '' is empty"),
            ("a,rumour,甲,Thing", "kind: 'rumour'"),
            ("a,fault,甲,Thing\na,fault,乙,Other", "stands already in line 2"),
        ],
    )
    def test_a_sentence_that_does_not_fit_is_refused(self, tmp_path: Any, row: str, reason: str) -> None:
        file = tmp_path / "messages.csv"
        file.write_text(f"code,kind,zh,en\n{row}\n", encoding="utf-8")
        with pytest.raises(PolicyError, match=reason):
            messages(file)
