"""Named queries of registration. What is somebody's is asked for with its owner: what is not theirs is not there."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import asyncpg
import sqlalchemy as sa
from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common.database import raw
from services.registration.tables import Application, Deregistration, Draft, Enterprise, Party

NEXT_SERIAL = sa.text("SELECT nextval('uscc_serial')")


async def next_serial(session: AsyncSession) -> int:
    """A serial that no other transaction gets; one that rolls back leaves it unused."""
    return int(await session.scalar(NEXT_SERIAL) or 0)


async def application_to_change(session: AsyncSession, id: UUID, owner: str | None = None) -> Application | None:
    """The application, locked until the transaction ends: acts on it take turns. With an owner, only theirs."""
    wanted = select(Application).where(Application.id == id).with_for_update()
    if owner is not None:
        wanted = wanted.where(Application.filed_by == owner)
    return (await session.exec(wanted)).first()


async def forget_parties(session: AsyncSession, application_id: UUID) -> None:
    """Delete the names that an application holds."""
    await session.exec(delete(Party).where(col(Party.application_id) == application_id))


async def enterprise_to_change(session: AsyncSession, uscc: str, owner: str | None = None) -> Enterprise | None:
    """The enterprise, locked until the transaction ends: two officers change it one after the other."""
    wanted = select(Enterprise).where(Enterprise.uscc == uscc).with_for_update()
    if owner is not None:
        wanted = wanted.where(Enterprise.filed_by == owner)
    return (await session.exec(wanted)).first()


async def application_of(session: AsyncSession, enterprise: Enterprise) -> Application:
    return (await session.exec(select(Application).where(Application.id == enterprise.application_id))).one()


async def draft_to_change(session: AsyncSession, id: UUID, owner: str) -> Draft | None:
    return (await session.exec(select(Draft).where(Draft.id == id, Draft.owner == owner).with_for_update())).first()


async def delete_draft(session: AsyncSession, id: UUID) -> None:
    await session.exec(delete(Draft).where(col(Draft.id) == id))


async def open_deregistration(session: AsyncSession, uscc: str) -> Deregistration | None:
    """What is under way for an enterprise, locked until the transaction ends."""
    wanted = select(Deregistration).where(Deregistration.uscc == uscc, col(Deregistration.decided).is_(None))
    return (await session.exec(wanted.with_for_update())).first()


async def uscc_of_deregistration(session: AsyncSession, id: UUID) -> str | None:
    return (await session.exec(select(Deregistration.uscc).where(Deregistration.id == id))).first()


SUSPEND = """
INSERT INTO suspension (permit_id, uscc, permit_item, activities, suspended_on) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING
"""
KEEP_RESTRICTIONS = """
INSERT INTO restriction (uscc, restrictions, grounds, changed_on) VALUES ($1, $2, $3, $4)
ON CONFLICT (uscc) DO UPDATE SET restrictions = excluded.restrictions, grounds = excluded.grounds,
    changed_on = excluded.changed_on
"""


async def suspend(
    session: AsyncSession, uscc: str, permit_id: UUID, item: str, activities: Sequence[str], on: date
) -> bool:
    """Enter a suspension; False where it stands already."""
    done = await (await raw(session)).execute(SUSPEND, permit_id, uscc, item, list(activities), on)
    return bool(done == "INSERT 0 1")


async def keep_restrictions(
    session: AsyncSession, uscc: str, restrictions: Sequence[str], grounds: Sequence[str], on: date
) -> None:
    await (await raw(session)).execute(KEEP_RESTRICTIONS, uscc, list(restrictions), list(grounds), on)


RESTRICTED = """
SELECT json_build_object('restrictions', restrictions, 'grounds', grounds, 'changed_on', changed_on)
FROM restriction r WHERE r.uscc = """
APPLICATION = f"""
SELECT a.id, a.status, a.enterprise_name, a.submitted_at, a.uscc, a.decision, a.round, a.version, a.corrections,
    a.correct_by, a.decided, w.due_on AS decide_by, ({RESTRICTED} a.uscc) AS restricted
FROM application a
LEFT JOIN work_item w ON (w.queue, w.subject) = ('registration.review', a.id::text) AND w.closed_at IS NULL
WHERE a.id = $1 AND ($2::text IS NULL OR a.filed_by = $2)
"""
APPLICATIONS = """
SELECT id, status, enterprise_name, submitted_at, uscc, round, version, correct_by FROM application
WHERE ($1::text IS NULL OR filed_by = $1) AND ($2::text IS NULL OR status = $2)
    AND ($3::timestamptz IS NULL OR (submitted_at, id) < ($3, $4::uuid))
