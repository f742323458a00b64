"""Named queries over warnings and over what they count."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg


class Count(NamedTuple):
    """An event that counts towards a warning of this kind about this object."""

    kind: str
    object: str
    event_id: UUID
    uscc: str
    on: date


class Reached(NamedTuple):
    """What has come to its threshold."""

    kind: str
    object: str
    uscc: str | None
    value: int
    threshold: int
    window_days: int


# Taken in one order by all; the statement after it sees what whoever held it has committed.
LOCK = """
INSERT INTO counted_object AS o (kind, object, newest_on)
SELECT kind, object, max(on_date) FROM unnest($1::text[], $2::text[], $3::date[]) AS c (kind, object, on_date)
GROUP BY kind, object ORDER BY kind, object
ON CONFLICT (kind, object) DO UPDATE SET newest_on = greatest(o.newest_on, excluded.newest_on)
"""
ADD = """
INSERT INTO counted (kind, object, event_id, uscc, on_date)
SELECT * FROM unnest($1::text[], $2::text[], $3::uuid[], $4::text[], $5::date[]) ON CONFLICT DO NOTHING
"""
# What a closed warning was about is dealt with: later events begin anew.
SETTLED_AT = "(SELECT max(closed_at) FROM warning s WHERE (s.kind, s.object) = ({kind}, {object}))"
REACHED = f"""
SELECT r.kind, r.object, NULL, counted.value, r.threshold, r.window_days
FROM (SELECT DISTINCT * FROM unnest($1::text[], $2::text[], $3::int[], $4::int[])
    AS r (kind, object, threshold, window_days)) r
CROSS JOIN LATERAL (
    SELECT count(DISTINCT c.uscc)::int AS value FROM counted c
    WHERE (c.kind, c.object) = (r.kind, r.object) AND c.on_date > $5::date - r.window_days
        AND c.on_date > coalesce(
            ({SETTLED_AT.format(kind="r.kind", object="r.object")} AT TIME ZONE 'Asia/Shanghai')::date, '-infinity')
) counted WHERE counted.value >= r.threshold
"""
# From the lowest score that was announced within the window or stood at its start, by one scorecard.
RISEN = f"""
SELECT e.uscc, e.score - lowest.score FROM unnest($1::text[], $2::int[], $3::timestamptz[], $4::text[])
    AS e (uscc, score, at, digest)
CROSS JOIN LATERAL (
    SELECT min(score) AS score FROM (
        SELECT score, scorecard_digest, at, lead(at) OVER (ORDER BY position) AS until FROM class_change
        WHERE uscc = e.uscc AND at <= e.at) c
    WHERE scorecard_digest = e.digest AND coalesce(until, 'infinity') > greatest(
        e.at - $5::int * interval '1 day', {SETTLED_AT.format(kind="$6", object="e.uscc")})
) lowest WHERE e.score - lowest.score >= $7
"""
RAISE = """
INSERT INTO warning AS w (id, kind, object, uscc, value, threshold, window_days, raised_on, raised_at, state, version)
SELECT gen_random_uuid(), kind, object, uscc, value, threshold, window_days, $7, $8, 'open', 1
FROM unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::int[], $6::int[])
    AS r (kind, object, uscc, value, threshold, window_days) ORDER BY kind, object
ON CONFLICT (kind, object) WHERE state <> 'closed'
DO UPDATE SET value = excluded.value WHERE w.value < excluded.value
"""
DIVISIONS = "SELECT uscc, division FROM profile WHERE uscc = ANY($1::text[]) AND division IS NOT NULL"

COLUMNS = """
    w.id, w.kind, w.object, w.uscc, w.value, w.threshold, w.window_days, w.raised_on, w.raised_at, w.state,
    w.acknowledged_by, w.acknowledged_at, w.outcome, w.note, w.closed_by, w.closed_at, w.version,
    CASE WHEN w.uscc IS NOT NULL THEN ARRAY[w.uscc] ELSE ARRAY(
        SELECT DISTINCT uscc FROM counted c WHERE (c.kind, c.object) = (w.kind, w.object)
            AND c.on_date > w.raised_on - w.window_days ORDER BY uscc LIMIT 20) END AS enterprises
"""
ONE = f"SELECT {COLUMNS} FROM warning w WHERE id = $1"
LOCKED = "SELECT state, version FROM warning WHERE id = $1 FOR UPDATE"
ACKNOWLEDGE = """
UPDATE warning SET state = 'acknowledged', acknowledged_by = $2, acknowledged_at = $3, version = version + 1
WHERE id = $1
"""
CLOSE = """
UPDATE warning SET state = 'closed', outcome = $4, note = $5, closed_by = $2, closed_at = $3, version = version + 1
WHERE id = $1
"""


def list_of(state: str | None, kind: str | None, uscc: str | None) -> tuple[str, list[str]]:
    """The newest first: a query of (raised_at and id of the row before, limit, ...), and what stands for the dots."""
    conditions, values = ["($1::timestamptz IS NULL OR (w.raised_at, w.id) < ($1, $2))"], []
    for condition, value in (
        ("w.state = {}", state),
        ("w.kind = {}", kind),
        (
            "(w.uscc = {0} OR EXISTS (SELECT 1 FROM counted c WHERE c.uscc = {0}"
            " AND (c.kind, c.object) = (w.kind, w.object)))",
            uscc,
        ),
    ):
        if value is not None:
            values.append(value)
            conditions.append(condition.format(f"${len(values) + 3}"))
    where = " AND ".join(conditions)
    return f"SELECT {COLUMNS} FROM warning w WHERE {where} ORDER BY w.raised_at DESC, w.id DESC LIMIT $3", values


async def count(connection: asyncpg.Connection, counts: Sequence[Count]) -> None:
    """Count these once each. Whoever counts the same objects waits until this transaction ends."""
    kinds, objects, ids, usccs, dates = map(list, zip(*counts, strict=True))
    await connection.execute(LOCK, kinds, objects, dates)
    await connection.execute(ADD, kinds, objects, ids, usccs, dates)


async def raise_all(connection: asyncpg.Connection, reached: Sequence[Any], on: date, at: datetime) -> None:
    """Raise a warning of each, or say in the one that is not closed that it is more by now."""
    if reached:
        await connection.execute(RAISE, *map(list, zip(*reached, strict=True)), on, at)
