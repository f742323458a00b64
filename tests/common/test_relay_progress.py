"""How far the relay has come, over row ids that commit out of order, and what is known of it a month later: a real
outbox, read by a real relay into a real topic."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer
from sqlmodel.ext.asyncio.session import AsyncSession

from deploy.local import postgres
from deploy.local.stack import Stack
from libs.common import kafka, outbox
from libs.common.clock import BusinessClock
from libs.common.database import Database, connect, open_database, provision
from libs.common.envelope import Event
from libs.common.migration import migrate
from libs.common.relay.loop import READ, READ_AT_MOST, relay
from libs.common.relay.progress import Progress, advanced
from libs.common.relay.restored import Restored, check_not_restored, resend
from libs.common.settings import Settings
from libs.common.transaction import once
from services.registration.service import service
from tests.faults.account import histories, told, told_again
from tests.faults.topics import event
from tests.spine import Spine, eventually


class Noted(Event, frozen=True, kw_only=True):
    type = "registration.noted.v1"
    subject_kind = "uscc"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def spine(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Spine]:
    """The shared Kafka, and a PostgreSQL of our own: in a shared one, others' transactions would move the snapshots."""
    folder = tmp_path_factory.mktemp("relay_progress")
    server = postgres.in_folder(folder / "postgres")
    server.start()
    spine = Spine(Stack(stack.bootstrap_servers, server.url), folder)
    yield spine
    await spine.close()
    server.kill()


@dataclass(frozen=True, slots=True)
class Box:
    """The outbox of a service and its topic."""

    database: Database
    settings: Settings
    spine: Spine

    async def say(self, *subjects: str) -> None:
        async def act(session: AsyncSession) -> None:
            for subject in subjects:
                outbox.add(session, Noted(), subject=subject, clock=BusinessClock())

        await once(self.database, act)

    @asynccontextmanager
    async def transaction(self, how: str = "BEGIN") -> AsyncIterator[asyncpg.Connection]:
        """A transaction that stays open as long as the test wants; left open, it is rolled back."""
        connection = await connect(self.database)
        try:
            await connection.execute(how)
            yield connection
        finally:
            await connection.close()

    @asynccontextmanager
    async def relay(self) -> AsyncIterator[None]:
        """A relay at work in this process."""
        stop = asyncio.Event()
        task = asyncio.create_task(relay(self.database, self.settings, stop))
        try:
            yield
        finally:
            stop.set()
            await task

    async def said(self, subject: str) -> int:
        """How many of its events stand on the topic, in order and each once."""
        records = await told(self.spine)
        assert told_again(records) == 0
        return len(histories(records).get(subject, []))

    async def missing(self) -> set[int]:
        """The ids that the relay waits for."""
        async with self.spine.database("registration") as connection:
            return {int(id) for id in json.loads(await connection.fetchval("SELECT missing FROM relay_progress"))}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def box(spine: Spine) -> AsyncIterator[Box]:
    with spine.as_environment():
        settings = service.load_settings()
    await provision(settings)
    database = open_database(settings)
    await migrate(database)
    await kafka.create_topics(settings, [settings.events_topic])
    yield Box(database, settings, spine)
    await database.engine.dispose()


async def write(transaction: asyncpg.Connection, subject: str) -> int:
    """Write one event as the outbox does, in a transaction that goes on; returns the row's id."""
    time = await transaction.fetchval("SELECT now()")
    await transaction.execute(
        outbox.WRITE, [subject], [uuid4()], [Noted.type], [time], ["case"], [None], [None], [b"{}"]
    )
    return int(await transaction.fetchval("SELECT currval('outbox_id_seq')"))


Bound = Literal["the snapshot's xmax", "an id assigned after the read"]


