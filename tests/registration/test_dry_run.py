"""A plan tried before anything is filed: by anyone, for any day, with no database behind it."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from libs.common.clock import BusinessClock
from libs.common.database import open_database
from libs.common.web import Running, create_app
from services.registration.forms import SCREENING_EXAMPLE
from services.registration.service import service
from services.registration.settings import Settings
from tests.registration.registry import START

PATH = "/v1/screenings"


@pytest_asyncio.fixture
async def window(request: pytest.FixtureRequest) -> AsyncIterator[httpx.AsyncClient]:
    """The service's application alone: there is nothing behind it that could keep anything."""
    limits = getattr(request, "param", {})
    settings = Settings(service="registration", KAFKA_BOOTSTRAP_SERVERS="nowhere:1", **limits)
    run = Running(service, settings, open_database(settings.model_copy(update=NOWHERE)), BusinessClock(START))
    transport = httpx.ASGITransport(create_app(service, run))
    async with httpx.AsyncClient(transport=transport, base_url="http://window", headers=ENGLISH) as client:
        yield client


NOWHERE = {"database_url": "postgresql://nobody@nowhere/x"}
ENGLISH = {"accept-language": "en"}


def plan(**changes: Any) -> dict[str, Any]:
    return {**SCREENING_EXAMPLE, **changes}


async def test_anyone_tries_a_plan_and_reads_which_row_says_what(window: httpx.AsyncClient) -> None:
    answer = await window.post(PATH, json=plan())
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert (said["outcome"], said["judged_for"]) == ("review", "2024-11-01")
    rows = {finding["row"]: finding for finding in said["findings"]}
    airline = rows["negative_list.csv 2024/national/9/1"]
    assert airline["measures"] == ["chinese_controlled", "single_foreign_cap", "legal_rep_chinese"]
    assert airline["reasons"][0] == "single_foreign_share_above_cap"
    (sentence,) = [line for line in said["explanation"] if "2024/national/9/1" in line]
    assert "The foreign side holds 30%, the Chinese side 70%." in sentence
    assert airline["source"] in sentence
    assert len(said["explanation"]) == len(said["findings"])


async def test_the_day_the_list_and_the_place_are_the_askers(window: httpx.AsyncClient) -> None:
    printing = plan(activities=["2311"], investors=[{"kind": "legal", "country": "DE", "share": "100"}])
    outcomes = [
        (await window.post(PATH, json={**printing, "on": on})).json()["outcome"]
        for on in ("2018-07-28", "2024-10-31", "2024-11-01")
    ]
    assert outcomes == ["refused", "refused", "accepted"]
    today = await window.post(PATH, json={key: value for key, value in printing.items() if key != "on"})
    assert today.json()["judged_for"] == START.isoformat()
    genes = plan(activities=["7340"], on="2026-01-05", scope="ftz", place="310115001")
    assert {one["scope"] for one in (await window.post(PATH, json=genes)).json()["findings"]} == {"ftz"}


async def test_a_domestic_plan_is_not_screened(window: httpx.AsyncClient) -> None:
    said = (await window.post(PATH, json=plan(investors=[{"kind": "legal", "country": "CN", "share": "100"}]))).json()
    assert said["outcome"] == "accepted"
    assert said["explanation"] == [
        "There is no foreign investor, so the negative list does not apply. By this rule: accepted."
    ]
    in_chinese = await window.post(PATH, json=plan(), headers={"accept-language": "zh"})
    assert "全国负面清单第9项" in in_chinese.json()["explanation"][0]


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"investors": [{"kind": "legal", "country": "DE", "share": "99.9999"}]}, "investors", "shares_not_100"),
        ({"activities": ["561"]}, "activities.0", "activity_not_a_class"),
        ({"activities": ["9999"]}, "activities.0", "activity_unknown"),
        ({"legal_representative_nationality": "XX"}, "legal_representative_nationality", "country_unknown"),
        ({"investors": [{"kind": "legal", "country": "DE", "share": "100", "name": "A"}]}, "investors.0.name", "extra"),
        ({"place": "31"}, "place", "string_pattern_mismatch"),
        (
            {"investors": [{"kind": "legal", "country": "CN", "share": "100"}], "treaty_claim": "cepa"},
            "treaty_claim",
            "treaty_claim_without_foreign_investor",
        ),
    ],
)
async def test_a_plan_with_a_fault_comes_back_with_field_and_fix(
    window: httpx.AsyncClient, changes: dict[str, Any], field: str, code: str
) -> None:
    answer = await window.post(PATH, json=plan(**changes))
    assert answer.status_code == 422
    (fault,) = answer.json()["errors"]
    assert (fault["field"], fault["code"].startswith(code), bool(fault["detail"])) == (field, True, True)


async def test_what_is_no_json_is_refused_as_everywhere(window: httpx.AsyncClient) -> None:
    assert (await window.post(PATH, content=b"<plan/>", headers={"content-type": "text/xml"})).status_code == 415
    twice = await window.post(PATH, content=b'{"on": 1, "on": 2}', headers={"content-type": "application/json"})
    assert (twice.status_code, twice.json()["type"]) == (400, "urn:one-window:problem:invalid-json")


@pytest.mark.parametrize("window", [{"REQUESTS_PER_MINUTE_BY_ADDRESS": 3}], indirect=True)
async def test_an_address_has_its_share_of_plans_in_a_minute(window: httpx.AsyncClient) -> None:
    statuses = [(await window.post(PATH, json=plan())).status_code for _ in range(8)]
    assert statuses[:3] == [200] * 3
    assert 429 in statuses
