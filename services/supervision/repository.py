"""Named queries of supervision. Whose something is stands in the query: what is not yours is not there."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common.database import raw
from services.supervision import tables
from services.supervision.domain import UNCLASSIFIED

# The libraries are copies: what an event says twice is there once.
ENTER_OBJECT = """
INSERT INTO enterprise (uscc, filed_by, registered_on, activities, area) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (uscc) DO NOTHING
"""
CHANGE_OBJECT = """
UPDATE enterprise SET activities = coalesce($2, activities), area = coalesce($3, area) WHERE uscc = $1
"""
RETIRE_OBJECT = "UPDATE enterprise SET deregistered_on = $2 WHERE uscc = $1"
ENTER_PERMIT = """
INSERT INTO permit (permit_id, uscc, item_id, department, granted_on) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (permit_id) DO NOTHING
"""
RETIRE_PERMIT = "UPDATE permit SET revoked_on = $2 WHERE permit_id = $1"
END_OBLIGATIONS = "UPDATE obligation SET ended_on = $2 WHERE permit_id = $1 AND ended_on IS NULL"
ENTER_OBLIGATION = """
INSERT INTO obligation (commitment_id, uscc, permit_id, item_id, department, given_on, check_by, correlation_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (commitment_id) DO NOTHING
"""
ENTER_LISTING = """
INSERT INTO listing (listing_id, uscc, list, listed_on) VALUES ($1, $2, $3, $4) ON CONFLICT (listing_id) DO NOTHING
"""
END_LISTING = "UPDATE listing SET delisted_on = $2 WHERE listing_id = $1"
CLASSIFY = """
INSERT INTO internal_class (uscc, risk_class) VALUES ($1, $2)
ON CONFLICT (uscc) DO UPDATE SET risk_class = excluded.risk_class
"""
# The only query that reads the class.
LIBRARY = f"""
SELECT e.uscc, coalesce(c.risk_class, '{UNCLASSIFIED}') AS risk_class, e.deregistered_on
FROM enterprise e LEFT JOIN internal_class c USING (uscc)
WHERE cardinality($1::text[]) = 0
    OR EXISTS (SELECT 1 FROM unnest(e.activities) a, unnest($1::text[]) p WHERE starts_with(a, p))
ORDER BY e.uscc
"""
KEEP_OBJECTS = """
INSERT INTO draw_object (draw_id, uscc, risk_class, excluded)
SELECT $1, * FROM unnest($2::text[], $3::text[], $4::text[])
"""
KEPT_OBJECTS = "SELECT uscc, risk_class, excluded FROM draw_object WHERE draw_id = $1 ORDER BY uscc"
SENT = """
SELECT i.uscc, array_agg(a.account ORDER BY a.account) AS accounts
FROM inspection i JOIN assignment a ON a.inspection_id = i.id WHERE i.task_id = $1 GROUP BY i.id, i.uscc ORDER BY i.uscc
"""

# Reads.
OBJECTS = """
SELECT e.uscc, e.registered_on, e.deregistered_on, e.activities, e.area,
    (SELECT coalesce(array_agg(p.item_id ORDER BY p.item_id), '{}') FROM permit p
        WHERE p.uscc = e.uscc AND p.revoked_on IS NULL) AS permits,
    (SELECT coalesce(array_agg(l.list ORDER BY l.list), '{}') FROM listing l
        WHERE l.uscc = e.uscc AND l.delisted_on IS NULL) AS lists,
    (SELECT count(*) FROM obligation o
        WHERE o.uscc = e.uscc AND o.checked_on IS NULL AND o.ended_on IS NULL) AS obligations
FROM enterprise e WHERE ($1::text IS NULL OR e.uscc > $1) ORDER BY e.uscc LIMIT $2
"""
OBLIGATIONS = """
SELECT o.commitment_id, o.uscc, o.permit_id, o.item_id, o.department, o.given_on, o.check_by,
    o.check_by < $1::date AS overdue
FROM obligation o LEFT JOIN enterprise e USING (uscc)
WHERE o.checked_on IS NULL AND o.ended_on IS NULL AND e.deregistered_on IS NULL
    AND ($2::date IS NULL OR (o.check_by, o.commitment_id) > ($2::date, $3::uuid))
ORDER BY o.check_by, o.commitment_id LIMIT $4
"""
INSPECTORS = """
SELECT account, department, conflicts, available, version FROM inspector
WHERE ($1::text IS NULL OR account > $1) ORDER BY account LIMIT $2
"""
TASK = """
SELECT t.*, d.id AS draw_id, d.commitment, d.drawn_on,
    (SELECT count(*) FROM inspection i WHERE i.task_id = t.id) AS inspections
FROM task t JOIN draw d ON d.task_id = t.id WHERE t.id = $1
"""
TASKS = """
SELECT t.*, d.id AS draw_id, d.commitment, d.drawn_on,
    (SELECT count(*) FROM inspection i WHERE i.task_id = t.id) AS inspections
FROM task t JOIN draw d ON d.task_id = t.id
WHERE ($1::date IS NULL OR (t.filed_on, t.id) > ($1::date, $2::uuid)) ORDER BY t.filed_on, t.id LIMIT $3
"""
AUDITORS_RECORD = """
SELECT d.id, d.record, d.record_digest, d.record_jws FROM draw d WHERE d.task_id = $1 AND d.drawn_on IS NOT NULL
"""
DRAW_OBJECTS = """
SELECT o.uscc, o.risk_class, o.excluded FROM draw_object o JOIN draw d ON d.id = o.draw_id
WHERE d.task_id = $1 AND ($2::text IS NULL OR o.uscc > $2) ORDER BY o.uscc LIMIT $3
"""
PUBLIC_RECORD = """
SELECT d.id AS draw_id, d.task_id, d.commitment, d.public_record, d.public_jws, t.code_set, t.items, t.legal_basis,
    t.departments, t.activities, t.filed_on, t.on_date AS planned_on, d.drawn_on
FROM draw d JOIN task t ON t.id = d.task_id WHERE d.id = $1
"""
INSPECTION_COLUMNS = """
i.id, i.code, i.uscc, i.task_id, i.reason, i.commitment_id, i.item_id, i.code_set, i.items, i.legal_basis,
i.departments, i.assigned_on, i.state, i.results, i.reported_on, i.completed_on, i.publish_by,
i.publish_by_provisional, i.published_on, i.version,
ARRAY(SELECT a.account FROM assignment a WHERE a.inspection_id = i.id ORDER BY a.account) AS inspectors
"""
MINE = """
($1::text IS NULL OR EXISTS (SELECT 1 FROM assignment m WHERE m.inspection_id = i.id AND m.account = $1))
"""
INSPECTION = f"SELECT {INSPECTION_COLUMNS} FROM inspection i WHERE {MINE} AND i.id = $2"
INSPECTIONS = f"""
SELECT {INSPECTION_COLUMNS} FROM inspection i
WHERE {MINE} AND ($2::text IS NULL OR i.state = $2) AND ($3::text IS NULL OR i.uscc = $3)
    AND ($4::date IS NULL OR (i.assigned_on, i.id) > ($4::date, $5::uuid))
ORDER BY i.assigned_on, i.id LIMIT $6
"""
BY_CODE = """
SELECT i.uscc, i.task_id, i.reason, i.items, i.legal_basis, i.assigned_on,
    i.state IN ('completed', 'published') AS completed,
    ARRAY(SELECT a.department FROM assignment a WHERE a.inspection_id = i.id ORDER BY a.department) AS sent
FROM inspection i WHERE i.code = $1
"""
PUBLISHED = """
SELECT i.id, i.uscc, i.results, i.completed_on, i.published_on FROM inspection i
WHERE i.published_on IS NOT NULL AND ($1::text IS NULL OR i.uscc = $1)
    AND ($2::date IS NULL OR (i.published_on, i.id) > ($2::date, $3::uuid))
ORDER BY i.published_on, i.id LIMIT $4
"""
CORRECTIONS = """
SELECT c.id, c.inspection_id, c.uscc, c.commitment_id, c.ordered_on, c.due_on, c.due_on_provisional, c.state,
    c.overdue_on, c.met_on, c.version
FROM correction c
WHERE ($1::text IS NULL OR EXISTS (SELECT 1 FROM enterprise e WHERE e.uscc = c.uscc AND e.filed_by = $1))
    AND ($2::text IS NULL OR EXISTS (
        SELECT 1 FROM assignment m WHERE m.inspection_id = c.inspection_id AND m.account = $2))
    AND ($3::text IS NULL OR c.state = $3)
    AND ($4::date IS NULL OR (c.due_on, c.id) > ($4::date, $5::uuid))
ORDER BY c.due_on, c.id LIMIT $6
"""


async def execute(session: AsyncSession, query: str, *arguments: object) -> None:
    await (await raw(session)).execute(query, *arguments)


async def object_known(session: AsyncSession, uscc: str) -> bool:
    """Whether the enterprise stands in the object library, registered still."""
    row = await session.get(tables.Enterprise, uscc)
    return row is not None and row.deregistered_on is None


async def library(session: AsyncSession, activities: Sequence[str]) -> list[asyncpg.Record]:
    """The objects with an activity that begins with one of these (all, where none is named), with their class."""
    rows: list[asyncpg.Record] = await (await raw(session)).fetch(LIBRARY, list(activities))
    return rows


async def inspector_library(session: AsyncSession) -> list[tables.Inspector]:
    return list((await session.exec(select(tables.Inspector).order_by(col(tables.Inspector.account)))).all())


async def inspector_to_change(session: AsyncSession, account: str) -> tables.Inspector | None:
    query = select(tables.Inspector).where(tables.Inspector.account == account).with_for_update()
    return (await session.exec(query)).first()


async def draw_to_make(session: AsyncSession, task_id: UUID) -> tables.Draw | None:
    """A task's draw, locked until the transaction ends: who comes second finds it made.

    Drawing thousands is work between two statements; the lock is on this draw alone, so the session may idle longer.
    """
    await execute(session, "SET LOCAL idle_in_transaction_session_timeout = '30s'")
    return (await session.exec(select(tables.Draw).where(tables.Draw.task_id == task_id).with_for_update())).first()


async def keep_objects(
    session: AsyncSession, draw_id: UUID, objects: Mapping[str, str], excluded: Mapping[str, tuple[str, str]]
) -> None:
    """Keep the library as it was drawn from. `excluded`: the class and the reason."""
    rows: list[tuple[str, str, str | None]] = [(uscc, letter, None) for uscc, letter in objects.items()]
    rows += [(uscc, letter, reason) for uscc, (letter, reason) in excluded.items()]
    await execute(session, KEEP_OBJECTS, draw_id, *map(list, zip(*rows, strict=True)))


async def kept_objects(session: AsyncSession, draw_id: UUID) -> list[asyncpg.Record]:
    rows: list[asyncpg.Record] = await (await raw(session)).fetch(KEPT_OBJECTS, draw_id)
    return rows


async def sent(session: AsyncSession, task_id: UUID) -> list[tuple[str, tuple[str, ...]]]:
    """Who was sent where, as the inspections of a task stand."""
    rows = await (await raw(session)).fetch(SENT, task_id)
    return [(row["uscc"], tuple(row["accounts"])) for row in rows]


async def obligation_to_check(session: AsyncSession, commitment_id: UUID, uscc: str) -> tables.Obligation | None:
    """The obligation, locked: two checks of one commitment are triggered one after the other."""
    query = select(tables.Obligation).where(
        tables.Obligation.commitment_id == commitment_id, tables.Obligation.uscc == uscc
    )
    return (await session.exec(query.with_for_update())).first()


async def is_under_check(session: AsyncSession, commitment_id: UUID) -> bool:
    query = select(tables.Inspection.id).where(
        tables.Inspection.commitment_id == commitment_id, col(tables.Inspection.completed_on).is_(None)
    )
    return (await session.exec(query)).first() is not None


async def inspection_to_change(
    session: AsyncSession, id: UUID, *, assigned_to: str | None = None
) -> tables.Inspection | None:
    """The inspection, locked; with `assigned_to`, only where this account is one of its inspectors."""
    query = select(tables.Inspection).where(tables.Inspection.id == id)
    if assigned_to is not None:
        mine = select(tables.Assignment.inspection_id).where(tables.Assignment.account == assigned_to)
        query = query.where(col(tables.Inspection.id).in_(mine))
    return (await session.exec(query.with_for_update())).first()


async def correction_to_change(
    session: AsyncSession, id: UUID, *, assigned_to: str | None = None
) -> tables.Correction | None:
    """The correction, locked; with `assigned_to`, only where this account inspected."""
    query = select(tables.Correction).where(tables.Correction.id == id)
    if assigned_to is not None:
        mine = select(tables.Assignment.inspection_id).where(tables.Assignment.account == assigned_to)
        query = query.where(col(tables.Correction.inspection_id).in_(mine))
    return (await session.exec(query.with_for_update())).first()


async def inspectors_of(session: AsyncSession, inspection_id: UUID) -> list[str]:
    query = select(tables.Assignment.account).where(tables.Assignment.inspection_id == inspection_id)
    return sorted((await session.exec(query)).all())


async def fetch(connection: asyncpg.Connection, query: str, *arguments: object) -> list[dict[str, Any]]:
    return [dict(row) for row in await connection.fetch(query, *arguments)]


async def fetch_one(connection: asyncpg.Connection, query: str, *arguments: object) -> dict[str, Any] | None:
    row = await connection.fetchrow(query, *arguments)
    return None if row is None else dict(row)
