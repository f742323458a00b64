"""Is the audit what was published of it? `intact`, `tampered`, or `restored` to an older state as a whole."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Literal

import asyncpg
import msgspec

from libs.common.audit import heads
from libs.common.audit.chain import START, Finding, Head, Lost, Row, Walk
from libs.common.database import Database, connect
from libs.common.problems import Language, catalogue, sentence
from libs.common.settings import Settings

CHAIN = "SELECT number, hash, entry, actor, object FROM audit WHERE number > $1 ORDER BY number, id"
STANDING = """
SELECT count, (SELECT count(*) FROM audit WHERE number IS NULL) AS unsealed
FROM audit_head
"""

LostEvents = Callable[[], Awaitable[Sequence[object]]]
"""Events of its own topic that the service's database does not know: the proof that it was restored."""


class Verification(msgspec.Struct, frozen=True):
    """The verdict. Rows up to `proved_to` agree with a published head; `first` is the first number that does not hold.

    `restores` were reconciled: their numbers are lost, and an entry in the chain says so.
    """

    service: str
    verdict: Literal["intact", "tampered", "restored"]
    what: str | None
    first: int | None
    checked_from: int
    checked_to: int
    published_to: int
    proved_to: int
    unsealed: int
    lost_events: int
    restores: tuple[Lost, ...]

    def sentence(self, language: Language) -> str:
        """The verdict in words."""
        code = f"audit-{self.what or self.verdict}"
        return sentence(code, language, catalogue(), {"first": self.first, "events": self.lost_events})


async def verify(
    database: Database, settings: Settings, lost_events: LostEvents, *, last: int | None = None
) -> Verification:
    """Check the chain in the database against the published heads; with `last`, about that many of its newest rows.

    Heads are read first: rows are committed before their head is published, so that an honest database has them all.
    """
    published = await heads.published(settings, last=last)
    connection = await connect(database, statement_timeout="600s")
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            start = await _start(connection, last)
            walk = Walk(published, start, start.number)
            finding = await _walk(connection, walk, start.number)
            standing = await connection.fetchrow(STANDING)
            assert standing is not None  # made with the table
    finally:
        await connection.close()
    top, lost = max(published, default=0), 0
    if finding is None and walk.at.number < standing["count"]:
        finding = Finding("truncated", walk.at.number + 1)
    elif finding is None and walk.at.number < top:
        lost = len(await lost_events())
        finding = Finding("truncated", walk.at.number + 1)
    verdict: Literal["intact", "tampered", "restored"] = "restored" if lost else "tampered" if finding else "intact"
    return Verification(
        settings.service, verdict, finding.what if finding and not lost else None, finding.number if finding else None,
        start.number + 1, walk.at.number, top, walk.proved_to, standing["unsealed"], lost, tuple(walk.restores),
    )  # fmt: skip


async def _start(connection: asyncpg.Connection, last: int | None) -> Head:
    """Where the check begins: before the first row, or at a row that is taken at its word."""
    row = last and await connection.fetchrow(
        "SELECT number, hash FROM audit WHERE number <= (SELECT max(number) FROM audit) - $1"
        " ORDER BY number DESC LIMIT 1",
        last,
    )
    return Head(row["number"], row["hash"]) if row else START


async def _walk(connection: asyncpg.Connection, walk: Walk, after: int) -> Finding | None:
    async for row in connection.cursor(CHAIN, after, prefetch=1_000):
        if finding := walk.take(Row(*row)):
            return finding
    return None
