"""The scorecards that the database holds: the one that every process scores by, and the one beside it.

A process never decides by what its release brought: an old member and a new one score by the same scorecard.
"""

import json

import asyncpg

from services.risk.domain import Scorecard
from services.risk.scorecards.documents import from_document

SHARE = "SELECT pg_advisory_xact_lock_shared(hashtext('one-window-scorecard'))"
CHANGE = "SELECT pg_advisory_xact_lock(hashtext('one-window-scorecard'))"
STANDING = "SELECT digest FROM scorecard WHERE state = $1"
CONTENT = "SELECT content::text FROM scorecard WHERE digest = $1"


class NoScorecard(Exception):
    """No scorecard is in force: the service has not been started on this database."""


async def in_force(connection: asyncpg.Connection) -> Scorecard:
    """The scorecard to score by until this transaction ends: none is activated and no shadow begins meanwhile.

    To be asked before any other lock is taken. Two statements, because what is read together with taking the lock may
    be older than it. Raises NoScorecard.
    """
    await connection.execute(SHARE)
    return await read_in_force(connection)


async def read_in_force(connection: asyncpg.Connection) -> Scorecard:
    """The scorecard that is in force now, for showing and explaining; nothing holds it. Raises NoScorecard."""
    digest = await connection.fetchval(STANDING, "active")
    if digest is None:
        raise NoScorecard
    return await of_digest(connection, digest)


async def shadows(connection: asyncpg.Connection) -> tuple[Scorecard, ...]:
    """The scorecards that are scored by beside the one in force: one, or none. Asked after `in_force`."""
    return tuple([await of_digest(connection, row["digest"]) for row in await connection.fetch(STANDING, "shadow")])


async def hold_for_change(connection: asyncpg.Connection) -> None:
    """Until this transaction ends nobody scores: for putting another scorecard in force, or beside it."""
    await connection.execute(CHANGE)


async def of_digest(connection: asyncpg.Connection, digest: str) -> Scorecard:
    """The scorecard of this digest, in force or not. Once it is more than a draft it is never edited, so that its
    digest names it for good. Raises NoScorecard."""
    if (known := _known.get(digest)) is not None:
        return known
    content = await connection.fetchval(CONTENT, digest)
    if content is None:
        raise NoScorecard
    return _known.setdefault(digest, from_document(json.loads(content)))


_known: dict[str, Scorecard] = {}
