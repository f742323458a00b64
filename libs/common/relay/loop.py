"""The relay: one leader per service sends the outbox to Kafka, in order, and remembers how far it came.

It may send an event twice (after a crash, or as a deposed leader that wakes up); its id and sequence make that safe.
"""

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC
from typing import Any, TypeVar

import asyncpg
import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder

from libs.common import crash, kafka
from libs.common.database import Database, connect
from libs.common.delivery import pause_after
from libs.common.envelope import headers, source_of
from libs.common.relay.progress import Progress, advanced
from libs.common.settings import Refused, Settings
from libs.common.telemetry import EVENTS_SENT, RELAY_LEADS

log = structlog.get_logger()
T = TypeVar("T")

LOCK = "hashtextextended('one-window-relay', 0)"
READ_AT_MOST = 6_000
POLL_SECONDS = 0.05
PACE_SECONDS, PAUSE_AT_MOST = 0.025, 0.1
"""Rounds that found something are no closer together than that: what is said at the same time is sent together. On a
busy machine, where a round takes long, the pause is longer."""
PING_SECONDS = 1.0
PRUNE_SECONDS = 60.0
PRUNE_ROWS = 5_000
MAX_BATCH_BYTES = 950_000
RETENTION = "30 days"

PRODUCER: dict[str, Any] = {
    "acks": "all",
    "enable_idempotence": True,
    "compression_type": "lz4",
    "max_batch_size": MAX_BATCH_BYTES,
    "request_timeout_ms": 10_000,
    "retry_backoff_ms": 200,
    "metadata_max_age_ms": 10_000,
}
COLUMNS = "id, event_id, subject, sequence, type, time, correlation_id, causation_id, traceparent, data, adopted"
READ = f"""
SELECT s.xmin, r.* FROM (SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS xmin) s LEFT JOIN LATERAL (
    SELECT {COLUMNS} FROM outbox WHERE id = ANY($2::bigint[])
    UNION ALL
    (SELECT {COLUMNS} FROM outbox WHERE id > $1 ORDER BY id LIMIT $3)
) r ON true ORDER BY r.id
"""
PRUNE = f"""
DELETE FROM outbox WHERE created_at < now() - interval '{RETENTION}' AND id IN (
    SELECT id FROM outbox WHERE id <= $1 AND NOT id = ANY($2::bigint[]) ORDER BY id LIMIT {PRUNE_ROWS})
"""


NOWHERE: Mapping[str, str] = {}


class WentBack(Refused):
    """The database stands behind what this very process has read in it: it was restored beneath us."""


@dataclass(slots=True)
class Seen:
    """The greatest `high` that this process has read or written; it never sinks in a database that only goes on."""

    high: int = 0

    def note(self, service: str, high: int) -> None:
        """Raises WentBack."""
        if high < self.high:
            raise WentBack(
                f"{service}: its relay stood at {self.high} and now stands at {high}. The database was restored to an"
                f" older state under the running service. Run: python -m libs.common.relay reconcile {service}"
            )
        self.high = high


class SendFailed(Exception):
    """Kafka did not acknowledge everything: the producer is thrown away, the rest is sent again."""


async def relay(
    database: Database, settings: Settings, stop: asyncio.Event, outward: Mapping[str, str] = NOWHERE
) -> None:
    """Lead, or wait to lead, until `stop`. Trouble ends a term of leadership, never the relay.

    Raises WentBack when the database was restored meanwhile: to send on would say other things under sequences that are
    taken.
    `outward`: event types that outsiders read, and the topic on which they do.
    """
    topics = {type: settings.topic(name) for type, name in outward.items()}
    seen = Seen()
    while not stop.is_set():
        try:
            await _term(database, settings, stop, topics, seen)
        except WentBack:
            raise
        except Exception as error:
            log.warning("relay term ended", service=database.service, error=repr(error))
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 0.5)


async def _term(
    database: Database, settings: Settings, stop: asyncio.Event, outward: Mapping[str, str], seen: Seen
) -> None:
    # The session limit is what deposes a frozen leader; its progress could only be written on this very session.
    connection = await connect(database, idle_session_timeout="5s", statement_timeout="5s", lock_timeout="5s")
    try:
        while not await connection.fetchval(f"SELECT pg_try_advisory_lock({LOCK})"):
            seen.note(settings.service, await connection.fetchval("SELECT coalesce(max(high), 0) FROM relay_progress"))
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 0.5)
            if stop.is_set():
                return
        await _lead(database, settings, connection, stop, outward, seen)
    finally:
        await asyncio.wait({asyncio.create_task(connection.close(timeout=2))}, timeout=3)


async def _lead(
    database: Database, settings: Settings, connection: asyncpg.Connection, stop: asyncio.Event,
    outward: Mapping[str, str], seen: Seen,
) -> None:  # fmt: skip
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap_servers, **PRODUCER)
    await _while_pinging(connection, asyncio.ensure_future(producer.start()))
    try:
        progress = await load(connection)
        seen.note(settings.service, progress.high)
        RELAY_LEADS.labels(database.service).set(1)
        next_prune = 0.0
        while not stop.is_set():
            database.said.clear()
            before, began = progress, time.monotonic()
            progress = await _round(database, settings, connection, producer, progress, outward)
            seen.high = progress.high
            if progress.unacknowledged:
                raise SendFailed(f"{len(progress.unacknowledged)} events not acknowledged")
            if (now := asyncio.get_running_loop().time()) >= next_prune:
                more = await _prune(connection, progress)
                next_prune = now + (POLL_SECONDS if more else PRUNE_SECONDS)
            if progress.high - before.high < READ_AT_MOST:
                if progress.high > before.high:
                    await asyncio.sleep(pause_after(time.monotonic() - began, PACE_SECONDS, PAUSE_AT_MOST))
                with suppress(TimeoutError):
                    await asyncio.wait_for(database.said.wait(), POLL_SECONDS)
    finally:
        RELAY_LEADS.labels(database.service).set(0)
        await asyncio.wait({asyncio.create_task(producer.stop())}, timeout=10)


