"""The relay against the plain way: delete what is there with SKIP LOCKED, send it, commit. Same rows, same sending."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import asyncpg
from aiokafka import AIOKafkaProducer

from bench.figures import interleaved, show
from bench.ground import Ground, ground
from libs.common.database import Database, connect
from libs.common.envelope import source_of
from libs.common.relay import loop
from libs.common.settings import Settings
from services.registration.service import service

EVENTS = 60_000
SUBJECTS = 20_000
ROUNDS = 5
Beside = Callable[[Database], AbstractAsyncContextManager[None]]
FILL = """
INSERT INTO outbox (event_id, subject, sequence, type, time, correlation_id, traceparent, data)
SELECT gen_random_uuid(), 'S' || (n % $2), 1 + n / $2, 'registration.enterprise_registered.v1', now(),
    gen_random_uuid()::text, '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', $3
FROM generate_series(0, $1 - 1) n ORDER BY n
"""
TAKE = f"""
DELETE FROM outbox WHERE id IN (SELECT id FROM outbox ORDER BY id LIMIT {loop.READ_AT_MOST} FOR UPDATE SKIP LOCKED)
RETURNING {loop.COLUMNS}
"""
DATA = (
    b'{"application_id":"18108370-e369-4613-af09-eb494827b99b","registered_on":"2026-01-05","enterprise_type":'
    b'"limited_company","industry":"6210","activities":["6210","5432"],"area":"310106012","registered_capital":'
    b'"5000000.00","capital_currency":"CNY","foreign_share":"60"}'
)


async def fill(connection: asyncpg.Connection, events: int = EVENTS) -> None:
    """A full outbox, all of it unsent."""
    await connection.execute("TRUNCATE outbox, relay_progress RESTART IDENTITY")
    await connection.execute(FILL, events, SUBJECTS, DATA)
    await connection.execute("ANALYZE outbox")


@asynccontextmanager
async def alone(_database: Database) -> AsyncIterator[None]:
    yield


@asynccontextmanager
async def old_transaction(database: Database) -> AsyncIterator[None]:
    """A transaction that holds a snapshot and a transaction id, as a forgotten session does."""
    connection = await connect(database, idle_in_transaction_session_timeout="0")
    transaction = connection.transaction(isolation="repeatable_read")
    await transaction.start()
    await connection.execute("SELECT pg_current_xact_id(), count(*) FROM outbox")
    try:
        yield
    finally:
        await transaction.rollback()
        await connection.close()


async def relay_rate(database: Database, settings: Settings, beside: Beside = alone) -> float:
    """Events per second of the relay as it runs in a service, from a full outbox to the last acknowledgement."""
    connection = await connect(database, statement_timeout="60s")
    await fill(connection)
    async with beside(database):
        return await _relayed(connection, database, settings)


async def _relayed(connection: asyncpg.Connection, database: Database, settings: Settings) -> float:
    stop = asyncio.Event()
    began = time.perf_counter()
    running = asyncio.create_task(loop.relay(database, settings, stop))
    while (await connection.fetchval("SELECT high FROM relay_progress") or 0) < EVENTS:
        await asyncio.sleep(0.005)
    seconds = time.perf_counter() - began
    stop.set()
    database.said.set()
    await running
    await connection.close()
    return EVENTS / seconds


async def plain_rate(database: Database, settings: Settings, beside: Beside = alone) -> float:
    """The same for a loop that deletes, sends and commits."""
    connection = await connect(database, statement_timeout="60s")
    await fill(connection)
    async with beside(database):
        return await _deleted(connection, settings)


async def _deleted(connection: asyncpg.Connection, settings: Settings) -> float:
    topic, source = settings.events_topic, source_of(settings.service)
    began = time.perf_counter()
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap_servers, **loop.PRODUCER)
    await producer.start()
    sent = 0
    while sent < EVENTS:
        async with connection.transaction():
            rows = sorted(await connection.fetch(TAKE), key=lambda row: row["id"])
            if await loop.send(connection, producer, topic, source, rows, {}):
                raise RuntimeError("not acknowledged")
            sent += len(rows)
    seconds = time.perf_counter() - began
    await producer.stop()
    await connection.close()
    return EVENTS / seconds


async def measure(on: Ground, rounds: int = ROUNDS) -> None:
    settings, database = await on.prepared(service)

    plain = "delete with SKIP LOCKED, send, commit"
    found = await interleaved(
        {
            plain: lambda: plain_rate(database, settings),
            "relay": lambda: relay_rate(database, settings),
            "delete loop beside an old transaction": lambda: plain_rate(database, settings, old_transaction),
            "relay beside an old transaction": lambda: relay_rate(database, settings, old_transaction),
        },
        rounds,
    )
    show(f"Relay: {EVENTS:,} events of {len(DATA)} bytes, {SUBJECTS:,} subjects", "events/s", found, against=plain)
    await database.engine.dispose()


async def main() -> None:
    async with ground() as on:
        await measure(on)


if __name__ == "__main__":
    asyncio.run(main())
