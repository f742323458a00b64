"""The officers' queue over HTTP: reading page by page, one claim of many, passing on, and days of absence."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from tests.spine import Spine, form, get, post, submit

QUEUE = "registration.review"
ITEMS = "/v1/work-items"


@pytest.fixture(scope="module")
def window(spine: Spine) -> Spine:
    return spine.up("registration")


async def waiting(window: Spine) -> dict[str, Any]:
    """The work item of an application that a person has to look at."""
    answer = await submit(window, form(activities=["6311"]))
    assert answer.json()["status"] == "in_review", answer.text
    found = await everything(window, "open")
    return next(item for item in found if item["subject"] == answer.json()["id"])


async def everything(window: Spine, state: str, *, person: str = "registrar-1", limit: int = 200) -> list[Any]:
    """All pages of a view."""
    found: list[Any] = []
    cursor = ""
    while True:
        answer = await get(window, f"{ITEMS}?queue={QUEUE}&state={state}&limit={limit}{cursor}", person=person)
        page = answer.raise_for_status().json()
        found += page["items"]
        if page["next"] is None:
            return found
        assert len(page["items"]) == limit
        cursor = f"&cursor={page['next']}"


async def act(
    window: Spine, item: dict[str, Any], what: str, *, person: str, body: Any = None, version: int | None = None
) -> httpx.Response:
    seen = item["version"] if version is None else version
    return await post(window, f"{ITEMS}/{item['id']}/{what}", body, person=person, if_match=seen)


def refused(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix("urn:one-window:problem:")


async def test_an_application_waits_where_every_registrar_sees_it(window: Spine) -> None:
    item = await waiting(window)

    assert (item["queue"], item["claimed_by"], item["escalated_on"]) == (QUEUE, None, None)
    assert item["due_on"] > item["opened_on"] == "2026-01-05"
    alone = await get(window, f"{ITEMS}/{item['id']}", person="registrar-2")
    assert (alone.json(), alone.headers["etag"]) == (item, '"1"')
    assert item in await everything(window, "open", person="supervisor-1")


async def test_a_list_is_read_to_its_end_page_by_page_by_due_date(window: Spine) -> None:
    for _ in range(5):
        await waiting(window)
    whole = await everything(window, "open")

    assert await everything(window, "open", limit=2) == whole
    assert [(item["due_on"], item["id"]) for item in whole] == sorted((item["due_on"], item["id"]) for item in whole)
    for wrong in ("limit=0", "limit=201", "state=lost", "queue=credit.repair", "cursor=e30", "cursor=WyJ4Il0"):
        assert refused(await get(window, f"{ITEMS}?{wrong}", person="registrar-1")) == (422, "malformed"), wrong


async def test_of_two_who_claim_one_is_told_when_but_not_by_whom(window: Spine) -> None:
    item = await waiting(window)
    officers = ("registrar-1", "registrar-2")
    answers = await asyncio.gather(*(act(window, item, "claim", person=person) for person in officers))

    winner, loser = sorted(answers, key=lambda answer: answer.status_code)
    assert (winner.status_code, winner.headers["etag"]) == (200, '"2"')
    assert winner.json()["claimed_by"] in officers
    assert refused(loser) == (409, "work-claimed")
    assert re.search(r"at [0-2][0-9]:[0-5][0-9];", loser.json()["detail"])
    assert "registrar" not in loser.text
    mine = await everything(window, "mine", person=winner.json()["claimed_by"])
    assert item["id"] in [one["id"] for one in mine]


async def test_an_item_goes_from_hand_to_hand_by_who_holds_it_and_the_version_read(window: Spine) -> None:
    item = await waiting(window)
    claim = f"{ITEMS}/{item['id']}/claim"
    assert refused(await post(window, claim, person="registrar-1")) == (428, "precondition-required")
    assert refused(await act(window, item, "claim", person="registrar-1", version=7)) == (412, "stale")
    held = (await act(window, item, "claim", person="registrar-1")).json()

    assert refused(await act(window, held, "release", person="registrar-2")) == (409, "work-not-yours")
    assert refused(await act(window, held, "release", person="supervisor-1")) == (409, "work-not-yours")
    to = {"to": "registrar-2"}
    given = (await act(window, held, "hand-over", person="registrar-1", body=to)).json()
    assert given["claimed_by"] == "registrar-2"
    assert refused(await act(window, given, "hand-over", person="registrar-1", body=to)) == (409, "work-not-yours")
    assert refused(await act(window, held, "release", person="registrar-2")) == (412, "stale")
    free = (await act(window, given, "release", person="registrar-2")).json()
    assert (free["claimed_by"], free["version"]) == (None, 4)
    nobody = await act(window, free, "hand-over", person="registrar-2", body={"to": "two words"})
    assert refused(nobody) == (422, "malformed")


async def test_the_queue_is_not_there_for_who_does_not_work_in_it(window: Spine) -> None:
    item = await waiting(window)
    for person, status in (("applicant-1", 403), ("credit-1", 403), (None, 401)):
        assert (await get(window, ITEMS, person=person)).status_code == status
        assert (await act(window, item, "claim", person=person)).status_code == status  # type: ignore[arg-type]
    assert refused(await act(window, item, "claim", person="supervisor-1")) == (403, "forbidden")
    strange = {**item, "id": str(uuid4())}
    assert refused(await act(window, strange, "claim", person="registrar-1")) == (404, "not-found")


async def test_a_stand_in_finds_what_an_absent_officer_holds_until_that_one_is_back(window: Spine) -> None:
    item = await waiting(window)
    held = (await act(window, item, "claim", person="registrar-1")).json()
    days = {"from_on": "2026-01-05", "to_on": "2026-01-06", "stand_in": "registrar-2"}
    entered = await post(window, "/v1/absences", days, person="registrar-1")

    assert (entered.status_code, entered.json()) == (201, {"officer": "registrar-1", **days})
    assert refused(await post(window, "/v1/absences", days, person="registrar-1")) == (409, "absence-overlaps")
    for person in ("registrar-1", "registrar-2"):
        assert (await get(window, "/v1/absences", person=person)).json()["items"] == [entered.json()]
        assert held in await everything(window, "mine", person=person)

    foreign = await post(window, "/v1/absences/2026-01-05", person="registrar-2", method="DELETE")
    assert refused(foreign) == (404, "not-found")
    struck = await post(window, "/v1/absences/2026-01-05", person="registrar-1", method="DELETE")
    assert struck.json() == entered.json()
    assert held not in await everything(window, "mine", person="registrar-2")
    assert (await get(window, "/v1/absences", person="registrar-1")).json() == {"items": [], "next": None}


async def test_an_absence_has_an_end_and_somebody_else_who_stands_in(window: Spine) -> None:
    body = {"from_on": "2026-01-09", "to_on": "2026-01-08", "stand_in": "registrar-1"}
    answer = await post(window, "/v1/absences", body, person="registrar-1")

    assert refused(answer) == (422, "malformed")
    assert {(fault["field"], fault["code"]) for fault in answer.json()["errors"]} == {
        ("to_on", "ends_before_it_begins"), ("stand_in", "stand_in_is_oneself"),
    }  # fmt: skip


async def test_what_is_overdue_is_shown_to_who_supervises_and_passed_on(window: Spine) -> None:
    item = await waiting(window)
    held = (await act(window, item, "claim", person="registrar-1")).json()
    await window.travel(date.fromisoformat(held["due_on"]))
    assert held["id"] not in [one["id"] for one in await everything(window, "escalated", person="supervisor-1")]

    await window.travel(date.fromisoformat(held["due_on"]) + timedelta(days=1))
    late = next(one for one in await everything(window, "escalated", person="supervisor-1") if one["id"] == held["id"])
    assert late["claimed_by"] == "registrar-1"
    given = await act(window, late, "hand-over", person="supervisor-1", body={"to": "registrar-2"})
    assert given.json()["claimed_by"] == "registrar-2"
    assert given.json() in await everything(window, "mine", person="registrar-2")


async def test_a_service_that_starts_with_a_newer_calendar_moves_the_deadlines_of_what_is_open(window: Spine) -> None:
    item = await waiting(window)
    async with window.database("registration") as database:
        await database.execute(
            "UPDATE work_item SET due_on = due_on + 1, provisional = true WHERE id = $1::uuid", UUID(item["id"])
        )
    process = window.service("registration")
    process.stop()
    process.start()
    process.wait_ready()

    now = (await get(window, f"{ITEMS}/{item['id']}", person="registrar-1")).json()
    assert (now["due_on"], now["provisional"], now["version"]) == (item["due_on"], False, item["version"] + 1)
    async with window.database("registration") as database:
        told = await database.fetchval(
            "SELECT convert_from(entry, 'utf8')::jsonb FROM audit "
            "WHERE convert_from(entry, 'utf8')::jsonb ->> 'action' = 'work.deadline_moved'"
        )
    assert json.loads(told)["object"] == f"/v1/work-items/{item['id']}"
