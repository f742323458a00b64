"""The acts on overrides: one person sets a class with a reason and an end, another signs, a date or a person ends it.

An override is shown beside the computed class and changes nothing else: it is no fact, no score is made from it, and no
event tells of it, because nobody outside risk may decide by it (supervision draws by the computed class).
"""

from dataclasses import dataclass
from datetime import date
from uuid import UUID, uuid4

import asyncpg
from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common import due
from libs.common.clock import Clock
from libs.common.database import raw
from libs.common.identity import Caller
from libs.common.web import Stale
from services.risk.domain import RiskClass
from services.risk.repository import overrides as repository
from services.risk.repository.overrides import Row

EXPIRES = "override_expires"
LONGEST_DAYS = 366
"""District's own setting: nobody's judgement outlasts a year unexamined."""


class EnterpriseNotScored(Exception):
    """No class is computed for this enterprise, so that none can be set beside it."""


class OverrideUnknown(Exception):
    """There is no override of this id."""


class OverrideWaits(Exception):
    """An override of this enterprise waits for its signature already."""


class OverrideSettled(Exception):
    """The override is signed already, or has ended."""


class SamePerson(Exception):
    """Who has proposed cannot be the second to sign."""


@dataclass
class EndOutOfRange(Exception):
    """An override ends on a later day, and within a year."""

    earliest: date
    latest: date


async def set_override(
    session: AsyncSession, uscc: str, risk_class: RiskClass, reason: str, expires_on: date, caller: Caller, clock: Clock
) -> Row:
    """Set a class beside the computed one; it holds from the second signature until `expires_on`."""
    today = clock.today().toordinal()
    earliest, latest = date.fromordinal(today + 1), date.fromordinal(today + LONGEST_DAYS)
    if not earliest <= expires_on <= latest:
        raise EndOutOfRange(earliest, latest)
    connection = await raw(session)
    if not await connection.fetchval(repository.IS_SCORED, uscc):
        raise EnterpriseNotScored
    row = await repository.one(
        connection, repository.ADD, uuid4(), uscc, int(risk_class), reason, expires_on, caller.subject, clock.now()
    )
    if row is None:
        raise OverrideWaits
    await due.add(session, EXPIRES, str(row["id"]), expires_on)
    return row


async def sign_override(session: AsyncSession, id: UUID, version: int, caller: Caller, clock: Clock) -> Row:
    """The second signature, by somebody else. From now on it holds, in place of the one that held before."""
    connection = await raw(session)
    row = await _to_change(connection, id, version)
    if row["entered_by"] == caller.subject:
        raise SamePerson
    if row["signed_by"] is not None:
        raise OverrideSettled
    await connection.execute(repository.REPLACE, row["uscc"], id, caller.subject, clock.now())
    signed = await repository.one(connection, repository.SIGN, id, caller.subject, clock.now())
    if signed is None:
        raise OverrideSettled
    return signed


async def withdraw_override(
    session: AsyncSession, id: UUID, version: int, reason: str, caller: Caller, clock: Clock
) -> Row:
    """End an override before its date, signed or not."""
    connection = await raw(session)
    await _to_change(connection, id, version)
    await due.remove(session, EXPIRES, str(id))
    ended = await repository.one(connection, repository.END, id, "withdrawn", caller.subject, clock.now(), reason)
    if ended is None:
        raise OverrideSettled
    return ended


async def expire_override(session: AsyncSession, id: UUID, clock: Clock) -> None:
    """The day has come: it holds no longer, or can no longer be signed. One that has ended stays as it is."""
    await (await raw(session)).execute(repository.END, id, "expired", None, clock.now(), None)


async def _to_change(connection: asyncpg.Connection, id: UUID, version: int) -> Row:
    row = await repository.one(connection, repository.LOCKED, id)
    if row is None:
        raise OverrideUnknown
    if row["ended"] is not None:
        raise OverrideSettled
    if row["version"] != version:
        raise Stale
    return row
