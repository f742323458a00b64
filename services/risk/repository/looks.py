"""Looks that last: a feed that is asked every second is one look, not a thousand."""

from datetime import timedelta

import asyncpg

SESSION = timedelta(minutes=15)
"""A follower who has been recorded so long ago is recorded again."""

BEGIN = """
INSERT INTO look AS l (actor, object, purpose, at) VALUES ($1, $2, $3, now())
ON CONFLICT (actor, object, purpose) DO UPDATE SET at = excluded.at WHERE l.at <= now() - $4::interval
RETURNING true
"""


async def begins_session(connection: asyncpg.Connection, actor: str, what: str, purpose: str) -> bool:
    """True where this look is to be recorded: nobody has recorded one like it for the length of a session."""
    return bool(await connection.fetchval(BEGIN, actor, what, purpose, SESSION))
