"""The pages on risk: who may open them, how their forms are read, and how their figures are drawn."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any, get_args

import httpx
import pytest

from libs.common.identity import Role
from services.lobby import policy, views
from services.lobby.pages import overrides, risk, statistics, warnings, watch_lists
from services.risk import policy as risk_policy
from services.risk.domain.sections import SECTIONS
from services.risk.policy import indicators
from services.risk.schemas.overrides import OverrideState
from services.risk.schemas.scorecards import ScorecardState
from services.risk.schemas.warnings import Outcome, State
from services.risk.scorecards import shipped
from tests.lobby.conftest import SignIn
from tests.lobby.test_pages import PAGE_ROUTES

USCC = "91310106MA0000015B"
DIGEST = "7e377a5d2c72c09cebe5c44d0232b04fe47cdd1fbccad481fde4db6d7f812323"
ON_RISK = [route for route in PAGE_ROUTES if route.path_format.startswith("/{lang}/risk")]
OUTSIDE = sorted(set(get_args(Role)) - {"risk_analyst", "regulator", "supervisor", "auditor"})


@pytest.mark.parametrize("role", OUTSIDE)
async def test_nobody_outside_supervision_sees_any_of_it(
    client: httpx.AsyncClient, signed_in: SignIn, role: str
) -> None:
    browser = await signed_in(role)
    assert "/en/risk" not in (await client.get("/en/", headers=browser)).text
    for route in ON_RISK:
        path = re.sub(r"\{\w*id\}", "6105cc38-1855-416d-a878-494a36227cef", route.path_format)
        path = (
            path.replace("{lang}", "en").replace("{uscc}", USCC).replace("{act}", "closing").replace("{digest}", DIGEST)
        )
        for method in route.methods or ():
            answer = await client.request(method, path, headers=browser)
            assert answer.status_code == 403, path
            assert "Class" not in answer.text


@pytest.mark.parametrize("role", ["auditor", "supervisor"])
async def test_who_only_looks_does_not_decide(client: httpx.AsyncClient, signed_in: SignIn, role: str) -> None:
    browser = await signed_in(role)
    for path in (f"{USCC}/override", "overrides/6105cc38-1855-416d-a878-494a36227cef/signature"):
        assert (await client.post(f"/en/risk/{path}", headers=browser)).status_code == 403
    lists = await client.get("/en/risk/watch-lists", headers=browser)
    assert (lists.status_code == 403) == (role == "auditor")


async def test_each_page_asks_why_before_it_asks_anybody(client: httpx.AsyncClient, signed_in: SignIn) -> None:
    """Risk is away here: had it been asked, the answer would be another."""
    browser = await signed_in("regulator")
    id = "6105cc38-1855-416d-a878-494a36227cef"
    for path in (
        "", f"/{USCC}", f"/{USCC}/override", "/warnings", f"/warnings/{id}", "/overrides", f"/overrides/{id}",
        f"/watch-lists/{id}", f"/scorecards/{DIGEST}/comparison/enterprises",
    ):  # fmt: skip
        answer = await client.get(f"/en/risk{path}", headers=browser)
        assert (answer.status_code, "Why do you look?" in answer.text) == (200, True), path
    assert (await client.get("/en/risk/distribution", headers=browser)).status_code == 503


def test_every_code_of_risk_has_its_words() -> None:
    assert set(get_args(State)) == views.WARNING_STATES.keys()
    assert set(get_args(Outcome)) == views.OUTCOMES.keys()
    assert set(get_args(OverrideState)) == views.OVERRIDE_STATES.keys()
    assert set(get_args(ScorecardState)) == views.CARD_STATES.keys()
    assert set(get_args(risk_policy.WarningKind)) == views.WARNING_KINDS.keys()
    assert policy.current()["section"].keys() == set(SECTIONS)
    assert policy.current()["risk_rule"].keys() >= {rule.name for rule in shipped().all_rules}
    assert policy.current()["risk_sector"].keys() >= {sector.name for sector in shipped().sectors}
    assert policy.current()["place"].keys() == {row.place for row in risk_policy.published_shares().rows}
    weighty = {name for name, row in indicators.indicators().items() if row.produced and row.weight}
    assert policy.current()["indicator"].keys() >= weighty


def test_sections_are_called_as_registration_calls_them() -> None:
    file = Path(policy.__file__).parents[2] / "registration/policy/industries_gbt4754.csv"
    with file.open(newline="", encoding="utf-8") as lines:
        theirs = {row["code"]: (row["name_zh"], row["name_en"]) for row in csv.DictReader(lines) if row["level"] == "1"}
    assert {code: (row.zh, row.en) for code, row in policy.current()["section"].items()} == theirs


NOTHING = dict.fromkeys(("risk_class", "sector", "area", "indicator", "ownership", "changed_since"), "")


@pytest.mark.parametrize(
    ("typed", "wanted", "wrong"),
    [
        ({"risk_class": "D", "sector": "H"}, {"risk_class": "D", "sector": "H"}, []),
        ({"risk_class": "E", "sector": "62", "area": "310101"}, {}, []),
        ({"area": "310106013", "ownership": "foreign"}, {"area": "310106013", "ownership": "foreign"}, []),
        ({"indicator": "penalties_3y"}, {"indicator": "penalties_3y"}, []),
        ({"changed_since": "２０２６年1月5日"}, {"changed_since": "2026-01-05"}, []),
        ({"changed_since": "yesterday"}, {}, ["#changed_since"]),
        ({"changed_since": "2026-02-30"}, {}, ["#changed_since"]),
    ],
)
def test_filters_are_what_is_offered_and_a_day_as_people_write_it(
    typed: dict[str, str], wanted: dict[str, str], wrong: list[str]
) -> None:
    found, errors = risk._wanted({**NOTHING, **typed})
    assert {name: value for name, value in found.items() if value} == wanted
    assert [href for href, _ in errors] == wrong


@pytest.mark.parametrize(
    ("act", "typed", "command", "fault"),
    [
        ("name", {"name": "餐饮"}, ("PATCH", "/l", {"name": "餐饮"}), ""),
        ("name", {}, ("PATCH", "/l", {"name": ""}), watch_lists.NO_NAME),
        ("addition", {"uscc": " 91310106ma0000015b "}, ("PUT", f"/l/enterprises/{USCC}", {}), ""),
        ("addition", {"uscc": "９１３１０１０６MA0000015B"}, ("PUT", f"/l/enterprises/{USCC}", {}), ""),
        ("addition", {"uscc": "../x"}, ("PUT", "/l/enterprises/../X", {}), watch_lists.NO_USCC),
        ("removal", {"uscc": USCC}, ("DELETE", f"/l/enterprises/{USCC}", {}), ""),
        ("deletion", {}, ("DELETE", "/l", {}), ""),
    ],
)
def test_what_is_done_to_a_watch_list(act: str, typed: dict[str, str], command: Any, fault: str) -> None:
    """A command with a fault is not sent."""
    found = watch_lists._command("/l", act, typed)
    assert found is not None
    assert found[1:] == (fault, command)


def test_there_is_no_other_act_on_a_watch_list() -> None:
    assert watch_lists._command("/l", "x", {}) is None


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        ({"risk_class": "B", "reason": "现场核查", "expires_on": "2026年4月1日"}, []),
        ({}, ["#risk_class", "#reason", "#expires_on"]),
        ({"risk_class": "X", "reason": "现场核查", "expires_on": "soon"}, ["#risk_class", "#expires_on"]),
    ],
)
def test_a_proposal_names_a_class_a_reason_and_a_day(typed: dict[str, str], wrong: list[str]) -> None:
    body, errors = overrides._proposal(typed)
    assert [href for href, _ in errors] == wrong
    if not wrong:
        assert body == {"risk_class": "B", "reason": "现场核查", "expires_on": "2026-04-01"}


def test_a_warning_is_closed_with_an_outcome_and_a_note_where_there_is_one() -> None:
    assert [href for href, _ in warnings._faults({"outcome": "x"})] == ["#outcome"]
    assert warnings._faults({"outcome": "referred"}) == []
    assert warnings._closing({"outcome": "handled", "note": ""}) == {"outcome": "handled"}
    assert warnings._closing({"outcome": "handled", "note": "已核实"}) == {"outcome": "handled", "note": "已核实"}


def test_shares_fill_the_bar_one_behind_the_other() -> None:
    found = statistics.shares({"A": 1, "B": 2, "D": 1})
    assert [(one.letter, one.count, one.percent, one.before) for one in found] == [
        ("A", 1, 25.0, 0.0), ("B", 2, 50.0, 25.0), ("C", 0, 0.0, 75.0), ("D", 1, 25.0, 75.0),
    ]  # fmt: skip
    assert [one.percent for one in statistics.shares({})] == [0.0] * 4


def test_days_are_drawn_as_steps_with_the_largest_beneath() -> None:
    drawn = statistics.stacked([{"A": 1, "D": 1}, {"A": 1}])
    assert [letter for letter, _ in drawn] == ["D", "C", "B", "A"]
    assert drawn[0] == ("D", "M0 100V0.0H1V0.0H2V100Z")
    assert drawn[3] == ("A", "M0 100V50.0H1V0.0H2V100Z")


def test_days_without_change_are_left_out() -> None:
    one, other = {"A": 1}, {"A": 2}
    days = [{"on": f"2026-01-0{n}", "classes": classes} for n, classes in enumerate((one, one, other, other, one), 1)]
    assert statistics._changes(days) == [("2026-01-05", one), ("2026-01-03", other), ("2026-01-01", one)]
