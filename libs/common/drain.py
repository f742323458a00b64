"""The owner of a partition carries out what people decided about parked rows, and brings waiting ones home in order."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import structlog
from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common import inbox
from libs.common.database import Database, is_database_error, raw, reading, sqlstate
from libs.common.delivery import Mark, Parked, State, Step, next_step, retry_delay
from libs.common.envelope import Incoming
from libs.common.inbox import Apply, Key, Place
from libs.common.transaction import CommitUnknown, once

log = structlog.get_logger()

Witness = Callable[[AsyncSession, Place, Key, Step], Awaitable[None]]
"""Told, in the transaction of the step, that a person's disposition is being carried out."""

NIL = UUID(int=0)
SLOW = frozenset({"57014", "55P03"})
"""Statement and lock time-outs: this work was too much, the database itself answers."""
FAULT_OF_THE_EVENT_AFTER = 5
"""Failures that look like infrastructure's are the event's own after so many, when the infrastructure answers."""
OPEN_KEYS = """
SELECT DISTINCT source, subject, topic, partition FROM parked p
WHERE state IN ('waiting', 'failed', 'forked')
  AND (topic, partition) IN (SELECT * FROM unnest($1::text[], $2::int[]))
  AND (disposition IS NOT NULL OR (
    sequence = 1 + coalesce((SELECT sequence FROM mark m WHERE (m.source, m.subject) = (p.source, p.subject)), 0)
    AND (state = 'waiting' OR retry_at <= now())))
"""
LOCK_PARKED = "SELECT FROM parked WHERE (source, subject) = ($1, $2) ORDER BY sequence, id FOR UPDATE"
"""A person who decides meanwhile waits for the step, and is told where it has settled the row."""
EVENT = """
SELECT topic, partition, "offset", source, subject, sequence, id, type, time, correlation_id, traceparent, data
FROM parked WHERE (source, subject, sequence, id) = ($1, $2, $3, $4)
"""
SETTLE = "UPDATE parked SET state = $5, disposition = NULL WHERE (source, subject, sequence, id) = ($1, $2, $3, $4)"
FAIL_AGAIN = """
UPDATE parked SET state = $5, error = $6, attempts = $7, disposition = nullif(disposition, $9),
    failed_at = CASE WHEN $5 = 'failed' THEN now() END, retry_at = now() + $8::int * interval '1 second'
WHERE (source, subject, sequence, id) = ($1, $2, $3, $4) AND state IN ('waiting', 'failed')
"""
GIVE_UP_DISPOSITION = """
UPDATE parked SET disposition = nullif(disposition, $6), error = $5
WHERE (source, subject, sequence, id) = ($1, $2, $3, $4)
"""
"""Both take back only what was tried: the step's transaction is over, and a person may have decided anew since."""
SKIP_GAP = """
INSERT INTO parked (source, subject, sequence, id, state, topic, partition, "offset", type, time, correlation_id, data,
    disposed_by, disposed_why)
SELECT source, subject, missing, $5, 'skipped', topic, partition, -1, '', '', '', '', disposed_by, disposed_why
FROM parked, generate_series($6::bigint, $7::bigint) AS missing
WHERE (source, subject, sequence, id) = ($1, $2, $3, $4)
ON CONFLICT DO NOTHING
"""


async def drain(database: Database, places: Sequence[Place], apply: Apply, witness: Witness | None = None) -> int:
    """Take every step that is due for the parked subjects of these places; how many were taken.

    Each step is one transaction under the lock of the place's position, like a batch of one. A subject whose step
    cannot be taken does not hold up those behind it, unless it is the database that does not answer.
    """
    async with reading(database) as connection:
        rows = await connection.fetch(OPEN_KEYS, [p[0] for p in places], [p[1] for p in places])
    steps = 0
    for row in rows:
        key, place = (row["source"], row["subject"]), (row["topic"], row["partition"])
        try:
            while await _one_step(database, key, place, apply, witness):
                steps += 1
        except Exception as error:
            if is_database_error(error) and sqlstate(error) not in SLOW:
                raise
            log.error("a parked subject is left for now", source=key[0], subject=key[1], error=inbox.describe(error))
    return steps


