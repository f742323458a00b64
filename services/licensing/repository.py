"""Named queries of licensing. What belongs to somebody is asked for with its owner, or with the officer's department:
what is not theirs is not there."""

import json
from collections.abc import Sequence
from datetime import date
from uuid import UUID

import asyncpg
from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common.database import raw
from services.licensing.tables import (
    Commitment,
    Determination,
    Enterprise,
    Filing,
    Notification,
    Permit,
    PermitApplication,
    Restriction,
)

ENTER = """
INSERT INTO enterprise (uscc, filed_by, registered_on, activities, answers, capital)
VALUES ($1, $2, $3, $4, $5::jsonb, $6)
ON CONFLICT (uscc) DO UPDATE SET filed_by = excluded.filed_by, registered_on = excluded.registered_on,
    activities = excluded.activities, answers = excluded.answers, capital = excluded.capital, deregistered_on = NULL
"""
WAITING = ("sent", "returned", "overdue")
"""The states of a notification that nobody has claimed."""


async def enterprise_to_change(session: AsyncSession, uscc: str, owner: str | None = None) -> Enterprise | None:
    """The enterprise, locked until the transaction ends: acts on it take turns. With an owner, only if it is theirs."""
    wanted = select(Enterprise).where(Enterprise.uscc == uscc).with_for_update()
    if owner is not None:
        wanted = wanted.where(Enterprise.filed_by == owner)
    return (await session.exec(wanted)).first()


async def enter(session: AsyncSession, enterprise: Enterprise) -> None:
    """Enter it, whatever was known of it."""
    await (await raw(session)).execute(
        ENTER, enterprise.uscc, enterprise.filed_by, enterprise.registered_on, enterprise.activities,
        json.dumps(enterprise.answers), enterprise.capital,
    )  # fmt: skip


async def restriction(session: AsyncSession, uscc: str) -> Restriction | None:
    return await session.get(Restriction, uscc)


async def determination(session: AsyncSession, uscc: str, cause: UUID) -> Determination | None:
    """What was determined because of this event; where nothing was yet, what was determined last."""
    wanted = select(Determination).where(Determination.uscc == uscc)
    wanted = wanted.order_by(col(Determination.cause) != cause, col(Determination.number).desc())
    return (await session.exec(wanted.limit(1))).first()


async def notification_to_change(session: AsyncSession, id: UUID, department: str | None) -> Notification | None:
    """A notification of this department or of none, locked until the transaction ends."""
    wanted = select(Notification).where(
        Notification.id == id,
        or_(col(Notification.department).is_(None), Notification.department == department),
    )
    return (await session.exec(wanted.with_for_update())).first()


async def notification_of_work(session: AsyncSession, item_id: UUID, today: date) -> Notification | None:
    """The notification, locked, whose open work item this is, where its time is over."""
    found = await (await raw(session)).fetchval(OVERDUE_SUBJECT, item_id, today)
    if found is None:
        return None
    wanted = select(Notification).where(Notification.id == UUID(found), col(Notification.state).in_(WAITING))
    return (await session.exec(wanted.with_for_update())).first()


async def waiting_notifications(session: AsyncSession, uscc: str) -> Sequence[Notification]:
    wanted = select(Notification).where(Notification.uscc == uscc, col(Notification.state).in_(WAITING))
    return (await session.exec(wanted.order_by(col(Notification.id)).with_for_update())).all()


async def application_to_decide(session: AsyncSession, id: UUID, department: str) -> PermitApplication | None:
    """An application before this department, locked until the transaction ends."""
    wanted = select(PermitApplication).where(PermitApplication.id == id, PermitApplication.department == department)
    return (await session.exec(wanted.with_for_update())).first()


async def open_applications(session: AsyncSession, uscc: str) -> Sequence[PermitApplication]:
    wanted = select(PermitApplication).where(PermitApplication.uscc == uscc, PermitApplication.status == "in_review")
    return (await session.exec(wanted.order_by(col(PermitApplication.id)).with_for_update())).all()


