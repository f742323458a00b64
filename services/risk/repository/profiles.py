"""Profiles, counters, assessment dates and what is due: named queries, all of them in bulk, by asyncpg.

`{shadow}` in a query is empty for what is in force and `shadow_` for what runs beside it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

import asyncpg

FORCE, SHADOW = "", "shadow_"


class Profile(NamedTuple):
    """A profile row as it is written. `next_step_on`: days since 1970-01-01, or NEVER."""

    uscc: str
    partition: int
    score: int
    risk_class: int
    announced_class: int
    next_step_on: int
    reasons: int
    division: int | None
    area: str | None
    foreign_invested: bool | None
    class_changed_on: date | None


class Traits(NamedTuple):
    """By what enterprises are counted, beside their class."""

    division: int | None
    area: str | None
    foreign_invested: bool | None


class Standing(NamedTuple):
    """How an enterprise with a profile stands."""

    risk_class: int
    announced_class: int
    class_changed_on: date | None
    traits: Traits


class Change(NamedTuple):
    """A row of `class_change`; `before` is None the first time, `reasons` are names of rules."""

    uscc: str
    at: datetime
    assessed_on: date
    before: int | None
    after: int
    score: int
    reasons: tuple[str, ...]
    scorecard_digest: str


NEVER = 2**31 - 1
Counted = tuple[int, str, str, int]
"""(partition, dimension, key, class)"""

ENTER_PARTITIONS = """
INSERT INTO assessment (partition, assessed_on) SELECT p, $2 FROM unnest($1::int[]) p ORDER BY p ON CONFLICT DO NOTHING
"""
LOCK_PARTITIONS = """
SELECT partition, assessed_on, moving_to FROM assessment WHERE partition = ANY($1::int[]) ORDER BY partition FOR UPDATE
"""
DATES = "SELECT partition, assessed_on FROM assessment"
CATCH_UP = """
UPDATE assessment a SET assessed_on = $2 WHERE partition = ANY($1::int[]) AND moving_to IS NULL AND assessed_on < $2
{nothing_steps} RETURNING partition
"""
NOTHING_STEPS = """
AND NOT EXISTS (SELECT 1 FROM {shadow}profile p WHERE p.partition = a.partition AND p.next_step_on <= $2)
"""
MOVE = "UPDATE assessment SET moving_to = $2 WHERE partition = $1"
ARRIVE = "UPDATE assessment SET moving_to = NULL, assessed_on = greatest(assessed_on, $2) WHERE partition = $1"
# A due row that a ticker holds is due already, and its act will say when the next one is: nobody waits for it here,
# for its act waits for the partition that we hold.
NEXT_STEPS = """
WITH free AS MATERIALIZED (
    SELECT subject FROM due WHERE kind = $1 AND subject = ANY($2::int[]::text[]) FOR UPDATE SKIP LOCKED
), held AS (
    SELECT subject FROM due WHERE kind = $1 AND subject = ANY($2::int[]::text[]) EXCEPT SELECT subject FROM free
)
INSERT INTO due (kind, subject, on_date)
SELECT $1, p::text, step.on_date FROM unnest($2::int[]) p CROSS JOIN LATERAL (SELECT least({first}) AS on_date) step
WHERE step.on_date IS NOT NULL AND p::text NOT IN (SELECT subject FROM held) ORDER BY p
ON CONFLICT (kind, subject) DO UPDATE SET on_date = excluded.on_date, attempts = 0, retry_at = NULL, error = NULL
"""
DUE_AT_ONCE = """
INSERT INTO due (kind, subject, on_date) SELECT $1, v.uscc, a.assessed_on
FROM unnest($2::text[], $3::int[]) AS v(uscc, partition) JOIN assessment a USING (partition) ON CONFLICT DO NOTHING
"""
FIRST_STEP = "(SELECT min(next_step_on) FROM {shadow}profile WHERE partition = p)"
# Classes that another scorecard gives, put in force since they were announced: to be announced at once.
FIRST_DIFFERENCE = """
(SELECT a.assessed_on FROM assessment a WHERE a.partition = p
 AND EXISTS (SELECT 1 FROM profile d WHERE d.partition = p AND d.risk_class <> d.announced_class))
