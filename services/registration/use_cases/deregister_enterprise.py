"""An enterprise leaves the register: after public notice, or by an officer's decision."""

from datetime import timedelta
from typing import Literal
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common import due, outbox, work
from libs.common.clock import Clock
from libs.common.identity import Caller
from libs.common.web import Stale
from services.registration import domain, repository, tables
from services.registration.domain import standing
from services.registration.published_events import EnterpriseDeregistered
from services.registration.use_cases.change_enterprise import own_enterprise

DEREGISTRATION = "registration.deregistration"
"""The queue in which a general deregistration waits for an officer."""

NOTICE_HAS_RUN = "deregistration_notice_has_run"
"""The due kind of a public notice that is over. It fires on the day after its last."""

Ruling = Literal["deregister", "refuse"]


class NoSuchDeregistration(Exception):
    """Nobody has asked for the deregistration of this enterprise, or it is decided."""


async def request_deregistration(
    session: AsyncSession, uscc: str, procedure: standing.Procedure, owner: str, policy: domain.Policy, clock: Clock, *,
    id: UUID,
) -> tables.Deregistration:  # fmt: skip
    """Ask to leave the register. Simplified: public notice for 20 days, then it is done. General: an officer decides.

    Raises EnterpriseUnknown, Deregistered, DeregistrationFiled.
    Source: Market Entity Registration Regulations Art 31, 33.
    """
    await own_enterprise(session, uscc, owner)
    if await repository.open_deregistration(session, uscc) is not None:
        raise standing.DeregistrationFiled
    row = tables.Deregistration(id=id, uscc=uscc, procedure=procedure, requested_at=clock.now())
    session.add(row)
    if procedure == "simplified":
        row.notice_until = clock.today() + timedelta(days=policy.days("simplified_notice"))
        await due.add(session, NOTICE_HAS_RUN, str(id), row.notice_until + timedelta(days=1))
    else:
        days = policy.days("decision")
        await work.open(session, DEREGISTRATION, uscc, days=days, clock=clock, correlation_id=str(id))
    return row


async def decide_deregistration(
    session: AsyncSession, uscc: str, ruling: Ruling, reason: str, officer: Caller, version: int, clock: Clock
) -> tables.Deregistration:
    """An officer who holds the item of work decides on a general deregistration.

    Raises NoSuchDeregistration, Stale, work.NotYours, work.Closed.
    """
    enterprise = await repository.enterprise_to_change(session, uscc)
    row = await repository.open_deregistration(session, uscc)
    if enterprise is None or row is None or row.procedure != "general":
        raise NoSuchDeregistration
    if row.version != version:
        raise Stale
    await work.claimed_by(session, DEREGISTRATION, uscc, officer, clock)
    row.version += 1
    row.decided = {
        "outcome": ruling, "by": "officer", "officer": officer.subject, "reason": reason,
        "on": clock.today().isoformat(),
    }  # fmt: skip
    if ruling == "deregister":
        _leave(session, enterprise, row, clock)
    await work.close(session, DEREGISTRATION, uscc, ruling, clock)
    return row


async def complete_simplified_deregistration(session: AsyncSession, id: UUID, clock: Clock) -> None:
    """The public notice has run. Nothing happens where it was decided otherwise meanwhile."""
    uscc = await repository.uscc_of_deregistration(session, id)
    enterprise = await repository.enterprise_to_change(session, uscc) if uscc else None
    row = await repository.open_deregistration(session, uscc) if uscc else None
    if enterprise is None or row is None or row.id != id:
        return
    row.version += 1
    row.decided = {"outcome": "deregister", "by": "time", "on": clock.today().isoformat()}
    _leave(session, enterprise, row, clock)


def _leave(
    session: AsyncSession, enterprise: tables.Enterprise, row: tables.Deregistration, clock: Clock
) -> None:  # fmt: skip
    enterprise.deregistered_on = clock.today()
    said = EnterpriseDeregistered(procedure=row.procedure, deregistered_on=clock.today())  # type: ignore[arg-type]
    outbox.add(session, said, subject=enterprise.uscc, clock=clock, correlation_id=str(row.id))
