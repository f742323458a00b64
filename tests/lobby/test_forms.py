"""The single form: what people type, what is read, and the application that comes of it."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from services.lobby import forms
from services.lobby.forms import INVESTOR, STEPS
from services.registration.forms import APPLICATION_EXAMPLE, ApplicationForm

COMPLETE: dict[str, Any] = {
    "name": {
        "division": "上海", "trade_name": "青禾", "industry": "餐饮", "form": "有限公司",
        "enterprise_type": "limited_company",
    },
    "place": {"area": "310106012", "starts": "2026年2月1日", "ends": ""},
    "activities": ["6210", "5432"],
    "capital": {"registered_capital": "５，000，000", "capital_currency": "CNY"},
    "investors": [
        {"name": "Grünfeld GmbH", "kind": "legal", "country": "DE", "share": "６０%", "is_fie": ""},
        {"name": "上海禾苗商贸有限公司", "kind": "legal", "country": "CN", "share": "40", "is_fie": "yes"},
    ],
    "people": {"name": "Anna Weber", "nationality": "DE", "treaty_claim": ""},
    "permits": {"sells_liquor": "yes", "prepackaged_only": "no"},
}  # fmt: skip


def content(**changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(COMPLETE), **changes}


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("5000000", "5000000"),
        ("5,000,000", "5000000"),
        ("５，０００，０００．５０", "5000000.50"),
        (" 8 000 000 ", "8000000"),
        ("0.01", "0.01"),
        ("0", None),
        ("-5", None),
        ("5e6", None),
        ("05", None),
        ("1.234", None),
        ("五百万", None),
        ("NaN", None),
    ],
)
def test_an_amount_as_people_write_it(typed: str, read: str | None) -> None:
    answers, faults = forms.read(STEPS["capital"], {"registered_capital": typed, "capital_currency": "CNY"})
    assert answers.get("registered_capital") == read
    assert [fault.field for fault in faults] == ([] if read else ["registered_capital"])


@pytest.mark.parametrize(
    ("typed", "read"),
    [("35", "35"), ("33.33", "33.33"), ("６０", "60"), ("60 %", "60"), ("100", "100"), ("0", None), ("100.01", None),
     ("abc", None), ("１２３", None)],
)  # fmt: skip
def test_a_contribution_ratio(typed: str, read: str | None) -> None:
    answers, faults = forms.read(INVESTOR, {"name": "x", "kind": "legal", "country": "DE", "share": typed})
    assert (not faults and answers["share"]) == (read or False)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("2026-02-01", "2026-02-01"),
        ("2026/2/1", "2026-02-01"),
        ("2026年2月1日", "2026-02-01"),
        ("２０２６－２－１", "2026-02-01"),
        ("2026-02-30", None),
        ("1.2.2026", None),
        ("soon", None),
    ],
)
def test_a_date(typed: str, read: str | None) -> None:
    answers, faults = forms.read(STEPS["place"], {"area": "310106012", "starts": typed})
    assert answers.get("term.starts") == read
    assert bool(faults) == (read is None)


def test_what_is_chosen_is_one_of_the_list() -> None:
    _, faults = forms.read(STEPS["place"], {"area": "110101001"})
    assert [fault.field for fault in faults] == ["area"]


def test_control_characters_and_long_texts_come_back() -> None:
    typed = {**COMPLETE["name"], "trade_name": "青\u202e禾", "industry": "x" * 201}
    assert [fault.field for fault in forms.read(STEPS["name"], typed)[1]] == ["trade_name", "industry"]


def test_an_empty_step_names_every_question_in_the_order_of_the_page() -> None:
    assert [fault.field for fault in forms.read(INVESTOR, {})[1]] == ["name", "kind", "country", "share"]


def test_shares_add_up_to_exactly_a_hundred() -> None:
    investors = copy.deepcopy(COMPLETE["investors"])
    assert forms.investor_faults(investors) == []
    investors[1]["share"] = "39.99"
    assert forms.investor_faults(investors) != []
    assert forms.investor_faults([]) != []


def test_a_complete_draft_is_an_application_that_registration_takes() -> None:
    assert forms.ready(content())
    body = forms.application_of(content())
    form = ApplicationForm.model_validate(body)
    assert str(form.registered_capital) == "5000000"
    assert [str(one.share) for one in form.investors] == ["60", "40"]
    assert (form.investors[0].is_fie, form.investors[1].is_fie) == (False, True)
    assert form.permit_facts == {"sells_liquor": True, "prepackaged_only": False}
    assert form.treaty_claim is None


@pytest.mark.parametrize("key", STEPS)
def test_without_one_step_it_is_not_ready(key: str) -> None:
    lacking = {name: value for name, value in content().items() if name != key}
    assert not forms.ready(lacking)
    assert forms.faults_of(lacking, key)


def test_a_term_without_its_start_is_open() -> None:
    body = forms.application_of(content(place={"area": "310106012", "ends": "2046-01-31"}))
    assert "term" not in body


def test_what_was_sent_opens_again_as_it_was() -> None:
    again = forms.content_of(APPLICATION_EXAMPLE)
    assert forms.ready(again)
    sent = ApplicationForm.model_validate(APPLICATION_EXAMPLE)
    assert ApplicationForm.model_validate(forms.application_of(again)) == sent


def test_who_signs_is_asked_for_and_shown_again() -> None:
    example = copy.deepcopy(APPLICATION_EXAMPLE)
    example["investors"][1]["signer"], example["legal_representative"]["signer"] = "applicant-2", "applicant-3"
    body = forms.application_of(forms.content_of(example))
    assert [one.get("signer") for one in body["investors"]] == [None, "applicant-2"]
    assert body["legal_representative"]["signer"] == "applicant-3"


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("enterprise_name.trade_name", ("name", "trade_name")),
        ("enterprise_name", ("name", "division")),
        ("registered_capital", ("capital", "registered_capital")),
        ("investors.1.share", ("investors/2", "share")),
        ("investors", ("investors", "investors")),
        ("activities.0", ("activities", "q")),
        ("legal_representative.nationality", ("people", "nationality")),
        ("permit_facts.sells_liquor", ("permits", "permits")),
        ("anything else", ("check", "main-content")),
    ],
)
def test_a_fault_that_registration_finds_leads_to_its_question(path: str, where: tuple[str, str]) -> None:
    assert forms.step_of(path) == where


def test_what_an_officer_asks_for_is_shown_at_its_step() -> None:
    asked = [{"field": "investors.0.share", "words": "…"}, {"field": "registered_capital", "words": "…"}]
    draft = content(corrects={"fields": asked})
    assert [len(forms.asked_of(draft, key)) for key in ("investors", "capital", "name")] == [1, 1, 0]
    assert forms.label_of("registered_capital") == "Registered capital"
