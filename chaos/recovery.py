"""When a service is well again after a fault: it answers, and has read and sent all that there was at its end."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from chaos.cluster import Cluster
from deploy.local.services import is_ready
from libs.common.kafka import PARTITIONS
from tests.checker.evidence import HEARS

POLL_SECONDS = 0.2
Place = tuple[str, int]

SENT = """
SELECT coalesce((SELECT high FROM relay_progress), 0) >= $1 AND NOT EXISTS (
    SELECT FROM relay_progress, jsonb_object_keys(missing) AS id
    WHERE id::bigint <= $1 AND EXISTS (SELECT FROM outbox WHERE outbox.id = id::bigint))
"""
READ = """
SELECT NOT EXISTS (SELECT FROM unnest($1::text[], $2::int[], $3::bigint[]) AS awaited(t, n, o)
    WHERE coalesce((SELECT next_offset FROM position WHERE topic = t AND partition = n), 0) < o)
"""


@dataclass(slots=True)
class Ends:
    """Asks Kafka where topics end; its client is built anew when it fails. Many ask at once: one asks for all, since
    who used the client while another one starts or closes it would break it for both. An answer is for all who waited
    before it was asked for: where brokers are away each takes seconds."""

    cluster: Cluster
    topics: Sequence[str]
    client: AIOKafkaConsumer | None = None
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    asked_at: float = -math.inf
    answer: Mapping[Place, int] | Exception = field(default_factory=dict)

    async def now(self) -> Mapping[Place, int]:
        """Where each partition ends. Raises what the client raises, TimeoutError among it."""
        since = time.monotonic()
        async with self.turn:
            if self.asked_at < since:
                self.asked_at, self.answer = time.monotonic(), await self._ask()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def _ask(self) -> Mapping[Place, int] | Exception:
        try:
            async with asyncio.timeout(10):
                if self.client is None:
                    self.client = AIOKafkaConsumer(bootstrap_servers=self.cluster.stack.bootstrap_servers)
                    await self.client.start()
                places = [TopicPartition(topic, number) for topic in self.topics for number in range(PARTITIONS)]
                found = await self.client.end_offsets(places)
                return {(place.topic, place.partition): end for place, end in found.items()}
        except Exception as error:
            await self.close()
            return error

    async def close(self) -> None:
        if self.client is not None:
            await asyncio.wait({asyncio.ensure_future(self.client.stop())}, timeout=5)
            self.client = None


async def recovered(cluster: Cluster, ends: Ends, services: Sequence[str], within: float) -> float | None:
    """The moment (monotonic) at which all of these were well; None if that was not within so many seconds."""
    deadline = time.monotonic() + within
    moments = await asyncio.gather(*(_one(cluster, ends, service, deadline) for service in services))
    known = [moment for moment in moments if moment is not None]
    return max(known) if len(known) == len(moments) else None


async def _one(cluster: Cluster, ends: Ends, service: str, deadline: float) -> float | None:
    awaited: Mapping[Place, int] | None = None
    said: int | None = None
    while time.monotonic() < deadline:
        with contextlib.suppress(Exception):  # what is asked here may be what was broken
            if awaited is None:
                heard = {f"{cluster.namespace}{name}.events" for name in HEARS[service]}
                awaited = {place: end for place, end in (await ends.now()).items() if place[0] in heard}
            async with cluster.database(service) as connection:
                if said is None:
                    said = await connection.fetchval("SELECT coalesce(max(id), 0) FROM outbox")
                while time.monotonic() < deadline:
                    if await _is_well(connection, awaited, said) and await _answers(cluster, service):
                        return time.monotonic()
                    await asyncio.sleep(POLL_SECONDS)
        await asyncio.sleep(POLL_SECONDS)
    return None


async def _is_well(connection: asyncpg.Connection, awaited: Mapping[Place, int], said: int | None) -> bool:
    topics, partitions = [place[0] for place in awaited], [place[1] for place in awaited]
    return bool(
        await connection.fetchval(SENT, said, timeout=5)
        and await connection.fetchval(READ, topics, partitions, list(awaited.values()), timeout=5)
    )


async def _answers(cluster: Cluster, service: str) -> bool:
    return await asyncio.to_thread(is_ready, cluster.service(service).url)
