"""An officer decides on an application that the law leaves to a person."""

from typing import Any, Literal
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common import outbox, work
from libs.common.clock import Clock
from libs.common.identity import Caller
from libs.common.web import Stale
from services.registration import domain, repository, tables
from services.registration.domain import states
from services.registration.published_events import ApplicationDecided
from services.registration.repository import names as held
from services.registration.use_cases import forms
from services.registration.use_cases.records import recorded
from services.registration.use_cases.register_enterprise import register_enterprise
from services.registration.use_cases.review import (
    COUNTERSIGNATURE,
    REVIEW,
    NoSuchApplication,
    SecondOfficer,
    drop_proposal,
    under_review,
)

Ruling = Literal["register", "refuse"]


class RefusedByLaw(Exception):
    """By the law of this day the application is refused: no officer may register it."""


async def decide_application(
    session: AsyncSession, id: UUID, ruling: Ruling, reason: str, officer: Caller, version: int,
    policy: domain.Policy, clock: Clock,
) -> tables.Application:  # fmt: skip
    """Register or refuse, with a reason. The facts are judged again by the law of this day: where that refuses, only a
    refusal is open; what it leaves to a person is recorded as overridden by a registration.

    Above the amount that is set a registration is only proposed, and waits for a second officer.

    Raises NoSuchApplication, Stale, ActClosed, work.NotYours, SecondOfficer, RefusedByLaw.
    Source: Market Entity Registration Regulations Art 19; Foreign Investment Law Art 28.
    """
    row = await under_review(session, id, ruling, officer, version, clock)
    if ruling == "register" and row.proposed is not None:
        raise SecondOfficer
    today = domain.judge(domain.recalled(row.decision["facts"]), policy, clock.today())
    if ruling == "register" and today.outcome == "refused":
        raise RefusedByLaw
    stated = forms.recalled(row)
    if ruling == "register" and policy.needs_second_officer(stated.registered_capital, stated.capital_currency):
        return await _propose(session, row, reason, officer, policy, clock)
    return await _carry_out(session, row, ruling, today, clock, officer=officer.subject, reason=reason)


async def countersign_application(
    session: AsyncSession, id: UUID, answer: Literal["confirm", "return"], reason: str, officer: Caller, version: int,
    policy: domain.Policy, clock: Clock,
) -> tables.Application:  # fmt: skip
    """The second officer, who holds the item of his queue and is not the first, registers or gives the case back.

    Raises NoSuchApplication, Stale, ActClosed, work.NotYours, work.Closed, SecondOfficer, RefusedByLaw.
    """
    row = await repository.application_to_change(session, id)
    if row is None:
        raise NoSuchApplication
    if row.version != version:
        raise Stale
    states.after(row.status, "register")  # type: ignore[arg-type]
    await work.claimed_by(session, COUNTERSIGNATURE, str(id), officer, clock)
    proposed = row.proposed
    if proposed is None or proposed["officer"] == officer.subject:
        raise SecondOfficer
    today = domain.judge(domain.recalled(row.decision["facts"]), policy, clock.today())
    if answer == "return":
        row.proposed = None
        row.version += 1
        await work.close(session, COUNTERSIGNATURE, str(id), "returned", clock)
        return row
    if today.outcome == "refused":
        raise RefusedByLaw
    return await _carry_out(
        session, row, "register", today, clock, officer=proposed["officer"], reason=proposed["reason"],
        countersigned={"officer": officer.subject, "reason": reason},
    )  # fmt: skip


async def _propose(
    session: AsyncSession, row: tables.Application, reason: str, officer: Caller, policy: domain.Policy, clock: Clock
) -> tables.Application:
    """Above the amount that is set, a second officer has to agree; the first keeps the case and its deadline."""
    row.proposed = {"officer": officer.subject, "reason": reason, "on": clock.today().isoformat()}
    row.version += 1
    days = policy.days("countersignature")
    await work.open(session, COUNTERSIGNATURE, str(row.id), days=days, clock=clock, correlation_id=str(row.id))
    return row


async def _carry_out(
    session: AsyncSession, row: tables.Application, ruling: Ruling, today: domain.Decision, clock: Clock, **by: Any
) -> tables.Application:
    if ruling == "register":
        row.uscc = await register_enterprise(session, forms.recalled(row), row, clock)
    row.status = states.after(row.status, ruling)  # type: ignore[arg-type]
    row.version += 1
    await end_application(
        session, row, "officer", clock, record=recorded(today),
        overridden=_overridden(today) if ruling == "register" else [], **by,
    )  # fmt: skip
    await work.close(session, REVIEW, str(row.id), ruling, clock)
    return row


async def end_application(
    session: AsyncSession, row: tables.Application, by: states.DecidedBy, clock: Clock, **details: Any
) -> None:
    """Record how the application ended and say so. An officer's words stay in the record; its name is given back where
    no enterprise has it."""
    await drop_proposal(session, row, clock)
    if row.uscc is None:
        await held.give_back_name(session, row.id, clock.today())
    row.decided = {"outcome": row.status, "by": by, "on": clock.today().isoformat(), **details}
    said = ApplicationDecided(
        outcome=row.status,  # type: ignore[arg-type]
        decided_by=by,
        decided_on=clock.today(),
        uscc=row.uscc,
    )
    outbox.add(session, said, subject=str(row.id), clock=clock, correlation_id=str(row.id))


def _overridden(decision: domain.Decision) -> list[dict[str, Any]]:
    """The findings that a registration sets aside."""
    return [
        {
            "activity": finding.activity,
            "item_key": finding.entry.item_key if finding.entry else None,
            "reasons": list(finding.reasons),
        }
        for finding in decision.findings
        if finding.outcome != "accepted"
    ]
