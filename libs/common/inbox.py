"""The inbox: position, marks and parked rows live in the service's database and move with the effect.

Kafka's own offsets serve lag tools only: a restored or taken-over database knows by itself where it stands.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg
from asyncpg.pgproto.pgproto import UUID as FastUUID  # what asyncpg itself returns: equal, and made in C
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common.database import raw
from libs.common.delivery import SETTLED, Decision, Mark, Parked, State, decide, retry_delay
from libs.common.envelope import DeadLetter, Incoming, Outside

Key = tuple[str, str]
"""(source, subject)"""
Place = tuple[str, int]
"""(topic, partition)"""
Apply = Callable[[AsyncSession, Sequence[Incoming]], Awaitable[None]]


class PositionMoved(Exception):
    """Somebody else has taken these records, or our own read position was wrong. `next_offset` is the truth."""

    def __init__(self, place: Place, next_offset: int, began: int) -> None:
        super().__init__(f"{place} stands at {next_offset}, the batch began at {began}")
        self.place, self.next_offset, self.began = place, next_offset, began


@dataclass(slots=True)
class Taken:
    """What became of a batch, for the metrics."""

    applied: int = 0
    skipped: int = 0
    waiting: int = 0
    forked: int = 0
    failed: int = 0
    dead: int = 0
    parked_keys: set[Key] = field(default_factory=set)


LOCK_POSITION = """
SELECT topic, partition, next_offset FROM position
WHERE (topic, partition) IN (SELECT * FROM unnest($1::text[], $2::int[])) ORDER BY topic, partition FOR UPDATE
"""
FIRST = text("""
SELECT topic, partition, next_offset FROM position
WHERE (topic, partition) IN (SELECT * FROM unnest(CAST(:topics AS text[]), CAST(:numbers AS int[])))
ORDER BY topic, partition FOR UPDATE
""")
"""The same by SQLAlchemy, which opens the transaction with it."""
MOVE_POSITION = """
UPDATE position p SET next_offset = v.o FROM unnest($1::text[], $2::int[], $3::bigint[]) AS v(t, n, o)
WHERE p.topic = v.t AND p.partition = v.n
"""
KNOWN = """
SELECT k.source, k.subject, m.sequence, m.recent, p.sequence AS waits, p.id, p.state, p.retry_at, p.disposition
FROM unnest($1::text[], $2::text[]) AS k(source, subject)
LEFT JOIN mark m ON (m.source, m.subject) = (k.source, k.subject)
LEFT JOIN parked p ON (p.source, p.subject) = (k.source, k.subject)
ORDER BY p.sequence
"""
SET_MARKS = """
INSERT INTO mark (source, subject, sequence, recent)
SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bytea[])
ON CONFLICT (source, subject) DO UPDATE SET sequence = excluded.sequence, recent = excluded.recent
"""
SET_MARKS_AND_MOVE = f"""
WITH moved AS (
    UPDATE position p SET next_offset = v.o FROM unnest($5::text[], $6::int[], $7::bigint[]) AS v(t, n, o)
    WHERE p.topic = v.t AND p.partition = v.n)
{SET_MARKS}
"""
PARK = """
INSERT INTO parked (source, subject, sequence, id, state, topic, partition, "offset", type, time, correlation_id,
    traceparent, data, error, attempts, retry_at, failed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, now() + $16::int * interval '1 second',
    CASE WHEN $5 = 'failed' THEN now() END)
"""
BURY = """
INSERT INTO dead_letter (topic, partition, "offset", cause, key, value) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT DO NOTHING
"""


async def positions(connection: asyncpg.Connection, places: Iterable[Place]) -> dict[Place, int]:
    """Where each place stands; a place never read before starts at its beginning."""
    topics, partitions = _columns(places)
    await connection.execute(
        "INSERT INTO position SELECT t, n, 0 FROM unnest($1::text[], $2::int[]) AS v(t, n) ON CONFLICT DO NOTHING",
        topics,
        partitions,
    )
    rows = await connection.fetch(LOCK_POSITION.replace("FOR UPDATE", ""), topics, partitions)
    return {(row["topic"], row["partition"]): row["next_offset"] for row in rows}


async def take(session: AsyncSession, records: Sequence[Incoming | DeadLetter], apply: Apply) -> Taken:
    """Take a batch in the caller's transaction: decide each record, apply, park or bury it, move marks and positions.

    Raises PositionMoved when the batch does not begin where the database stands, and whatever `apply` raises.
    """
    ends = await _claim(session, records)
    connection, taken = await raw(session), Taken()
    to_apply, to_park, marks = await _decided(connection, records, taken)
    if to_apply:
        await apply(session, to_apply)
        await session.flush()
    for event, state in to_park:
        await park(connection, event, state)
    dead = [record for record in records if isinstance(record, DeadLetter)]
    if dead:
        await connection.executemany(BURY, dead)
        taken.dead = len(dead)
    await connection.execute(SET_MARKS_AND_MOVE, *_mark_columns(marks), *_columns(ends), list(ends.values()))
    return taken


async def take_failed(session: AsyncSession, record: Incoming, error: BaseException) -> Taken:
    """Take one event that fails by itself: it is parked, its followers will wait behind it, the partition moves on."""
    ends = await _claim(session, [record])
    connection, taken = await raw(session), Taken()
    to_apply, to_park, _ = await _decided(connection, [record], taken)
    for event, state in to_park:
        await park(connection, event, state)
    if to_apply:
        await park(connection, record, State.FAILED, describe(error))
        taken.applied, taken.failed = 0, 1
    await connection.execute(MOVE_POSITION, *_columns(ends), list(ends.values()))
    return taken


async def take_outside(
    session: AsyncSession,
    records: Sequence[Outside],
    apply: Callable[[AsyncSession, Sequence[Outside]], Awaitable[None]],
) -> Taken:
    """Take records of an outside topic in the caller's transaction. Outsiders number nothing: the position is all.

    Raises PositionMoved when the batch does not begin where the database stands, and whatever `apply` raises.
    """
    ends = await _claim(session, records)
    await apply(session, records)
    await session.flush()
    await (await raw(session)).execute(MOVE_POSITION, *_columns(ends), list(ends.values()))
    return Taken(applied=len(records))


async def _claim(session: AsyncSession, records: Sequence[Incoming | DeadLetter | Outside]) -> dict[Place, int]:
    """Lock the batch's places and demand that it begins where they stand; where they will stand after it."""
    began: dict[Place, int] = {}
    ends: dict[Place, int] = {}
    for record in records:
        place = record.topic, record.partition
        began.setdefault(place, record.offset)
        ends[place] = record.offset + 1
    topics, numbers = _columns(began)
    found = await (await session.connection()).execute(FIRST, {"topics": topics, "numbers": numbers})
    session.info["begun"] = True
    rows: Sequence[Any] = found.all()
    if len(rows) < len(began):
        connection = await raw(session)
        await positions(connection, began)
        rows = await connection.fetch(LOCK_POSITION, topics, numbers)
    for topic, partition, next_offset in rows:
        if next_offset != began[topic, partition]:
            raise PositionMoved((topic, partition), next_offset, began[topic, partition])
    return ends


