"""The consumer with an empty handler: everything it does to be exact, and nothing else."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace

from aiokafka import AIOKafkaProducer
from sqlmodel.ext.asyncio.session import AsyncSession

from bench import relay as relay_bench
from bench.figures import interleaved, show
from bench.ground import Ground, ground
from libs.common import kafka
from libs.common.clock import BusinessClock, Clock
from libs.common.consumer import Consumer
from libs.common.database import Database, connect
from libs.common.envelope import Incoming, read, source_of
from libs.common.relay import loop
from libs.common.service import Service
from libs.common.settings import Settings
from services.registration.service import service as registration
from services.risk.service import service as risk

EVENTS = 120_000
ROUNDS = 5


async def nothing(_session: AsyncSession, _events: Sequence[Incoming], _clock: Clock) -> None:
    """The empty handler."""


async def publish(settings: Settings, database: Database, *but_first: str) -> None:
    """The events that every run reads, put on the topic once; statements change them in the outbox before."""
    connection = await connect(database, statement_timeout="120s")
    await relay_bench.fill(connection, EVENTS)
    for statement in but_first:
        await connection.execute(statement)
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap_servers, **loop.PRODUCER)
    await producer.start()
    for at in range(0, EVENTS, loop.READ_AT_MOST):
        rows = await connection.fetch(
            f"SELECT {loop.COLUMNS} FROM outbox WHERE id > $1 ORDER BY id LIMIT $2", at, loop.READ_AT_MOST
        )
        if await loop.send(connection, producer, settings.events_topic, source_of("registration"), rows, {}):
            raise RuntimeError("not acknowledged")
    await producer.stop()
    await connection.close()


async def only_consumed(settings: Settings, topic: str, *, decode: bool) -> float:
    """The limit: `getmany` alone, or with the envelope read."""
    async with kafka.reader(settings, topic) as client:
        seen, source = 0, source_of("registration")
        began = time.perf_counter()
        while seen < EVENTS:
            for batch in (await client.getmany(timeout_ms=200, max_records=20_000)).values():
                seen += len(batch)
                if decode:
                    for record in batch:
                        read(record, source)
        return EVENTS / (time.perf_counter() - began)


async def consumed(settings: Settings, database: Database, service: Service) -> float:
    """Events per second of a group member from the first position to the last."""
    connection = await connect(database)
    await connection.execute("TRUNCATE position, mark, parked")
    consumer = Consumer(service, database, settings, BusinessClock())
    stop = asyncio.Event()
    running = asyncio.create_task(consumer.run(stop))
    while not await connection.fetchval("SELECT coalesce(sum(next_offset), 0) FROM position"):
        await asyncio.sleep(0.002)
    began, first = time.perf_counter(), await connection.fetchval("SELECT sum(next_offset) FROM position")
    while await connection.fetchval("SELECT sum(next_offset) FROM position") < EVENTS:
        await asyncio.sleep(0.005)
    seconds = time.perf_counter() - began
    stop.set()
    await running
    await connection.close()
    return float(EVENTS - first) / seconds


async def measure(on: Ground, rounds: int = ROUNDS) -> None:
    theirs, their_database = await on.prepared(registration)
    ours, our_database = await on.prepared(risk)
    await publish(theirs, their_database)
    empty = replace(risk, apply=nothing, when_due={}, on_start=None)
    found = await interleaved(
        {
            "getmany alone": lambda: only_consumed(theirs, theirs.events_topic, decode=False),
            "getmany and the envelope": lambda: only_consumed(theirs, theirs.events_topic, decode=True),
            "consumer, at most 5,000 events": lambda: consumed(ours, our_database, empty),
            "consumer, at most 200 events": lambda: consumed(ours, our_database, replace(empty, at_once=200)),
        },
        rounds,
    )
    show(f"Consumer, empty handler: {EVENTS:,} events", "events/s", found, against="getmany alone")
    await their_database.engine.dispose()
    await our_database.engine.dispose()


async def main() -> None:
    async with ground() as on:
        await measure(on)


if __name__ == "__main__":
    asyncio.run(main())
