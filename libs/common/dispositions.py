"""What a person decides about a parked event; the running consumer carries it out."""

from datetime import UTC, datetime
from typing import Literal

import asyncpg

from libs.common import evidence, inbox
from libs.common.delivery import WIDEST_GAP, Mark, Parked, futile
from libs.common.inbox import Key, Place
from libs.common.settings import Settings

Disposition = Literal["retry", "drop", "skip"]
"""Try a failed event again; give it up, so that its followers go on; accept the gap before it."""

FIND = """
SELECT source, id FROM parked
WHERE subject = $1 AND sequence = $2 AND ($3::text IS NULL OR id::text = $3) AND ($4::text IS NULL OR source = $4)
    AND state IN ('waiting', 'failed', 'forked')
ORDER BY source, id FOR UPDATE
"""
DISPOSE = """
UPDATE parked SET disposition = $1, disposed_by = $2, disposed_why = $3
WHERE (source, subject, sequence, id) = ($4, $5, $6, $7)
"""


class Futile(Exception):
    """The consumer would never carry this out. The word is a message code; `params` are the figures of its sentence."""

    def __init__(self, code: str, **params: int) -> None:
        super().__init__(code)
        self.code, self.params = code, params


async def dispose(
    connection: asyncpg.Connection, disposition: Disposition, subject: str, sequence: int, *, by: str, why: str,
    id: str | None = None, source: str | None = None,
) -> None:  # fmt: skip
    """Write a disposition on exactly one parked row. Raises LookupError otherwise, and Futile for what would be written
    down and never be done."""
    async with connection.transaction():
        found = await connection.fetch(FIND, subject, sequence, id, source)
        if not found:
            raise LookupError(f"Nothing is parked for {subject} at sequence {sequence}.")
        if len(found) > 1:
            ids = ", ".join(str(row["id"]) for row in found)
            raise LookupError(f"Several events are parked there; name one with --id: {ids}.")
        key = found[0]["source"], subject
        marks, parked = await inbox.load(connection, [key])
        mark = marks.get(key, Mark())
        row = next(row for row in parked[key] if (row.sequence, row.id) == (sequence, found[0]["id"]))
        if code := futile(disposition, row, mark):
            raise Futile(code, next=mark.sequence + 1, before=sequence - 1, limit=WIDEST_GAP)
        await connection.execute(DISPOSE, disposition, by, why, *key, sequence, row.id)


SAID = """
SELECT disposed_by, disposed_why FROM parked WHERE (source, subject, sequence, id) = ($1, $2, $3, $4)
"""
OFFSET = "SELECT next_offset FROM position WHERE (topic, partition) = ($1, $2)"


async def report(
    connection: asyncpg.Connection, settings: Settings, place: Place, key: Key, row: Parked, policy: str | None
) -> evidence.Report:
    """The report of a disposition that is carried out now, in its transaction. `row` is as it stood before."""
    began_at = datetime.now(UTC)
    said = await connection.fetchrow(SAID, *key, row.sequence, row.id)
    by, why = (said["disposed_by"], said["disposed_why"]) if said is not None else (None, None)
    done = evidence.Disposed(
        disposition=row.disposition or "", source=key[0], subject=key[1], sequence=row.sequence, event_id=str(row.id),
        by=by or "", why=why or "",
    )  # fmt: skip
    stands = {place: await connection.fetchval(OFFSET, *place) or 0}
    return evidence.report(
        "disposition", settings, by=by or f"{settings.service} itself", began_at=began_at, outcome="carried_out",
        policy=policy, cut=evidence.Cut(positions=evidence.positions(stands)), dispositions=[done],
        summary=f"{row.disposition}: {key[1]} {row.sequence}, which was {row.state}",
    )  # fmt: skip
