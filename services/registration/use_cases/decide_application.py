"""An officer decides on an application that the law leaves to a person."""

from typing import Any, Literal
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common import outbox, work
from libs.common.clock import Clock
from libs.common.identity import Caller
from services.registration import domain, tables
from services.registration.domain import states
from services.registration.published_events import ApplicationDecided
from services.registration.use_cases import forms
from services.registration.use_cases.records import recorded
from services.registration.use_cases.register_enterprise import register_enterprise
from services.registration.use_cases.review import REVIEW, under_review

Ruling = Literal["register", "refuse"]


class RefusedByLaw(Exception):
    """By the law of this day the application is refused: no officer may register it."""


async def decide_application(
    session: AsyncSession, id: UUID, ruling: Ruling, reason: str, officer: Caller, version: int,
    policy: domain.Policy, clock: Clock,
) -> tables.Application:  # fmt: skip
    """Register or refuse, with a reason. The facts are judged again by the law of this day: where that refuses, only a
    refusal is open; what it leaves to a person is recorded as overridden by a registration.

    Raises NoSuchApplication, Stale, ActClosed, work.NotYours, RefusedByLaw.
    Source: Market Entity Registration Regulations Art 19; Foreign Investment Law Art 28.
    """
    row = await under_review(session, id, ruling, officer, version, clock)
    today = domain.judge(domain.recalled(row.decision["facts"]), policy, clock.today())
    if ruling == "register" and today.outcome == "refused":
        raise RefusedByLaw
    if ruling == "register":
        row.uscc = await register_enterprise(session, forms.recalled(row), row, clock)
    row.status = states.after(row.status, ruling)  # type: ignore[arg-type]
    row.version += 1
    end_application(
        session, row, "officer", clock, officer=officer.subject, reason=reason, record=recorded(today),
        overridden=_overridden(today) if ruling == "register" else [],
    )  # fmt: skip
    await work.close(session, REVIEW, str(id), ruling, clock)
    return row


def end_application(
    session: AsyncSession, row: tables.Application, by: states.DecidedBy, clock: Clock, **details: Any
) -> None:
    """Record how the application ended and say so. An officer's words stay in the record."""
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
