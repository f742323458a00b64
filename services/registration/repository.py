"""Named queries of registration."""

import asyncpg
from sqlalchemy import text
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.registration.tables import Application, Enterprise

NEXT_SERIAL = text("SELECT nextval('uscc_serial')")


async def next_serial(session: AsyncSession) -> int:
    """A serial that no other transaction gets; one that rolls back leaves it unused."""
    return int(await session.scalar(NEXT_SERIAL) or 0)


async def enterprise_to_change(session: AsyncSession, uscc: str) -> Enterprise | None:
    """The enterprise, locked until the transaction ends: two officers change it one after the other."""
    return (await session.exec(select(Enterprise).where(Enterprise.uscc == uscc).with_for_update())).first()


async def application_of(session: AsyncSession, enterprise: Enterprise) -> Application:
    return (await session.exec(select(Application).where(Application.id == enterprise.application_id))).one()


APPLICATION = """
SELECT id, status, enterprise_name, submitted_at, uscc, decision FROM application WHERE id = $1
"""
ENTERPRISE = """
SELECT uscc, application_id, registered_on, name, enterprise_type, registered_capital, capital_currency, activities,
    area, legal_representative_nationality, version
FROM enterprise WHERE uscc = $1
"""
LIFT_SERIAL = "SELECT setval('uscc_serial', greatest((SELECT last_value FROM uscc_serial), $1))"


async def application(connection: asyncpg.Connection, id: object) -> asyncpg.Record | None:
    return await connection.fetchrow(APPLICATION, id)


async def enterprise(connection: asyncpg.Connection, uscc: str) -> asyncpg.Record | None:
    return await connection.fetchrow(ENTERPRISE, uscc)


async def lift_serial(connection: asyncpg.Connection, above: int) -> int:
    """No serial up to `above` is given out again; returns where the sequence stands."""
    return int(await connection.fetchval(LIFT_SERIAL, above) or 0)
