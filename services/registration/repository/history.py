"""Named queries over the history of enterprises."""

import json
from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import asyncpg
from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common.database import raw
from services.registration.domain.history import Because, Span

KNOWN = """
SELECT number, valid_from, valid_to, content FROM enterprise_span
WHERE uscc = $1 AND superseded_at IS NULL ORDER BY valid_from
"""
SUPERSEDE = "UPDATE enterprise_span SET superseded_at = $3 WHERE uscc = $1 AND number = ANY($2::int[])"
ENTER = """
INSERT INTO enterprise_span (uscc, number, valid_from, valid_to, recorded_at, because, cause, reason, content)
SELECT $1::text, coalesce((SELECT max(number) FROM enterprise_span WHERE uscc = $1::text), 0) + n, f, t,
    $6::timestamptz, $7::text, $8::uuid, $9::text, c
FROM unnest($2::int[], $3::date[], $4::date[], $5::jsonb[]) AS s (n, f, t, c)
"""
AT = """
SELECT number, valid_from, valid_to, recorded_at, superseded_at, because, cause, content FROM enterprise_span
WHERE uscc = $1 AND valid_from <= $2 AND (valid_to IS NULL OR valid_to > $2)
    AND recorded_at <= $3 AND (superseded_at IS NULL OR superseded_at > $3)
ORDER BY number DESC LIMIT 1
"""
ALL = """
SELECT number, valid_from, valid_to, recorded_at, superseded_at, because, cause, reason, content FROM enterprise_span
WHERE uscc = $1 AND number > $2 ORDER BY number LIMIT $3
"""


async def spans_known(session: AsyncSession, uscc: str) -> dict[int, Span]:
    """What is known to hold when, by number; the enterprise is locked."""
    rows = await (await raw(session)).fetch(KNOWN, uscc)
    return {row["number"]: Span(row["valid_from"], row["valid_to"], read(row["content"])) for row in rows}


async def supersede(session: AsyncSession, uscc: str, numbers: Sequence[int], at: datetime) -> None:
    await (await raw(session)).execute(SUPERSEDE, uscc, list(numbers), at)


async def enter_spans(
    session: AsyncSession, uscc: str, spans: Sequence[Span], because: Because, cause: UUID, reason: str | None,
    at: datetime,
) -> None:  # fmt: skip
    await (await raw(session)).execute(
        ENTER, uscc, [*range(1, len(spans) + 1)], [span.valid_from for span in spans],
        [span.valid_to for span in spans], [json.dumps(span.content) for span in spans], at, because, cause, reason,
    )  # fmt: skip


async def held(connection: asyncpg.Connection, uscc: str, valid_at: date, known_at: datetime) -> asyncpg.Record | None:
    """What held on a day, as it was known at a moment."""
    return await connection.fetchrow(AT, uscc, valid_at, known_at)


async def history(connection: asyncpg.Connection, uscc: str, behind: int, limit: int) -> list[asyncpg.Record]:
    """Everything that was ever known, in the order in which it was recorded, from behind a number."""
    rows: list[asyncpg.Record] = await connection.fetch(ALL, uscc, behind, limit)
    return rows


def read(content: object) -> dict[str, object]:
    """JSON columns come read or as text, by the driver's set-up."""
    found: dict[str, object] = json.loads(content) if isinstance(content, str) else content  # type: ignore[assignment]
    return found
