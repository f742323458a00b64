"""Was this database restored to an older state? The check before a service starts, and the two ways of mending."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from libs.common import evidence, kafka, signature
from libs.common.audit import heads
from libs.common.audit.sealer import go_on_after_restore
from libs.common.clock import BusinessClock
from libs.common.database import Database, connect
from libs.common.envelope import Incoming, read, source_of
from libs.common.relay.loop import LOCK
from libs.common.relay.reconciliation import Plan, Row, Said, plan, unknown
from libs.common.settings import Refused, Settings

TAIL = 10_000
"""Records per partition that the start check reads: more than a relay can have had under way, twice over."""

RETENTION = timedelta(days=29)
"""A day less than the relay keeps rows: a record is younger than its row by as long as the event waited for Kafka."""

Lift = Callable[[asyncpg.Connection, list[Incoming]], Awaitable[list[str]]]
"""A service's own allocators (for example of serial numbers) are lifted above what the adopted events used;
returns a sentence for each."""


class Restored(Refused):
    """The database was restored to an older state: the service must not start."""


class Reconciled(NamedTuple):
    plan: Plan
    adopted: list[Incoming]
    lifted: list[str]
    audit_rows_lost: int


async def check_not_restored(
    database: Database, settings: Settings, digest: Callable[[], str | None] = lambda: None
) -> None:
    """Refuse to start when our topic holds events that our database does not know; the refusal is reported."""
    began_at = datetime.now(UTC)
    if foreign := await lost_events(database, settings):
        first = foreign[0]
        noticed = evidence.report(
            "restore", settings, by=f"{settings.service} itself", began_at=began_at, outcome="refused", policy=digest(),
            compared={"topic events unknown to the database": evidence.digest(event[:3] for event in foreign)},
            differences=[f"lost: {event.subject} {event.sequence} {event.id}" for event in foreign],
            summary=f"restored to an older state: {len(foreign)} events of its topic are unknown to the database",
        )  # fmt: skip
        connection = await connect(database)
        try:
            await evidence.write_where_new(connection, noticed, signature.keys(settings))
        finally:
            await connection.close()
        raise Restored(
            f"{settings.service}: its topic holds {len(foreign)} event(s) that its database does not know, the first"
            f" about {first.subject} (sequence {first.sequence}). The database was restored to an older state."
            f" Run: python -m libs.common.relay reconcile {settings.service}"
        )


async def lost_events(database: Database, settings: Settings) -> list[Said]:
    """Events at the end of our topic that our database does not know: it was restored to an older state."""
    said = [_said(event, old) async for event, old in _own_events(settings, last=TAIL)]
    connection = await connect(database, statement_timeout="60s")
    try:
        if not (strangers := unknown(said, *await _known(connection, said))):
            return []
        # A fork whose first event lies before the tail is no stranger: what these subjects ever said has the say.
        subjects = {event.subject for event in strangers}
        said = [_said(event, old) async for event, old in _own_events(settings) if event.subject in subjects]
        return unknown(said, *await _known(connection, said))
    finally:
        await connection.close()


async def reconcile(
    database: Database, settings: Settings, lift: Lift | None, *, policy: str | None = None
) -> Reconciled:
    """Adopt from the topic what the outbox lacks, renumber what was never sent, raise counters and allocators; report
    it in the same transaction.

    Refuses while a relay leads: stop the service first.
    """
    began_at = datetime.now(UTC)
    events: dict[UUID, Incoming] = {}
    said: list[Said] = []
    async for event, old in _own_events(settings):
        events.setdefault(event.id, event)
        said.append(_said(event, old))
    published = await heads.last(settings)
    connection = await connect(database, statement_timeout="600s")
    try:
        if not await connection.fetchval(f"SELECT pg_try_advisory_lock({LOCK})"):
            raise Refused(f"{settings.service} is running: stop it before its database is reconciled.")
        async with connection.transaction():
            rows = [Row(*row) for row in await connection.fetch("SELECT id, subject, sequence, event_id FROM outbox")]
            counters = {
                row["subject"]: row["sequence"]
                for row in await connection.fetch("SELECT subject, sequence FROM outbox_counter")
            }
            decided = plan(said, rows, counters)
            adopted = [events[event.id] for event in decided.adopt]
            await _write(connection, decided, adopted)
            lifted = await lift(connection, adopted) if lift is not None else []
            lost = await go_on_after_restore(connection, settings.service, published, len(adopted), BusinessClock())
            done = Reconciled(decided, adopted, lifted, lost)
            compared = {"topic": evidence.digest(one[:3] for one in said), "outbox": evidence.digest(sorted(rows))}
            told = evidence.report(
                "reconcile", settings, by=evidence.operator(), began_at=began_at, policy=policy, compared=compared,
                cut=evidence.Cut(positions=_ends(events.values())), **_evidence(done, rows),
            )  # fmt: skip
            await evidence.write(connection, told, signature.keys(settings))
    finally:
        await connection.close()
    return done


def _evidence(done: Reconciled, rows: list[Row]) -> dict[str, Any]:
    """What a reconciliation has found and done, as its report says it."""
    by_row = {row.row: row for row in rows}
    found = [f"adopted: {event.subject} {event.sequence} {event.type} {event.id}" for event in done.adopted]
    found += [
        f"renumbered: {by_row[row].subject} {by_row[row].sequence} -> {sequence} {by_row[row].id}"
        for row, sequence in done.plan.renumber.items()
    ]
    found += [f"fork: {event.subject} {event.sequence} {event.id}" for event in done.plan.forks]
    found += [f"counter raised: {subject} to {sequence}" for subject, sequence in done.plan.counters.items()]
    found += [f"audit rows lost: {done.audit_rows_lost}"] if done.audit_rows_lost else []
    summary = (
        f"{len(done.adopted)} adopted, {len(done.plan.renumber)} renumbered, {len(done.plan.counters)} counters raised,"
        f" {len(done.plan.forks)} forks"
    )
    return {"outcome": "mended" if found else "equal", "differences": found, "summary": summary}


def _ends(events: Iterable[Incoming]) -> dict[str, int]:
    """Where the events end in each partition of their topic."""
    ends: dict[tuple[str, int], int] = {}
    for event in events:
        place = event.topic, event.partition
        ends[place] = max(ends.get(place, 0), event.offset + 1)
    return evidence.positions(ends)


async def resend(database: Database, subject: str, first: int, last: int) -> int:
    """Have the relay send these sequences of a subject again (Kafka lost them); how many it will send."""
    connection = await connect(database)
    try:
        async with connection.transaction():
            # As every writer: a transaction id before the row ids, or the relay would take them for rolled back.
            await connection.execute("SELECT pg_current_xact_id()")
            return int(await connection.fetchval(RESEND, subject, first, last) or 0)
    finally:
        await connection.close()


RESEND = """
WITH again AS (
    SELECT id, nextval(pg_get_serial_sequence('outbox', 'id')) AS new_id FROM (
        SELECT id FROM outbox WHERE subject = $1 AND sequence BETWEEN $2 AND $3 ORDER BY sequence) in_order
), moved AS (
    UPDATE outbox o SET id = again.new_id, adopted = false, created_at = now() FROM again WHERE o.id = again.id
    RETURNING 1
) SELECT count(*) FROM moved
"""
ADOPT = """
INSERT INTO outbox (event_id, subject, sequence, type, time, correlation_id, causation_id, traceparent, data, adopted)
VALUES ($1, $2, $3, $4, $5, $6, NULL, $7, $8, true)
"""
RAISE = """
INSERT INTO outbox_counter (subject, sequence) SELECT * FROM unnest($1::text[], $2::bigint[])
ON CONFLICT (subject) DO UPDATE SET sequence = greatest(outbox_counter.sequence, excluded.sequence)
"""


async def _write(connection: asyncpg.Connection, decided: Plan, adopted: list[Incoming]) -> None:
    # Out of the way first: a renumbered row may want a sequence that another row still holds. By sequence, since row
    # ids are drawn in this order and the relay sends by them.
    changes = sorted(decided.renumber.items(), key=itemgetter(1))
    await connection.executemany("UPDATE outbox SET sequence = -id WHERE id = $1", [(row,) for row, _ in changes])
    await connection.executemany(
        ADOPT,
        [
            (
                event.id,
                event.subject,
                event.sequence,
                event.type,
                datetime.fromisoformat(event.time),
                event.correlation_id,
                event.traceparent,
                event.data,
            )
            for event in adopted
        ],
    )
    await connection.executemany(
        "UPDATE outbox SET sequence = $2, id = nextval(pg_get_serial_sequence('outbox', 'id')), created_at = now()"
        " WHERE id = $1",
        changes,
    )
    await connection.execute(RAISE, list(decided.counters), list(decided.counters.values()))


def _said(event: Incoming, old: bool) -> Said:
    return Said(event.subject, event.sequence, event.id, old)


async def _own_events(settings: Settings, *, last: int | None = None) -> AsyncIterator[tuple[Incoming, bool]]:
    source = source_of(settings.service)
    async for record in kafka.records(settings, settings.events_topic, last=last):
        event = read(record, source)
        if isinstance(event, Incoming):
            yield event, datetime.fromtimestamp(record.timestamp / 1000, UTC) < datetime.now(UTC) - RETENTION


async def _known(connection: asyncpg.Connection, said: list[Said]) -> tuple[set[tuple[str, int, UUID]], dict[str, int]]:
    rows = await connection.fetch(
        "SELECT subject, sequence, event_id FROM outbox WHERE event_id = ANY($1::uuid[])", [s.id for s in said]
    )
    counters = await connection.fetch(
        "SELECT subject, sequence FROM outbox_counter WHERE subject = ANY($1::text[])", list({s.subject for s in said})
    )
    known = {(row["subject"], row["sequence"], row["event_id"]) for row in rows}
    return known, {row["subject"]: row["sequence"] for row in counters}
