"""What time fires: one table of due dates per service, and tickers that run the same use cases as HTTP does.

Due rows are claimed, acted on and removed in one transaction, many of one date at a time. Each act is judged on its own
day (`ClockOn`), however late it runs; an act whose state has moved on does nothing.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date
from uuid import NAMESPACE_URL, uuid5

import asyncpg
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

Row = tuple[str, str, date]
"""(kind, subject, on)"""

POLL_SECONDS = 0.2
SET = """
INSERT INTO due (kind, subject, on_date) SELECT $1, * FROM unnest($2::text[], $3::date[])
ON CONFLICT (kind, subject) DO UPDATE SET on_date = excluded.on_date, attempts = 0, retry_at = NULL, error = NULL
"""
IS_DUE = """
SELECT EXISTS (SELECT 1 FROM due WHERE on_date <= $1 AND (retry_at IS NULL OR retry_at <= now()))
"""
CLAIM = """
WITH first AS (
    SELECT on_date FROM due WHERE on_date <= $1 AND (retry_at IS NULL OR retry_at <= now())
    ORDER BY on_date, kind, subject LIMIT 1 FOR UPDATE SKIP LOCKED)
SELECT kind, subject, on_date FROM due
WHERE on_date = (SELECT on_date FROM first) AND (retry_at IS NULL OR retry_at <= now())
ORDER BY kind, subject LIMIT $2 FOR UPDATE SKIP LOCKED
"""
TAKE = "DELETE FROM due WHERE (kind, subject, on_date) = ($1, $2, $3) RETURNING true"
BULK = 100
"""Acts in one transaction: a commit costs as much as several acts, and a failure makes as many run alone."""
FAIL = """
UPDATE due SET attempts = attempts + 1, error = $4, retry_at = now() + $5::int * interval '1 second'
WHERE (kind, subject, on_date) = ($1, $2, $3) RETURNING attempts
"""


async def add(session: AsyncSession, kind: str, subject: str, on: date) -> None:
    """Have `kind` fire for `subject` on this Shanghai date (at 00:00); a later call moves the date."""
    await add_many(await raw(session), kind, {subject: on})


async def add_many(connection: asyncpg.Connection, kind: str, dates: Mapping[str, date]) -> None:
    """Have `kind` fire for each subject on its date. Sorted, so that nobody who adds the same waits in a circle."""
    if dates:
        await connection.execute(SET, kind, *map(list, zip(*sorted(dates.items()), strict=True)))


async def remove(session: AsyncSession, kind: str, subject: str) -> None:
    await (await raw(session)).execute("DELETE FROM due WHERE (kind, subject) = ($1, $2)", kind, subject)


async def ticker(service: Service, database: Database, clock: Clock, stop: asyncio.Event) -> None:
    """Fire what is due until `stop`. Any number of tickers may run: a locked row is somebody else's."""
    while not stop.is_set():
        try:
            while not stop.is_set() and await fire(service, database, clock):
                pass
        except Exception as error:
            log.warning("ticker waits for its database", service=service.name, error=repr(error))
            await asyncio.sleep(0.5)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), POLL_SECONDS)


async def fire(service: Service, database: Database, clock: Clock, most: int = BULK) -> int:
    """Fire what is due on the earliest date, `most` acts at a time; how many were tried, 0 when nothing is due.

    Where one of them fails, each is fired alone. One that fails alone backs off, whatever the cause.
    """
    async with reading(database) as connection:
        if not await connection.fetchval(IS_DUE, clock.today()):
            return 0
    claimed: list[Row] = []
    fired: list[Row] = []

    async def act(session: AsyncSession) -> None:
        connection = await raw(session)
        claimed.extend(_together(service, await connection.fetch(CLAIM, clock.today(), most)))
        for row in claimed:
            if await connection.fetchval(TAKE, *row):  # an act before it may have moved or removed it
                await _act(service, session, row, clock)
                fired.append(row)

    try:
        await once(database, act, name="due")
    except Exception as error:
        if not claimed:
            raise
        if len(claimed) > 1:
            log.info("fired one by one: one of them fails", service=service.name, acts=len(claimed), error=repr(error))
            return sum([await fire(service, database, clock, most=1) for _ in claimed])
        await _record_failure(database, claimed[0], error)
        DUE_FIRED.labels(service.name, claimed[0][0], "failed").inc()
        return 1
    for kind, _, _ in fired:
        DUE_FIRED.labels(service.name, kind, "fired").inc()
    return len(claimed)


def _together(service: Service, rows: Sequence[asyncpg.Record]) -> Iterator[Row]:
    """The rows up to one whose act wants a transaction of its own, which comes first in its own."""
    for number, (kind, subject, on) in enumerate(rows):
        if number and kind in service.due_alone:
            return
        yield kind, subject, on
        if kind in service.due_alone:
            return


async def _act(service: Service, session: AsyncSession, row: Row, clock: Clock) -> None:
    """One act, under a cause of its own; nothing that the session has loaded for it is seen by the next."""
    kind, subject, on = row
    cause = Cause(uuid5(NAMESPACE_URL, f"due:{service.name}:{kind}:{subject}:{on.isoformat()}"))
    cause.correlation_id = str(cause.id)
    session.info["cause"] = cause
    with tracer.start_as_current_span(f"{service.name} due {kind}"):
        await service.when_due[kind](session, subject, on, ClockOn(on, clock))
    await session.flush()
    session.expunge_all()


async def _record_failure(database: Database, row: Row, error: Exception) -> None:
    log.error("a due act has failed", kind=row[0], subject=row[1], on=row[2].isoformat(), error=describe(error))

    async def act(session: AsyncSession) -> None:
        connection = await raw(session)
        attempts = await connection.fetchval(
            "SELECT attempts FROM due WHERE (kind, subject, on_date) = ($1, $2, $3)", *row
        )
        await connection.execute(FAIL, *row, describe(error), retry_delay((attempts or 0) + 1))

    await once(database, act, name="due")
