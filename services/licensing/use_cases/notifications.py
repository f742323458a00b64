"""Double notification (双告知): each department learns of what was registered, claims it or returns it.

Source: 工商企注字〔2015〕211号 (its number from memory); codes as in dual_notification_codes.csv. No national number of
days was found: the deadline is the district's own setting.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID, uuid5

from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common import outbox, work
from libs.common.clock import Clock
from libs.common.identity import Caller
from libs.common.web import Stale
from services.licensing import repository, tables
from services.licensing.domain import Catalogue
from services.licensing.published_events import (
    DepartmentNotified,
    NotificationClaimed,
    NotificationOverdue,
    NotificationReturned,
)

QUEUE = "licensing.notification"
NEW, CHANGE = 1, 2
NOT_DISPATCHED, AUTOMATIC, BY_HAND = 0, 1, 2
APPROVING, TERRITORIAL = 1, 2
REASSIGNED, RETURNED = 1, 2
"""Codes of event_type, dispatch_status, target_type and reassign_type in dual_notification_codes.csv."""


class NoSuchNotification(Exception):
    """There is no such notification, or it is another department's."""


class NotWaiting(Exception):
    """The notification was claimed already, or its enterprise has left the register."""


class UnknownDepartment(Exception):
    """No item of the catalogue is this department's."""


async def notify(
    session: AsyncSession, uscc: str, rows: Sequence[Mapping[str, Any]], cause: UUID, event_type: int,
    catalogue: Catalogue, clock: Clock,
) -> None:  # fmt: skip
    """Send the registration record for each due item to its department, once per enterprise, item and event. Where the
    department was not seen in the law, it is not dispatched: departments may claim it."""
    sent = {uuid5(cause, f"notification:{uscc}:{row['item_id']}"): row for row in rows}
    departments = {id: row["department"] if row["confidence"] == "verified" else None for id, row in sent.items()}
    items = await work.open_many(
        session, QUEUE, {str(id): department for id, department in departments.items()},
        days=catalogue.days("notification_claim_days"), clock=clock, correlation_id=_correlation(session),
    )  # fmt: skip
    for id, row in sent.items():
        item = items[str(id)]
        session.add(
            tables.Notification(
                id=id,
                uscc=uscc,
                item_id=row["item_id"],
                cause=cause,
                event_type=event_type,
                dispatch_status=NOT_DISPATCHED if departments[id] is None else AUTOMATIC,
                target_type=APPROVING if "district" in row["level"].split("/") else TERRITORIAL,
                catalogue_department=row["department"],
                department=departments[id],
                state="sent",
                sent_on=clock.today(),
                claim_by=item.due_on,
            )
        )
        _say_notified(session, id, uscc, row["item_id"], row["department"], item, clock)


async def claim(session: AsyncSession, id: UUID, officer: Caller, version: int, clock: Clock) -> tables.Notification:
    """The officer's department takes the notification as its own.

    Raises NoSuchNotification, Stale, NotWaiting, work.NotYours (another officer has it).
    """
    row, item = await _taken(session, id, officer, version, clock)
    row.department, row.state = _department(officer), "claimed"
    row.claimed_on, row.claimed_by = clock.today(), officer.subject
    row.version += 1
    await work.close(session, QUEUE, str(id), "claimed", clock)
    said = NotificationClaimed(
        notification_id=id, item_id=row.item_id, department=_department(officer), claimed_on=clock.today()
    )
    outbox.add(session, said, subject=row.uscc, clock=clock, correlation_id=item.correlation_id)
    return row


async def give_back(
    session: AsyncSession, id: UUID, to: str | None, reason: str, officer: Caller, version: int, catalogue: Catalogue,
    clock: Clock,
) -> tables.Notification:  # fmt: skip
    """The matter is not this department's: it goes to another one, or to a person (`to` None), with a new deadline.

    Raises NoSuchNotification, Stale, NotWaiting, UnknownDepartment, work.NotYours.
    """
    if to is not None and to not in catalogue.departments:
        raise UnknownDepartment
    row, held = await _taken(session, id, officer, version, clock)
    await work.close(session, QUEUE, str(id), "returned", clock)
    item = await work.open(
        session, QUEUE, str(id), days=catalogue.days("notification_claim_days"), clock=clock,
        correlation_id=held.correlation_id, department=to,
    )  # fmt: skip
    told = {
        "by": officer.subject,
        "from": _department(officer),
        "to": to,
        "reassign_type": REASSIGNED if to else RETURNED,
        "reason": reason,
        "on": clock.today().isoformat(),
    }
    row.returns = [*row.returns, told]
    row.state = "sent" if to else "returned"
    row.department, row.dispatch_status = to, BY_HAND if to else NOT_DISPATCHED
    row.claim_by, row.overdue_on = item.due_on, None
    row.version += 1
    said = NotificationReturned(
        notification_id=id, item_id=row.item_id, department=_department(officer), sent_to=to,
        returned_on=clock.today(),
    )  # fmt: skip
    outbox.add(session, said, subject=row.uscc, clock=clock, correlation_id=held.correlation_id)
    if to is not None:
        _say_notified(session, id, row.uscc, row.item_id, to, item, clock)
    return row


async def become_overdue(session: AsyncSession, work_item: UUID, on: date, clock: Clock) -> None:
    """The time of a work item is over: it escalates; of a notification, the departments' failure is told.

    The notification is locked before its work item, as a claim does it.
    """
    row = await repository.notification_of_work(session, work_item, clock.today())
    await work.escalate(session, str(work_item), on, clock)
    if row is None or row.state == "overdue":
        return
    row.state, row.overdue_on = "overdue", clock.today()
    row.version += 1
    said = NotificationOverdue(
        notification_id=row.id,
        item_id=row.item_id,
        department=row.department or row.catalogue_department,
        overdue_on=clock.today(),
    )
    outbox.add(session, said, subject=row.uscc, clock=clock)


async def drop_waiting(session: AsyncSession, uscc: str, clock: Clock) -> None:
    """The enterprise has left the register: nobody need claim anything."""
    for row in await repository.waiting_notifications(session, uscc):
        row.state = "dropped"
        row.version += 1
        await work.close(session, QUEUE, str(row.id), "dropped", clock)


async def _taken(
    session: AsyncSession, id: UUID, officer: Caller, version: int, clock: Clock
) -> tuple[tables.Notification, work.Item]:
    """The notification, locked, whose work item this officer holds from now on."""
    row = await repository.notification_to_change(session, id, officer.department)
    if row is None or officer.department is None:
        raise NoSuchNotification
    if row.state not in repository.WAITING:
        raise NotWaiting
    if row.version != version:
        raise Stale
    item = await repository.open_work(session, QUEUE, str(id))
    if item is not None and item["claimed_by"] is None:
        desk = work.Desk(officer.subject, [QUEUE], officer.department)
        await work.claim(session, item["id"], desk, item["version"], clock)
    return row, await work.claimed_by(session, QUEUE, str(id), officer, clock)


def _department(officer: Caller) -> str:
    assert officer.department is not None
    return officer.department


def _correlation(session: AsyncSession) -> str:
    cause: outbox.Cause = session.info["cause"]
    return cause.correlation_id


def _say_notified(
    session: AsyncSession, id: UUID, uscc: str, item_id: str, department: str, item: work.Item, clock: Clock
) -> None:
    said = DepartmentNotified(
        notification_id=id, item_id=item_id, department=department, notified_on=clock.today(), claim_by=item.due_on
    )
    outbox.add(session, said, subject=uscc, clock=clock, correlation_id=item.correlation_id)
