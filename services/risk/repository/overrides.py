"""Named queries over overrides: classes that people have set beside the computed ones. Scoring reads none of this."""

from collections.abc import Sequence
from typing import Any

import asyncpg

Row = dict[str, Any]

ADD = """
INSERT INTO risk_override (id, uscc, risk_class, reason, expires_on, entered_by, entered_at, version)
VALUES ($1, $2, $3, $4, $5, $6, $7, 1) ON CONFLICT DO NOTHING RETURNING *
"""
LOCKED = "SELECT * FROM risk_override WHERE id = $1 FOR UPDATE"
# Who has entered cannot sign; who signs second finds it signed.
SIGN = """
UPDATE risk_override SET signed_by = $2, signed_at = $3, version = version + 1
WHERE id = $1 AND ended IS NULL AND signed_by IS NULL AND entered_by <> $2 RETURNING *
"""
REPLACE = """
UPDATE risk_override SET ended = 'replaced', ended_by = $3, ended_at = $4, version = version + 1
WHERE uscc = $1 AND id <> $2 AND ended IS NULL AND signed_by IS NOT NULL RETURNING id
"""
END = """
UPDATE risk_override SET ended = $2, ended_by = $3, ended_at = $4, end_reason = $5, version = version + 1
WHERE id = $1 AND ended IS NULL RETURNING *
"""
IS_SCORED = "SELECT EXISTS (SELECT 1 FROM profile WHERE uscc = $1)"
COLUMNS = """
    id, uscc, risk_class, reason, expires_on, entered_by, entered_at, signed_by, signed_at, ended, ended_by, ended_at,
    end_reason, version
"""
ONE = f"SELECT {COLUMNS} FROM risk_override WHERE id = $1"
STATES = {
    "waiting": "ended IS NULL AND signed_by IS NULL",
    "in_force": "ended IS NULL AND signed_by IS NOT NULL",
    "ended": "ended IS NOT NULL",
}
IN_FORCE = f"SELECT {COLUMNS} FROM risk_override WHERE uscc = ANY($1::text[]) AND {STATES['in_force']}"


def list_of(state: str | None) -> str:
    """The list, newest first, of one state or of all: (uscc or null, entered_at and id of the row before, limit)."""
    return f"""
    SELECT {COLUMNS} FROM risk_override
    WHERE ($1::text IS NULL OR uscc = $1) AND ($2::timestamptz IS NULL OR (entered_at, id) < ($2, $3))
        AND {STATES[state] if state else "true"}
    ORDER BY entered_at DESC, id DESC LIMIT $4
    """


async def one(connection: asyncpg.Connection, query: str, *arguments: Any) -> Row | None:
    row = await connection.fetchrow(query, *arguments)
    return None if row is None else dict(row)


async def in_force(connection: asyncpg.Connection, usccs: Sequence[str]) -> dict[str, Row]:
    """The overrides in force of these enterprises, by USCC: what is shown beside the computed class."""
    return {row["uscc"]: dict(row) for row in await connection.fetch(IN_FORCE, usccs)}
