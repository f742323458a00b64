"""An operator at the window: sees what stands aside, page by page, and decides; the running consumer carries it out."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import pytest_asyncio

from tests.faults.topics import everything_is_taken, new_uscc, put, registered
from tests.spine import Spine, eventually, get, post, risk_of


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stuck(spine: Spine) -> dict[str, list[UUID]]:
    """Two subjects that stand aside: one begins with what cannot be read, the other with a gap."""
    spine.up("risk")
    unreadable, behind_a_gap = new_uscc(0), new_uscc(1)
    ids = {unreadable: [uuid4(), uuid4()], behind_a_gap: [uuid4()]}
    first, second = ids[unreadable]
    await put(
        spine,
        replace(registered(unreadable, 1, id=first), value=b"{}"),
        registered(unreadable, 2, id=second),
        registered(behind_a_gap, 3, id=ids[behind_a_gap][0]),
    )
    await eventually(lambda: everything_is_taken(spine, "risk"))
    return ids


async def listed(spine: Spine, query: str = "") -> dict[str, Any]:
    answer = await get(spine, f"/v1/parked{query}", service="risk", person="operator-1")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def dispose(spine: Spine, id: UUID, body: dict[str, Any], person: str = "operator-1") -> httpx.Response:
    return await post(spine, f"/v1/parked/{id}/disposition", body, service="risk", person=person)


async def test_what_stands_aside_is_listed_with_its_cause(spine: Spine, stuck: dict[str, list[UUID]]) -> None:
    items = {UUID(item["id"]): item for item in (await listed(spine))["items"]}
    assert set(items) == {id for ids in stuck.values() for id in ids}
    (unreadable, (first, second)), (_, (alone,)) = stuck.items()
    assert (items[first]["subject"], items[first]["sequence"], items[first]["state"]) == (unreadable, 1, "failed")
    assert "ValidationError" in items[first]["error"]
    assert [items[id]["state"] for id in (second, alone)] == ["waiting", "waiting"]
    assert all(item["since"] and item["disposition"] is None for item in items.values())


async def test_pages_follow_each_other_without_gap_or_repeat(spine: Spine, stuck: dict[str, list[UUID]]) -> None:
    whole, pages, cursor = await listed(spine), [], ""
    while True:
        page = await listed(spine, f"?limit=1{cursor}")
        pages += page["items"]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert pages == whole["items"]
    assert whole["next"] is None


@pytest.mark.parametrize(
    "query",
    ["cursor=x", "cursor=%00", "cursor=W10", "cursor=WyJhIl0", "cursor=bm9uZQ", "limit=0", "limit=201", "limit=x"],
)
async def test_a_cursor_that_no_page_gave_and_a_limit_out_of_bounds_are_refused(
    spine: Spine, stuck: dict[str, list[UUID]], query: str
) -> None:
    answer = await get(spine, f"/v1/parked?{query}", service="risk", person="operator-1")
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:one-window:problem:malformed")
    assert answer.json()["errors"][0]["field"] == query.partition("=")[0]


async def test_what_an_operator_decides_is_carried_out_and_signed_with_the_name(
    spine: Spine, stuck: dict[str, list[UUID]]
) -> None:
    (unreadable, (first, _)), (behind_a_gap, (alone,)) = stuck.items()
    for body in ({"disposition": "forget", "why": "x"}, {"disposition": "drop", "why": " "}, {"disposition": "drop"}):
        assert (await dispose(spine, first, body)).status_code == 422
    assert (await dispose(spine, uuid4(), {"disposition": "drop", "why": "x"})).status_code == 404
    assert (await dispose(spine, first, {"disposition": "drop", "why": "x"}, "auditor-1")).status_code == 403

    given_up = {"disposition": "drop", "why": "It says nothing, and what follows says it again."}
    assert (await dispose(spine, first, given_up)).status_code == 202
    assert (
        await dispose(spine, alone, {"disposition": "skip", "why": "The first two were a test."})
    ).status_code == 202

    for uscc in (unreadable, behind_a_gap):
        assert await eventually(lambda uscc=uscc: risk_of(spine, uscc))
    assert (await listed(spine))["items"] == []
    assert (await dispose(spine, first, given_up)).status_code == 404, "it stands aside no more"

    async with spine.database("risk") as connection:
        row = await connection.fetchrow("SELECT disposed_by, disposed_why FROM parked WHERE id = $1", first)
        entries = [json.loads(row["entry"]) for row in await connection.fetch("SELECT entry FROM audit ORDER BY id")]
    assert tuple(row) == ("operator-1", given_up["why"])
    acts = [(entry["actor"], entry["action"], entry["object"]) for entry in entries if "disposition" in entry["action"]]
    assert acts == [
        ("operator-1", "POST /v1/parked/{id}/disposition", f"/v1/parked/{id}/disposition") for id in (first, alone)
    ]
