"""Named queries of the bulk scoring by the scorecard in the shadow.

While it is under way the shadow profiles have no index and one writer, who holds the lock; `scored_in` of a profile
says whether it was touched since.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date

import asyncpg
import numpy as np
from numpy.typing import NDArray
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, DropIndex

from services.risk import packed, tables
from services.risk.packed import Facts
from services.risk.repository import binary
from services.risk.vectorised import EPOCH, NO_STEP, Scores

ONE_RUNNER = "SELECT pg_try_advisory_lock(hashtext('one-window-shadow'))"
COMPLETE = "SELECT digest FROM shadow_state WHERE complete"
STATE = "SELECT behind, began_in FROM shadow_state WHERE digest = $1 AND NOT complete"
FORGET = "DELETE FROM shadow_state"
SCORE_ANEW = """
UPDATE scorecard SET scored = 0, to_score = NULL, scored_at = NULL, version = version + 1
WHERE state = 'shadow' AND scored_at IS NOT NULL
"""
BEGIN = """
INSERT INTO shadow_state ("only", digest, behind, began_in, complete)
VALUES (true, $1, '', pg_snapshot_xmin(pg_current_snapshot())::text::bigint, false)
"""
TO_SCORE = "SELECT coalesce(sum(enterprises), 0)::bigint FROM counter WHERE dimension = 'all'"
PROGRESS = """
UPDATE scorecard SET scored = $2, to_score = greatest(to_score, $2, $3) WHERE digest = $1 AND state = 'shadow'
"""
GO_ON = "UPDATE shadow_state SET behind = $2 WHERE digest = $1 AND NOT complete RETURNING true"
NOW = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
FINISH = "UPDATE shadow_state SET complete = true WHERE digest = $1 AND NOT complete RETURNING true"
COUNTED = "SELECT coalesce(sum(enterprises), 0)::bigint FROM shadow_counter WHERE dimension = 'all'"
# Beyond what is now there is nothing but what another cluster has numbered, before its rows were restored here.
TOUCHED = """
SELECT uscc, announced_class, class_changed_on FROM profile
WHERE scored_in >= $1 AND scored_in < pg_snapshot_xmax(pg_current_snapshot())::text::bigint
"""
# Two readings of the same rows in one snapshot: columns of one width, and the facts of all of them behind one another.
ROWS = """
SELECT p.uscc::char(32), p.partition, p.announced_class,
    coalesce(p.class_changed_on - date '1970-01-01', -1), coalesce(p.division, -1::smallint),
    coalesce(p.area, '')::char(16), coalesce(p.foreign_invested::int, -1)::smallint, length(f.live)
FROM profile p JOIN fact_sheet f USING (uscc) WHERE p.uscc > $1 AND f.uscc > $1 ORDER BY p.uscc LIMIT $2
"""
LIVE = """
SELECT f.live FROM profile p JOIN fact_sheet f USING (uscc) WHERE p.uscc > $1 AND f.uscc > $1 ORDER BY p.uscc LIMIT $2
"""
READ = binary.read_as(
    uscc="S32", partition=">i2", announced=">i2", since=">i4", division=">i2", area="S16", foreign=">i2", length=">i4"
)
COLUMNS = (
    "uscc", "partition", "score", "risk_class", "announced_class", "next_step_on", "reasons", "division", "area",
    "foreign_invested", "class_changed_on", "scored_in",
)  # fmt: skip
INDEXES = sorted(tables.ShadowProfile.__table__.indexes, key=lambda index: str(index.name))  # type: ignore[attr-defined]
DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]
POSTGRES_DAYS = date(2000, 1, 1).toordinal() - EPOCH


@dataclass(frozen=True, slots=True)
class Batch:
    """Enterprises in the order of USCC: how each stands by the scorecard in force, and its facts that hold. `standing`
    has the fields of READ; -1 or an empty text is null."""

    standing: NDArray[np.void]
    live: Facts

    @property
    def last(self) -> str:
        return str(self.standing["uscc"][-1].decode().rstrip())


async def begin_anew(connection: asyncpg.Connection) -> None:
    """What is scored beside is kept no longer; a scorecard that stays in the shadow is scored by from the start."""
    await connection.execute(FORGET)
    await connection.execute(SCORE_ANEW)


async def begin(connection: asyncpg.Connection, digest: str) -> asyncpg.Record:
    """Where to go on, or the start: an empty table without indexes, which cost more to keep than to make."""
    if (state := await connection.fetchrow(STATE, digest)) is not None:
        return state
    await connection.execute("TRUNCATE shadow_profile, shadow_counter, shadow_state")
    for index in INDEXES:
        await connection.execute(str(DropIndex(index, if_exists=True)))
    await connection.execute("ALTER TABLE shadow_profile DROP CONSTRAINT IF EXISTS shadow_profile_pkey")
    await connection.execute(BEGIN, digest)
    await connection.execute(PROGRESS, digest, 0, await connection.fetchval(TO_SCORE))
    return await begin(connection, digest)


async def batch(connection: asyncpg.Connection, behind: str, limit: int) -> Batch:
    """The next enterprises behind this USCC."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        rows = await _read(connection, ROWS, behind, limit)
        live = await _read(connection, LIVE, behind, limit)
    standing = binary.read(rows, READ)
    return Batch(standing, packed.scattered(standing["length"], live, binary.HEADER_BYTES, binary.ROW_BYTES))


