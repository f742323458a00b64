"""What the scorecard in the shadow makes other than the one in force: from counters, and from the index over the
shadow profiles whose class is not the announced one, so that the cost is that of what differs."""

from collections.abc import Sequence

import asyncpg

from services.risk.repository.profiles import Traits

MOVES = """
SELECT announced_class, risk_class, count(*) FROM shadow_profile WHERE risk_class <> announced_class GROUP BY 1, 2
"""
MOVES_BY_TRAITS = """
SELECT division, area, foreign_invested, risk_class > announced_class, count(*) FROM shadow_profile
WHERE risk_class <> announced_class GROUP BY 1, 2, 3, 4
"""
# Each kind of move of each partition lies in the index by USCC: a page costs a page of each.
CHANGING = """
SELECT s.uscc, s.announced_class AS before, s.risk_class AS after, p.score AS score_before, s.score AS score_after,
    s.division, s.area, s.foreign_invested
FROM (
    SELECT s.* FROM generate_series(0, 11) partition, unnest($3::smallint[]) b, unnest($4::smallint[]) a
    CROSS JOIN LATERAL (
        SELECT * FROM shadow_profile d
        WHERE d.partition = partition.partition AND d.announced_class = b AND d.risk_class = a
            AND d.risk_class <> d.announced_class AND d.uscc > $1
        ORDER BY d.uscc LIMIT $2
    ) s WHERE a <> b ORDER BY s.uscc LIMIT $2
) s JOIN profile p USING (uscc) ORDER BY s.uscc
"""


async def moves(connection: asyncpg.Connection) -> dict[tuple[int, int], int]:
    """How many enterprises change from one class to another."""
    return {(row[0], row[1]): row[2] for row in await connection.fetch(MOVES)}


async def moves_by_traits(connection: asyncpg.Connection) -> list[tuple[Traits, bool, int]]:
    """How many of one kind rise (True) or fall."""
    return [(Traits(*row[:3]), row[3], row[4]) for row in await connection.fetch(MOVES_BY_TRAITS)]


async def changing(
    connection: asyncpg.Connection, behind: str, limit: int, before: Sequence[int], after: Sequence[int]
) -> list[asyncpg.Record]:
    """Enterprises behind this USCC, in its order, that change from one of these classes to one of those."""
    return list(await connection.fetch(CHANGING, behind, limit, before, after))
