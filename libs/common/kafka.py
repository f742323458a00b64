"""Topics and plain reading. Producers and group members live with the relay and the consumer."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.client import AIOKafkaClient
from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.errors import TopicAlreadyExistsError, for_code
from aiokafka.partitioner import murmur2

from libs.common.settings import Settings

PARTITIONS = 12
"""For the life of a topic: widening means a new topic generation."""

EVENTS = {"retention.ms": "-1", "compression.type": "producer"}
FOR_OUTSIDERS = EVENTS | {"retention.ms": str(90 * 24 * 3600 * 1000)}
"""What outsiders read they read within 90 days; the events themselves stay on the service's own topic."""

CONNECT_SECONDS = 30

_send = AIOKafkaConnection.send


def _send_if_open(connection: AIOKafkaConnection, *request: Any, **how: Any) -> Any:
    """A closed connection is told as Kafka's own error. aiokafka expects an OSError; uvloop raises a RuntimeError,
    of which a fetcher ends for good and tells nobody (aio-libs/aiokafka issue 1038)."""
    writer = connection._writer
    if writer is not None and writer.is_closing():
        connection.close(reason=CloseReason.CONNECTION_BROKEN)
    return _send(connection, *request, **how)


AIOKafkaConnection.send = _send_if_open

_learn = AIOKafkaClient._metadata_update


async def _learn_in_measure(client: AIOKafkaClient, *about: Any) -> bool:
    """Where no broker answers, aiokafka asks again without a pause for as long as somebody misses a leader: each client
    takes half of a core, just when Kafka has to come back on it."""
    learnt: bool = await _learn(client, *about)
    if not learnt:
        await asyncio.sleep(client._retry_backoff)
    return learnt


AIOKafkaClient._metadata_update = _learn_in_measure


@lru_cache(maxsize=200_000)
def partition_of(subject: str) -> int:
    """The partition that Kafka's default partitioner gives this key."""
    return int((murmur2(subject.encode()) & 0x7FFFFFFF) % PARTITIONS)


async def create_topics(settings: Settings, names: Iterable[str], config: Mapping[str, str] = EVENTS) -> None:
    """Create what is missing, before any consumer starts."""
    config = {**config} | ({"min.insync.replicas": "2"} if settings.replication_factor >= 3 else {})
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap_servers)
    await asyncio.wait_for(admin.start(), CONNECT_SECONDS)
    try:
        existing = set(await admin.list_topics())
        missing = [name for name in names if name not in existing]
        if not missing:
            return
        topics = [NewTopic(name, PARTITIONS, settings.replication_factor, topic_configs=config) for name in missing]
        answer = await admin.create_topics(topics)
        for name, code, *_ in answer.topic_errors:
            error = for_code(code)
            if code and error is not TopicAlreadyExistsError:
                raise error(f"cannot create the topic {name}")
    finally:
        await admin.close()


@asynccontextmanager
async def reader(settings: Settings, topic: str, *, only: str | None = None) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer outside any group, assigned to every partition of `topic`, standing at its beginning. `only`: assigned
    to the one partition that holds this key."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=100,  # half of it costs a broker twice as much for who only listens
    )
    await asyncio.wait_for(consumer.start(), CONNECT_SECONDS)
    try:
        wanted = range(PARTITIONS) if only is None else [partition_of(only)]
        places = [TopicPartition(topic, partition) for partition in wanted]
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        yield consumer
    finally:
        await asyncio.wait({asyncio.create_task(consumer.stop())}, timeout=10)


async def records(
    settings: Settings, topic: str, *, last: int | None = None, only: str | None = None
) -> AsyncIterator[Any]:
    """Every record of a topic up to its present end; with `last`, only that many at the end of each partition, and with
    `only`, of the one partition that holds this key."""
    async with reader(settings, topic, only=only) as consumer:
        ends = await consumer.end_offsets(list(consumer.assignment()))
        starts = await consumer.beginning_offsets(list(consumer.assignment()))
        if last is not None:
            for place, end in ends.items():
                consumer.seek(place, max(starts[place], end - last))
        open_places = {place for place, end in ends.items() if end > starts[place]}
        while open_places:
            for place, batch in (await consumer.getmany(timeout_ms=500)).items():
                for record in batch:
                    if record.offset < ends[place]:
                        yield record
                if batch and batch[-1].offset + 1 >= ends[place]:
                    open_places.discard(place)
