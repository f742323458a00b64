"""Named queries of registration. What is somebody's is asked for with its owner: what is not theirs is not there."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg
import sqlalchemy as sa
from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common.database import raw
from services.registration.domain import Facts, false_registration, recalled
from services.registration.tables import (
    Application,
    Deregistration,
    Draft,
    Enterprise,
    FalseRegistration,
    HandOver,
    InformationReport,
    Party,
    ReportOrder,
)

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


async def forget_parties(session: AsyncSession, application_id: UUID, role: str | None = None) -> None:
    """Delete the names that an application holds, in one role or all."""
    gone = delete(Party).where(col(Party.application_id) == application_id)
    await session.exec(gone if role is None else gone.where(col(Party.role) == role))


async def enterprise_to_change(session: AsyncSession, uscc: str, owner: str | None = None) -> Enterprise | None:
    """The enterprise, locked until the transaction ends: two officers change it one after the other."""
    wanted = select(Enterprise).where(Enterprise.uscc == uscc).with_for_update()
    if owner is not None:
        wanted = wanted.where(Enterprise.filed_by == owner)
    return (await session.exec(wanted)).first()


async def established_facts(session: AsyncSession, enterprise: Enterprise) -> dict[str, Any]:
    """What the enterprise was registered by: the facts of its application, or those that came with an import."""
    if enterprise.facts is not None:
        return enterprise.facts
    wanted = select(Application.decision).where(Application.id == enterprise.application_id)
    facts: dict[str, Any] = (await session.exec(wanted)).one()["facts"]
    return facts


BANS = "SELECT known_as, until FROM ban WHERE known_as = ANY($1::uuid[]) AND $2 BETWEEN since AND until"
FACTS = """
SELECT decision -> 'facts' FROM enterprise_change WHERE uscc = $1 AND outcome = 'accepted'
ORDER BY requested_at DESC, id DESC LIMIT 1
"""


async def facts_of(session: AsyncSession, enterprise: Enterprise) -> Facts:
    """What the latest decision that made the enterprise what it is rested on."""
    changed = await (await raw(session)).fetchval(FACTS, enterprise.uscc)
    return recalled(changed or await established_facts(session, enterprise))


async def annual_report(session: AsyncSession, uscc: str, year: int) -> UUID | None:
    """The report of a year, where it is filed."""
    wanted = select(InformationReport.id).where(InformationReport.uscc == uscc, InformationReport.year == year)
    return (await session.exec(wanted)).first()


async def open_order(session: AsyncSession, id: UUID) -> ReportOrder | None:
    wanted = select(ReportOrder).where(ReportOrder.id == id, col(ReportOrder.ended).is_(None))
    return (await session.exec(wanted.with_for_update())).first()


async def open_orders(session: AsyncSession, uscc: str, kind: str, year: int | None) -> Sequence[ReportOrder]:
    """The orders that a report of this kind (and year) meets."""
    wanted = select(ReportOrder).where(
        ReportOrder.uscc == uscc, ReportOrder.kind == kind, col(ReportOrder.ended).is_(None)
    )
    wanted = wanted if year is None else wanted.where(ReportOrder.year == year)
    return (await session.exec(wanted.with_for_update())).all()


async def open_case(session: AsyncSession, uscc: str) -> FalseRegistration | None:
    """The case on a false registration that is not decided, locked until the transaction ends."""
    wanted = select(FalseRegistration).where(FalseRegistration.uscc == uscc, col(FalseRegistration.decided).is_(None))
    return (await session.exec(wanted.with_for_update())).first()


async def form_of(session: AsyncSession, enterprise: Enterprise) -> dict[str, Any]:
    """The form that an enterprise was registered by; nothing where it came from an older register."""
    wanted = select(Application.form).where(Application.id == enterprise.application_id)
    return dict((await session.exec(wanted)).first() or {})


async def bans(session: AsyncSession, known_as: Sequence[UUID], on: date) -> list[false_registration.Ban]:
    """Who of these may not apply on this day."""
    rows = await (await raw(session)).fetch(BANS, known_as, on)
    return [false_registration.Ban(row["known_as"], row["until"]) for row in rows]


async def hand_over_to_change(session: AsyncSession, uscc: str, matter: str) -> HandOver | None:
    """A matter that was handed over, locked until the transaction ends."""
    wanted = select(HandOver).where(HandOver.uscc == uscc, HandOver.matter == matter)
    return (await session.exec(wanted.with_for_update())).first()


async def count_documents(session: AsyncSession, application_id: UUID) -> int:
    query = "SELECT count(*) FROM document WHERE application_id = $1"
    return int(await (await raw(session)).fetchval(query, application_id))


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


async def investor_names(session: AsyncSession, application_id: UUID) -> Sequence[str]:
    """What the investors are called, where that is still held."""
    wanted = select(Party.name).where(Party.application_id == application_id, Party.role == "investor")
    return (await session.exec(wanted)).all()


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
    a.concerns, coalesce(a.form -> 'lacking', '[]') AS lacking,
    a.correct_by, a.sign_by, a.decided, a.proposed, a.form -> 'name_grounds' AS name_grounds, w.due_on AS decide_by,
    coalesce((
        SELECT json_agg(json_build_object('signer', s.field, 'account', s.account, 'way', s.way,
            'signed_at', s.signed_at, 'document_id', s.document_id) ORDER BY s.field)
        FROM signature s WHERE (s.application_id, s.round) = (a.id, a.round)), '[]') AS signatures,
    ({RESTRICTED} a.uscc) AS restricted
FROM application a
LEFT JOIN work_item w ON (w.queue, w.subject) = ('registration.review', a.id::text) AND w.closed_at IS NULL
WHERE a.id = $1 AND ($2::text IS NULL OR a.filed_by = $2)
"""
FORM = """
SELECT a.id, a.form, a.decision, a.version,
    (SELECT json_object_agg(p.party_id, p.name) FROM party p WHERE p.application_id = a.id) AS names,
    (SELECT json_object_agg(s.field, s.account) FROM signature s
        WHERE (s.application_id, s.round) = (a.id, a.round) AND s.account IS NOT NULL) AS signers
FROM application a WHERE a.id = $1 AND ($2::text IS NULL OR a.filed_by = $2 OR EXISTS (
    SELECT 1 FROM signature s WHERE (s.application_id, s.round) = (a.id, a.round) AND s.account = $2))
"""
"""To its owner, and to those whom it names as signers: they read what they sign."""
RECORDS = """
SELECT a.decision, a.round, a.decided FROM application a WHERE a.id = $1
"""
EARLIER_RECORDS = "SELECT decision, round FROM earlier_round WHERE application_id = $1 ORDER BY round"
ENTERPRISE = f"""
SELECT e.uscc, e.application_id, e.registered_on, e.name, e.enterprise_type, e.registered_capital, e.capital_currency,
    e.capital, e.flags, e.activities, e.area, e.legal_representative_nationality, e.version, e.deregistered_on,
    e.withdrawn_on, d.procedure, d.notice_until, d.version AS deregistration_version,
    coalesce((
        SELECT json_agg(json_build_object('permit_id', s.permit_id, 'permit_item', s.permit_item,
            'activities', s.activities, 'suspended_on', s.suspended_on) ORDER BY s.suspended_on, s.permit_id)
        FROM suspension s WHERE s.uscc = e.uscc), '[]') AS suspended,
    ({RESTRICTED} e.uscc) AS restricted
FROM enterprise e LEFT JOIN deregistration d ON d.uscc = e.uscc AND d.decided IS NULL
WHERE e.uscc = $1
"""
CALLED = "SELECT uscc, name FROM enterprise WHERE uscc = ANY($1::text[]) ORDER BY uscc"
DRAFT = "SELECT id, content, saved_at, expires_on, version FROM draft WHERE id = $1 AND owner = $2"
DRAFTS = """
SELECT id, saved_at, expires_on, version FROM draft
WHERE owner = $1 AND ($2::timestamptz IS NULL OR (saved_at, id) < ($2, $3::uuid))
ORDER BY saved_at DESC, id DESC LIMIT $4
"""
JUDGED_FACTS = """
SELECT 'enterprise', e.uscc, coalesce(e.facts, a.decision -> 'facts')::text, e.activities, e.area,
    e.legal_representative_nationality
FROM enterprise e LEFT JOIN application a ON a.id = e.application_id
WHERE e.deregistered_on IS NULL AND ($1::text[] IS NULL OR e.activities && $1)
UNION ALL
SELECT 'application', a.id::text, (a.decision -> 'facts')::text, NULL, NULL, NULL FROM application a
WHERE a.status IN ('in_review', 'corrections_requested')
    AND ($1 IS NULL OR a.decision -> 'facts' -> 'activities' ?| $1)
"""
"""What everybody is judged by who is on the register or waits for a decision, with one of these activities."""
LIFT_SERIAL = "SELECT setval('uscc_serial', greatest((SELECT last_value FROM uscc_serial), $1))"