async def _decided(
    connection: asyncpg.Connection, records: Sequence[Incoming | DeadLetter], taken: Taken
) -> tuple[list[Incoming], list[tuple[Incoming, State]], dict[Key, Mark]]:
    keys = sorted({(record.source, record.subject) for record in records if isinstance(record, Incoming)})
    marks, parked = await load(connection, keys)
    moved: dict[Key, Mark] = {}
    to_apply: list[Incoming] = []
    to_park: list[tuple[Incoming, State]] = []
    nothing: list[Parked] = []
    for record in records:
        if isinstance(record, DeadLetter):
            continue
        key = record.source, record.subject
        mark = moved.get(key) or marks.get(key) or Mark()
        decision = decide(record.sequence, record.id, mark, parked.get(key, nothing))
        if decision is Decision.APPLY:
            to_apply.append(record)
            moved[key] = mark.moved(record.id)
        elif decision is Decision.SKIP:
            taken.skipped += 1
        else:
            state = State.WAITING if decision is Decision.WAIT else State.FORKED
            to_park.append((record, state))
            parked.setdefault(key, []).append(Parked(record.sequence, record.id, state))
            taken.waiting += state is State.WAITING
            taken.forked += state is State.FORKED
    taken.applied = len(to_apply)
    # Rows that waited for what is applied now come next: their owner drains them after this transaction.
    taken.parked_keys = {key for key in keys if any(row.state not in SETTLED for row in parked.get(key, nothing))}
    return to_apply, to_park, moved


async def load(connection: asyncpg.Connection, keys: Sequence[Key]) -> tuple[dict[Key, Mark], dict[Key, list[Parked]]]:
    """Marks and parked rows of these subjects. The position's lock guards them: each lives in one partition."""
    sources, subjects = _columns(keys)
    marks: dict[Key, Mark] = {}
    parked: dict[Key, list[Parked]] = defaultdict(list)
    for source, subject, sequence, recent, waits, id, state, retry_at, disposition in await connection.fetch(
        KNOWN, sources, subjects
    ):
        if sequence is not None:
            marks[source, subject] = Mark(sequence, _ids(recent))
        if waits is not None:
            again = retry_at.timestamp() if retry_at else 0.0
            parked[source, subject].append(Parked(waits, id, State(state), again, disposition))
    return marks, parked


async def set_marks(connection: asyncpg.Connection, marks: dict[Key, Mark]) -> None:
    if marks:
        await connection.execute(SET_MARKS, *_mark_columns(marks))


async def park(connection: asyncpg.Connection, event: Incoming, state: State, error: str | None = None) -> None:
    attempts = 1 if state is State.FAILED else 0
    await connection.execute(
        PARK, event.source, event.subject, event.sequence, event.id, state.value, event.topic, event.partition,
        event.offset, event.type, event.time, event.correlation_id, event.traceparent, event.data, error, attempts,
        retry_delay(attempts) if attempts else 0,
    )  # fmt: skip


def describe(error: BaseException) -> str:
    """The kind of the error and the sentence; the event's own data is not repeated."""
    return f"{type(error).__name__}: {error}"[:1000]


def _mark_columns(marks: dict[Key, Mark]) -> tuple[list[Any], ...]:
    recent = [b"".join(id.bytes for id in mark.recent) for mark in marks.values()]
    return (*_columns(marks), [mark.sequence for mark in marks.values()], recent)


def _ids(packed: bytes) -> tuple[UUID, ...]:
    return tuple([FastUUID(packed[at : at + 16]) for at in range(0, len(packed), 16)])


def _columns(pairs: Iterable[tuple[str, object]]) -> tuple[list[str], list[object]]:
    listed = list(pairs)
    return [pair[0] for pair in listed], [pair[1] for pair in listed]
