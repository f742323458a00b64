"""Named queries over what was announced: class changes by position (the feed), by enterprise, by watch list."""

from collections.abc import Sequence
from typing import Any

import asyncpg

from libs.common.feed import Place, follow

BEHIND_ALL = 2**63 - 1
SHOWN = "position, uscc, at, assessed_on, before, after, score, reasons, scorecard_digest"
READ = f"""
SELECT s.xmin, r.* FROM (SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS xmin) s LEFT JOIN LATERAL (
    (SELECT {SHOWN} FROM unnest($2::bigint[], $3::bigint[]) AS gap (first, last)
     JOIN class_change ON position BETWEEN gap.first AND gap.last ORDER BY position LIMIT $4)
    UNION ALL
    (SELECT {SHOWN} FROM class_change WHERE position > $1 ORDER BY position LIMIT $4)
    ORDER BY position LIMIT $4
) r ON true ORDER BY r.position
"""
LATER = "SELECT pg_current_xact_id()::text::bigint"
LAST = "SELECT max(position) FROM class_change"
RECENT = 1_000
NEWEST = "SELECT position FROM (SELECT position FROM class_change ORDER BY position DESC LIMIT $1) c ORDER BY position"
OF_ENTERPRISE = f"""
SELECT {SHOWN} FROM class_change WHERE uscc = $1 AND position < $2 ORDER BY position DESC LIMIT $3
"""


async def after(
    connection: asyncpg.Connection, place: Place, limit: int
) -> tuple[list[tuple[asyncpg.Record, Place]], Place]:
    """The next changes behind `place`, each with the place once it is read, and the place behind them all."""
    gaps = place.gaps
    found = await connection.fetch(
        READ, place.high, [gap.first for gap in gaps], [gap.last for gap in gaps], limit,
    )  # fmt: skip
    rows = {row["position"]: row for row in found if row["position"] is not None}
    new = [position for position in rows if position > place.high]
    later = 0
    if new and new[-1] - place.high > len(new):
        later = await connection.fetchval(LATER)
    given, then = follow(place, list(rows), xmin=found[0]["xmin"], later=later, whole=len(rows) < limit)
    return [(rows[position], reached) for position, reached in given], then


async def newest(connection: asyncpg.Connection) -> Place:
    """The place of who has seen all that there is now. What is being written at this moment comes behind it, as far as
    it fits between the newest changes."""
    positions = [row["position"] for row in await connection.fetch(NEWEST, RECENT)]
    if not positions:
        return Place()
    later = await connection.fetchval(LATER)
    start = Place(positions[0])
    return follow(start, positions[1:], xmin=0, later=later, whole=True)[1]


async def was_restored(connection: asyncpg.Connection, place: Place) -> bool:
    """True where a reader has been given more than there is: this database was restored to an older state."""
    return place.high > (await connection.fetchval(LAST) or 0)


async def of_enterprise(connection: asyncpg.Connection, uscc: str, before: int, limit: int) -> Sequence[Any]:
    """What was announced of one enterprise, the newest first."""
    return list(await connection.fetch(OF_ENTERPRISE, uscc, before, limit))


def position(text: str) -> int:
    """A position out of a cursor. Raises ValueError for what is none."""
    if not 0 < (number := int(text)) <= BEHIND_ALL:
        raise ValueError("no position")
    return number
