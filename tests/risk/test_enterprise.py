"""One enterprise: what was announced at a time is what its facts of that time give, and why is told with it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from urllib.parse import quote
from uuid import uuid4

import pytest_asyncio

from tests.risk.window import Window, delisted, listed, open_window, penalised, registered, usccs
from tests.spine import Spine

(UNIT,) = usccs(1, 1)
RISK = f"/v1/enterprises/{UNIT}/risk"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def window(spine: Spine) -> AsyncIterator[Window]:
    """An enterprise with two years behind it: listed, delisted, penalised, and grown older."""
    async with open_window(spine) as opened:
        listing = uuid4()
        await opened.take(registered(UNIT, industry="6210"))
        await opened.at(date(2026, 3, 1))
        await opened.take(listed(UNIT, date(2026, 3, 1), listing))
        await opened.at(date(2026, 6, 1))
        await opened.take(delisted(UNIT, date(2026, 6, 1), listing))
        await opened.take(*(penalised(UNIT, date(2026, 6, 1)) for _ in range(5)))
        await opened.at(date(2028, 1, 5))
        yield opened


async def test_every_announcement_is_what_was_known_then(window: Window) -> None:
    history = await window.every(f"{RISK}/history?limit=2")
    assert len(history) >= 3
    assert [one["before"] for one in history[:-1]] == [one["risk_class"] for one in history[1:]]
    assert history[-1]["before"] is None
    for said in history:
        then = await window.shown(f"{RISK}?as_of={said['assessed_on']}&known_at={quote(said['at'])}")
        assert (then["score"], then["risk_class"]) == (said["score"], said["risk_class"]), said
        assert then["scorecard_digest"] == said["scorecard_digest"]
        assert sorted(part["rule"] for part in then["contributions"]) == sorted(said["reasons"])


async def test_what_was_stated_later_plays_no_part(window: Window) -> None:
    before = await window.shown(f"{RISK}?known_at=2026-02-01T00:00:00Z")
    assert (before["assessed_on"], before["known_at"]) == ("2026-02-01", "2026-02-01T00:00:00Z")
    assert "abnormal_list_active" not in {part["rule"] for part in before["contributions"]}
    now = await window.shown(f"{RISK}?as_of=2026-04-01")
    assert "abnormal_list_active" not in {part["rule"] for part in now["contributions"]}, "delisted since"
    then = await window.shown(f"{RISK}?as_of=2026-04-01&known_at=2026-04-01T00:00:00Z")
    assert "abnormal_list_active" in {part["rule"] for part in then["contributions"]}
    assert (await window.get(f"{RISK}?known_at=2025-12-31T00:00:00Z")).status_code == 404, "not registered yet"
    assert (await window.get(f"{RISK}?known_at=2026-02-01")).status_code == 422


async def test_the_points_sum_and_the_explanation_says_the_same(window: Window) -> None:
    risk, why = await window.shown(RISK), await window.shown(f"{RISK}/explanation")
    assert sum(part["points"] for part in risk["contributions"]) == risk["score"] == why["score"]
    general = [line for line in why["lines"] if line["sector"] is None]
    assert {line["rule"]: line["points"] for line in general} == {
        part["rule"]: part["points"] for part in risk["contributions"]
    }
    assert all(line["zh"] and line["en"] and line["facts"] for line in why["lines"])
    assert [way["to"] for way in why["ways_down"]] == list("CBA"[-"ABCD".index(risk["risk_class"]) :])[
        : len(why["ways_down"])
    ]
    assert why["since"] is not None
    assert why["since"]["differences"]


async def test_time_alone_does_what_was_foretold(window: Window) -> None:
    why = await window.shown(f"{RISK}/explanation")
    for step in why["by_time"][:3]:
        later = await window.shown(f"{RISK}?as_of={step['on']}")
        assert (later["score"], later["risk_class"]) == (step["score"], step["risk_class"])


async def test_an_override_stands_beside_the_computed_class(window: Window) -> None:
    before = await window.shown(RISK)
    body = {"risk_class": "D", "reason": "现场检查待复核。", "expires_on": "2028-03-01"}
    entered = await window.send("POST", f"{RISK}/override", body)
    assert entered.status_code == 201, entered.text
    assert (await window.shown(RISK))["override"] is None, "one signature"
    signed = await window.send(
        "POST", f"/v1/overrides/{entered.json()['id']}/signature", None, "analyst-1", entered.json()["version"]
    )
    assert signed.status_code == 200, signed.text
    after = await window.shown(RISK)
    assert (after["override"]["risk_class"], after["override"]["expires_on"]) == ("D", "2028-03-01")
    assert {**after, "override": None} == before
    (found,) = await window.every("/v1/risk/enterprises")
    assert (found["risk_class"], found["override"]["risk_class"]) == (before["risk_class"], "D")


async def test_it_is_for_regulators_alone(window: Window) -> None:
    for path in (RISK, f"{RISK}/history", f"{RISK}/explanation"):
        assert (await window.get(path, "applicant-1")).status_code == 403
        assert (await window.get(path, purpose="")).status_code == 400
        assert "no ground for penalty" in (await window.shown(path))["notice"]
