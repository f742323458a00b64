"""Named queries over what registration has said, as it stands in the outbox (kept 30 days): the feed of changes."""

from dataclasses import dataclass

import asyncpg

from libs.common.feed import Place, follow

LOOKED_AT = 1_000
"""Rows that one page looks at, somebody else's among them."""
SHOWN = "id, event_id, type, time, subject, sequence, correlation_id, data"
READ = f"""
SELECT s.xmin, r.*, $5::text IS NULL
    OR EXISTS (SELECT FROM enterprise e WHERE e.uscc = r.subject AND e.filed_by = $5)
    OR EXISTS (SELECT FROM application a WHERE a.filed_by = $5
        AND a.id = CASE WHEN r.subject ~ '^[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}$' THEN r.subject::uuid END)
    AS theirs
FROM (SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS xmin) s LEFT JOIN LATERAL (
    (SELECT {SHOWN} FROM unnest($2::bigint[], $3::bigint[]) AS gap (first, last)
     JOIN outbox ON id BETWEEN gap.first AND gap.last ORDER BY id LIMIT $4)
    UNION ALL
    (SELECT {SHOWN} FROM outbox WHERE id > $1 ORDER BY id LIMIT $4)
    ORDER BY id LIMIT $4
) r ON true ORDER BY r.id
"""
LATER = "SELECT pg_current_xact_id()::text::bigint"
RECENT = 1_000
NEWEST = "SELECT id FROM (SELECT id FROM outbox ORDER BY id DESC LIMIT $1) o ORDER BY id"


@dataclass(frozen=True, slots=True)
class Page:
    """What somebody may see of the next changes, the place behind all that was looked at, and whether to ask on."""

    rows: list[asyncpg.Record]
    then: Place
    more: bool


async def after(connection: asyncpg.Connection, place: Place, owner: str | None, limit: int) -> Page:
    """The next changes behind `place`; with an owner, of their applications and enterprises alone."""
    firsts, lasts = [gap.first for gap in place.gaps], [gap.last for gap in place.gaps]
    found = await connection.fetch(READ, place.high, firsts, lasts, LOOKED_AT, owner)
    rows = {row["id"]: row for row in found if row["id"] is not None}
    new = [position for position in rows if position > place.high]
    later = await connection.fetchval(LATER) if new and new[-1] - place.high > len(new) else 0
    whole = len(rows) < LOOKED_AT
    given, then = follow(place, list(rows), xmin=found[0]["xmin"], later=later, whole=whole)
    theirs: list[asyncpg.Record] = []
    for position, reached in given:
        if rows[position]["theirs"]:
            theirs.append(rows[position])
        if len(theirs) == limit:
            return Page(theirs, reached, more=position != given[-1][0] or not whole)
    return Page(theirs, then, more=not whole)


async def newest(connection: asyncpg.Connection) -> Place:
    """The place of who has seen all that there is now."""
    positions = [row["id"] for row in await connection.fetch(NEWEST, RECENT)]
    if not positions:
        return Place()
    later = await connection.fetchval(LATER)
    return follow(Place(positions[0]), positions[1:], xmin=0, later=later, whole=True)[1]


async def is_behind(connection: asyncpg.Connection, place: Place) -> bool:
    """True where the last that a reader was given is no longer kept: what came after it may be gone as well."""
    kept = "SELECT EXISTS (SELECT FROM outbox WHERE id = $1)"
    return place.high > 0 and not await connection.fetchval(kept, place.high)
