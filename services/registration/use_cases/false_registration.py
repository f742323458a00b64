"""A registration obtained by false papers is noticed, objected to, and withdrawn or let stand by an officer."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Literal
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common import due, outbox, work
from libs.common.clock import Clock
from libs.common.identity import Caller
from libs.common.web import Stale
from services.registration import domain, repository, tables
from services.registration.domain import false_registration
from services.registration.domain.false_registration import CaseOpen, NoticeOver
from services.registration.published_events import FalseRegistrationNoticed, RegistrationWithdrawn
from services.registration.use_cases.enterprise import own_enterprise
from services.registration.use_cases.history import continue_history
from services.registration.use_cases.names import leave_name

FALSE_REGISTRATION = "registration.false_registration"
"""The queue in which a case waits for an officer once its notice has run."""

FALSE_NOTICE_HAS_RUN = "false_registration_notice_has_run"
"""The due kind of a notice of 45 days that is over; it fires on the day after its last."""

Finding = Literal["withdraw", "dismiss"]
Responsible = Literal["legal_representative", "investors"]


class NoSuchCase(Exception):
    """No case on this registration is open."""


async def open_case(
    session: AsyncSession, uscc: str, reason: str, officer: Caller, policy: domain.Policy, clock: Clock, *, id: UUID
) -> tables.FalseRegistration:
    """An officer has found that the papers are false: public notice for 45 days.

    Raises EnterpriseUnknown, Deregistered, CaseOpen.
    """
    await own_enterprise(session, uscc, None)
    if await repository.open_case(session, uscc) is not None:
        raise CaseOpen
    until = clock.today() + timedelta(days=policy.days("false_registration_notice"))
    row = tables.FalseRegistration(
        id=id, uscc=uscc, opened_on=clock.today(), officer=officer.subject, reason=reason, notice_until=until
    )
    session.add(row)
    await due.add(session, FALSE_NOTICE_HAS_RUN, uscc, until + timedelta(days=1))
    said = FalseRegistrationNoticed(case_id=id, noticed_on=clock.today(), notice_until=until)
    outbox.add(session, said, subject=uscc, clock=clock, correlation_id=str(id))
    return row


async def object_to_case(
    session: AsyncSession, uscc: str, words: str, caller: Caller, clock: Clock
) -> tables.FalseRegistration:
    """The enterprise or somebody with an interest objects while the notice runs. Raises NoSuchCase, NoticeOver."""
    row = await _open_case(session, uscc)
    if clock.today() > row.notice_until:
        raise NoticeOver
    row.objections = [*row.objections, {"by": caller.subject, "on": clock.today().isoformat(), "words": words}]
    row.version += 1
    return row


async def put_case_to_officer(session: AsyncSession, uscc: str, policy: domain.Policy, clock: Clock) -> None:
    """The notice has run: an officer decides. Nothing happens where the case is gone."""
    row = await repository.open_case(session, uscc)
    if row is not None:
        days = policy.days("decision")
        await work.open(session, FALSE_REGISTRATION, uscc, days=days, clock=clock, correlation_id=str(row.id))


async def decide_case(
    session: AsyncSession, uscc: str, finding: Finding, reason: str, responsible: Sequence[Responsible],
    officer: Caller, version: int, policy: domain.Policy, clock: Clock,
) -> tables.FalseRegistration:  # fmt: skip
    """Withdraw the registration, and bar those who answer for it from applying for three years; or let it stand.

    Raises NoSuchCase, Stale, work.NotYours, work.Closed.
    """
    enterprise = await repository.enterprise_to_change(session, uscc)
    row = await _open_case(session, uscc)
    if row.version != version:
        raise Stale
    await work.claimed_by(session, FALSE_REGISTRATION, uscc, officer, clock)
    row.version += 1
    row.decided = {
        "outcome": finding, "officer": officer.subject, "reason": reason, "on": clock.today().isoformat(),
        "responsible": sorted(responsible) if finding == "withdraw" else [],
    }  # fmt: skip
    if finding == "withdraw" and enterprise is not None and enterprise.deregistered_on is None:
        enterprise.withdrawn_on = clock.today()
        await continue_history(session, enterprise, "withdrawn", row.id, clock)
        await leave_name(session, uscc, policy, clock)
        await _bar(session, enterprise, row.id, responsible, clock)
        said = RegistrationWithdrawn(case_id=row.id, withdrawn_on=clock.today())
        outbox.add(session, said, subject=uscc, clock=clock, correlation_id=str(row.id))
    await work.close(session, FALSE_REGISTRATION, uscc, finding, clock)
    return row


async def concerns_of(
    session: AsyncSession, application: domain.Application, clock: Clock
) -> tuple[false_registration.Concern, ...]:
    """Who of a form may be barred from applying; nobody can be found where no opaque ids are made."""
    known = application.known_as
    bans = await repository.bans(session, list(known.values()), clock.today()) if known else []
    return false_registration.concerns(
        application.investor_parties, application.legal_representative, known, bans
    )  # fmt: skip


async def _open_case(session: AsyncSession, uscc: str) -> tables.FalseRegistration:
    row = await repository.open_case(session, uscc)
    if row is None:
        raise NoSuchCase
    return row


async def _bar(
    session: AsyncSession, enterprise: tables.Enterprise, case: UUID, responsible: Sequence[Responsible], clock: Clock
) -> None:
    form = await repository.form_of(session, enterprise)
    known_as = form.get("known_as", {})
    parties = [form.get("legal_representative")] if "legal_representative" in responsible else []
    parties += form.get("investor_parties", []) if "investors" in responsible else []
    until = false_registration.banned_until(clock.today())
    for known in sorted({known_as[party] for party in parties if party in known_as}):
        session.add(tables.Ban(known_as=UUID(known), case_id=case, since=clock.today(), until=until))
