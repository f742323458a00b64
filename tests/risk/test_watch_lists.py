"""Watch lists: a regulator's own, shared by name, and nobody else's business."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date

import pytest_asyncio

from tests.risk.window import Window, listed, open_window, registered, usccs
from tests.spine import Spine

LISTS = "/v1/watch-lists"
ALL = usccs(1, 4)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def window(spine: Spine) -> AsyncIterator[Window]:
    async with open_window(spine) as opened:
        await opened.take(*map(registered, ALL))
        yield opened


async def test_a_list_is_made_shared_watched_and_deleted(window: Window) -> None:
    made = await window.send("POST", LISTS, {"name": "餐饮"})
    assert (made.status_code, made.json()["version"]) == (201, 1)
    path = f"{LISTS}/{made.json()['id']}"
    assert made.headers["location"] == path
    assert (await window.send("POST", LISTS, {"name": "餐饮"})).status_code == 409
    assert (await window.send("POST", LISTS, {"name": "餐饮"}, "analyst-1")).status_code == 201, "another's own"

    for uscc in ALL[:3]:
        assert (await window.send("PUT", f"{path}/enterprises/{uscc}")).status_code == 200
    assert (await window.send("PUT", f"{path}/enterprises/{ALL[0]}")).json()["enterprises"] == 3
    assert (await window.send("PUT", f"{path}/enterprises/{usccs(99, 1)[0]}")).status_code == 404
    assert (await window.send("DELETE", f"{path}/enterprises/{ALL[2]}")).json()["enterprises"] == 2
    holding = {uscc: [one["id"] for one in await window.every(f"{LISTS}?uscc={uscc}")] for uscc in ALL}
    assert holding == {ALL[0]: [made.json()["id"]], ALL[1]: [made.json()["id"]], ALL[2]: [], ALL[3]: []}

    for way, where in (("GET", path), ("PUT", f"{path}/enterprises/{ALL[3]}"), ("DELETE", path)):
        answer = await window.send(way, where, person="supervisor-1", if_match=1)
        assert answer.status_code == 404, "not shared with the supervisor"
    shared = await window.send("PATCH", path, {"shared_with": ["supervisor-1"]}, if_match=1)
    assert (shared.status_code, shared.json()["shared_with"]) == (200, ["supervisor-1"])
    assert (await window.send("PATCH", path, {"name": "x"}, if_match=1)).status_code == 412
    assert (await window.send("PATCH", path, {"name": "x"})).status_code == 428
    seen = await window.shown(LISTS, "supervisor-1")
    assert [one["id"] for one in seen["items"]] == [made.json()["id"]]
    assert (await window.send("PUT", f"{path}/enterprises/{ALL[3]}", person="supervisor-1")).status_code == 404

    assert [one["uscc"] for one in await window.every(f"{path}/enterprises?limit=1")] == list(ALL[:2])
    assert (await window.send("DELETE", path, if_match=2)).json()["enterprises"] == 2
    assert (await window.get(path)).status_code == 404


async def test_what_changed_on_a_list_since_a_time(window: Window) -> None:
    path = f"{LISTS}/{(await window.send('POST', LISTS, {'name': 'changes'})).json()['id']}"
    for uscc in ALL[:3]:
        await window.send("PUT", f"{path}/enterprises/{uscc}")
    await window.at(date(2026, 2, 2))
    await window.take(*(listed(uscc, date(2026, 2, 2)) for uscc in ALL[1:]))
    since = "since=2026-02-01T00:00:00Z"
    changed = await window.every(f"{path}/changes?limit=1&{since}")
    assert sorted(one["uscc"] for one in changed) == sorted(ALL[1:3]), "neither the unchanged nor the unwatched"
    assert [one["position"] for one in changed] == sorted((one["position"] for one in changed), reverse=True)
    assert len(await window.every(f"{path}/changes")) == 5
    assert (await window.get(f"{path}/changes", "supervisor-1")).status_code == 404