async def _round(
    database: Database, settings: Settings, connection: asyncpg.Connection, producer: AIOKafkaProducer,
    progress: Progress, outward: Mapping[str, str],
) -> Progress:  # fmt: skip
    """Read what is new or was missing, send it, write how far we came."""
    found = await connection.fetch(READ, progress.high, list(progress.missing), READ_AT_MOST)
    xmin, rows = found[0]["xmin"], [row for row in found if row["id"] is not None]
    seen = [row["id"] for row in rows]
    later = 0
    if seen and seen[-1] - progress.high > sum(id > progress.high for id in seen):
        later = await connection.fetchval("SELECT pg_current_xact_id()::text::bigint")
    to_send = [row for row in rows if not row["adopted"]]
    if to_send:
        crash.point("relay.before_send")
    failed = await send(connection, producer, settings.events_topic, source_of(settings.service), to_send, outward)
    if to_send:
        crash.point("relay.after_send")
    moved = advanced(progress, seen, failed, xmin, later)
    if moved != progress:
        await save(connection, moved)
        crash.point("relay.after_progress")
    EVENTS_SENT.labels(database.service).inc(len(to_send) - len(failed))
    return moved


async def send(
    connection: asyncpg.Connection, producer: AIOKafkaProducer, topic: str, source: str, rows: Sequence[asyncpg.Record],
    outward: Mapping[str, str],
) -> list[int]:  # fmt: skip
    """Send rows in order, one batch in flight per partition; the ids of those that Kafka did not acknowledge."""
    by_partition: dict[int, list[asyncpg.Record]] = defaultdict(list)
    for row in rows:
        by_partition[kafka.partition_of(row["subject"])].append(row)
    sending = asyncio.gather(
        *(_send_subjects(producer, topic, partition, source, some, outward) for partition, some in by_partition.items())
    )
    return [id for failed in await _while_pinging(connection, sending) for id in failed]


async def _send_subjects(
    producer: AIOKafkaProducer, topic: str, partition: int, source: str, rows: Sequence[asyncpg.Record],
    outward: Mapping[str, str],
) -> list[int]:  # fmt: skip
    """Outside topics first: what our own holds was sent out as well, so that `reconcile` may adopt it as sent.

    What an outside topic did not take holds back everything behind it; none of these ids is acknowledged.
    """
    behind: list[int] = []
    for outside in sorted({outward[row["type"]] for row in rows if row["type"] in outward}):
        some = [row for row in rows if outward.get(row["type"]) == outside]
        behind += await _send_partition(producer, outside, partition, source, some)
        crash.point("relay.between_topics")
    ready = [row for row in rows if row["id"] < min(behind)] if behind else rows
    failed = await _send_partition(producer, topic, partition, source, ready)
    return [*failed, *(row["id"] for row in rows[len(ready) :])]


async def _send_partition(
    producer: AIOKafkaProducer, topic: str, partition: int, source: str, rows: Sequence[asyncpg.Record]
) -> list[int]:
    at = 0
    while at < len(rows):
        batch, end = producer.create_batch(), at
        while end < len(rows) and _append(batch, source, rows[end]):
            end += 1
        if end == at:
            log.error("an event does not fit into a batch", outbox_id=rows[at]["id"], type=rows[at]["type"])
            return [row["id"] for row in rows[at:]]
        batch.close()
        try:
            await (await producer.send_batch(batch, topic, partition=partition))
        except Exception as error:
            log.warning("batch not acknowledged", topic=topic, partition=partition, error=repr(error))
            return [row["id"] for row in rows[at:]]
        at = end
    return []


def _append(batch: BatchBuilder, source: str, row: asyncpg.Record) -> bool:
    attributes = headers(
        id=row["event_id"], source=source, type=row["type"], subject=row["subject"], sequence=row["sequence"],
        time=row["time"].astimezone(UTC).isoformat(), correlation_id=row["correlation_id"],
        causation_id=row["causation_id"], traceparent=row["traceparent"],
    )  # fmt: skip
    key = row["subject"].encode()
    return batch.append(key=key, value=row["data"], timestamp=None, headers=attributes) is not None


async def _while_pinging(connection: asyncpg.Connection, work: asyncio.Future[T]) -> T:
    """Await `work`, and keep the leader's session alive meanwhile; a lost session means that we are deposed."""
    try:
        while not work.done():
            await asyncio.wait({work}, timeout=PING_SECONDS)
            if not work.done():
                await connection.execute("SELECT 1")
        return work.result()
    finally:
        work.cancel()


async def load(connection: asyncpg.Connection) -> Progress:
    await connection.execute("INSERT INTO relay_progress DEFAULT VALUES ON CONFLICT DO NOTHING")
    row = await connection.fetchrow("SELECT high, missing FROM relay_progress")
    assert row is not None
    return Progress(row["high"], {int(id): noticed for id, noticed in json.loads(row["missing"]).items()})


async def save(connection: asyncpg.Connection, progress: Progress) -> None:
    missing = json.dumps(dict(progress.missing))
    await connection.execute("UPDATE relay_progress SET high = $1, missing = $2", progress.high, missing)


async def _prune(connection: asyncpg.Connection, progress: Progress) -> bool:
    """Forget the oldest rows past retention; a few are looked at, whatever the outbox holds. True if more may be."""
    done = await connection.execute(PRUNE, progress.high, list(progress.missing))
    return done == f"DELETE {PRUNE_ROWS}"