@dataclass(slots=True)
class Cursor:
    """The relay's reading and remembering without the sending; `bound` is how long it waits for a missing id."""

    connection: asyncpg.Connection
    bound: Bound
    progress: Progress = field(default_factory=Progress)
    seen: list[int] = field(default_factory=list)

    async def read(self) -> None:
        async with self.connection.transaction(isolation="repeatable_read"):
            bound = await self.connection.fetchval("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
            found = await self.connection.fetch(READ, self.progress.high, list(self.progress.missing), READ_AT_MOST)
        if self.bound == "an id assigned after the read":
            bound = await self.connection.fetchval("SELECT pg_current_xact_id()::text::bigint")
        seen = [row["id"] for row in found if row["id"] is not None]
        self.progress = advanced(self.progress, seen, [], found[0]["xmin"], bound)
        self.seen += seen


@pytest.mark.parametrize(("bound", "lost"), [("the snapshot's xmax", True), ("an id assigned after the read", False)])
async def test_a_wait_bounded_by_the_snapshots_own_xmax_loses_a_row_and_ours_does_not(
    box: Box, bound: Bound, lost: bool
) -> None:
    """xmax is one past the greatest transaction id that has *completed*; a running writer may have a greater one."""
    await box.say("before")
    async with box.transaction() as younger, box.transaction() as bystander, box.transaction() as writer:
        for connection in (younger, bystander, writer):
            await connection.fetchval("SELECT pg_current_xact_id()")
        cursor = Cursor(await connect(box.database), bound)
        await cursor.read()
        row = await write(writer, f"writer, {bound}")
        await write(younger, f"younger, {bound}")
        await younger.execute("COMMIT")
        await cursor.read()
        assert list(cursor.progress.missing) == [row]

        await bystander.execute("COMMIT")
        await cursor.read()
        await writer.execute("COMMIT")
        await cursor.read()

    assert (row not in cursor.seen) is lost
    await cursor.connection.close()


async def test_a_row_that_commits_long_after_younger_ones_is_sent(box: Box) -> None:
    async with box.relay(), box.transaction() as slow:
        row = await write(slow, "slow")
        for _ in range(20):
            await box.say("quick")
        await eventually(lambda: _is(box.said("quick"), 20))
        assert await box.missing() == {row}
        assert await box.said("slow") == 0

        await slow.execute("COMMIT")
        await eventually(lambda: _is(box.said("slow"), 1))
        await eventually(lambda: _is(box.missing(), set()))


async def test_a_row_that_is_rolled_back_is_waited_for_only_while_it_could_still_come(box: Box) -> None:
    async with box.relay(), box.transaction() as undecided:
        row = await write(undecided, "undecided")
        await box.say("others")
        await eventually(lambda: _is(box.missing(), {row}))

        await undecided.execute("ROLLBACK")
        await eventually(lambda: _is(box.missing(), set()))
        assert await box.said("undecided") == 0


async def test_an_old_transaction_with_a_snapshot_and_an_id_holds_up_no_event(box: Box) -> None:
    async with box.relay(), box.transaction("BEGIN ISOLATION LEVEL REPEATABLE READ") as old:
        await old.fetch("SELECT pg_current_xact_id(), count(*) FROM outbox")
        rolled_back = set()
        for _ in range(5):
            async with box.transaction() as given_up:
                rolled_back.add(await write(given_up, "given up"))
            for _ in range(10):
                await box.say("beside", "the old one")
        await eventually(lambda: _is(box.said("beside"), 50))
        assert await box.said("the old one") == 50
        assert await box.missing() == rolled_back, "while the old one runs, nobody knows that they will not come"

        await old.execute("ROLLBACK")
        await eventually(lambda: _is(box.missing(), set()))


async def test_many_writers_of_all_speeds_are_all_sent_once_and_in_order(box: Box) -> None:
    committed = dict.fromkeys([f"busy {number}" for number in range(4)], 0)

    async def writer(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(15):
            async with box.transaction() as transaction:
                subject = chance.choice(list(committed))
                await write(transaction, subject)
                await asyncio.sleep(chance.choice([0, 0, 0.01, 0.05]))
                if chance.random() < 0.8:
                    await transaction.execute("COMMIT")
                    committed[subject] += 1

    async with box.relay():
        await asyncio.gather(*(writer(seed) for seed in range(8)))
        for subject, count in committed.items():
            await eventually(lambda subject=subject, count=count: _is(box.said(subject), count))
        await eventually(lambda: _is(box.missing(), set()))
    assert sum(committed.values()) > 60


async def test_an_event_sent_again_after_a_month_is_still_known_at_the_next_start(box: Box) -> None:
    await box.say("an old one")
    async with box.transaction() as aging:
        await aging.execute("UPDATE outbox SET created_at = now() - interval '31 days' WHERE subject = 'an old one'")
        await aging.execute("COMMIT")
    assert await resend(box.database, "an old one", 1, 1) == 1

    async with box.relay():
        await eventually(lambda: _is(box.said("an old one"), 1))
        await eventually(lambda: _is(box.missing(), set()))
    await check_not_restored(box.database, box.settings)


async def test_events_are_sent_again_in_their_order_however_their_rows_lie(box: Box, spine: Spine) -> None:
    for _ in range(3):
        await box.say("moved about")
    async with spine.database("registration") as connection:
        for scan in ("indexscan", "bitmapscan"):
            await connection.execute(f"ALTER ROLE {box.settings.database_name} SET enable_{scan} = off")
        for last in (1, 3):  # the first row comes to lie behind the others
            assert await resend(box.database, "moved about", 1, last) == last
        rows = await connection.fetch("SELECT sequence FROM outbox WHERE subject = 'moved about' ORDER BY id")
    assert [row["sequence"] for row in rows] == [1, 2, 3]


@pytest.mark.parametrize(("sent", "known"), [(timedelta(days=29, hours=12), True), (timedelta(days=20), False)])
async def test_an_event_that_waited_for_its_broker_is_known_when_its_row_has_passed_retention(
    box: Box, sent: timedelta, known: bool
) -> None:
    subject = f"sent {sent.days} days ago"
    await box.say(subject)
    async with box.transaction() as pruning:
        row = await pruning.fetchrow("DELETE FROM outbox WHERE subject = $1 RETURNING *", subject)
        await pruning.execute("COMMIT")
    await put_at(box, row, datetime.now(UTC) - sent)

    if known:
        await check_not_restored(box.database, box.settings)
    else:
        with pytest.raises(Restored, match=subject):
            await check_not_restored(box.database, box.settings)


async def put_at(box: Box, row: asyncpg.Record, time: datetime) -> None:
    """The row's event on the topic, as it was sent at that time."""
    record = event(row["subject"], row["sequence"], {}, type=row["type"], id=row["event_id"])
    producer = AIOKafkaProducer(bootstrap_servers=box.settings.kafka_bootstrap_servers)
    await producer.start()
    try:
        await producer.send_and_wait(
            box.settings.events_topic, record.value, record.key, record.partition,
            timestamp_ms=int(time.timestamp() * 1000), headers=list(record.headers.items()),
        )  # fmt: skip
    finally:
        await producer.stop()


async def _is(answer: object, expected: object) -> bool:
    return await answer == expected  # type: ignore[misc, no-any-return]
