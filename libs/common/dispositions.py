"""What a person decides about a parked event; the running consumer carries it out."""

from typing import Literal

import asyncpg

Disposition = Literal["retry", "drop", "skip"]
"""Try a failed event again; give it up, so that its followers go on; accept the gap before it."""

DISPOSE = """
UPDATE parked SET disposition = $1, disposed_by = $2, disposed_why = $3
WHERE subject = $4 AND sequence = $5 AND ($6::text IS NULL OR id::text = $6) AND ($7::text IS NULL OR source = $7)
    AND state IN ('waiting', 'failed', 'forked')
RETURNING id
"""


async def dispose(
    connection: asyncpg.Connection, disposition: Disposition, subject: str, sequence: int, *, by: str, why: str,
    id: str | None = None, source: str | None = None,
) -> None:  # fmt: skip
    """Write a disposition on exactly one parked row; raises LookupError otherwise."""
    async with connection.transaction():
        found = await connection.fetch(DISPOSE, disposition, by, why, subject, sequence, id, source)
        if not found:
            raise LookupError(f"Nothing is parked for {subject} at sequence {sequence}.")
        if len(found) > 1:
            ids = ", ".join(str(row["id"]) for row in found)
            raise LookupError(f"Several events are parked there; name one with --id: {ids}.")
