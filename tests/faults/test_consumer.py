"""Members of risk's consumer group are killed, frozen and joined by others: each event takes effect once."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from datetime import date
from itertools import pairwise
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from deploy.local.services import DEMO_START, ServiceProcess
from libs.common import time_travel
from libs.common.clock import BusinessClock
from libs.common.consumer import Consumer
from libs.common.database import open_database
from services.risk.rebuild import report
from services.risk.service import service as risk
from tests.faults.account import histories, serve_forms, told
from tests.faults.topics import (
    PARTITIONS,
    Record,
    changed_address,
    everything_is_taken,
    new_uscc,
    positions,
    put,
    records,
    registered,
)
from tests.spine import Spine, eventually

pytestmark = pytest.mark.long

KILLED = -signal.SIGKILL


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def registration(spine: Spine) -> None:
    """Before anything is forged: with events on its topic that it never said, it would refuse to start."""
    spine.up("registration")


async def advance(spine: Spine, to: date) -> None:
    await time_travel.advance(spine.stack.bootstrap_servers, spine.namespace, to)


async def died(process: ServiceProcess) -> None:
    assert await asyncio.to_thread(process.wait_ended, 60) == KILLED


async def nothing_is_lost_or_double(spine: Spine) -> None:
    """All is taken, scored as the topics say, announced once per change; nothing is parked or buried."""
    await eventually(lambda: everything_is_taken(spine, "risk"))
    await spine.quiet()
    said = {dict(one.headers)["ce_id"] for one in [*await records(spine), *await records(spine, "risk.events")]}
    with spine.as_environment():
        rebuilt = await report(risk.load_settings())
    assert (rebuilt.events, rebuilt.different, rebuilt.differences) == (len(said), 0, ())
    async with spine.database("risk") as connection:
        assert (
            await connection.fetchval("SELECT (SELECT count(*) FROM parked) + (SELECT count(*) FROM dead_letter)") == 0
        )
        classes = dict(await connection.fetch("SELECT uscc, risk_class FROM profile"))
    announced = {
        uscc: [(event.data["before"], event.data["risk_class"]) for event in history]
        for uscc, history in histories(await told(spine, "risk")).items()
    }
    assert {uscc: "ABCD".index(changes[-1][1]) for uscc, changes in announced.items()} == classes
    for changes in announced.values():
        assert changes[0][0] is None
        assert all(before == was and now != was for (_, was), (before, now) in pairwise(changes))


def lives_of(enterprises: list[str], *sequences: int) -> list[Record]:
    """What is said of some enterprises: registered first, then moving about."""
    return [
        registered(uscc) if sequence == 1 else changed_address(uscc, sequence)
        for sequence in sequences
        for uscc in enterprises
    ]


async def test_killed_at_every_step_and_started_again_each_event_has_its_effect_once(spine: Spine) -> None:
    process = spine.service("risk")
    first, second = [new_uscc(number) for number in range(12)], [new_uscc(number) for number in range(3)]

    process.start(ONE_WINDOW_CRASH_AT="batch.before_commit").wait_ready()
    await put(spine, *lives_of(first, 1, 2, 3))
    await died(process)
    assert await positions(spine, "risk") == {}

    process.start(ONE_WINDOW_CRASH_AT="batch.after_commit")
    await died(process)
    assert await positions(spine, "risk") != {}

    process.start(ONE_WINDOW_CRASH_AT="drain.before_commit")
    await put(spine, *lives_of(second, 1, 3))
    await eventually(lambda: everything_is_taken(spine, "risk"))
    await put(spine, *lives_of(second, 2))
    await died(process)
    assert await waiting(spine) == len(second)

    process.start(ONE_WINDOW_CRASH_AT="drain.after_commit")
    await died(process)
    assert await waiting(spine) == len(second) - 1

    process.start(ONE_WINDOW_CRASH_AT="due.before_commit")
    await eventually(lambda: everything_is_taken(spine, "risk"))
    await eventually(lambda: nobody_waits(spine))
    await advance(spine, date(2026, 7, 6))
    await died(process)
    assert await assessed_on(spine) == {date(2026, 1, 5)}

    process.start(ONE_WINDOW_CRASH_AT="due.after_commit")
    await died(process)
    assert len(await assessed_on(spine)) == 2

    await put(spine, *lives_of([new_uscc()], 1, 2, 3))
    process.start().wait_ready()
    await spine.quiet()
    assert await everything_is_taken(spine, "risk"), "a member that waits for its partitions is not quiet"
    await nothing_is_lost_or_double(spine)
    assert min(await assessed_on(spine)) == date(2026, 7, 5)


async def waiting(spine: Spine) -> int:
    async with spine.database("risk") as connection:
        return int(await connection.fetchval("SELECT count(*) FROM parked WHERE state = 'waiting'"))


async def nobody_waits(spine: Spine) -> bool:
    return await waiting(spine) == 0


async def assessed_on(spine: Spine) -> set[date]:
    async with spine.database("risk") as connection:
        return {row[0] for row in await connection.fetch("SELECT DISTINCT assessed_on FROM assessment")}


def is_frozen(process: ServiceProcess) -> bool:
    assert process.process is not None
    status = Path(f"/proc/{process.process.pid}/stat").read_text()
    return status.rpartition(")")[2].split()[0] == "T"


async def say_on_every_partition(spine: Spine) -> None:
    await put(spine, *lives_of([new_uscc(number) for number in range(PARTITIONS)], 1, 2, 3))


async def test_a_member_frozen_inside_a_transaction_loses_it_and_another_takes_over(spine: Spine) -> None:
    if not spine.service("risk").alive:
        spine.up("risk")
    frozen = spine.service("risk", " b").start(ONE_WINDOW_FREEZE_AT="batch.before_commit").wait_ready()

    async def is_in_the_middle_of_a_batch() -> bool:
        await say_on_every_partition(spine)
        return is_frozen(frozen)

    await eventually(is_in_the_middle_of_a_batch)
    await eventually(lambda: everything_is_taken(spine, "risk"))
    assert is_frozen(frozen)

    frozen.thaw()
    await say_on_every_partition(spine)
    await nothing_is_lost_or_double(spine)


async def test_a_member_frozen_past_its_session_finds_that_another_has_taken_over(spine: Spine) -> None:
    for process in (spine.service("risk"), frozen := spine.service("risk", " b")):
        if not process.alive:
            process.start().wait_ready()

    async def takes_its_share() -> bool:
        await say_on_every_partition(spine)
        return await events_applied(frozen) > 0

    await eventually(takes_its_share)
    frozen.freeze()
    await say_on_every_partition(spine)
    await eventually(lambda: everything_is_taken(spine, "risk"))
    frozen.thaw()
    await say_on_every_partition(spine)
    await nothing_is_lost_or_double(spine)
    assert frozen.stop() == 0


async def events_applied(process: ServiceProcess) -> float:
    async with httpx.AsyncClient(timeout=10) as client:
        lines = (await client.get(f"{process.url}/metrics")).text.splitlines()
    name = 'events_taken_total{outcome="applied",service="risk"}'
    return next((float(line.removeprefix(name)) for line in lines if line.startswith(name)), 0.0)


async def test_members_that_come_and_go_every_two_seconds_while_forms_come_in(spine: Spine) -> None:
    if not spine.service("risk").alive:
        spine.up("risk")
    forms = asyncio.create_task(serve_forms(spine, 60, changes=2, apart=0.2))
    for _ in range(3):
        async with a_member_of_risk(spine):
            await asyncio.sleep(2)
            async with a_member_of_risk(spine):
                await asyncio.sleep(2)
    await forms
    await nothing_is_lost_or_double(spine)


@contextlib.asynccontextmanager
async def a_member_of_risk(spine: Spine) -> AsyncIterator[None]:
    """One more member of risk's group, in this process."""
    with spine.as_environment():
        settings = risk.load_settings()
    clock = BusinessClock(max(await assessed_on(spine), default=DEMO_START))
    database, stop = open_database(settings), asyncio.Event()
    running = asyncio.create_task(Consumer(risk, database, settings, clock).run(stop))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(running, 30)
        await database.engine.dispose()