async def open_application(session: AsyncSession, uscc: str, item_id: str) -> PermitApplication | None:
    return next((row for row in await open_applications(session, uscc) if row.item_id == item_id), None)


async def permits_in_force(session: AsyncSession, uscc: str) -> Sequence[Permit]:
    wanted = select(Permit).where(Permit.uscc == uscc, col(Permit.revoked_on).is_(None))
    return (await session.exec(wanted.order_by(col(Permit.granted_on), col(Permit.id)))).all()


async def permit_in_force(session: AsyncSession, uscc: str, item_id: str) -> Permit | None:
    return next((row for row in await permits_in_force(session, uscc) if row.item_id == item_id), None)


async def filing(session: AsyncSession, uscc: str, item_id: str) -> Filing | None:
    return (await session.exec(select(Filing).where(Filing.uscc == uscc, Filing.item_id == item_id))).first()


async def commitment_to_change(session: AsyncSession, uscc: str, id: UUID) -> Commitment | None:
    wanted = select(Commitment).where(Commitment.id == id, Commitment.uscc == uscc).with_for_update()
    return (await session.exec(wanted)).first()


async def commitments(session: AsyncSession, uscc: str, states: Sequence[str]) -> Sequence[Commitment]:
    """Commitments in these states that were not repaired."""
    wanted = select(Commitment).where(
        Commitment.uscc == uscc, col(Commitment.state).in_(states), col(Commitment.repaired_on).is_(None)
    )
    return (await session.exec(wanted.order_by(col(Commitment.id)).with_for_update())).all()


OPEN_WORK = "SELECT id, version, claimed_by FROM work_item WHERE (queue, subject) = ($1, $2) AND closed_at IS NULL"
OVERDUE_SUBJECT = """
SELECT subject FROM work_item
WHERE id = $1 AND queue = 'licensing.notification' AND closed_at IS NULL AND due_on < $2
"""


async def open_work(session: AsyncSession, queue: str, subject: str) -> asyncpg.Record | None:
    return await (await raw(session)).fetchrow(OPEN_WORK, queue, subject)


LATEST = """
SELECT d.record, d.number FROM determination d JOIN enterprise e USING (uscc)
WHERE d.uscc = $1 AND ($2::text IS NULL OR e.filed_by = $2) ORDER BY d.number DESC LIMIT 1
"""
DETERMINATIONS = """
SELECT d.number, d.record FROM determination d JOIN enterprise e USING (uscc)
WHERE d.uscc = $1 AND ($2::text IS NULL OR e.filed_by = $2) ORDER BY d.number
"""
APPLICATION_RECORDS = "SELECT id, record FROM permit_application WHERE uscc = $1 ORDER BY filed_on, id LIMIT 200"
IS_THERE = "SELECT true FROM enterprise WHERE uscc = $1 AND ($2::text IS NULL OR filed_by = $2)"
PERMITS = """
SELECT p.*, c.id AS commitment_id, c.state AS commitment_state, c.check_by
FROM permit p JOIN enterprise e USING (uscc) LEFT JOIN commitment c ON c.permit_id = p.id
WHERE p.uscc = $1 AND ($2::text IS NULL OR e.filed_by = $2)
    AND ($3::date IS NULL OR (p.granted_on, p.id) < ($3, $4::uuid))
ORDER BY p.granted_on DESC, p.id DESC LIMIT $5
"""
FILINGS = """
SELECT f.id, f.item_id, f.department, f.recorded_on FROM filing f JOIN enterprise e USING (uscc)
WHERE f.uscc = $1 AND ($2::text IS NULL OR e.filed_by = $2)
    AND ($3::date IS NULL OR (f.recorded_on, f.id) < ($3, $4::uuid))
ORDER BY f.recorded_on DESC, f.id DESC LIMIT $5
"""
PERMIT = "SELECT p.* FROM permit p WHERE p.id = $1"
APPLICATION = """
SELECT a.*, a.record -> 'requirements' -> 0 AS requirement FROM permit_application a
WHERE a.id = $1 AND ($2::text IS NULL OR a.filed_by = $2 OR a.department = $3)
"""
APPLICATIONS = """
SELECT a.*, a.record -> 'requirements' -> 0 AS requirement FROM permit_application a
WHERE ($1::text IS NULL OR a.filed_by = $1 OR a.department = $2)
    AND ($3::text IS NULL OR a.status = $3) AND ($4::text IS NULL OR a.uscc = $4)
    AND ($5::date IS NULL OR (a.filed_on, a.id) < ($5, $6::uuid))
ORDER BY a.filed_on DESC, a.id DESC LIMIT $7
"""
NOTIFICATIONS = """
SELECT * FROM notification
WHERE ($1 OR department IS NULL OR department = $2) AND ($3::text IS NULL OR state = $3)
    AND ($4::text IS NULL OR uscc = $4) AND ($5::date IS NULL OR (claim_by, id) > ($5, $6::uuid))
ORDER BY claim_by, id LIMIT $7
"""
NOTIFICATION = "SELECT * FROM notification WHERE id = $3 AND ($1 OR department IS NULL OR department = $2)"

