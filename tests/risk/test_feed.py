"""The feed of class changes on PostgreSQL: what commits late is not lost, and nothing is heard twice."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from itertools import chain

import httpx
import pytest_asyncio

from tests.risk.window import PLANNING, TODAY, Window, open_window, penalised, registered, usccs
from tests.spine import Spine, bearer, eventually

CHANGES = "/v1/risk/changes"
WRITE = """
INSERT INTO class_change (uscc, at, assessed_on, before, after, score, reasons, scorecard_digest)
SELECT $1, now(), '2026-01-05', NULL, 1, n, '{}', 'd' FROM generate_series(1, $2::int) n RETURNING position
"""
WRITERS, TURNS = 4, 12


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def window(spine: Spine) -> AsyncIterator[Window]:
    async with open_window(spine) as opened:
        yield opened


async def write(spine: Spine, uscc: str, turns: int) -> list[int]:
    """Transactions that overlap, some of which roll back; the positions that were committed."""
    written: list[int] = []
    dice = random.Random(uscc)
    async with spine.database("risk") as connection:
        for _ in range(turns):
            transaction = connection.transaction()
            await transaction.start()
            await connection.execute("SELECT pg_current_xact_id()")  # scoring has written before it announces
            positions = [row["position"] for row in await connection.fetch(WRITE, uscc, dice.randint(1, 5))]
            await asyncio.sleep(dice.random() / 50)
            if dice.random() < 0.3:
                await transaction.rollback()
            else:
                await transaction.commit()
                written += positions
    return written


async def test_what_commits_late_comes_late_and_once(window: Window) -> None:
    start = (await window.shown(f"{CHANGES}?start=now"))["next"]
    writing = asyncio.gather(*(write(window.spine, uscc, TURNS) for uscc in usccs(1, WRITERS)))
    got, cursor = [], start

    async def page() -> bool:
        nonlocal cursor
        answer = await window.shown(f"{CHANGES}?cursor={cursor}&limit=3")
        got.extend(answer["items"])
        cursor = answer["next"]
        return not answer["items"]

    while not writing.done():
        await page()
    while not await page():
        pass
    positions = [one["position"] for one in got]
    assert sorted(positions) == sorted([*chain(*await writing)])
    for uscc in usccs(1, WRITERS):
        of_one = [one["position"] for one in got if one["uscc"] == uscc]
        assert of_one == sorted(of_one), "what is said of one enterprise stays in order"


async def listen(spine: Spine, last: str | None, most: int) -> list[tuple[str, dict[str, object]]]:
    """Up to `most` changes of a stream that breaks then; each with its id."""
    headers = {**PLANNING, **bearer("regulator-1"), **({"last-event-id": last} if last else {})}
    heard, id = [], ""
    async with (
        httpx.AsyncClient(base_url=spine.service("risk").url, timeout=30) as client,
        client.stream("GET", f"{CHANGES}/stream", headers=headers) as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        async for line in answer.aiter_lines():
            name, _, value = line.partition(": ")
            if name == "id":
                id = value
            elif name == "data" and "notice" in (said := json.loads(value)):
                assert "no ground for penalty" in said["notice"]
                assert heard == []
            elif name == "data":
                heard.append((id, said))
            if len(heard) == most:
                break
    return heard


async def test_who_comes_back_with_the_last_id_misses_nothing_and_hears_nothing_twice(window: Window) -> None:
    window.spine.up("risk")
    last = (await window.shown(f"{CHANGES}?start=now"))["next"]
    writing = asyncio.gather(*(write(window.spine, uscc, TURNS) for uscc in usccs(11, WRITERS)))
    written: list[int] | None = None
    positions: list[int] = []
    while written is None or len(positions) < len(written):
        if written is None and writing.done():
            written = [*chain(*await writing)]
        most = 7 if written is None else min(7, len(written) - len(positions))
        for id, said in await listen(window.spine, last, most) if most else []:
            last = id
            positions.append(said["position"])
        if not writing.done() and len(positions) > 30:
            written = [*chain(*await writing)]
    assert sorted(positions) == sorted(written)


async def test_a_stream_ends_with_the_service_and_its_reader_goes_on_with_the_next(window: Window) -> None:
    process = window.spine.service("risk")
    waiting = asyncio.create_task(listen(window.spine, None, 1))
    await eventually(lambda: looks(window, f"{CHANGES}/stream"))
    process.stop()
    assert await waiting == []


async def looks(window: Window, what: str) -> int:
    async with window.rows() as connection:
        return int(await connection.fetchval("SELECT count(*) FROM audit WHERE object = $1", what))


async def test_following_is_one_look_for_a_purpose_and_a_quarter_of_an_hour(window: Window) -> None:
    before = await looks(window, CHANGES)
    await window.get(CHANGES, "analyst-1")
    for _ in range(5):
        await window.get(CHANGES, "analyst-1")
    assert await looks(window, CHANGES) == before + 1
    await window.get(CHANGES, "analyst-1", purpose="policy_analysis")
    assert await looks(window, CHANGES) == before + 2
    async with window.rows() as connection:
        await connection.execute("UPDATE look SET at = at - interval '16 minutes'")
    await window.get(CHANGES, "analyst-1")
    assert await looks(window, CHANGES) == before + 3


async def test_a_cursor_from_beyond_the_restored_state_is_told_so_and_another_is_refused(window: Window) -> None:
    assert (await window.get(f"{CHANGES}?cursor=WzQwMDAwMDAwMF0")).status_code == 410
    assert (await window.get(f"{CHANGES}?cursor=bm9uZQ")).status_code == 422


async def test_what_scoring_announces_is_in_the_feed_and_in_the_history(window: Window) -> None:
    (uscc,) = usccs(900, 1)
    cursor = (await window.shown(f"{CHANGES}?start=now"))["next"]
    await window.take(registered(uscc, industry="2710"))
    await window.take(*(penalised(uscc, TODAY) for _ in range(5)))
    fed = [one for one in (await window.shown(f"{CHANGES}?cursor={cursor}"))["items"] if one["uscc"] == uscc]
    assert fed == (await window.every(f"/v1/enterprises/{uscc}/risk/history"))[::-1]
    assert fed[0]["before"] is None
    assert (await window.get(f"/v1/enterprises/{usccs(999, 1)[0]}/risk/history")).status_code == 404