"""
STEPPING = """
SELECT uscc FROM {shadow}profile WHERE partition = $1 AND next_step_on <= $2 ORDER BY next_step_on LIMIT $3
"""
DIFFERING = "SELECT uscc FROM profile WHERE partition = $1 AND risk_class <> announced_class LIMIT $2"
STANDING = """
SELECT uscc, risk_class, announced_class, class_changed_on, division, area, foreign_invested
FROM {shadow}profile WHERE uscc = ANY($1::text[])
"""
LAST_SAID = """
SELECT DISTINCT ON (subject) subject, data FROM outbox WHERE subject = ANY($1::text[]) AND type = $2
ORDER BY subject, sequence DESC
"""
NOT_BEFORE = """
WITH moved AS (
    INSERT INTO assessment AS a (partition, assessed_on)
    SELECT p, on_date FROM unnest($1::int[], $2::date[]) AS v(p, on_date) ORDER BY p
    ON CONFLICT (partition) DO UPDATE SET assessed_on = greatest(a.assessed_on, excluded.assessed_on)
    RETURNING partition, assessed_on
) UPDATE profile p SET next_step_on = moved.assessed_on FROM moved
WHERE p.partition = moved.partition AND p.next_step_on < moved.assessed_on
"""
ADOPT_ANNOUNCED = """
WITH adopted AS (
    UPDATE profile p SET announced_class = said.risk_class, class_changed_on = said.assessed_on,
        next_step_on = CASE WHEN p.risk_class = said.risk_class THEN p.next_step_on ELSE a.assessed_on END
    FROM unnest($1::text[], $2::smallint[], $3::date[]) AS said(uscc, risk_class, assessed_on), assessment a
    WHERE p.uscc = said.uscc AND a.partition = p.partition
    RETURNING p.partition, p.risk_class <> said.risk_class AS differs
) SELECT partition FROM adopted WHERE differs
"""
WRITE_PROFILES = f"""
INSERT INTO {{shadow}}profile (uscc, partition, score, risk_class, announced_class, next_step_on, reasons, division,
    area, foreign_invested, class_changed_on, scored_in)
SELECT u, p, s, c, a, date '1970-01-01' + nullif(n, {NEVER}), r, d, ar, f, ch, pg_current_xact_id()::text::bigint
FROM unnest($1::text[], $2::smallint[], $3::int[], $4::smallint[], $5::smallint[], $6::int[], $7::bigint[],
    $8::smallint[], $9::text[], $10::bool[], $11::date[]) AS v(u, p, s, c, a, n, r, d, ar, f, ch)
ON CONFLICT (uscc) DO UPDATE SET score = excluded.score, risk_class = excluded.risk_class,
    announced_class = excluded.announced_class, next_step_on = excluded.next_step_on, reasons = excluded.reasons,
    division = excluded.division, area = excluded.area, foreign_invested = excluded.foreign_invested,
    class_changed_on = excluded.class_changed_on, scored_in = excluded.scored_in
"""
COUNT = """
INSERT INTO {shadow}counter AS c (partition, dimension, key, risk_class, enterprises)
SELECT p, d, k, r, n FROM unnest($1::smallint[], $2::text[], $3::text[], $4::smallint[], $5::bigint[])
    AS v(p, d, k, r, n) ORDER BY p, d, k, r
ON CONFLICT (partition, dimension, key, risk_class) DO UPDATE SET enterprises = c.enterprises + excluded.enterprises
"""
COUNT_AND_KEEP = f"""
WITH counted AS ({COUNT.format(shadow=FORCE)} RETURNING partition, dimension, key, risk_class, enterprises)
INSERT INTO daily_counter (on_date, partition, dimension, key, risk_class, enterprises)
SELECT a.assessed_on, c.* FROM counted c JOIN assessment a USING (partition)
ON CONFLICT (dimension, key, on_date, partition, risk_class) DO UPDATE SET enterprises = excluded.enterprises
"""
ADD_CHANGES = """
INSERT INTO class_change (uscc, at, assessed_on, before, after, score, reasons, scorecard_digest)
SELECT u, t, o, b, a, s, CASE WHEN r = '' THEN '{}' ELSE string_to_array(r, ' ') END, d
FROM unnest($1::text[], $2::timestamptz[], $3::date[], $4::smallint[], $5::smallint[], $6::int[], $7::text[],
    $8::text[]) AS v(u, t, o, b, a, s, r, d)
