"""Faults that come by the topics: unreadable records, unknown versions, records that come again."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID, uuid4

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from chaos.cluster import SERVICES, Cluster
from chaos.faults.fault import Act, NotReached, Over
from libs.common.dispositions import dispose
from libs.common.kafka import PARTITIONS

CITY = "city.credit.records"
OVERSIZED = 1_040_000
"""Bytes: more than any event may have, and as much as a broker takes."""

HEARS = {
    "registration": "licensing.permit_revoked",
    "licensing": "registration.enterprise_registered",
    "supervision": "registration.enterprise_registered",
    "credit": "registration.enterprise_registered",
    "risk": "registration.enterprise_registered",
    "lobby": "registration.enterprise_registered",
}
"""What each service reads: a type whose later versions it cannot pass over."""

UNKNOWN_VERSION = """
WITH counted AS (INSERT INTO outbox_counter (subject, sequence) VALUES ($2, 1))
INSERT INTO outbox (event_id, subject, sequence, type, time, correlation_id, data)
VALUES ($1::uuid, $2, 1, $3, $4::date + localtime, $1::uuid::text, '{}')
"""
PARKED = "SELECT source, sequence, id::text FROM parked WHERE subject = $1 AND state = 'failed' AND disposition IS NULL"
PATIENCE = 40.0


def unreadable(value: bytes, what: str) -> Act:
    """A record that no reader can take for an event, on a service's topic."""

    async def act(cluster: Cluster, rng: random.Random, service: str) -> Over:
        await _send(cluster, f"{service}.events", rng.randrange(PARTITIONS), value)
        return Over(f"{what} on the events of {service}")

    return act


def at_service(act: Act, service: str) -> Act:
    """An act on the topic of a service, which is not its target: the topic's readers are."""
    return lambda cluster, rng, _: act(cluster, rng, service)


async def unreadable_from_the_city(cluster: Cluster, rng: random.Random, _: str) -> Over:
    """What a program outside cut off in the middle."""
    await _send(cluster, CITY, rng.randrange(PARTITIONS), b'{"record_id": "chaos-%d' % rng.getrandbits(32))
    return Over("bad JSON among the city's records")


async def unknown_version(cluster: Cluster, _rng: random.Random, service: str) -> Over:
    """A service says what its readers' releases do not know; they park it, and a person drops it."""
    base = next(base for base in HEARS.values() if base.startswith(f"{service}."))
    subject = await say_unknown_version(cluster, base)
    over = Over(f"{base}.v99")
    for reader in (name for name, heard in HEARS.items() if heard == base):
        await drop(cluster, reader, subject, await parked(cluster, reader, subject))
    return over


async def say_unknown_version(cluster: Cluster, base: str) -> str:
    """An event of version 99 with its row, as a later release of its service would say it; its subject."""
    id, subject = uuid4(), f"CHAOS-{uuid4().hex[:12]}"
    async with cluster.database(base.partition(".")[0]) as connection, connection.transaction():
        await connection.execute("SELECT pg_current_xact_id()")  # as every writer: before its row draws an id
        await connection.execute(UNKNOWN_VERSION, id, subject, f"{base}.v99", cluster.today)
    return subject


async def parked(cluster: Cluster, reader: str, subject: str) -> tuple[str, int, UUID]:
    """Wait until a reader has set the event of this subject aside, with its cause."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with contextlib.suppress(Exception):
            async with cluster.database(reader) as connection:
                if row := await connection.fetchrow(PARKED, subject):
                    return row["source"], row["sequence"], row["id"]
        await asyncio.sleep(0.2)
    raise NotReached(f"{reader} has not parked {subject}")


async def drop(cluster: Cluster, reader: str, subject: str, row: tuple[str, int, UUID]) -> None:
    """What an operator writes down; the running consumer carries it out."""
    source, sequence, id = row
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            async with cluster.database(reader) as connection:
                await dispose(
                    connection, "drop", subject, sequence, by="chaos", why="a version that nobody reads",
                    id=str(id), source=source,
                )  # fmt: skip
                return
        except LookupError:
            return  # it was written down already
        except Exception:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.5)


async def provoke_a_drain(cluster: Cluster, service: str) -> None:
    """A parked event that a person drops: the service takes a step of its own for it. So do its other readers."""
    subject = await say_unknown_version(cluster, HEARS[service])
    for reader in sorted((name for name, heard in HEARS.items() if heard == HEARS[service]), key=service.__ne__):
        await drop(cluster, reader, subject, await parked(cluster, reader, subject))


async def said_again(cluster: Cluster, rng: random.Random, service: str) -> Over:
    """Some of a service's records once more, in their order: as a relay sends them again that was killed."""
    async with _reader(cluster, f"{service}.events") as consumer:
        ends = await consumer.end_offsets(list(consumer.assignment()))
        filled = [(place, end) for place, end in ends.items() if end]
        if not filled:
            raise NotReached(f"{service} has said nothing")
        place, end = rng.choice(sorted(filled))
        first = rng.randrange(end)
        consumer.seek(place, first)
        records: list[Any] = []
        while not records or records[-1].offset + 1 < min(end, first + 200):
            records += (await asyncio.wait_for(consumer.getmany(place, timeout_ms=1000), 10)).get(place, [])
    await _send_records(cluster, [record for record in records if record.offset < first + 200])
    return Over(f"{len(records)} records of {service} came again")


@contextlib.asynccontextmanager
async def _reader(cluster: Cluster, topic: str) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(bootstrap_servers=cluster.stack.bootstrap_servers, enable_auto_commit=False)
    await asyncio.wait_for(consumer.start(), 30)
    try:
        consumer.assign([TopicPartition(f"{cluster.namespace}{topic}", n) for n in range(PARTITIONS)])
        yield consumer
    finally:
        await asyncio.wait({asyncio.ensure_future(consumer.stop())}, timeout=10)


@contextlib.asynccontextmanager
async def _producer(cluster: Cluster) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(
        bootstrap_servers=cluster.stack.bootstrap_servers, acks="all", enable_idempotence=True,
        max_request_size=OVERSIZED + 10_000,
    )  # fmt: skip
    await asyncio.wait_for(producer.start(), 30)
    try:
        yield producer
    finally:
        await asyncio.wait({asyncio.ensure_future(producer.stop())}, timeout=10)


async def _send(cluster: Cluster, topic: str, partition: int, value: bytes) -> None:
    async with _producer(cluster) as producer, asyncio.timeout(PATIENCE):
        await producer.send_and_wait(f"{cluster.namespace}{topic}", value, key=b"chaos", partition=partition)


async def _send_records(cluster: Cluster, records: Sequence[Any]) -> None:
    async with _producer(cluster) as producer, asyncio.timeout(PATIENCE):
        for record in records:  # one after the other: what fails leaves no hole behind it
            await producer.send_and_wait(
                record.topic, record.value, key=record.key, partition=record.partition, headers=list(record.headers)
            )


async def another_day(cluster: Cluster, _: str) -> None:
    """Business time moves by a day: some date may be due."""
    await cluster.next_day()


async def a_day_passes(cluster: Cluster, _rng: random.Random, _: str) -> Over:
    """The business date steps."""
    return Over(f"the business date is {await asyncio.wait_for(cluster.next_day(), PATIENCE)}")


WHO_SPEAKS = tuple(name for name in SERVICES if name != "lobby")
