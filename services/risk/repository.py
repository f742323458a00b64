"""Named queries of risk; all of them in bulk, by asyncpg."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

import asyncpg

from services.risk.domain import Fact


class Profile(NamedTuple):
    """A profile row as it is written; `next_step_on` is None where time alone changes nothing."""

    uscc: str
    partition: int
    score: int
    risk_class: int
    announced_class: int | None
    next_step_on: date | None


# Due rows before assessment rows, both sorted: the ticker takes them in the same order.
LOCK_DUE = "SELECT 1 FROM due WHERE kind = $1 AND subject = ANY($2::text[]) ORDER BY subject FOR UPDATE"
ENTER_PARTITIONS = """
INSERT INTO assessment (partition, assessed_on, moving) SELECT p, $2, false FROM unnest($1::int[]) p ORDER BY p
ON CONFLICT DO NOTHING
"""
LOCK_PARTITIONS = """
SELECT partition, assessed_on, moving FROM assessment WHERE partition = ANY($1::int[]) ORDER BY partition FOR UPDATE
"""
CATCH_UP = """
UPDATE assessment a SET assessed_on = $2 WHERE partition = ANY($1::int[]) AND NOT moving AND assessed_on < $2
AND NOT EXISTS (SELECT 1 FROM profile p WHERE p.partition = a.partition AND p.next_step_on <= $2)
RETURNING partition
"""
ADD_FACTS = """
INSERT INTO fact (subject, source, sequence, n, indicator, legal_date, value, record_id, event_id)
SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::smallint[], $5::text[], $6::date[], $7::bigint[],
    $8::text[], $9::uuid[]) ON CONFLICT DO NOTHING
"""
FACT_COLUMNS = (
    "subject", "source", "sequence", "n", "indicator", "legal_date", "value", "record_id", "event_id",
)  # fmt: skip
FACTS = """
SELECT source, subject, sequence, n, indicator, legal_date, value, record_id, event_id
FROM fact WHERE subject = ANY($1::text[])
"""
ANNOUNCED = "SELECT uscc, risk_class, announced_class FROM profile WHERE uscc = ANY($1::text[])"
LAST_SAID = """
SELECT DISTINCT ON (subject) subject, data FROM outbox WHERE subject = ANY($1::text[]) AND type = $2
ORDER BY subject, sequence DESC
"""
NOT_BEFORE = """
WITH moved AS (
    INSERT INTO assessment AS a (partition, assessed_on, moving)
    SELECT p, on_date, false FROM unnest($1::int[], $2::date[]) AS v(p, on_date) ORDER BY p
    ON CONFLICT (partition) DO UPDATE SET assessed_on = greatest(a.assessed_on, excluded.assessed_on)
    RETURNING partition, assessed_on
) UPDATE profile p SET next_step_on = moved.assessed_on FROM moved
WHERE p.partition = moved.partition AND p.next_step_on < moved.assessed_on
"""
ADOPT_ANNOUNCED = """
WITH adopted AS (
    UPDATE profile p SET announced_class = said.risk_class,
        next_step_on = CASE WHEN p.risk_class = said.risk_class THEN p.next_step_on ELSE a.assessed_on END
    FROM unnest($1::text[], $2::smallint[]) AS said(uscc, risk_class), assessment a
    WHERE p.uscc = said.uscc AND a.partition = p.partition
    RETURNING p.partition, p.risk_class <> said.risk_class AS differs
) SELECT partition FROM adopted WHERE differs
"""
WRITE_PROFILES = """
INSERT INTO profile (uscc, partition, score, risk_class, announced_class, next_step_on)
SELECT * FROM unnest($1::text[], $2::smallint[], $3::int[], $4::smallint[], $5::smallint[], $6::date[])
ON CONFLICT (uscc) DO UPDATE SET score = excluded.score, risk_class = excluded.risk_class,
    announced_class = excluded.announced_class, next_step_on = excluded.next_step_on
"""
COUNT = """
INSERT INTO counter AS c (partition, risk_class, enterprises)
SELECT * FROM unnest($1::smallint[], $2::smallint[], $3::bigint[])
ON CONFLICT (partition, risk_class) DO UPDATE SET enterprises = c.enterprises + excluded.enterprises
"""
NEXT_STEPS = """
INSERT INTO due (kind, subject, on_date)
SELECT $1, p::text, step.on_date FROM unnest($2::int[]) p CROSS JOIN LATERAL (
    SELECT min(next_step_on) AS on_date FROM profile WHERE partition = p) step
WHERE step.on_date IS NOT NULL ORDER BY p
ON CONFLICT (kind, subject) DO UPDATE SET on_date = excluded.on_date, attempts = 0, retry_at = NULL, error = NULL
"""
STEPPING = """
SELECT uscc FROM profile WHERE partition = $1 AND next_step_on <= $2 ORDER BY next_step_on LIMIT $3
"""
ONE = """
SELECT p.uscc, p.score, p.risk_class, p.next_step_on, a.assessed_on, a.moving,
    (SELECT json_agg(f) FROM fact f WHERE f.subject = p.uscc)::text AS facts
FROM profile p JOIN assessment a USING (partition) WHERE p.uscc = $1
"""
LIST = """
SELECT p.uscc, p.score, p.risk_class, a.assessed_on FROM profile p JOIN assessment a USING (partition)
WHERE p.uscc > $1 ORDER BY p.uscc LIMIT $2
"""
LIST_OF_CLASS = LIST.replace("WHERE", "WHERE p.risk_class = $3 AND")
DISTRIBUTION = "SELECT risk_class, sum(enterprises)::bigint AS enterprises FROM counter GROUP BY 1 ORDER BY 1"


async def add_facts(connection: asyncpg.Connection, facts: Sequence[Fact]) -> None:
    """Facts already there stay as they are: an event states the same each time."""
    await connection.execute(
        ADD_FACTS,
        *(
            [getattr(fact, name) for fact in facts]
            for name in (
                "subject",
                "source",
                "sequence",
                "n",
                "indicator",
                "legal_date",
                "value",
                "record_id",
                "event_id",
            )
        ),
    )


async def facts_of(connection: asyncpg.Connection, subjects: Sequence[str]) -> list[Fact]:
    return [Fact(*row) for row in await connection.fetch(FACTS, subjects)]


async def write_profiles(connection: asyncpg.Connection, profiles: Iterable[Profile]) -> None:
    await connection.execute(WRITE_PROFILES, *map(list, zip(*profiles, strict=True)))


async def standing(connection: asyncpg.Connection, subjects: Sequence[str]) -> dict[str, tuple[int, int | None]]:
    """The class and the announced class of the enterprises that have a profile."""
    rows = await connection.fetch(ANNOUNCED, subjects)
    return {row["uscc"]: (row["risk_class"], row["announced_class"]) for row in rows}


async def last_said(connection: asyncpg.Connection, subjects: Sequence[str], type: str) -> dict[str, bytes]:
    """The newest event of ours of this type about each of these enterprises, as far as the outbox goes back."""
    return {row["subject"]: row["data"] for row in await connection.fetch(LAST_SAID, subjects, type)}
