"""Named queries over scorecards, their history and their activations."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

Row = dict[str, Any]

SERVICE = "risk"
"""Who has scored by a scorecard, in its history."""

ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtext('one-window-scorecard-acts'))"
ADD = """
INSERT INTO scorecard (id, digest, name, content, state, drafted_by, drafted_at, version, scored)
VALUES ($1, $2, $3, $4, $5, $6, $7, 1, 0)
"""
EDIT = "UPDATE scorecard SET digest = $2, name = $3, content = $4, version = version + 1 WHERE id = $1"
SAY = """
INSERT INTO scorecard_event (scorecard_id, digest, act, by, at, reason) VALUES ($1, $2, $3, $4, $5, $6)
"""
MOVE = """
UPDATE scorecard SET state = $2, version = version + 1, scored_at = coalesce($3, scored_at) WHERE id = $1
"""
BEGIN_SHADOW = """
UPDATE scorecard SET state = 'shadow', version = version + 1, scored = 0, to_score = NULL, scored_at = NULL
WHERE id = $1
"""
SCORED = """
UPDATE scorecard SET scored_at = $2, version = version + 1
WHERE digest = $1 AND state = 'shadow' AND scored_at IS NULL RETURNING id, digest
"""
TO_BE_SCORED = "SELECT digest FROM scorecard WHERE state = 'shadow' AND scored_at IS NULL"
OF_STATE = "SELECT id, digest, name, state FROM scorecard WHERE state = $1"
WAS_ACTIVE = "SELECT EXISTS (SELECT 1 FROM active_scorecard WHERE digest = $1)"
PREVIOUS = """
SELECT digest FROM active_scorecard WHERE digest <> $1 ORDER BY activated_at DESC LIMIT 1
"""
PUT_IN_FORCE = "INSERT INTO active_scorecard (activated_at, name, digest) VALUES (clock_timestamp(), $1, $2)"

PROPOSE = """
INSERT INTO activation (id, scorecard_id, digest, replaces, rollback, reason, proposed_by, proposed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING RETURNING id
"""
# Who has proposed cannot sign; who signs second finds it decided.
DECIDE = """
UPDATE activation SET outcome = $3, decided_by = $2, decided_at = $4
WHERE scorecard_id = $1 AND outcome IS NULL AND ($3 <> 'signed' OR proposed_by <> $2)
RETURNING *
"""
OVERTAKE = """
UPDATE activation SET outcome = 'overtaken', decided_at = $2 WHERE scorecard_id = $1 AND outcome IS NULL
"""
WAITING = "SELECT proposed_by FROM activation WHERE scorecard_id = $1 AND outcome IS NULL"

SUMMARY = """
SELECT s.id, s.digest, s.name, s.state, s.drafted_by, s.drafted_at, s.version, s.scored, s.to_score, s.scored_at,
    s.content ->> 'valid_from' AS valid_from, to_jsonb(a)::text AS proposal
FROM scorecard s LEFT JOIN activation a ON a.scorecard_id = s.id AND a.outcome IS NULL
"""
LIST = f"""{SUMMARY}
WHERE $1::timestamptz IS NULL OR (s.drafted_at, s.id) < ($1, $2) ORDER BY s.drafted_at DESC, s.id DESC LIMIT $3
"""
ONE = SUMMARY.replace("to_jsonb", "s.content::text AS content, to_jsonb") + " WHERE s.digest = $1"
HISTORY = "SELECT digest, act, by, at, reason FROM scorecard_event WHERE scorecard_id = $1 ORDER BY n LIMIT 500"


async def one(connection: asyncpg.Connection, query: str, *arguments: Any) -> Row | None:
    row = await connection.fetchrow(query, *arguments)
    return None if row is None else dict(row)


async def rows(connection: asyncpg.Connection, query: str, *arguments: Any) -> list[Row]:
    return [dict(row) for row in await connection.fetch(query, *arguments)]


async def add(
    connection: asyncpg.Connection, row: Mapping[str, Any], content: Mapping[str, Any], *, state: str, by: str,
    at: datetime,
) -> None:  # fmt: skip
    await connection.execute(ADD, row["id"], row["digest"], content["name"], json.dumps(content), state, by, at)


async def edit(connection: asyncpg.Connection, id: UUID, digest: str, content: Mapping[str, Any]) -> None:
    await connection.execute(EDIT, id, digest, content["name"], json.dumps(content))


async def move(connection: asyncpg.Connection, id: UUID, state: str, *, scored_at: datetime | None = None) -> None:
    """Set the state, whatever it was; its version is another from now on."""
    await connection.execute(MOVE, id, state, scored_at)


async def say(
    connection: asyncpg.Connection, row: Mapping[str, Any], act: str, by: str, at: datetime, reason: str | None = None
) -> None:
    """Add a line to a scorecard's history."""
    await connection.execute(SAY, row["id"], row["digest"], act, by, at, reason)


async def in_state(connection: asyncpg.Connection, state: str) -> Row | None:
    """The one scorecard in this state (`active` or `shadow`): id, digest and name."""
    return await one(connection, OF_STATE, state)