async def application(connection: asyncpg.Connection, id: UUID, owner: str | None) -> asyncpg.Record | None:
    """An application; with an owner, only if it is theirs."""
    return await connection.fetchrow(APPLICATION, id, owner)


async def form(connection: asyncpg.Connection, id: UUID, owner: str | None) -> asyncpg.Record | None:
    """What was filed, with the names that are still held, by party."""
    return await connection.fetchrow(FORM, id, owner)


async def records(connection: asyncpg.Connection, id: UUID) -> tuple[asyncpg.Record, list[asyncpg.Record]] | None:
    """The record of an application's decisions and those of its earlier rounds."""
    found = await connection.fetchrow(RECORDS, id)
    return None if found is None else (found, await connection.fetch(EARLIER_RECORDS, id))


async def enterprise(connection: asyncpg.Connection, uscc: str) -> asyncpg.Record | None:
    return await connection.fetchrow(ENTERPRISE, uscc)


async def called(connection: asyncpg.Connection, usccs: Sequence[str]) -> list[asyncpg.Record]:
    return list(await connection.fetch(CALLED, usccs))


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


REPORTS = """
SELECT r.id, kind, year, matters, happened_on, filed_on, late, because, content FROM information_report r
JOIN enterprise e USING (uscc) WHERE uscc = $1 AND ($2::text IS NULL OR e.filed_by = $2)
ORDER BY filed_on DESC, r.id DESC LIMIT 200
"""
ORDERS = """
SELECT o.id, kind, year, ordered_on, due_on, ended FROM report_order o
JOIN enterprise e USING (uscc) WHERE uscc = $1 AND ($2::text IS NULL OR e.filed_by = $2)
ORDER BY ordered_on DESC, o.id DESC LIMIT 200
"""
REPORTING = """
SELECT uscc, registered_on, capital, deregistered_on FROM enterprise
WHERE uscc = $1 AND ($2::text IS NULL OR filed_by = $2)
"""


