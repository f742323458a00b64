"""Counts from counters: no enterprise is looked at."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, timedelta

import asyncpg

from services.risk.repository.profiles import FORCE

DISTRIBUTION = """
SELECT key, risk_class, sum(enterprises)::bigint FROM {shadow}counter WHERE dimension = $1 GROUP BY key, risk_class
ORDER BY key, risk_class
"""
# The value before the first day: the last one of each partition and class.
STOOD = """
SELECT p, c, (
    SELECT enterprises FROM daily_counter d
    WHERE (dimension, key, d.partition, d.risk_class) = ($1, $2, p, c) AND on_date < $3 ORDER BY on_date DESC LIMIT 1)
FROM generate_series(0, 11) p, generate_series(0, 3) c
"""
MOVED = """
SELECT on_date, partition, risk_class, enterprises FROM daily_counter
WHERE dimension = $1 AND key = $2 AND on_date BETWEEN $3 AND $4 ORDER BY on_date
"""

Counts = Mapping[int, int]
"""Enterprises by class, 0 to 3."""


async def distribution(
    connection: asyncpg.Connection, dimension: str, shadow: str = FORCE
) -> dict[str, dict[int, int]]:
    """Enterprises by key and class, by the scorecard in force (FORCE) or the one beside it (SHADOW). The dimension
    `all` has one key, the empty one."""
    found: defaultdict[str, dict[int, int]] = defaultdict(dict)
    for key, risk_class, enterprises in await connection.fetch(DISTRIBUTION.format(shadow=shadow), dimension):
        found[key][risk_class] = enterprises
    return dict(found)


async def trend(
    connection: asyncpg.Connection, dimension: str, key: str, since: date, until: date
) -> list[tuple[date, dict[int, int]]]:
    """Enterprises by class at the end of each day from `since` to `until`."""
    stands = {(p, c): count or 0 for p, c, count in await connection.fetch(STOOD, dimension, key, since)}
    moved: defaultdict[date, list[tuple[int, int, int]]] = defaultdict(list)
    for on, partition, risk_class, enterprises in await connection.fetch(MOVED, dimension, key, since, until):
        moved[on].append((partition, risk_class, enterprises))
    days = []
    for n in range((until - since).days + 1):
        day = since + timedelta(days=n)
        stands.update(((partition, risk_class), count) for partition, risk_class, count in moved[day])
        totals: defaultdict[int, int] = defaultdict(int)
        for (_, risk_class), count in stands.items():
            totals[risk_class] += count
        days.append((day, dict(totals)))
    return days
