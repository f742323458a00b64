"""The sealer: one leader per service gives new audit rows their numbers and hashes, and publishes the head.

A row stands unsealed for less than a second; that somebody deletes it within that second is seen by nobody.
"""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import asyncpg
import structlog
from aiokafka import AIOKafkaProducer

from libs.common import crash
from libs.common.audit import heads, insert
from libs.common.audit.chain import RESTORED, Head, link
from libs.common.clock import Clock
from libs.common.database import Database, connect
from libs.common.settings import Settings

log = structlog.get_logger()

LOCK = "hashtextextended('one-window-audit', 0)"
BATCH = 2_000
POLL_SECONDS = 0.25
WAIT_SECONDS = 0.5
BEHIND_SECONDS = 5.0
PRODUCER: dict[str, Any] = {"acks": "all", "enable_idempotence": True, "request_timeout_ms": 10_000}

UNSEALED = "SELECT id, entry FROM audit WHERE number IS NULL ORDER BY id LIMIT $1"
SEAL = """
UPDATE audit SET number = sealed.number, hash = sealed.hash
FROM unnest($1::bigint[], $2::bigint[], $3::bytea[]) AS sealed(id, number, hash) WHERE audit.id = sealed.id
"""
STANDING = "SELECT count, hash FROM audit_head FOR UPDATE"
MOVE = "UPDATE audit_head SET count = $1, hash = $2"


async def sealer(database: Database, settings: Settings, stop: asyncio.Event) -> None:
    """Lead, or wait to lead, until `stop`. Trouble ends a term of leadership, never the sealer."""
    while not stop.is_set():
        try:
            wait = await _term(database, settings, stop)
        except Exception as error:
            log.warning("sealer term ended", service=database.service, error=repr(error))
            wait = WAIT_SECONDS
        await _pause(stop, wait)


async def _term(database: Database, settings: Settings, stop: asyncio.Event) -> float:
    """One term; seconds to wait before the next. The session limit deposes a leader that is frozen."""
    connection = await connect(database, idle_session_timeout="15s", statement_timeout="10s", lock_timeout="5s")
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap_servers, **PRODUCER)
    try:
        while not await connection.fetchval(f"SELECT pg_try_advisory_lock({LOCK})"):
            await _pause(stop, WAIT_SECONDS)
            if stop.is_set():
                return 0
        if await is_behind(connection, await heads.last(settings)):
            log.error("the audit is behind its published heads: run libs.common.audit verify", service=settings.service)
            return BEHIND_SECONDS
        await producer.start()
        await _lead(settings, connection, producer, stop)
    finally:
        await asyncio.wait({asyncio.create_task(producer.stop())}, timeout=10)
        await asyncio.wait({asyncio.create_task(connection.close(timeout=2))}, timeout=3)
    return 0


async def is_behind(connection: asyncpg.Connection, published: Head | None) -> bool:
    """Whether the database is older than what was published: to seal on would give out numbers twice."""
    here = await _standing(connection)
    return published is not None and (
        here.number < published.number or (here.number == published.number and here != published)
    )


async def _lead(
    settings: Settings, connection: asyncpg.Connection, producer: AIOKafkaProducer, stop: asyncio.Event
) -> None:
    published = await connection.fetchval("SELECT published FROM audit_head")
    while not stop.is_set():
        head, more = await seal(connection)
        if head.number > published:
            await _publish(settings, producer, head)
            await connection.execute("UPDATE audit_head SET published = $1", head.number)
            published = head.number
        if not more:
            await _pause(stop, POLL_SECONDS)


async def seal(connection: asyncpg.Connection) -> tuple[Head, bool]:
    """Chain the rows that are not, in the order of their ids; the head, and whether there may be more.

    A transaction that is still running may commit a smaller id later: it is given a number when it is seen.
    """
    async with connection.transaction():
        head = await _standing(connection)
        rows = await connection.fetch(UNSEALED, BATCH)
        numbers, hashes = [], []
        for row in rows:
            number = head.number + 1
            head = Head(number, link(head.hash, number, row["entry"]))
            numbers.append(number)
            hashes.append(head.hash)
        if rows:
            await connection.execute(SEAL, [row["id"] for row in rows], numbers, hashes)
            await connection.execute(MOVE, head.number, head.hash)
            crash.point("audit.before_seal")
    if rows:
        crash.point("audit.after_seal")
    return head, len(rows) == BATCH


async def _publish(settings: Settings, producer: AIOKafkaProducer, head: Head) -> None:
    said = heads.Published(settings.service, head.number, head.hash.hex(), datetime.now(UTC))
    await producer.send_and_wait(settings.topic(heads.TOPIC), heads.encode(said), key=settings.service.encode())
    crash.point("audit.after_publish")


async def go_on_after_restore(
    connection: asyncpg.Connection, service: str, published: Head | None, adopted: int, clock: Clock
) -> int:
    """Go on from the published head where the database is behind it: the entry under the next number says which are
    lost; how many those are. Runs in the caller's transaction, while no sealer leads."""
    here = await _standing(connection)
    if published is None or here.number >= published.number:
        return 0
    lost: dict[str, str | int] = {
        "lost_from": here.number + 1,
        "lost_to": published.number,
        "head": published.hash.hex(),
        "adopted": adopted,
    }
    await insert(connection, None, RESTORED, service, clock, **lost)
    row = await connection.fetchrow("SELECT id, entry FROM audit WHERE number IS NULL ORDER BY id DESC LIMIT 1")
    assert row is not None
    number = published.number + 1
    hash = link(published.hash, number, row["entry"])
    await connection.execute(SEAL, [row["id"]], [number], [hash])
    await connection.execute(MOVE, number, hash)
    return published.number - here.number


async def _standing(connection: asyncpg.Connection) -> Head:
    row = await connection.fetchrow(STANDING)
    assert row is not None  # made with the table
    return Head(row["count"], row["hash"])


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
