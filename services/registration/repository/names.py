"""Queries of names: which are like one, who keeps one, and what becomes of it."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import asyncpg
from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common.database import raw
from services.registration.domain import names
from services.registration.tables import NameHeld

LIKE_NAMES = """
SELECT full_name, state, until,
    CASE WHEN trade = $1 THEN 'same' WHEN core = $2 THEN 'same_core' ELSE 'same_sound' END AS likeness
FROM name_held
WHERE (trade = $1 OR core = $2 OR sound = $3) AND (industry IN ($4, '') OR division = $5)
    AND (until IS NULL OR until >= $6 OR state = 'applied') AND id <> ALL($7::uuid[])
ORDER BY 4, full_name LIMIT 50
"""
"""The most alike first. Of one trade name in one industry there are few."""
LOCK_NAME = "SELECT pg_advisory_xact_lock(hashtextextended($1, 734))"
ENTER_NAME = "UPDATE name_held SET state = 'registered', uscc = $2, until = NULL WHERE application_id = $1"
GIVE_UP_NAME = """
UPDATE name_held SET state = 'left', until = $2, uscc = NULL, application_id = NULL, holder = NULL WHERE uscc = $1
RETURNING id
"""
LEAVE_NAME = "UPDATE name_held SET state = 'left', until = $2 WHERE uscc = $1 RETURNING id"
RETURN_NAME = """
UPDATE name_held SET state = 'reserved', application_id = NULL WHERE application_id = $1 AND until >= $2
"""
DROP_NAME = "DELETE FROM name_held WHERE application_id = $1"
NAMELESS = """
SELECT e.uscc, e.registered_on, e.activities, a.id, a.form -> 'name' AS name
FROM enterprise e JOIN application a ON a.id = e.application_id
WHERE e.deregistered_on IS NULL AND NOT EXISTS (SELECT 1 FROM name_held h WHERE h.uscc = e.uscc) LIMIT 5000
"""
OWN_RESERVATION = """
SELECT id FROM name_held WHERE state = 'reserved' AND holder = $1 AND full_name = $2 AND until >= $3
ORDER BY held_since LIMIT 1 FOR UPDATE
"""
RESERVATIONS = """
SELECT id, full_name, name, held_since, until FROM name_held
WHERE state = 'reserved' AND holder = $1 AND until >= $2 AND ($3::date IS NULL OR (held_since, id) < ($3, $4::uuid))
ORDER BY held_since DESC, id DESC LIMIT $5
"""


async def lock_name(session: AsyncSession, trade: str) -> None:
    """Whoever takes this trade name next waits until this transaction has ended."""
    await (await raw(session)).execute(LOCK_NAME, trade)


async def names_like(
    connection: asyncpg.Connection, keys: names.Keys, today: date, without: Sequence[UUID] = ()
) -> list[names.Taken]:
    """Names of the same industry, or that state none, which are the same, wear something else or sound alike."""
    found = await connection.fetch(
        LIKE_NAMES, keys.trade, keys.core, keys.sound, keys.industry, keys.division, today, without
    )
    return [names.Taken(row["full_name"], row["state"], row["likeness"], row["until"]) for row in found]


async def own_reservation(session: AsyncSession, holder: str, full: str, today: date) -> NameHeld | None:
    """The reservation of this account for exactly this name, locked."""
    id = await (await raw(session)).fetchval(OWN_RESERVATION, holder, full, today)
    return await session.get(NameHeld, id) if id else None


async def reservation(session: AsyncSession, id: UUID, holder: str | None = None) -> NameHeld | None:
    """A reservation, locked; with a holder, only theirs."""
    wanted = select(NameHeld).where(NameHeld.id == id, NameHeld.state == "reserved").with_for_update()
    if holder is not None:
        wanted = wanted.where(NameHeld.holder == holder)
    return (await session.exec(wanted)).first()


async def forget_name(session: AsyncSession, id: UUID, today: date) -> None:
    """A name whose last day is over is free, unless an application holds it."""
    over = delete(NameHeld).where(col(NameHeld.id) == id, col(NameHeld.until) < today, col(NameHeld.state) != "applied")
    await session.exec(over)


async def enter_name(session: AsyncSession, application_id: UUID, uscc: str) -> None:
    await (await raw(session)).execute(ENTER_NAME, application_id, uscc)


async def leave_name(session: AsyncSession, uscc: str, until: date) -> UUID | None:
    id: UUID | None = await (await raw(session)).fetchval(LEAVE_NAME, uscc, until)
    return id


async def give_up_name(session: AsyncSession, uscc: str, until: date) -> UUID | None:
    """The name of an enterprise that takes another one: whose it was is in its history."""
    id: UUID | None = await (await raw(session)).fetchval(GIVE_UP_NAME, uscc, until)
    return id


async def name_of(session: AsyncSession, uscc: str) -> NameHeld | None:
    """The name that an enterprise is registered under."""
    return (await session.exec(select(NameHeld).where(NameHeld.uscc == uscc))).first()


async def give_back_name(session: AsyncSession, application_id: UUID, today: date) -> None:
    """The application has ended: its name is reserved again while that lasts, otherwise free."""
    connection = await raw(session)
    await connection.execute(RETURN_NAME, application_id, today)
    await connection.execute(DROP_NAME, application_id)


async def nameless(connection: asyncpg.Connection) -> list[asyncpg.Record]:
    """Enterprises whose names are not among those held, some at a time."""
    rows: list[asyncpg.Record] = await connection.fetch(NAMELESS)
    return rows


async def reservations(
    connection: asyncpg.Connection, holder: str, today: date, after: tuple[date, UUID] | None, limit: int
) -> list[asyncpg.Record]:
    """Somebody's reservations, the latest first, from behind `after` (held_since, id)."""
    rows: list[asyncpg.Record] = await connection.fetch(RESERVATIONS, holder, today, *(after or (None, None)), limit)
    return rows
