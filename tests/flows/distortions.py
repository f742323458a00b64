"""What is broken in a copy of a finished run's topics, and what the checker says of it."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.checker import Target
from tests.flows.copies import copied
from tests.flows.finished import Finished, producer
from tests.spine import Spine

PARTITIONS = 12
Records = list[Any]
"""Records of one partition, in their order; distorted are those of one enterprise."""


def _repeated(records: Records) -> Records:
    """Each event again, at the end, as a relay may say it after a crash."""
    return records + records


def _swapped(records: Records) -> Records:
    return [records[1], records[0], *records[2:]]


def _with_a_hole(records: Records) -> Records:
    """The second event is another time the first: what it said is lost on the way."""
    return [records[0], records[0], *records[2:]]


def _forked(records: Records) -> Records:
    return [*records, _altered(records[1], "ce_id", b"00000000-0000-4000-8000-000000000000")]


def _of_nobody(records: Records) -> Records:
    return [*records, _altered(_altered(records[0], "ce_subject", b"nobody"), "ce_id", b"0" * 32)]


def _announced_wrongly(records: Records) -> Records:
    return [*records[:-1], _saying(records[-1], b'"risk_class":"A"', b'"risk_class":"C"')]


def _from_another_class(records: Records) -> Records:
    return [*records[:-1], _saying(records[-1], b'"before":"B"', b'"before":"D"')]


def _saying(record: Any, this: bytes, that: bytes) -> Any:
    return dataclasses.replace(record, value=record.value.replace(this, that))


def _altered(record: Any, name: str, value: bytes) -> Any:
    headers = [(n, value if n == name else old) for n, old in record.headers]
    return dataclasses.replace(record, headers=headers, key=dict(headers)["ce_subject"])


# topic, what is done to a partition that holds one enterprise's events, the invariants broken, a word of what is said.
DISTORTIONS: dict[str, tuple[str, Callable[[Records], Records], set[str], str]] = {
    "events said twice": ("registration", _repeated, set(), ""),
    "two events in the wrong order": ("registration", _swapped, {"I3"}, "was expected next"),
    "an event lost on the way": ("registration", _with_a_hole, {"I1", "I2", "I3", "I4"}, "is on no topic"),
    "two events with one sequence": ("registration", _forked, {"I2", "I3", "I4"}, "another event has this sequence"),
    "an event that nobody said": ("registration", _of_nobody, {"I2", "I4", "I5", "USCC"}, "no committed row says it"),
    "a class announced wrongly": ("risk", _announced_wrongly, {"I4", "I5"}, "last announced C"),
    "a class left that was not entered": ("risk", _from_another_class, {"I4", "I6"}, "from D to A after B"),
}  # fmt: skip


@asynccontextmanager
async def distorted(finished: Finished, topic: str, distort: Callable[[Records], Records]) -> AsyncIterator[Target]:
    """The run on a copy of its topics, in which one enterprise's events are altered; risk has read all of it."""
    spine, copy = finished.spine, f"{finished.spine.namespace}copy_{distort.__name__.strip('_')}_"
    names = {"registration": "registration.events", "risk": "risk.events", "heads": "audit.heads"}
    topics = {name: await _read(spine, f"{spine.namespace}{full}") for name, full in names.items()}
    one = next(iter(finished.answers)).encode()
    records = next(records for records in topics[topic].values() if any(record.key == one for record in records))
    its_own = distort([record for record in records if record.key == one])
    records[:] = [*(record for record in records if record.key != one), *its_own]
    admin = AIOKafkaAdminClient(bootstrap_servers=spine.stack.bootstrap_servers)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(f"{copy}{full}", PARTITIONS, 1) for full in names.values()])
        async with producer(spine) as sending:
            for name, partitions in topics.items():
                for record in (record for records in partitions.values() for record in records):
                    await sending.send(
                        f"{copy}{names[name]}", record.value, key=record.key, headers=list(record.headers),
                        partition=record.partition,
                    )  # fmt: skip
            await sending.flush()
        moved = "; ".join(
            [f"UPDATE {table} SET topic = '{copy}registration.events'" for table in ("parked", "dead_letter")]
            + [f"UPDATE position SET next_offset = {len(records)}, topic = '{copy}{names[heard]}' "
               f"WHERE topic = '{spine.namespace}{names[heard]}' AND partition = {number}"
               for heard in ("registration", "risk") for number, records in topics[heard].items()]
        )  # fmt: skip
        async with copied(finished.target, "risk", moved) as target:
            databases = {"registration": f"{spine.namespace}registration", **target.databases}
            yield dataclasses.replace(target, namespace=copy, databases=databases)
    finally:
        await admin.delete_topics([f"{copy}{full}" for full in names.values()])
        await admin.close()


async def _read(spine: Spine, topic: str) -> dict[int, Records]:
    consumer = AIOKafkaConsumer(bootstrap_servers=spine.stack.bootstrap_servers, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, number) for number in range(PARTITIONS)])
        ends = await consumer.end_offsets(list(consumer.assignment()))
        partitions: dict[int, Records] = {number: [] for number in range(PARTITIONS)}
        while sum(map(len, partitions.values())) < sum(ends.values()):
            for place, batch in (await consumer.getmany(timeout_ms=200)).items():
                partitions[place.partition] += batch
        return partitions
    finally:
        await consumer.stop()