async def _read(connection: asyncpg.Connection, query: str, *arguments: object) -> bytearray:
    rows = bytearray()

    async def keep(part: bytes) -> None:
        rows.extend(part)

    await connection.copy_from_query(query, *arguments, output=keep, format="binary")
    return rows


def rows_of(batch: Batch, scores: Scores, scored_in: int) -> bytes:
    """Their shadow profiles, for `copy`. `scored_in` is that of the bulk: what it was scored from is no newer."""
    of = batch.standing
    areas = np.char.rstrip(of["area"])
    return binary.copied(
        binary.texts(np.char.rstrip(of["uscc"])),
        binary.numbers(of["partition"], ">i2"),
        binary.numbers(scores.score, ">i4"),
        binary.numbers(scores.risk_class, ">i2"),
        binary.numbers(of["announced"], ">i2"),
        binary.numbers(scores.next_step_on - np.int32(POSTGRES_DAYS), ">i4", scores.next_step_on == NO_STEP),
        binary.numbers(scores.reasons, ">i8"),
        binary.numbers(of["division"], ">i2", of["division"] < 0),
        binary.texts(areas, areas == b""),
        binary.numbers(of["foreign"], "i1", of["foreign"] < 0),
        binary.numbers(of["since"].astype(np.int32) - np.int32(POSTGRES_DAYS), ">i4", of["since"] < 0),
        binary.numbers(np.full(len(of), scored_in), ">i8"),
    )


async def copy(connection: asyncpg.Connection, rows: bytes) -> None:
    async def source() -> AsyncIterator[bytes]:
        yield rows

    await connection.copy_to_table("shadow_profile", source=source(), format="binary", columns=COLUMNS)


async def index(connection: asyncpg.Connection) -> None:
    """The indexes that the profiles in force have, where they are missing."""
    if not await connection.fetchval("SELECT to_regclass('shadow_profile_pkey') IS NOT NULL"):
        await connection.execute("ALTER TABLE shadow_profile ADD CONSTRAINT shadow_profile_pkey PRIMARY KEY (uscc)")
    for one in INDEXES:
        await connection.execute(str(CreateIndex(one, if_not_exists=True).compile(dialect=DIALECT)))
    await connection.execute("ANALYZE shadow_profile")


async def swap(connection: asyncpg.Connection, beside: str) -> None:
    """The profiles and counters in force and those beside them change places, and `beside` is the scorecard that those
    beside are of; the day's counters are the new ones."""
    names = ["profile", "counter"]
    indexes = ["profile_pkey", "counter_pkey", *(str(index.name).removeprefix("shadow_") for index in INDEXES)]
    renamed = [*(("TABLE", name) for name in names), *(("INDEX", name) for name in indexes)]
    for kind, name in renamed:
        await connection.execute(
            f"ALTER {kind} {name} RENAME TO going_{name}; ALTER {kind} shadow_{name} RENAME TO {name};"
            f"ALTER {kind} going_{name} RENAME TO shadow_{name}"
        )
    await connection.execute(COUNTERS_OF_THE_DAY)
    await connection.execute("UPDATE shadow_state SET digest = $1", beside)


COUNTERS_OF_THE_DAY = """
INSERT INTO daily_counter (on_date, partition, dimension, key, risk_class, enterprises)
SELECT a.assessed_on, partition, dimension, key, risk_class, coalesce(now.enterprises, 0)
FROM counter now FULL JOIN shadow_counter before USING (partition, dimension, key, risk_class)
JOIN assessment a USING (partition)
ON CONFLICT (dimension, key, on_date, partition, risk_class) DO UPDATE SET enterprises = excluded.enterprises
"""