async def _one_step(database: Database, key: Key, place: Place, apply: Apply, witness: Witness | None) -> bool:
    """One step for one subject; False when nothing is left to do now."""
    tried: list[Step] = []

    async def act(session: AsyncSession) -> bool:
        connection = await raw(session)
        await connection.fetch(inbox.LOCK_POSITION, [place[0]], [place[1]])
        await connection.execute(LOCK_PARKED, *key)
        marks, parked = await inbox.load(connection, [key])
        mark = marks.get(key, Mark())
        step = next_step(mark, parked[key], datetime.now(UTC).timestamp())
        if step is None:
            return False
        tried.append(step)
        if witness is not None and step.row.disposition is not None:
            await witness(session, place, key, step)  # before the row goes, which says who decided
        await _carry_out(session, connection, key, mark, step, parked[key], apply)
        return True

    try:
        return await once(database, act, name="drain")
    except Exception as error:
        if not tried or isinstance(error, CommitUnknown):
            raise
        if tried[0].what == "apply":
            await _record_failure(database, key, tried[0].row, error)
        elif sqlstate(error) in SLOW or fails_by_itself(error):
            await _give_up(database, key, tried[0].row, error)
        else:
            raise
        return False


async def _carry_out(
    session: AsyncSession, connection: asyncpg.Connection, key: Key, mark: Mark, step: Step,
    parked: Sequence[Parked], apply: Apply,
) -> None:  # fmt: skip
    row = step.row
    name = (*key, row.sequence, row.id)
    if step.what == "apply":
        event = await _parked_event(connection, name)
        await apply(session, [event])
        await session.flush()
        await connection.execute("DELETE FROM parked WHERE (source, subject, sequence, id) = ($1, $2, $3, $4)", *name)
        await inbox.set_marks(connection, {key: mark.moved(row.id)})
    elif step.what == "drop":
        await connection.execute(SETTLE, *name, State.DROPPED.value)
        if row.state is not State.FORKED and row.sequence == mark.sequence + 1:
            await inbox.set_marks(connection, {key: mark.moved(row.id)})
    else:
        for other in parked:
            if mark.sequence < other.sequence < row.sequence:
                await connection.execute(SETTLE, *key, other.sequence, other.id, State.DROPPED.value)
        await connection.execute(SKIP_GAP, *name, NIL, mark.sequence + 1, row.sequence - 1)
        await connection.execute(
            "UPDATE parked SET disposition = NULL WHERE (source, subject, sequence, id) = ($1, $2, $3, $4)", *name
        )
        await inbox.set_marks(connection, {key: Mark(row.sequence - 1, ())})


async def _parked_event(connection: asyncpg.Connection, name: tuple[str, str, int, UUID]) -> Incoming:
    row = await connection.fetchrow(EVENT, *name)
    assert row is not None, "read under the same lock that decided the step"
    return Incoming(*row)


async def _give_up(database: Database, key: Key, row: Parked, error: BaseException) -> None:
    """A disposition that cannot be carried out is taken back, and the row says why."""
    log.error("a disposition cannot be carried out", subject=key[1], sequence=row.sequence, error=inbox.describe(error))

    async def act(session: AsyncSession) -> None:
        told = f"{row.disposition} could not be carried out: {inbox.describe(error)}"[:1000]
        await (await raw(session)).execute(GIVE_UP_DISPOSITION, *key, row.sequence, row.id, told, row.disposition)

    await once(database, act, name="drain")


async def _record_failure(database: Database, key: Key, row: Parked, error: BaseException) -> None:
    """The row is tried again later. One that was only waiting fails when it is at fault, not for a lock in its way."""

    async def act(session: AsyncSession) -> None:
        connection = await raw(session)
        name = (*key, row.sequence, row.id)
        attempts = await connection.fetchval(
            "SELECT attempts FROM parked WHERE (source, subject, sequence, id) = ($1, $2, $3, $4)", *name
        )
        attempts = (attempts or 0) + 1
        at_fault = fails_by_itself(error) or attempts >= FAULT_OF_THE_EVENT_AFTER
        state = State.FAILED if at_fault else row.state
        await connection.execute(
            FAIL_AGAIN, *name, state.value, inbox.describe(error), attempts, retry_delay(attempts), row.disposition
        )

    await once(database, act, name="drain")


def fails_by_itself(error: BaseException) -> bool:
    """True when the event is at fault: its data offends the database, or the handler raised something of its own."""
    if isinstance(error, CommitUnknown):
        return False
    if is_database_error(error):
        return (sqlstate(error) or "")[:2] in {"22", "23", "42"}
    return isinstance(error, Exception)
