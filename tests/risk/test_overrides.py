"""A class that people set beside the computed one: two of them, until a day, and nothing else changes by it."""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from services import risk
from tests.spine import Spine, change, eventually, form, get, post, risk_of, submit

ANALYST, REGULATOR = "analyst-1", "regulator-1"
PURPOSE = {"purpose": "case_handling"}
JUDGED = {"risk_class": "D", "reason": "住所核查未找到该企业，待登记机关处理。", "expires_on": "2026-01-20"}
RISK = Path(risk.__file__).parent


async def enterprise(spine: Spine) -> str:
    spine.up("registration", "risk")
    uscc = str((await submit(spine, form())).json()["uscc"])
    await eventually(lambda: risk_of(spine, uscc))
    return uscc


async def enter(spine: Spine, uscc: str, person: str = ANALYST, **changes: Any) -> httpx.Response:
    path = f"/v1/enterprises/{uscc}/risk/override"
    return await post(spine, path, {**JUDGED, **changes}, service="risk", person=person)


async def act(spine: Spine, one: dict[str, Any], what: str, person: str, body: Any = None) -> httpx.Response:
    path = f"/v1/overrides/{one['id']}/{what}"
    return await post(spine, path, body, service="risk", person=person, if_match=one["version"])


async def stands(spine: Spine, id: str) -> dict[str, Any]:
    answer = await get(spine, f"/v1/overrides/{id}", service="risk", person=REGULATOR, **PURPOSE)
    return dict(answer.raise_for_status().json())


async def listed(spine: Spine, query: str) -> list[str]:
    answer = await get(spine, f"/v1/overrides?{query}", service="risk", person=REGULATOR, **PURPOSE)
    return [one["id"] for one in answer.raise_for_status().json()["items"]]


async def test_an_override_holds_when_a_second_person_has_signed(spine: Spine) -> None:
    uscc = await enterprise(spine)
    one = (await enter(spine, uscc)).raise_for_status().json()
    assert (one["state"], one["risk_class"], one["entered_by"]) == ("waiting", "D", ANALYST)
    assert await listed(spine, f"state=waiting&uscc={uscc}") == [one["id"]]

    alone = await act(spine, one, "signature", ANALYST)
    assert (alone.status_code, alone.json()["type"].rpartition(":")[2]) == (409, "second-person-needed")
    again = await enter(spine, uscc, REGULATOR)
    assert again.json()["type"].endswith(":override-waits")
    signed = (await act(spine, one, "signature", REGULATOR)).raise_for_status().json()
    assert (signed["state"], signed["signed_by"]) == ("in_force", REGULATOR)
    assert await listed(spine, f"state=in_force&uscc={uscc}") == [one["id"]]


async def test_of_two_who_sign_at_once_one_signs(spine: Spine) -> None:
    one = (await enter(spine, await enterprise(spine))).raise_for_status().json()
    both = await asyncio.gather(*(act(spine, one, "signature", REGULATOR) for _ in range(2)))
    assert sorted(answer.status_code for answer in both) == [200, 412]
    assert (await stands(spine, one["id"]))["version"] == 2


async def test_a_later_override_takes_the_place_of_the_one_before(spine: Spine) -> None:
    uscc = await enterprise(spine)
    first = (await enter(spine, uscc)).json()
    await act(spine, first, "signature", REGULATOR)
    second = (await enter(spine, uscc, REGULATOR, risk_class="B")).raise_for_status().json()
    assert (await stands(spine, first["id"]))["state"] == "in_force"
    await act(spine, second, "signature", ANALYST)
    assert ((await stands(spine, first["id"]))["ended"], await listed(spine, f"state=in_force&uscc={uscc}")) == (
        "replaced", [second["id"]],
    )  # fmt: skip
    taken_back = await act(spine, {**second, "version": 2}, "withdrawal", REGULATOR, {"reason": "情况已消失。"})
    assert taken_back.json()["ended"] == "withdrawn"
    assert (await act(spine, taken_back.json(), "signature", ANALYST)).json()["type"].endswith(":override-settled")


async def test_an_override_changes_no_score_and_the_next_event_scores_as_if_it_were_not_there(spine: Spine) -> None:
    uscc, twin = await enterprise(spine), await enterprise(spine)
    one = (await enter(spine, uscc)).json()
    await act(spine, one, "signature", REGULATOR)
    raised = {"registered_capital": "90000000.00", "capital_currency": "CNY"}
    for either in (uscc, twin):
        assert (await change(spine, either, raised)).is_success
    await spine.quiet()
    judged, unjudged = await risk_of(spine, uscc), await risk_of(spine, twin)
    assert judged is not None
    assert unjudged is not None
    assert {name: judged[name] for name in ("score", "risk_class")} == {
        name: unjudged[name] for name in ("score", "risk_class")
    }
    assert judged["risk_class"] != JUDGED["risk_class"]


def test_what_scores_fits_and_rebuilds_cannot_read_overrides() -> None:
    """The table is named by its own queries alone, and these are imported by what shows and changes overrides."""
    queries = {"migrations/risk_0004.py", "tables.py", "repository/overrides.py"}
    allowed = {"use_cases/overrides.py"}  # and what shows: the routes
    for path in sorted(RISK.rglob("*.py")):
        name, text = path.relative_to(RISK).as_posix(), path.read_text(encoding="utf-8")
        assert "risk_override" not in text or name in queries, name
        imports = "repository import overrides" in text or "repository.overrides" in text
        assert not imports or name in allowed or name.startswith("api/"), name


@pytest.mark.parametrize("day", ["2026-01-05", "2027-01-07"])
async def test_an_override_ends_on_a_later_day_within_a_year(spine: Spine, day: str) -> None:
    refused = await enter(spine, await enterprise(spine), expires_on=day)
    assert [fault["field"] for fault in refused.json()["errors"]] == ["expires_on"]


async def test_who_may_judge_and_what_can_be_judged(spine: Spine) -> None:
    uscc = await enterprise(spine)
    assert (await enter(spine, uscc, "supervisor-1")).status_code == 403
    assert (await enter(spine, "91310106MA0000099X")).status_code == 404
    assert (await get(spine, "/v1/overrides", service="risk", person="applicant-1", **PURPOSE)).status_code == 403


async def test_the_day_ends_overrides_signed_or_not(spine: Spine) -> None:
    uscc, other = await enterprise(spine), await enterprise(spine)
    signed, unsigned = (await enter(spine, uscc)).json(), (await enter(spine, other)).json()
    await act(spine, signed, "signature", REGULATOR)
    await spine.travel(date(2026, 1, 20))
    for one in (signed, unsigned):
        await eventually(lambda one=one: _expired(spine, one["id"]))
    assert await listed(spine, f"state=in_force&uscc={uscc}") == []
    late = await act(spine, unsigned | {"version": 2}, "signature", REGULATOR)
    assert late.json()["type"].endswith(":override-settled")


async def _expired(spine: Spine, id: str) -> bool:
    return (await stands(spine, id))["ended"] == "expired"
