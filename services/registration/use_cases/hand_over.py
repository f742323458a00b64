"""Matters that follow on a registration are handed over to those who handle them, and followed until they are done."""

from collections.abc import Sequence
from datetime import timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common import calendar, due, outbox, work
from libs.common.clock import Clock
from libs.common.identity import Caller
from libs.common.web import Stale
from services.registration import domain, repository, tables
from services.registration.domain import hand_over
from services.registration.domain.hand_over import AlreadyHandedOver, Answer, Matter
from services.registration.published_events import MatterSettled, MattersHandedOver
from services.registration.use_cases.enterprise import own_enterprise

HAND_OVER = "registration.hand_over"
"""The queue in which the window asks after a matter that nobody has settled in time."""

HAND_OVER_OVERDUE = "hand_over_overdue"
"""The due kind of a matter handed over, `USCC:matter`; it fires on the day after its last."""


class NoSuchHandOver(Exception):
    """The matter was not handed over."""


async def hand_over_matters(
    session: AsyncSession, uscc: str, matters: Sequence[Matter], owner: str, policy: domain.Policy, clock: Clock
) -> list[tables.HandOver]:
    """Hand matters over, with what the register holds; one that was returned may be handed over again.

    Raises EnterpriseUnknown, Deregistered, Withdrawn, AlreadyHandedOver.
    """
    await own_enterprise(session, uscc, owner)
    rows = []
    for matter in sorted(set(matters)):
        row = await repository.hand_over_to_change(session, uscc, matter)
        if row is not None and row.state != "returned":
            raise AlreadyHandedOver
        last = calendar.add_working_days(clock.today(), policy.follow_on_matters[matter].days).on
        if row is None:
            row = tables.HandOver(uscc=uscc, matter=matter, state="handed_over", handed_on=clock.today(), due_on=last)
            session.add(row)
        else:
            row.state, row.handed_on, row.due_on, row.settled_on = "handed_over", clock.today(), last, None
            row.version += 1
        await due.add(session, HAND_OVER_OVERDUE, f"{uscc}:{matter}", last + timedelta(days=1))
        rows.append(row)
    said = MattersHandedOver(matters=tuple(row.matter for row in rows), handed_on=clock.today())  # type: ignore[misc]
    outbox.add(session, said, subject=uscc, clock=clock)
    return rows


async def note_answer(
    session: AsyncSession, uscc: str, matter: Matter, answer: Answer, officer: Caller, version: int, clock: Clock
) -> tables.HandOver:
    """The window notes what they who handle it have answered. Raises NoSuchHandOver, Stale, Settled."""
    row = await repository.hand_over_to_change(session, uscc, matter)
    if row is None:
        raise NoSuchHandOver
    if row.version != version:
        raise Stale
    row.state = hand_over.after(row.state, answer)  # type: ignore[arg-type]
    row.officer = officer.subject
    row.version += 1
    if answer != "accepted":
        row.settled_on = clock.today()
        await due.remove(session, HAND_OVER_OVERDUE, f"{uscc}:{matter}")
        await work.close(session, HAND_OVER, f"{uscc}:{matter}", answer, clock)
        said = MatterSettled(matter=matter, outcome=answer, settled_on=clock.today())
        outbox.add(session, said, subject=uscc, clock=clock)
    return row


async def ask_after_matter(session: AsyncSession, subject: str, policy: domain.Policy, clock: Clock) -> None:
    """Nobody has settled it in time: somebody at the window asks. Nothing happens where it is settled."""
    uscc, _, matter = subject.partition(":")
    row = await repository.hand_over_to_change(session, uscc, matter)
    if row is not None and row.state in ("handed_over", "accepted"):
        days = policy.days("decision")
        correlation = session.info["cause"].correlation_id
        await work.open(session, HAND_OVER, subject, days=days, clock=clock, correlation_id=correlation)
