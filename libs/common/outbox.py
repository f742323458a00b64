"""The outbox: events are written with the rows they tell of, last in the transaction; the relay sends them.

Sequences count per subject. Counters are locked first, sorted by subject, and row ids are drawn after that: an id
drawn before the counter's lock would let a later sequence overtake an earlier one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID, uuid4, uuid5

import asyncpg
import msgspec
from opentelemetry.propagate import inject
from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common.clock import Clock
from libs.common.database import raw
from libs.common.envelope import MAX_EVENT_BYTES, Event


@dataclass(slots=True)
class Cause:
    """What started this transaction: an event or a due date (`id`), or a person's request (no id).

    The ids of what a reaction says derive from `id`, so that saying it again is a no-op. `fresh` ids are for what
    depends on more than its cause, such as a difference to what was announced before: the state that is written with it
    keeps it from being said twice, and after a restore it may have to be said anew. `traceparent`: the trace that what
    is said belongs to, where the transaction serves many.
    """

    id: UUID | None = None
    correlation_id: str = ""
    fresh: bool = False
    traceparent: str | None = None
    said: int = 0

    def next_id(self, type: str) -> UUID:
        if self.id is None or self.fresh:
            return uuid4()
        self.said += 1
        return uuid5(self.id, f"{type}:{self.said}")


class Entry(NamedTuple):
    subject: str
    event_id: UUID
    type: str
    time: datetime
    correlation_id: str
    causation_id: UUID | None
    traceparent: str | None
    data: bytes


encode = msgspec.json.Encoder(decimal_format="string").encode


def add(session: AsyncSession, event: Event, *, subject: str, clock: Clock, correlation_id: str = "") -> UUID:
    """Say `event` about `subject` when this transaction commits; returns the event's id."""
    cause: Cause = session.info["cause"]
    data = encode(event)
    if len(data) > MAX_EVENT_BYTES:
        raise ValueError(f"{event.type} about {subject} is {len(data)} bytes: too large for one event")
    id = cause.next_id(event.type)
    session.info["derived"] = session.info.get("derived", False) or not (cause.id is None or cause.fresh)
    carrier: dict[str, str] = {}
    inject(carrier)
    session.info.setdefault("outbox", []).append(
        Entry(
            subject, id, event.type, clock.now(), correlation_id or cause.correlation_id or str(id),
            cause.id, cause.traceparent or carrier.get("traceparent"), data,
        )
    )  # fmt: skip
    return id


WRITE = """
WITH entry AS (
    SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::timestamptz[], $5::text[], $6::uuid[], $7::text[],
        $8::bytea[]) WITH ORDINALITY
        AS e(subject, event_id, type, time, correlation_id, causation_id, traceparent, data, n)
), counter AS (
    INSERT INTO outbox_counter AS c (subject, sequence)
    SELECT subject, count(*) FROM entry GROUP BY subject ORDER BY subject
    ON CONFLICT (subject) DO UPDATE SET sequence = c.sequence + excluded.sequence
    RETURNING subject, sequence
)
INSERT INTO outbox (event_id, subject, sequence, type, time, correlation_id, causation_id, traceparent, data)
SELECT event_id, e.subject,
    counter.sequence + 1 - row_number() OVER (PARTITION BY e.subject ORDER BY n DESC),
    type, time, correlation_id, causation_id, traceparent, data
FROM entry e JOIN counter USING (subject) ORDER BY n
"""


async def write(session: AsyncSession) -> bool:
    """Write what was added, last in the transaction; False when there is nothing to send."""
    entries: list[Entry] = session.info.pop("outbox", [])
    if not entries:
        return False
    connection = await raw(session)
    if session.info.pop("derived", False):
        entries = await _not_said_yet(connection, entries)
        if not entries:
            return False
    await write_entries(connection, entries)
    return True


async def write_entries(connection: asyncpg.Connection, entries: Sequence[Entry]) -> None:
    """Write entries, last in the transaction. Who writes very many at once makes them without a session."""
    await connection.execute(WRITE, *map(list, zip(*entries, strict=True)))


async def _not_said_yet(connection: asyncpg.Connection, entries: Sequence[Entry]) -> list[Entry]:
    """Without those that the table has already: after a restore, reactions run again and say the same again."""
    ids = [entry.event_id for entry in entries]
    rows = await connection.fetch("SELECT event_id FROM outbox WHERE event_id = ANY($1::uuid[])", ids)
    known = {row["event_id"] for row in rows}
    return [entry for entry in entries if entry.event_id not in known]
