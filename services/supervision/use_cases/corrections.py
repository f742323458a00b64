"""A correction: ordered with a term in working days, met, or overdue by itself."""

from datetime import timedelta
from uuid import UUID, uuid4

from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common import calendar, due, outbox
from libs.common.clock import Clock
from services.supervision import repository, tables
from services.supervision.published_events import CorrectionMet, CorrectionOrdered, CorrectionOverdue

OVERDUE = "correction_overdue"
DAY = timedelta(days=1)


class CorrectionUnknown(Exception):
    """There is no such correction, or the caller did not inspect there."""


class AlreadyMet(Exception):
    """The correction was found met before."""


async def order_correction(
    session: AsyncSession, inspection: tables.Inspection, days: int, clock: Clock, *, met_on_the_spot: bool
) -> None:
    """Order the enterprise to correct what was found, within `days` working days, or note that it has at once."""
    deadline = calendar.add_working_days(clock.today(), days)
    row = tables.Correction(
        id=uuid4(), inspection_id=inspection.id, uscc=inspection.uscc, commitment_id=inspection.commitment_id,
        ordered_on=clock.today(), due_on=deadline.on, due_on_provisional=deadline.provisional, state="ordered",
        correlation_id=inspection.correlation_id,
    )  # fmt: skip
    session.add(row)
    said = CorrectionOrdered(
        correction_id=row.id, inspection_id=row.inspection_id, commitment_id=row.commitment_id,
        ordered_on=row.ordered_on, due_on=row.due_on,
    )  # fmt: skip
    outbox.add(session, said, subject=row.uscc, clock=clock, correlation_id=row.correlation_id)
    if met_on_the_spot:
        _meet(session, row, clock)
    else:
        await due.add(session, OVERDUE, str(row.id), deadline.on + DAY)


async def meet_correction(
    session: AsyncSession, correction_id: UUID, clock: Clock, *, assigned_to: str | None
) -> tables.Correction:
    """Note that a correction was checked and is met, in time or late. `assigned_to`: only where this account inspected.

    Raises CorrectionUnknown, AlreadyMet.
    """
    await due.remove(session, OVERDUE, str(correction_id))  # locked in the order in which the ticker locks them
    row = await repository.correction_to_change(session, correction_id, assigned_to=assigned_to)
    if row is None:
        raise CorrectionUnknown
    if row.state == "met":
        raise AlreadyMet
    _meet(session, row, clock)
    return row


async def find_overdue(session: AsyncSession, correction_id: UUID, clock: Clock) -> None:
    """The last day in time has passed. What was met meanwhile is left alone."""
    row = await repository.correction_to_change(session, correction_id)
    if row is None or row.state != "ordered":
        return
    row.state, row.overdue_on = "overdue", clock.today()
    row.version += 1
    said = CorrectionOverdue(
        correction_id=row.id, inspection_id=row.inspection_id, commitment_id=row.commitment_id,
        overdue_on=clock.today(),
    )  # fmt: skip
    outbox.add(session, said, subject=row.uscc, clock=clock, correlation_id=row.correlation_id)


def _meet(session: AsyncSession, row: tables.Correction, clock: Clock) -> None:
    row.state, row.met_on = "met", clock.today()
    row.version += 1
    said = CorrectionMet(
        correction_id=row.id, inspection_id=row.inspection_id, commitment_id=row.commitment_id, met_on=clock.today()
    )
    outbox.add(session, said, subject=row.uscc, clock=clock, correlation_id=row.correlation_id)