async def reports(
    connection: asyncpg.Connection, uscc: str, owner: str | None
) -> tuple[asyncpg.Record, list[asyncpg.Record], list[asyncpg.Record]] | None:
    """The enterprise, its latest reports and the orders to report; with an owner, only if it is theirs."""
    found = await connection.fetchrow(REPORTING, uscc, owner)
    if found is None:
        return None
    return found, await connection.fetch(REPORTS, uscc, owner), await connection.fetch(ORDERS, uscc, owner)


CASE = """
SELECT id, uscc, opened_on, reason, notice_until, objections, decided, version FROM false_registration
WHERE uscc = $1 ORDER BY decided IS NULL DESC, opened_on DESC, id LIMIT 1
"""


async def case(connection: asyncpg.Connection, uscc: str) -> asyncpg.Record | None:
    """The case on a false registration that is open, or the latest."""
    return await connection.fetchrow(CASE, uscc)


DEREGISTRATIONS = """
SELECT d.id, uscc, procedure, requested_at, notice_until, decided, d.version
FROM enterprise e LEFT JOIN deregistration d USING (uscc)
WHERE uscc = $1 AND ($2::text IS NULL OR e.filed_by = $2) ORDER BY requested_at DESC, d.id LIMIT 200
"""


async def deregistrations(connection: asyncpg.Connection, uscc: str, owner: str | None) -> list[asyncpg.Record] | None:
    """What was asked for, the latest first; with an owner, only of their enterprise. None: there is none such."""
    rows = await connection.fetch(DEREGISTRATIONS, uscc, owner)
    return [row for row in rows if row["id"] is not None] if rows else None


HAND_OVERS = """
SELECT matter, state, handed_on, due_on, settled_on, version FROM hand_over WHERE uscc = $1 ORDER BY handed_on, matter
"""


async def hand_overs(connection: asyncpg.Connection, uscc: str, owner: str | None) -> list[asyncpg.Record] | None:
    """The matters of an enterprise that were handed over; None where it is not there, or not the owner's."""
    if await connection.fetchrow(REPORTING, uscc, owner) is None:
        return None
    rows: list[asyncpg.Record] = await connection.fetch(HAND_OVERS, uscc)
    return rows


DOCUMENTS = """
SELECT id, kind, media_type, size, sha256, investor, proof, supplied_by, supplied_at FROM document
WHERE application_id = $1 ORDER BY supplied_at, id
"""
DOCUMENT = """
SELECT d.media_type, d.content FROM document d JOIN application a ON a.id = d.application_id
WHERE a.id = $1 AND d.id = $2 AND ($3::text IS NULL OR a.filed_by = $3)
"""


async def documents(connection: asyncpg.Connection, id: UUID, owner: str | None) -> list[asyncpg.Record] | None:
    """The documents of an application; None where it is not there, or not the owner's."""
    if await application(connection, id, owner) is None:
        return None
    rows: list[asyncpg.Record] = await connection.fetch(DOCUMENTS, id)
    return rows


async def document(
    connection: asyncpg.Connection, application_id: UUID, id: UUID, owner: str | None
) -> asyncpg.Record | None:
    return await connection.fetchrow(DOCUMENT, application_id, id, owner)
