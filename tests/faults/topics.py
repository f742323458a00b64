"""Records put on a topic by hand: right, wrong and forged ones. Written from the protocol's page, not with its code."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.partitioner import murmur2

from tests.spine import Spine

PARTITIONS = 12
REGISTRATION = "registration.events"
REGISTERED, CHANGED = "registration.enterprise_registered.v1", "registration.enterprise_changed.v1"


@dataclass(frozen=True, slots=True)
class Record:
    """One Kafka record, right or wrong; its partition does not follow when the key is forged."""

    partition: int
    key: bytes | None
    value: bytes | None
    headers: Mapping[str, bytes | None] = field(default_factory=dict)

    def with_headers(self, **headers: bytes | None) -> Record:
        return dataclasses.replace(self, headers={**self.headers, **headers})

    def without_header(self, name: str) -> Record:
        return dataclasses.replace(self, headers={n: text for n, text in self.headers.items() if n != name})


def partition_of(subject: str) -> int:
    return int((murmur2(subject.encode()) & 0x7FFFFFFF) % PARTITIONS)


def event(
    subject: str, sequence: int, data: Mapping[str, Any] | bytes, *, type: str, source: str = "/jingan/registration",
    id: UUID | None = None,
) -> Record:  # fmt: skip
    """A CloudEvent in Kafka's binary mode, as a service sends it."""
    id = id or uuid4()
    attributes = {
        "ce_specversion": "1.0",
        "ce_id": str(id),
        "ce_source": source,
        "ce_type": type,
        "ce_subject": subject,
        "ce_time": "2026-01-05T01:02:03+00:00",
        "ce_subjectsequence": str(sequence),
        "ce_correlationid": str(id),
        "content-type": "application/json",
    }
    value = data if isinstance(data, bytes) else json.dumps(data).encode()
    headers = {name: text.encode() for name, text in attributes.items()}
    return Record(partition_of(subject), subject.encode(), value, headers)


def registered(uscc: str, sequence: int = 1, *, id: UUID | None = None, **fields: Any) -> Record:
    """An enterprise is registered, as registration says it: 30 points for newness, none for anything else."""
    data = {
        "application_id": str(uuid4()),
        "registered_on": "2026-01-05",
        "enterprise_type": "limited_liability_company",
        "industry": "7244",
        "activities": ["7244"],
        "area": "310106012",
        "registered_capital": "20000000.00",
        "capital_currency": "CNY",
        "foreign_share": "100.0000",
    }
    return event(uscc, sequence, {**data, **fields}, type=REGISTERED, id=id)


def changed_address(uscc: str, sequence: int, *, id: UUID | None = None, **fields: Any) -> Record:
    """An enterprise has moved: 10 points in the first half year, 20 at most."""
    data = {"change_id": str(uuid4()), "changed_on": "2026-01-05", "changed": ["area"], "area": "310106013"}
    return event(uscc, sequence, {**data, **fields}, type=CHANGED, id=id)


_serials = count(1)


def new_uscc(partition: int | None = None) -> str:
    """An identifier that no other enterprise of this run has, on a partition if one is asked for.

    Its check characters are nobody's concern here.
    """
    while True:
        uscc = f"91310106FA{next(_serials):08d}"
        if partition in (None, partition_of(uscc)):
            return uscc


async def put(spine: Spine, *records: Record, topic: str = REGISTRATION) -> list[int]:
    """Append records to a topic of this namespace, in their order within each partition; returns their offsets."""
    producer = AIOKafkaProducer(
        bootstrap_servers=spine.stack.bootstrap_servers, acks="all", enable_idempotence=True, max_request_size=1_040_000
    )
    await producer.start()
    try:
        sent = [
            await producer.send(
                f"{spine.namespace}{topic}", record.value, record.key, record.partition,
                headers=list(record.headers.items()),
            )
            for record in records
        ]  # fmt: skip
        return [(await acknowledged).offset for acknowledged in sent]
    finally:
        await producer.stop()


async def records(spine: Spine, topic: str = REGISTRATION) -> list[Any]:
    """Every record of a topic up to its present end, as Kafka holds it; each partition in its order."""
    found = []
    async with _reader(spine, topic) as consumer:
        ends = await consumer.end_offsets(list(consumer.assignment()))
        while any([await consumer.position(place) < end for place, end in ends.items()]):
            for batch in (await consumer.getmany(timeout_ms=200)).values():
                found += batch
    return sorted(found, key=lambda record: (record.partition, record.offset))


async def ends(spine: Spine, topic: str = REGISTRATION) -> dict[int, int]:
    """Where each partition of a topic ends; those with nothing in them are left out."""
    async with _reader(spine, topic) as consumer:
        found = await consumer.end_offsets(list(consumer.assignment()))
    return {place.partition: end for place, end in found.items() if end}


@asynccontextmanager
async def _reader(spine: Spine, topic: str) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(bootstrap_servers=spine.stack.bootstrap_servers, enable_auto_commit=False)
    await consumer.start()
    try:
        places = [TopicPartition(f"{spine.namespace}{topic}", number) for number in range(PARTITIONS)]
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        yield consumer
    finally:
        await consumer.stop()


async def positions(spine: Spine, service: str, topic: str = REGISTRATION) -> dict[int, int]:
    """Where a service's database stands on a topic; partitions of which it has taken nothing are left out."""
    async with spine.database(service) as connection:
        rows = await connection.fetch(
            "SELECT partition, next_offset FROM position WHERE topic = $1 AND next_offset > 0",
            f"{spine.namespace}{topic}",
        )
    return dict(rows)


async def everything_is_taken(spine: Spine, service: str, topic: str = REGISTRATION) -> bool:
    """Whether the database of `service` stands at the end of every partition of the topic."""
    return await positions(spine, service, topic) == await ends(spine, topic)
