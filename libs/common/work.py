"""Work items: what waits for a person, in which queue, who has taken it, and until when.

An open item is always in one of two places: nobody's (`open`) or somebody's (`claimed_by`). Its deadline counts working
days; when that has passed it is marked escalated, wherever it is, and stays so. An absent officer keeps what he has
taken; his stand-in sees it among his own and may act on it until the absence ends, so nothing moves when it begins,
ends or is entered late. The stand-in of a stand-in who is away takes part as well.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from typing import Literal, get_args
from uuid import UUID, uuid4, uuid5

import asyncpg
import structlog
from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common import audit, calendar, due
from libs.common.calendar import Calendar
from libs.common.clock import Clock
from libs.common.database import Database, raw
from libs.common.identity import Caller
from libs.common.outbox import Cause
from libs.common.transaction import retried

log = structlog.get_logger()

OVERDUE = "work_overdue"
"""The due kind of a deadline that has passed; `escalate` is its act. It fires on the day after the last one in time."""

State = Literal["open", "mine", "escalated", "closed"]
STATES: tuple[State, ...] = get_args(State)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Item:
    """A work item. `due_on` is the last day in time, `working_days` after `opened_on`; `extension` says why it was
    given more. Its `subject` is the service's own id for what waits."""

    id: UUID
    queue: str
    subject: str
    correlation_id: str
    department: str | None
    opened_on: date
    working_days: int
    due_on: date
    provisional: bool
    claimed_by: str | None
    claimed_at: datetime | None
    escalated_on: date | None
    extension: str | None
    closed_at: datetime | None
    outcome: str | None
    version: int


@dataclass(frozen=True, slots=True)
class Desk:
    """What somebody may see: queues, and of these the items of their department and those of none.

    Who `supervises` sees every department, and may pass on what is escalated, whoever holds it.
    """

    officer: str
    queues: Sequence[str]
    department: str | None = None
    supervises: bool = False


@dataclass(frozen=True, slots=True)
class Absence:
    """From and to are both days of absence."""

    officer: str
    from_on: date
    to_on: date
    stand_in: str


class NoSuchItem(Exception):
    """There is no such item, or it is not on this desk."""


class Closed(Exception):
    """The item is closed, or there is none to act on."""


class Changed(Exception):
    """The item is no longer the version that the caller has read."""


class Claimed(Exception):
    """Somebody has taken the item already, at this time."""

    def __init__(self, at: datetime) -> None:
        super().__init__(at)
        self.at = at


class NotYours(Exception):
    """The caller has not taken the item and stands in for nobody who has."""


class NotExtendable(Exception):
    """The time was extended before, or is over."""


class AbsenceOverlaps(Exception):
    """The officer has entered an absence for some of these days."""