"""
ONE = """
SELECT p.uscc, p.score, p.risk_class, p.next_step_on, a.assessed_on, a.moving_to
FROM profile p JOIN assessment a USING (partition) WHERE p.uscc = $1
"""
LIST = """
SELECT p.uscc, p.score, p.risk_class, a.assessed_on FROM profile p JOIN assessment a USING (partition)
WHERE p.uscc > $1 ORDER BY p.uscc LIMIT $2
"""
LIST_OF_CLASS = LIST.replace("WHERE", "WHERE p.risk_class = $3 AND")
DISTRIBUTION = """
SELECT risk_class, sum(enterprises)::bigint AS enterprises FROM counter WHERE dimension = 'all' GROUP BY 1 ORDER BY 1
"""


async def dates(connection: asyncpg.Connection) -> dict[int, date]:
    """The date of each partition on which there is something."""
    return {row["partition"]: row["assessed_on"] for row in await connection.fetch(DATES)}


async def catch_up(
    connection: asyncpg.Connection, partitions: Sequence[int], today: date, kept: Iterable[str]
) -> list[int]:
    """Bring those partitions to today that time alone would not change; which they were. `kept`: FORCE, and SHADOW
    where one is kept."""
    nothing_steps = "".join(NOTHING_STEPS.format(shadow=shadow) for shadow in kept)
    rows = await connection.fetch(CATCH_UP.format(nothing_steps=nothing_steps), partitions, today)
    return [row["partition"] for row in rows]


async def next_steps(connection: asyncpg.Connection, kind: str, partitions: Sequence[int], kept: Iterable[str]) -> None:
    """Have each partition's next step fire on its day, and what is to be announced at once."""
    first = ", ".join([*(FIRST_STEP.format(shadow=shadow) for shadow in kept), FIRST_DIFFERENCE])
    await connection.execute(NEXT_STEPS.format(first=first), kind, partitions)


async def stepping(
    connection: asyncpg.Connection, partition: int, on: date, at_most: int, kept: Iterable[str]
) -> list[str]:
    """Enterprises of the partition whose next step has come, or whose class is to be announced."""
    rows = await connection.fetch(DIFFERING, partition, at_most)
    found = dict.fromkeys(row["uscc"] for row in rows)
    for shadow in kept:
        rows = await connection.fetch(STEPPING.format(shadow=shadow), partition, on, at_most)
        found.update((row["uscc"], None) for row in rows)
    return list(found)[:at_most]


async def write(connection: asyncpg.Connection, profiles: Iterable[Profile], shadow: str) -> None:
    await connection.execute(WRITE_PROFILES.format(shadow=shadow), *map(list, zip(*profiles, strict=True)))


async def standing(connection: asyncpg.Connection, usccs: Sequence[str], shadow: str) -> dict[str, Standing]:
    """How the enterprises that have a profile stand."""
    rows = await connection.fetch(STANDING.format(shadow=shadow), usccs)
    return {row[0]: Standing(row[1], row[2], row[3], Traits(row[4], row[5], row[6])) for row in rows}


async def add_changes(connection: asyncpg.Connection, changes: Sequence[Change]) -> None:
    """Keep what is announced. An array of arrays has to be even, so that the names travel as one text."""
    if changes:
        rows = [change._replace(reasons=" ".join(change.reasons)) for change in changes]  # type: ignore[arg-type]
        await connection.execute(ADD_CHANGES, *map(list, zip(*rows, strict=True)))


async def last_said(connection: asyncpg.Connection, subjects: Sequence[str], type: str) -> dict[str, bytes]:
    """The newest event of ours of this type about each of these enterprises, as far as the outbox goes back."""
    return {row["subject"]: row["data"] for row in await connection.fetch(LAST_SAID, subjects, type)}


async def count(connection: asyncpg.Connection, moves: Mapping[Counted, int], shadow: str) -> None:
    """Change the counters by these numbers; those in force also as the value of the day."""
    if changed := [(*what, number) for what, number in moves.items() if number]:
        query = COUNT.format(shadow=shadow) if shadow else COUNT_AND_KEEP
        await connection.execute(query, *map(list, zip(*changed, strict=True)))
