"""What every act of an officer on an application begins with."""

from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common import work
from libs.common.clock import Clock
from libs.common.identity import Caller
from libs.common.web import Stale
from services.registration import domain, repository, tables
from services.registration.domain import states

REVIEW = "registration.review"
"""The queue in which an application waits for an officer."""


COUNTERSIGNATURE = "registration.countersignature"
"""The queue in which a registration that one officer has proposed waits for another."""


class SecondOfficer(Exception):
    """The registration waits for a second officer, or the first wants to be the second as well."""


class NoSuchApplication(Exception):
    """There is no such application, or it is somebody else's."""


async def under_review(
    session: AsyncSession, id: UUID, act: states.Act, officer: Caller, version: int, clock: Clock
) -> tables.Application:
    """The application, locked, where this officer holds it and the act is open.

    Raises NoSuchApplication, Stale, ActClosed, work.NotYours, work.Closed.
    """
    row = await repository.application_to_change(session, id)
    if row is None:
        raise NoSuchApplication
    if row.version != version:
        raise Stale
    states.after(row.status, act)  # type: ignore[arg-type]
    await work.claimed_by(session, REVIEW, str(id), officer, clock)
    return row


async def extend_review(
    session: AsyncSession, id: UUID, reason: str, officer: Caller, version: int, policy: domain.Policy, clock: Clock
) -> work.Item:
    """Take three working days more for a case that needs them, once and in time. `reason` is a code.

    Raises NoSuchApplication, Stale, ActClosed, work.NotYours, work.NotExtendable.
    Source: Market Entity Registration Regulations Art 19.
    """
    await under_review(session, id, "register", officer, version, clock)
    days = policy.days("decision_extended")
    return await work.extend(session, REVIEW, str(id), days=days, reason=reason, clock=clock)


async def drop_proposal(session: AsyncSession, row: tables.Application, clock: Clock) -> None:
    """What one officer has proposed no longer waits for another: the application has gone another way."""
    if row.proposed is not None:
        row.proposed = None
        await work.close(session, COUNTERSIGNATURE, str(row.id), "settled", clock)