COLUMNS = ", ".join(field.name for field in fields(Item))
SEEN = "queue = ANY($1::text[]) AND (department IS NULL OR department = $2 OR $3)"
OPEN = f"""
INSERT INTO work_item (id, queue, subject, correlation_id, department, opened_on, working_days, due_on, provisional)
SELECT one.id, $1, one.subject, $2, one.department, $3, $4, $5, $6
FROM unnest($7::uuid[], $8::text[], $9::text[]) AS one (id, subject, department)
ON CONFLICT (queue, subject) WHERE closed_at IS NULL DO UPDATE SET queue = excluded.queue
RETURNING {COLUMNS}
"""
ITEM = f"SELECT {COLUMNS} FROM work_item WHERE {SEEN} AND id = $4"
OPEN_ITEM = f"SELECT {COLUMNS} FROM work_item WHERE (queue, subject) = ($1, $2) AND closed_at IS NULL FOR UPDATE"
HOLD = f"""
UPDATE work_item SET claimed_by = $2, claimed_at = $3, version = version + 1 WHERE id = $1 RETURNING {COLUMNS}
"""
CLOSE = "UPDATE work_item SET closed_at = $2, outcome = $3, version = version + 1 WHERE id = $1"
ESCALATE = """
UPDATE work_item SET escalated_on = $2, version = version + 1
WHERE id = $1 AND closed_at IS NULL AND escalated_on IS NULL AND due_on < $2
RETURNING queue
"""
EXTEND = f"""
UPDATE work_item SET working_days = $2, due_on = $3, provisional = $4, extension = $5, version = version + 1
WHERE id = $1 RETURNING {COLUMNS}
"""
WHERE: dict[State, str] = {
    "open": "closed_at IS NULL AND claimed_by IS NULL",
    "mine": "closed_at IS NULL AND claimed_by = ANY($4::text[])",
    "escalated": "closed_at IS NULL AND escalated_on IS NOT NULL",
    "closed": "closed_at IS NOT NULL",
}
LISTS = {
    state: f"""
    SELECT {COLUMNS} FROM work_item WHERE {SEEN} AND {where} AND $4::text[] IS NOT NULL
        AND ($5::date IS NULL OR (due_on, id) > ($5, $6::uuid))
    ORDER BY due_on, id LIMIT $7
    """
    for state, where in WHERE.items()
}
ACTS_FOR = """
WITH RECURSIVE acts_for(officer) AS (
    SELECT $1::text
    UNION
    SELECT absence.officer FROM work_absence AS absence JOIN acts_for ON absence.stand_in = acts_for.officer
    WHERE $2 BETWEEN absence.from_on AND absence.to_on)
SELECT officer FROM acts_for
"""
BE_ABSENT = """
INSERT INTO work_absence (officer, from_on, to_on, stand_in)
SELECT $1, $2, $3, $4
WHERE NOT EXISTS (SELECT 1 FROM work_absence WHERE officer = $1 AND from_on <= $3 AND to_on >= $2)
"""
ABSENCES = """
SELECT officer, from_on, to_on, stand_in FROM work_absence
WHERE (officer = $1 OR stand_in = $1) AND ($2::date IS NULL OR (from_on, officer) > ($2, $3::text))
ORDER BY from_on, officer LIMIT $4
"""
BE_BACK = """
DELETE FROM work_absence WHERE (officer, from_on) = ($1, $2) RETURNING officer, from_on, to_on, stand_in
"""
DEADLINES = """
SELECT id, opened_on, working_days, due_on, provisional FROM work_item
WHERE closed_at IS NULL AND escalated_on IS NULL ORDER BY due_on, id
"""
MOVE = """
UPDATE work_item SET due_on = $4, provisional = $5, version = version + 1
WHERE id = $1 AND (working_days, due_on) = ($2, $3) AND closed_at IS NULL AND escalated_on IS NULL
RETURNING queue
"""


async def open(
    session: AsyncSession, queue: str, subject: str, *, days: int, clock: Clock, correlation_id: str,
    department: str | None = None,
) -> Item:  # fmt: skip
    """Have `subject` wait in `queue`, for `days` working days from today. One that waits already goes on as it is."""
    opened = await open_many(
        session, queue, {subject: department}, days=days, clock=clock, correlation_id=correlation_id
    )
    return opened[subject]


async def open_many(
    session: AsyncSession, queue: str, waiting: Mapping[str, str | None], *, days: int, clock: Clock,
    correlation_id: str,
) -> dict[str, Item]:  # fmt: skip
    """As `open`, for each subject and its department. Sorted, so that nobody who opens the same waits in a circle."""
    if not waiting:
        return {}
    cause: Cause = session.info["cause"]
    ids = {subject: uuid5(cause.id, f"work:{queue}:{subject}") if cause.id else uuid4() for subject in sorted(waiting)}
    today, deadline = clock.today(), calendar.add_working_days(clock.today(), days)
    connection = await raw(session)
    rows = await connection.fetch(
        OPEN, queue, correlation_id, today, days, deadline.on, deadline.provisional,
        list(ids.values()), list(ids), [waiting[subject] for subject in ids],
    )  # fmt: skip
    items = {item.subject: item for item in map(_item, rows)}
    fires = {str(id): deadline.on + DAY for subject, id in ids.items() if items[subject].id == id}
    await due.add_many(connection, OVERDUE, fires)
    return items