ORDER BY submitted_at DESC, id DESC LIMIT $5
"""
FORM = """
SELECT a.id, a.form, a.decision, a.version,
    (SELECT json_object_agg(p.party_id, p.name) FROM party p WHERE p.application_id = a.id) AS names
FROM application a WHERE a.id = $1 AND ($2::text IS NULL OR a.filed_by = $2)
"""
RECORDS = """
SELECT a.decision, a.round, a.decided FROM application a WHERE a.id = $1
"""
EARLIER_RECORDS = "SELECT decision, round FROM earlier_round WHERE application_id = $1 ORDER BY round"
ENTERPRISE = f"""
SELECT e.uscc, e.application_id, e.registered_on, e.name, e.enterprise_type, e.registered_capital, e.capital_currency,
    e.capital, e.activities, e.area, e.legal_representative_nationality, e.version, e.deregistered_on,
    d.procedure, d.notice_until, d.version AS deregistration_version,
    coalesce((
        SELECT json_agg(json_build_object('permit_id', s.permit_id, 'permit_item', s.permit_item,
            'activities', s.activities, 'suspended_on', s.suspended_on) ORDER BY s.suspended_on, s.permit_id)
        FROM suspension s WHERE s.uscc = e.uscc), '[]') AS suspended,
    ({RESTRICTED} e.uscc) AS restricted
FROM enterprise e LEFT JOIN deregistration d ON d.uscc = e.uscc AND d.decided IS NULL
WHERE e.uscc = $1
"""
ENTERPRISES = """
SELECT uscc, name, registered_on, area, version, deregistered_on FROM enterprise
WHERE ($1::text IS NULL OR filed_by = $1) AND ($2::text IS NULL OR uscc > $2)
    AND ($3::bool IS NULL OR (deregistered_on IS NOT NULL) = $3)
ORDER BY uscc LIMIT $4
"""
DRAFT = "SELECT id, content, saved_at, expires_on, version FROM draft WHERE id = $1 AND owner = $2"
DRAFTS = """
SELECT id, saved_at, expires_on, version FROM draft
WHERE owner = $1 AND ($2::timestamptz IS NULL OR (saved_at, id) < ($2, $3::uuid))
ORDER BY saved_at DESC, id DESC LIMIT $4
"""
LIFT_SERIAL = "SELECT setval('uscc_serial', greatest((SELECT last_value FROM uscc_serial), $1))"


async def application(connection: asyncpg.Connection, id: UUID, owner: str | None) -> asyncpg.Record | None:
    """An application; with an owner, only if it is theirs."""
    return await connection.fetchrow(APPLICATION, id, owner)


async def applications(
    connection: asyncpg.Connection, owner: str | None, status: str | None, after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[asyncpg.Record]:  # fmt: skip
    """Applications, the latest first, from behind `after` (submitted_at, id)."""
    rows: list[asyncpg.Record] = await connection.fetch(APPLICATIONS, owner, status, *(after or (None, None)), limit)
    return rows


async def form(connection: asyncpg.Connection, id: UUID, owner: str | None) -> asyncpg.Record | None:
    """What was filed, with the names that are still held, by party."""
    return await connection.fetchrow(FORM, id, owner)


async def records(connection: asyncpg.Connection, id: UUID) -> tuple[asyncpg.Record, list[asyncpg.Record]] | None:
    """The record of an application's decisions and those of its earlier rounds."""
    found = await connection.fetchrow(RECORDS, id)
    return None if found is None else (found, await connection.fetch(EARLIER_RECORDS, id))


async def enterprise(connection: asyncpg.Connection, uscc: str) -> asyncpg.Record | None:
    return await connection.fetchrow(ENTERPRISE, uscc)


async def enterprises(
    connection: asyncpg.Connection, owner: str | None, deregistered: bool | None, after: str | None, limit: int
) -> list[asyncpg.Record]:
    """Enterprises by identifier, from behind `after`."""
    rows: list[asyncpg.Record] = await connection.fetch(ENTERPRISES, owner, after, deregistered, limit)
    return rows


async def draft(connection: asyncpg.Connection, id: UUID, owner: str) -> asyncpg.Record | None:
    return await connection.fetchrow(DRAFT, id, owner)


async def drafts(
    connection: asyncpg.Connection, owner: str, after: tuple[datetime, UUID] | None, limit: int
) -> list[asyncpg.Record]:
    """Somebody's drafts, the last saved first, from behind `after` (saved_at, id)."""
    rows: list[asyncpg.Record] = await connection.fetch(DRAFTS, owner, *(after or (None, None)), limit)
    return rows


async def lift_serial(connection: asyncpg.Connection, above: int) -> int:
    """No serial up to `above` is given out again; returns where the sequence stands."""
    return int(await connection.fetchval(LIFT_SERIAL, above) or 0)
