"""Named queries about one enterprise."""

from datetime import datetime
from typing import Any

import asyncpg

ASSESSED_ON = "SELECT a.assessed_on FROM profile p JOIN assessment a USING (partition) WHERE p.uscc = $1"
# The first scorecard holds for all that was stated before it, too.
IN_FORCE_AT = """
SELECT digest FROM scorecard_event WHERE act IN ('activated', 'rolled_back_to')
ORDER BY at > $1, CASE WHEN at > $1 THEN n ELSE -n END LIMIT 1
"""
BEFORE_LAST = """
SELECT at, assessed_on, after, score, scorecard_digest FROM class_change WHERE uscc = $1
ORDER BY position DESC OFFSET 1 LIMIT 1
"""


async def assessed_on(connection: asyncpg.Connection, uscc: str) -> Any:
    """The date on which the enterprise is assessed now; None where it is not scored."""
    return await connection.fetchval(ASSESSED_ON, uscc)


async def in_force_at(connection: asyncpg.Connection, at: datetime) -> str:
    """The digest of the scorecard that was in force at a time, or of the first one."""
    return str(await connection.fetchval(IN_FORCE_AT, at))


async def announcement_before(connection: asyncpg.Connection, uscc: str) -> dict[str, Any] | None:
    """What was announced before the announcement that stands; None where it is the first."""
    row = await connection.fetchrow(BEFORE_LAST, uscc)
    return None if row is None else dict(row)