async def claim(session: AsyncSession, id: UUID, desk: Desk, version: int, clock: Clock) -> Item:
    """Take an item that nobody has. Of many at once one gets it. Raises NoSuchItem, Closed, Claimed, Changed."""
    item = await _to_change(session, id, desk)
    if item.claimed_at is not None:
        raise Claimed(item.claimed_at)
    if item.version != version:
        raise Changed
    return await _hold(session, item, desk.officer, clock.now())


async def release(session: AsyncSession, id: UUID, desk: Desk, version: int, clock: Clock) -> Item:
    """Put an item back, for anybody to claim. Raises NoSuchItem, Closed, NotYours, Changed."""
    item = await _held_to_change(session, id, desk, version, clock)
    return await _hold(session, item, None, None)


async def hand_over(session: AsyncSession, id: UUID, to: str, desk: Desk, version: int, clock: Clock) -> Item:
    """Give an item to another officer, who holds it from now on. Raises NoSuchItem, Closed, NotYours, Changed."""
    item = await _held_to_change(session, id, desk, version, clock)
    return await _hold(session, item, to, clock.now())


async def claimed_by(session: AsyncSession, queue: str, subject: str, caller: Caller, clock: Clock) -> Item:
    """The open item, locked until the transaction ends; who may act on `subject` is who holds it, or stands in today.

    Raises Closed where nothing is open, NotYours where somebody else has it, nobody has, or another department does.
    """
    connection = await raw(session)
    row = await connection.fetchrow(OPEN_ITEM, queue, subject)
    if row is None:
        raise Closed
    item = _item(row)
    if item.department not in (None, caller.department):
        raise NotYours
    if item.claimed_by not in await acts_for(connection, caller.subject, clock.today()):
        raise NotYours
    return item


async def close(session: AsyncSession, queue: str, subject: str, outcome: str, clock: Clock) -> None:
    """What waited is done: its deadline no longer fires. Nothing happens where nothing is open."""
    connection = await raw(session)
    row = await connection.fetchrow(OPEN_ITEM, queue, subject)
    if row is None:
        return
    await connection.execute(CLOSE, row["id"], clock.now(), outcome)
    await due.remove(session, OVERDUE, str(row["id"]))


async def extend(session: AsyncSession, queue: str, subject: str, *, days: int, reason: str, clock: Clock) -> Item:
    """Give the open item `days` working days more, once, while it is in time. `reason` is a code.

    Raises Closed where nothing is open, NotExtendable where it was extended before or its time is over.
    """
    connection = await raw(session)
    row = await connection.fetchrow(OPEN_ITEM, queue, subject)
    if row is None:
        raise Closed
    item = _item(row)
    if item.extension is not None or item.escalated_on is not None or item.due_on < clock.today():
        raise NotExtendable
    total = item.working_days + days
    deadline = calendar.add_working_days(item.opened_on, total)
    await due.add(session, OVERDUE, str(item.id), deadline.on + DAY)
    return _item(await connection.fetchrow(EXTEND, item.id, total, deadline.on, deadline.provisional, reason))


async def escalate(session: AsyncSession, subject: str, on: date, clock: Clock) -> None:
    """The time of an item is over: it is marked for those who supervise, whether somebody has it or not."""
    queue = await (await raw(session)).fetchval(ESCALATE, UUID(subject), clock.today())
    if queue is not None:
        log.warning("a work item is overdue", queue=queue, item=subject, on=on.isoformat())


async def item(connection: asyncpg.Connection, id: UUID, desk: Desk) -> Item:
    """An item on this desk, open or closed. Raises NoSuchItem."""
    row = await connection.fetchrow(ITEM, *_seen(desk), id)
    if row is None:
        raise NoSuchItem
    return _item(row)