Behind = tuple[date, UUID] | None


async def latest_record(connection: asyncpg.Connection, uscc: str, owner: str | None) -> asyncpg.Record | None:
    return await connection.fetchrow(LATEST, uscc, owner)


async def all_records(
    connection: asyncpg.Connection, uscc: str, owner: str | None
) -> tuple[Sequence[asyncpg.Record], Sequence[asyncpg.Record]]:
    """The records of determinations and, where the enterprise is the owner's, those of permit decisions."""
    found = await connection.fetch(DETERMINATIONS, uscc, owner)
    return found, await connection.fetch(APPLICATION_RECORDS, uscc) if found else []


async def is_there(connection: asyncpg.Connection, uscc: str, owner: str | None) -> bool:
    return bool(await connection.fetchval(IS_THERE, uscc, owner))


async def permits(
    connection: asyncpg.Connection, uscc: str, owner: str | None, behind: Behind, limit: int
) -> Sequence[asyncpg.Record]:
    """Permits of an enterprise, the latest first, from behind (granted_on, id)."""
    rows: list[asyncpg.Record] = await connection.fetch(PERMITS, uscc, owner, *(behind or (None, None)), limit)
    return rows


async def filings(
    connection: asyncpg.Connection, uscc: str, owner: str | None, behind: Behind, limit: int
) -> Sequence[asyncpg.Record]:
    rows: list[asyncpg.Record] = await connection.fetch(FILINGS, uscc, owner, *(behind or (None, None)), limit)
    return rows


async def permit(connection: asyncpg.Connection, id: UUID) -> asyncpg.Record | None:
    return await connection.fetchrow(PERMIT, id)


async def application(
    connection: asyncpg.Connection, id: UUID, account: str | None, department: str | None
) -> asyncpg.Record | None:
    """An application of this account, or before this department; any, where no account is named."""
    return await connection.fetchrow(APPLICATION, id, account, department)


async def applications(
    connection: asyncpg.Connection, account: str | None, department: str | None, status: str | None, uscc: str | None,
    behind: Behind, limit: int,
) -> Sequence[asyncpg.Record]:  # fmt: skip
    """Applications, the latest first, from behind (filed_on, id)."""
    rows: list[asyncpg.Record] = await connection.fetch(
        APPLICATIONS, account, department, status, uscc, *(behind or (None, None)), limit
    )
    return rows


async def notifications(
    connection: asyncpg.Connection, every: bool, department: str | None, state: str | None, uscc: str | None,
    behind: Behind, limit: int,
) -> Sequence[asyncpg.Record]:  # fmt: skip
    """Notifications of a department and of none, those due first first, from behind (claim_by, id)."""
    rows: list[asyncpg.Record] = await connection.fetch(
        NOTIFICATIONS, every, department, state, uscc, *(behind or (None, None)), limit
    )
    return rows


async def notification(
    connection: asyncpg.Connection, every: bool, department: str | None, id: UUID
) -> asyncpg.Record | None:
    return await connection.fetchrow(NOTIFICATION, every, department, id)
