"""An enterprise leaves the register: after public notice to which nobody objects, or by an officer's decision."""

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
from services.registration.domain.false_registration import NoticeOver
from services.registration.published_events import (
    DeregistrationRefused,
    DeregistrationRequested,
    EnterpriseDeregistered,
)
from services.registration.use_cases.enterprise import own_enterprise
from services.registration.use_cases.history import continue_history
from services.registration.use_cases.names import leave_name

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
    said = DeregistrationRequested(procedure=procedure, requested_on=clock.today(), notice_until=row.notice_until)
    outbox.add(session, said, subject=uscc, clock=clock, correlation_id=str(id))
    return row


async def decide_deregistration(
    session: AsyncSession, uscc: str, ruling: Ruling, reason: str, officer: Caller, version: int,
    policy: domain.Policy, clock: Clock,
) -> tables.Deregistration:  # fmt: skip
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
        await _leave(session, enterprise, row, policy, clock)
    else:
        _stay(session, row, "officer", clock)
    await work.close(session, DEREGISTRATION, uscc, ruling, clock)
    return row


async def object_to_deregistration(
    session: AsyncSession, uscc: str, words: str, caller: Caller, clock: Clock
) -> tables.Deregistration:
    """Somebody with an interest objects while the notice runs: the simplified way is closed, the general one is not.

    Raises NoSuchDeregistration, NoticeOver.
    Source: Market Entity Registration Regulations Art 33, which lets an enterprise leave by the simplified way where
    nobody objected within the 20 days (read from memory, unverified).
    """
    enterprise = await repository.enterprise_to_change(session, uscc)
    row = await repository.open_deregistration(session, uscc)
    if enterprise is None or row is None or row.notice_until is None:
        raise NoSuchDeregistration
    if clock.today() > row.notice_until:
        raise NoticeOver
    row.version += 1
    row.decided = {
        "outcome": "refuse", "by": "objection", "objector": caller.subject, "words": words,
        "on": clock.today().isoformat(),
    }  # fmt: skip
    await due.remove(session, NOTICE_HAS_RUN, str(row.id))
    _stay(session, row, "objection", clock)
    return row


async def complete_simplified_deregistration(
    session: AsyncSession, id: UUID, policy: domain.Policy, clock: Clock
) -> None:
    """The public notice has run. Nothing happens where it was decided otherwise meanwhile."""
    uscc = await repository.uscc_of_deregistration(session, id)
    enterprise = await repository.enterprise_to_change(session, uscc) if uscc else None
    row = await repository.open_deregistration(session, uscc) if uscc else None
    if enterprise is None or row is None or row.id != id or enterprise.withdrawn_on is not None:
        return
    row.version += 1
    row.decided = {"outcome": "deregister", "by": "time", "on": clock.today().isoformat()}
    await _leave(session, enterprise, row, policy, clock)


def _stay(
    session: AsyncSession, row: tables.Deregistration, by: Literal["officer", "objection"], clock: Clock
) -> None:  # fmt: skip
    procedure: standing.Procedure = row.procedure  # type: ignore[assignment]
    said = DeregistrationRefused(procedure=procedure, refused_by=by, refused_on=clock.today())
    outbox.add(session, said, subject=row.uscc, clock=clock, correlation_id=str(row.id))


async def _leave(
    session: AsyncSession, enterprise: tables.Enterprise, row: tables.Deregistration, policy: domain.Policy,
    clock: Clock,
) -> None:  # fmt: skip
    enterprise.deregistered_on = clock.today()
    await continue_history(session, enterprise, "deregistered", row.id, clock)
    await leave_name(session, enterprise.uscc, policy, clock)
    said = EnterpriseDeregistered(procedure=row.procedure, deregistered_on=clock.today())  # type: ignore[arg-type]
    outbox.add(session, said, subject=enterprise.uscc, clock=clock, correlation_id=str(row.id))