async def items(
    connection: asyncpg.Connection, desk: Desk, state: State, *, today: date, after: tuple[date, UUID] | None,
    limit: int,
) -> list[Item]:  # fmt: skip
    """The items of a view, those due first first, from behind `after` (due_on, id)."""
    holders = await acts_for(connection, desk.officer, today)
    rows = await connection.fetch(LISTS[state], *_seen(desk), holders, *(after or (None, None)), limit)
    return [_item(row) for row in rows]


async def acts_for(connection: asyncpg.Connection, officer: str, today: date) -> list[str]:
    """The officer, and everybody for whom he stands in today."""
    return [row["officer"] for row in await connection.fetch(ACTS_FOR, officer, today)]


async def be_absent(session: AsyncSession, absence: Absence) -> None:
    """Enter an absence. Raises AbsenceOverlaps."""
    connection = await raw(session)
    await connection.execute("SELECT pg_advisory_xact_lock(hashtext('absence:' || $1::text))", absence.officer)
    done = await connection.execute(BE_ABSENT, absence.officer, absence.from_on, absence.to_on, absence.stand_in)
    if done == "INSERT 0 0":
        raise AbsenceOverlaps


async def be_back(session: AsyncSession, officer: str, from_on: date) -> Absence | None:
    """Strike an absence, before it begins or while it lasts; None where there is none from that day."""
    row = await (await raw(session)).fetchrow(BE_BACK, officer, from_on)
    return Absence(**row) if row else None


async def absences(
    connection: asyncpg.Connection, officer: str, *, after: tuple[date, str] | None, limit: int
) -> list[Absence]:
    """An officer's absences and those of others in which he stands in, by their first day."""
    rows = await connection.fetch(ABSENCES, officer, *(after or (None, None)), limit)
    return [Absence(**row) for row in rows]


async def follow_calendar(database: Database, days: Calendar, clock: Clock) -> int:
    """Work out the deadlines of open items again, as when a new year was announced; returns how many changed.

    Each change is told in the audit and in the log. What is escalated stays so.
    """

    async def act(session: AsyncSession) -> int:
        connection, changed = await raw(session), 0
        for id, opened_on, working_days, due_on, provisional in await connection.fetch(DEADLINES):
            deadline = days.add_working_days(opened_on, working_days)
            if (deadline.on, deadline.provisional) == (due_on, provisional):
                continue
            queue = await connection.fetchval(MOVE, id, working_days, due_on, deadline.on, deadline.provisional)
            if queue is None:  # somebody else was faster
                continue
            await due.add(session, OVERDUE, str(id), deadline.on + DAY)
            told = {"was": due_on.isoformat(), "due": deadline.on.isoformat(), "calendar": days.digest}
            await audit.add(session, None, "work.deadline_moved", f"/v1/work-items/{id}", clock, **told)
            log.info("a deadline follows the calendar", queue=queue, item=str(id), **told)
            changed += 1
        return changed

    return await retried(database, act, name="start")


async def _to_change(session: AsyncSession, id: UUID, desk: Desk) -> Item:
    row = await (await raw(session)).fetchrow(f"{ITEM} FOR UPDATE", *_seen(desk), id)
    if row is None:
        raise NoSuchItem
    item = _item(row)
    if item.closed_at is not None:
        raise Closed
    return item


async def _held_to_change(session: AsyncSession, id: UUID, desk: Desk, version: int, clock: Clock) -> Item:
    item = await _to_change(session, id, desk)
    passes_on = desk.supervises and item.escalated_on is not None
    if not passes_on and item.claimed_by not in await acts_for(await raw(session), desk.officer, clock.today()):
        raise NotYours
    if item.version != version:
        raise Changed
    return item


async def _hold(session: AsyncSession, item: Item, officer: str | None, at: datetime | None) -> Item:
    return _item(await (await raw(session)).fetchrow(HOLD, item.id, officer, at))


def _seen(desk: Desk) -> tuple[list[str], str | None, bool]:
    return list(desk.queues), desk.department, desk.supervises


def _item(row: asyncpg.Record | None) -> Item:
    assert row is not None, "written, or locked, in this transaction"
    return Item(**row)
