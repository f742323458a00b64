"""What time fires: one table of due dates per service, and tickers that run the same use cases as HTTP does.

A due row is claimed, acted on and removed in one transaction. The act is judged on its own day (`ClockOn`), however
late it runs; an act whose state has moved on does nothing.
"""

import asyncio
from contextlib import suppress
from datetime import date
from uuid import NAMESPACE_URL, uuid5

import structlog
from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common.clock import Clock, ClockOn
from libs.common.database import Database, raw, reading
from libs.common.delivery import retry_delay
from libs.common.inbox import describe
from libs.common.outbox import Cause
from libs.common.service import Service
from libs.common.telemetry import DUE_FIRED, tracer
from libs.common.transaction import once

log = structlog.get_logger()

POLL_SECONDS = 0.2
SET = """
INSERT INTO due (kind, subject, on_date) VALUES ($1, $2, $3)
ON CONFLICT (kind, subject) DO UPDATE SET on_date = excluded.on_date, attempts = 0, retry_at = NULL, error = NULL
"""
IS_DUE = """
SELECT EXISTS (SELECT 1 FROM due WHERE on_date <= $1 AND (retry_at IS NULL OR retry_at <= now()))
"""
CLAIM = """
DELETE FROM due WHERE (kind, subject) = (
    SELECT kind, subject FROM due WHERE on_date <= $1 AND (retry_at IS NULL OR retry_at <= now())
    ORDER BY on_date, kind, subject LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING kind, subject, on_date
"""
FAIL = """
UPDATE due SET attempts = attempts + 1, error = $4, retry_at = now() + $5::int * interval '1 second'
WHERE (kind, subject, on_date) = ($1, $2, $3) RETURNING attempts
"""


async def add(session: AsyncSession, kind: str, subject: str, on: date) -> None:
    """Have `kind` fire for `subject` on this Shanghai date (at 00:00); a later call moves the date."""
    await (await raw(session)).execute(SET, kind, subject, on)


async def remove(session: AsyncSession, kind: str, subject: str) -> None:
    await (await raw(session)).execute("DELETE FROM due WHERE (kind, subject) = ($1, $2)", kind, subject)


async def ticker(service: Service, database: Database, clock: Clock, stop: asyncio.Event) -> None:
    """Fire what is due until `stop`. Any number of tickers may run: a locked row is somebody else's."""
    while not stop.is_set():
        try:
            while not stop.is_set() and await fire_one(service, database, clock):
                pass
        except Exception as error:
            log.warning("ticker waits for its database", service=service.name, error=repr(error))
            await asyncio.sleep(0.5)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), POLL_SECONDS)


async def fire_one(service: Service, database: Database, clock: Clock) -> bool:
    """Fire the earliest due act; False when nothing is due. One that fails backs off, whatever the cause."""
    async with reading(database) as connection:
        if not await connection.fetchval(IS_DUE, clock.today()):
            return False
    claimed: list[tuple[str, str, date]] = []
    cause = Cause()

    async def act(session: AsyncSession) -> bool:
        row = await (await raw(session)).fetchrow(CLAIM, clock.today())
        if row is None:
            return False
        kind, subject, on = row
        claimed.append((kind, subject, on))
        cause.id = uuid5(NAMESPACE_URL, f"due:{service.name}:{kind}:{subject}:{on.isoformat()}")
        cause.correlation_id = str(cause.id)
        with tracer.start_as_current_span(f"{service.name} due {kind}"):
            await service.when_due[kind](session, subject, on, ClockOn(on, clock))
        return True

    try:
        fired = await once(database, act, cause, name="due")
    except Exception as error:
        if not claimed:
            raise
        await _record_failure(database, claimed[0], error)
        DUE_FIRED.labels(service.name, claimed[0][0], "failed").inc()
        return True
    if fired:
        DUE_FIRED.labels(service.name, claimed[0][0], "fired").inc()
    return fired


async def _record_failure(database: Database, row: tuple[str, str, date], error: Exception) -> None:
    log.error("a due act has failed", kind=row[0], subject=row[1], on=row[2].isoformat(), error=describe(error))

    async def act(session: AsyncSession) -> None:
        connection = await raw(session)
        attempts = await connection.fetchval(
            "SELECT attempts FROM due WHERE (kind, subject, on_date) = ($1, $2, $3)", *row
        )
        await connection.execute(FAIL, *row, describe(error), retry_delay((attempts or 0) + 1))

    await once(database, act, name="due")
