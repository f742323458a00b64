"""Named queries of credit."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common.database import raw
from services.credit.tables import Enterprise, Listing, Proposal, Record, Repair

STUB = "INSERT INTO enterprise (uscc) VALUES ($1) ON CONFLICT DO NOTHING"
REGISTERED = """
INSERT INTO enterprise (uscc, registered_on, filed_by) VALUES ($1, $2, $3)
ON CONFLICT (uscc) DO UPDATE SET registered_on = excluded.registered_on, filed_by = excluded.filed_by
"""
NO_LONGER_UNKNOWN = """
UPDATE record SET flags = array_remove(flags, 'uscc_unknown') WHERE uscc = $1 AND 'uscc_unknown' = ANY(flags)
"""
STANDING_GROUNDS = """
SELECT ground FROM record WHERE uscc = $1 AND state = 'standing' AND ground IS NOT NULL
UNION SELECT ground FROM listing WHERE uscc = $1 AND state = 'standing'
"""
IS_BASIS = """
SELECT EXISTS (SELECT 1 FROM record WHERE uscc = $1 AND id = $2 AND state <> 'erased')
    OR EXISTS (SELECT 1 FROM proposal WHERE uscc = $1 AND because = $2)
"""
RECORD_OF_PERMIT = """
SELECT r.id FROM record r JOIN record_version v ON v.record_id = r.id
WHERE r.uscc = $1 AND r.kind = 'commitment_breach' AND r.state <> 'erased' AND v.content ->> 'permit_id' = $2
ORDER BY r.received_at DESC LIMIT 1
"""
FIRST_SEEN = """
INSERT INTO received (identity, digest, place, record_id, version, outcome, flags, received_at)
VALUES ($1, $2, $3, $4, $5, '', '{}', $6) ON CONFLICT (identity) DO NOTHING RETURNING true
"""
ANSWERED = "UPDATE received SET outcome = $2, reason = $3, field = $4, flags = $5 WHERE identity = $1"
COUNT = """
INSERT INTO received_count (partition, outcome, records) SELECT $1, * FROM unnest($2::text[], $3::bigint[])
ON CONFLICT (partition, outcome) DO UPDATE SET records = received_count.records + excluded.records
"""
# Whose an enterprise is: $2 is the account that asks, or null for those whose office it is.
OWN_ENTERPRISE = """
SELECT uscc, registered_on, restrictions, restriction_grounds FROM enterprise
WHERE uscc = $1 AND ($2::text IS NULL OR filed_by = $2)
"""
OWN_TARGET = """
SELECT t.uscc, t.kind FROM (
    SELECT id, uscc, 'record' AS kind FROM record WHERE state <> 'erased'
    UNION ALL SELECT id, uscc, 'listing' FROM listing) t
JOIN enterprise e USING (uscc) WHERE t.id = $1 AND e.filed_by = $2
"""
OWN_REPAIR = """
SELECT r.* FROM repair r JOIN enterprise e USING (uscc) WHERE r.id = $1 AND ($2::text IS NULL OR e.filed_by = $2)
"""
RECORDS = """
SELECT id, kind, ground, origin, origin_id, version, effective_on, received_at, flags, state, public_until,
    public_ended_on, closed_on, closed_because
FROM record WHERE uscc = $1 AND state <> 'erased'
    AND ($2::timestamptz IS NULL OR (received_at, id) < ($2, $3::uuid))
