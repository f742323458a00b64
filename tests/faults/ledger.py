"""A tiny service in this very process, with the ordinary reaction that takes one event after the other.

It enters every event and every date that it is told of in a ledger, which nothing keeps from holding a thing twice.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date

import asyncpg
from sqlmodel.ext.asyncio.session import AsyncSession

from deploy.local.services import DEMO_START, free_port
from libs.common.clock import BusinessClock, Clock
from libs.common.consumer import Consumer
from libs.common.database import Database, open_database, raw
from libs.common.due import ticker
from libs.common.envelope import Incoming
from libs.common.run import prepare, serve
from libs.common.service import Service
from libs.common.settings import Settings, load
from tests.faults.topics import Record, event, put
from tests.spine import Spine

NAME, HEARD = "ledger", "pen.events"
ENTRY = "INSERT INTO entry (subject, sequence, event_id, on_date) VALUES ($1, $2, $3, $4)"
Trouble = Callable[[AsyncSession], Awaitable[None]]
"""What a handler meets; it may raise, run a statement that takes too long, or wait for the test."""


@dataclass(slots=True)
class Ledger:
    """`trouble` is what events or dates of a subject meet; `batches` are the sizes of what was handed over to apply."""

    spine: Spine
    settings: Settings
    trouble: dict[str, Trouble] = field(default_factory=dict)
    batches: list[int] = field(default_factory=list)
    clock: BusinessClock = field(default_factory=lambda: BusinessClock(DEMO_START))

    @property
    def service(self) -> Service:
        return Service(name=NAME, hears=["pen"], apply=self.apply, when_due={"reminder": self.remind})

    def database(self) -> Database:
        """A pool of its own, as every process has."""
        return open_database(self.settings)

    async def apply(self, session: AsyncSession, events: Sequence[Incoming], clock: Clock) -> None:
        self.batches.append(len(events))
        for one in events:
            await self.meet_trouble(session, one.subject)
            await (await raw(session)).execute(ENTRY, one.subject, one.sequence, one.id, clock.today())

    async def remind(self, session: AsyncSession, subject: str, on: date, clock: Clock) -> None:
        await self.meet_trouble(session, subject)
        await (await raw(session)).execute(ENTRY, subject, 0, None, clock.today())

    async def meet_trouble(self, session: AsyncSession, subject: str) -> None:
        if subject in self.trouble:
            await self.trouble[subject](session)

    @asynccontextmanager
    async def member(self) -> AsyncIterator[Consumer]:
        """A member of the ledger's consumer group, for as long as the context lasts."""
        database, stop = self.database(), asyncio.Event()
        consumer = Consumer(self.service, database, self.settings, self.clock)
        running = asyncio.create_task(consumer.run(stop))
        try:
            yield consumer
        finally:
            stop.set()
            await asyncio.wait_for(running, 30)
            await database.engine.dispose()

    @asynccontextmanager
    async def ticking(self) -> AsyncIterator[None]:
        """A ticker of its own, for as long as the context lasts."""
        database, stop = self.database(), asyncio.Event()
        running = asyncio.create_task(ticker(self.service, database, self.clock, stop))
        try:
            yield
        finally:
            stop.set()
            await asyncio.wait_for(running, 30)
            await database.engine.dispose()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """The whole service as `run` makes it, in this process, for as long as the context lasts; its URL."""
        stop, ready, port = asyncio.Event(), asyncio.Event(), free_port()
        with self.spine.as_environment():
            os.environ[f"{NAME.upper()}_PORT"] = str(port)
            running = asyncio.create_task(serve(self.service, stop, ready=ready))
            await asyncio.wait({running, asyncio.create_task(ready.wait())}, return_when=asyncio.FIRST_COMPLETED)
        try:
            if running.done():
                await running
            yield f"http://127.0.0.1:{port}"
        finally:
            stop.set()
            await asyncio.wait_for(running, 30)

    async def put(self, *records: Record) -> None:
        await put(self.spine, *records, topic=HEARD)

    async def read(self, query: str, *arguments: object) -> list[asyncpg.Record]:
        async with self.spine.database(NAME) as connection:
            return await connection.fetch(query, *arguments)

    async def entries(self, *subjects: str) -> list[int]:
        """The sequences entered for these subjects, in the order in which they were entered."""
        rows = await self.read("SELECT sequence FROM entry WHERE subject = ANY($1) ORDER BY number", list(subjects))
        return [row["sequence"] for row in rows]

    async def parked(self, *subjects: str) -> list[tuple[int, str]]:
        rows = await self.read(
            "SELECT sequence, state FROM parked WHERE subject = ANY($1) ORDER BY subject, sequence", list(subjects)
        )
        return [(row["sequence"], row["state"]) for row in rows]


def noted(subject: str, sequence: int) -> Record:
    """What the ledger hears."""
    return event(subject, sequence, {}, type="pen.noted.v1", source="/jingan/pen")


async def open_ledger(spine: Spine) -> Ledger:
    """The ledger with its database and its topics; nothing of it runs yet."""
    with spine.as_environment():
        ledger = Ledger(spine, load(Settings, NAME))
    database = ledger.database()
    await prepare(ledger.service, ledger.settings, database)
    await database.engine.dispose()
    async with spine.database(NAME) as connection:
        await connection.execute(
            "CREATE TABLE entry (number bigserial PRIMARY KEY, subject text, sequence bigint, event_id uuid,"
            f' on_date date); ALTER TABLE entry OWNER TO "{spine.namespace}{NAME}"'
        )
    return ledger
