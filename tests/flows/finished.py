"""A run of registration and risk that has come to its end, for the checker to look at."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

from aiokafka import AIOKafkaProducer

from demo.clients import Window
from deploy.local.issuer import token
from tests.checker import Attempt, Report, Target, check
from tests.spine import Spine, eventually, form

A_YEAR_LATER = date(2027, 1, 6)


@dataclass(frozen=True, slots=True)
class Finished:
    """A run whose services have stopped: three enterprises and a form each of the other answers; a year has passed; one
    record was unreadable, and the last enterprise has an event of a version that risk does not know, and one behind it.
    """

    spine: Spine
    attempts: tuple[Attempt, ...]
    answers: dict[str, dict[str, Any]]
    busy: Report
    """Found while forms and changes still came in."""
    alive: Report
    """Found at rest, before the services stopped."""

    @property
    def target(self) -> Target:
        return Target(
            self.spine.stack.bootstrap_servers, self.spine.stack.database_url, self.spine.namespace, patience=2
        )


def target_of(spine: Spine, **more: Any) -> Target:
    stack = spine.stack
    return Target(stack.bootstrap_servers, stack.database_url, spine.namespace, **{"patience": 5.0, **more})


async def finish(spine: Spine) -> Finished:
    """Live the run to its end."""
    spine.up("registration", "risk")
    urls = {name: process.url for name, process in spine.processes.items()}
    async with Window.opened(urls["registration"], urls["risk"]) as clients:
        codes = [(await clients.submit(form(), clicks=2))["uscc"] for _ in range(3)]
        await clients.submit(form(activities=["0422"]))
        await clients.submit(form(activities=["6311"]))
        for uscc in codes:
            await clients.change(uscc, {"area": "310106013"})
            await clients.change(uscc, {"registered_capital": "50000000.00", "capital_currency": "CNY"})
        shown = {"urls": urls, "tokens": {"risk": token("auditor-1")}}
        busy = await _checked_while_busy(spine, clients, codes[1], shown)
        await _say_something_unreadable(spine)
        await _say_something_too_new(spine, codes[-1])
        await clients.change(codes[-1], {"area": "310106014"})
        await eventually(lambda: _parked(spine, 2))
        await spine.travel(A_YEAR_LATER)
        alive = await check(target_of(spine, **shown), clients.attempts)
        answers = {uscc: await clients.standing(uscc) for uscc in codes}
    for process in spine.processes.values():
        process.stop()
    return Finished(spine, tuple(clients.attempts), answers, busy, alive)


async def _checked_while_busy(spine: Spine, clients: Window, uscc: str, shown: dict[str, Any]) -> Report:
    async def applicant() -> None:
        for area in ("310106013", "310106014", "310106012", "310106013"):
            await clients.submit(form(activities=["0422"]))
            await clients.change(uscc, {"area": area})

    async with asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(applicant())
        return await check(target_of(spine, **shown), tuple(clients.attempts))


async def _say_something_unreadable(spine: Spine) -> None:
    async with producer(spine) as sending:
        await sending.send_and_wait(f"{spine.namespace}registration.events", b"{}", key=b"nobody", partition=3)


async def _say_something_too_new(spine: Spine, uscc: str) -> None:
    """As a newer registration would: through its outbox."""
    async with spine.database("registration") as connection:
        await connection.execute(
            """
            WITH counter AS (UPDATE outbox_counter SET sequence = sequence + 1 WHERE subject = $1 RETURNING sequence)
            INSERT INTO outbox (event_id, subject, sequence, type, time, correlation_id, data)
            SELECT gen_random_uuid(), $1, sequence, $2, now(), 'test', '{}' FROM counter
            """,
            uscc,
            "registration.enterprise_changed.v9",
        )


async def _parked(spine: Spine, count: int) -> bool:
    async with spine.database("risk") as connection:
        return bool(await connection.fetchval("SELECT count(*) = $1 FROM parked", count))


@asynccontextmanager
async def producer(spine: Spine) -> AsyncIterator[AIOKafkaProducer]:
    sending = AIOKafkaProducer(bootstrap_servers=spine.stack.bootstrap_servers)
    await sending.start()
    try:
        yield sending
    finally:
        await sending.stop()