ORDER BY received_at DESC, id DESC LIMIT $4
"""
LISTINGS = """
SELECT id, list, ground, basis, listed_on, ends_on, state, ended_on, ended_because FROM listing WHERE uscc = $1
ORDER BY state DESC, listed_on DESC, id LIMIT 50
"""
PROPOSAL = "SELECT * FROM proposal WHERE id = $1"
COUNTS = "SELECT outcome, sum(records)::bigint AS records FROM received_count GROUP BY outcome"
LAST_RECEIVED = """
SELECT identity, place, record_id, version, outcome, reason, field, flags, received_at FROM received
WHERE $1::timestamptz IS NULL OR (received_at, identity) < ($1, $2::text)
ORDER BY received_at DESC, identity DESC LIMIT $3
"""
LIFT_RESTRICTIONS = """
INSERT INTO enterprise (uscc, restrictions, restriction_grounds) VALUES ($1, $2, $3)
ON CONFLICT (uscc) DO UPDATE
SET restrictions = excluded.restrictions, restriction_grounds = excluded.restriction_grounds
"""


async def enterprise_to_change(session: AsyncSession, uscc: str) -> Enterprise:
    """The enterprise, or a stub of one, locked until the transaction ends: acts on it come one after the other."""
    await (await raw(session)).execute(STUB, uscc)
    return (await session.exec(select(Enterprise).where(Enterprise.uscc == uscc).with_for_update())).one()


async def enter_registration(session: AsyncSession, uscc: str, on: date, filed_by: str | None) -> None:
    connection = await raw(session)
    await connection.execute(REGISTERED, uscc, on, filed_by)
    await connection.execute(NO_LONGER_UNKNOWN, uscc)


async def standing_grounds(session: AsyncSession, uscc: str) -> list[str]:
    """The grounds on which records and listings of an enterprise stand."""
    return [row["ground"] for row in await (await raw(session)).fetch(STANDING_GROUNDS, uscc)]


async def record_of(session: AsyncSession, origin: str, origin_id: str) -> Record | None:
    return (await session.exec(select(Record).where(Record.origin == origin, Record.origin_id == origin_id))).first()


async def record(session: AsyncSession, id: UUID) -> Record | None:
    return (await session.exec(select(Record).where(Record.id == id))).first()


async def record_of_permit(session: AsyncSession, uscc: str, permit_id: UUID) -> UUID | None:
    """The record of the commitment that a permit was granted on."""
    found: UUID | None = await (await raw(session)).fetchval(RECORD_OF_PERMIT, uscc, str(permit_id))
    return found


async def listing(session: AsyncSession, id: UUID) -> Listing | None:
    return (await session.exec(select(Listing).where(Listing.id == id))).first()


async def standing_listing(session: AsyncSession, uscc: str, on_list: str, ground: str) -> Listing | None:
    query = select(Listing).where(
        Listing.uscc == uscc, Listing.list == on_list, Listing.ground == ground, Listing.state == "standing"
    )
    return (await session.exec(query)).first()


async def open_proposal(session: AsyncSession, uscc: str, on_list: str, ground: str) -> Proposal | None:
    query = select(Proposal).where(
        Proposal.uscc == uscc, Proposal.list == on_list, Proposal.ground == ground, Proposal.state == "open"
    )
    return (await session.exec(query)).first()


async def proposal_to_change(session: AsyncSession, id: UUID) -> Proposal | None:
    return (await session.exec(select(Proposal).where(Proposal.id == id).with_for_update())).first()


async def repair_to_change(session: AsyncSession, id: UUID) -> Repair | None:
    return (await session.exec(select(Repair).where(Repair.id == id).with_for_update())).first()


async def repair_in_review(session: AsyncSession, target: UUID) -> Repair | None:
    query = select(Repair).where(Repair.target == target, col(Repair.state) == "in_review")
    return (await session.exec(query)).first()


async def own_target(session: AsyncSession, target: UUID, account: str) -> tuple[str, str] | None:
    """(USCC, record or listing) of a target that belongs to an enterprise of this account."""
    row = await (await raw(session)).fetchrow(OWN_TARGET, target, account)
    return None if row is None else (row["uscc"], row["kind"])


async def is_basis(session: AsyncSession, uscc: str, basis: UUID) -> bool:
    """Whether a listing can rest on this: a record of the enterprise, or what a proposal comes from."""
    return bool(await (await raw(session)).fetchval(IS_BASIS, uscc, basis))


async def lock_record_id(session: AsyncSession, record_id: str) -> None:
    """Versions of one record may come on two partitions at once: one waits for the other."""
    await (await raw(session)).execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", record_id)


async def first_seen(
    session: AsyncSession, identity: str, digest: bytes, place: str, name: tuple[str | None, int | None], at: datetime
) -> bool:
    return bool(await (await raw(session)).fetchval(FIRST_SEEN, identity, digest, place, *name, at))


async def digest_of(session: AsyncSession, identity: str) -> bytes | None:
    found: bytes | None = await (await raw(session)).fetchval(
        "SELECT digest FROM received WHERE identity = $1", identity
    )
    return found


async def answered(
    session: AsyncSession, identity: str, outcome: str, reason: str | None, field: str | None, flags: Sequence[str]
) -> None:
    await (await raw(session)).execute(ANSWERED, identity, outcome, reason, field, list(flags))


async def count(session: AsyncSession, partition: int, outcomes: Mapping[str, int]) -> None:
    names = sorted(outcomes)
    await (await raw(session)).execute(COUNT, partition, names, [outcomes[name] for name in names])


async def own_enterprise(connection: asyncpg.Connection, uscc: str, account: str | None) -> asyncpg.Record | None:
    return await connection.fetchrow(OWN_ENTERPRISE, uscc, account)


async def records(
    connection: asyncpg.Connection, uscc: str, after: tuple[Any, ...] | None, limit: int
) -> list[asyncpg.Record]:
    """Records that count or have counted, the last received first; one more than `limit`."""
    return await connection.fetch(RECORDS, uscc, *(after or (None, None)), limit + 1)


async def listings(connection: asyncpg.Connection, uscc: str) -> list[asyncpg.Record]:
    return await connection.fetch(LISTINGS, uscc)


async def own_repair(connection: asyncpg.Connection, id: UUID, account: str | None) -> asyncpg.Record | None:
    return await connection.fetchrow(OWN_REPAIR, id, account)


async def proposal(connection: asyncpg.Connection, id: UUID) -> asyncpg.Record | None:
    return await connection.fetchrow(PROPOSAL, id)


async def received_counts(connection: asyncpg.Connection) -> dict[str, int]:
    return {row["outcome"]: row["records"] for row in await connection.fetch(COUNTS)}


async def last_received(
    connection: asyncpg.Connection, after: tuple[Any, ...] | None, limit: int
) -> list[asyncpg.Record]:
    return await connection.fetch(LAST_RECEIVED, *(after or (None, None)), limit + 1)
