"""What waits for a person: taken by one, seen by who stands in, escalated when its time is over, never lost."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common import calendar, due, work
from libs.common.clock import SHANGHAI, BusinessClock, ClockOn
from libs.common.database import Database, open_database, provision
from libs.common.identity import Caller
from libs.common.migration import migrate
from libs.common.outbox import Cause
from libs.common.service import Service
from libs.common.settings import Settings, load
from libs.common.transaction import once
from libs.common.work import Absence, Desk, Item
from tests.spine import Spine, eventually

QUEUE = "papers.review"
MONDAY = date(2026, 3, 2)
DAY = timedelta(days=1)
ANN, BEN, EVE = (Desk(name, [QUEUE]) for name in ("ann", "ben", "eve"))
HEAD = Desk("head", [QUEUE], supervises=True)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def database(spine: Spine) -> AsyncIterator[Database]:
    with spine.as_environment():
        loaded = load(Settings, "work")
    await provision(loaded)
    database = open_database(loaded)
    await migrate(database)
    yield database
    await database.engine.dispose()


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def look(spine: Spine, database: Database) -> AsyncIterator[asyncpg.Connection]:
    """Nothing waits and nobody is away; an administrator's connection to look."""
    async with spine.database("work") as connection:
        await connection.execute("TRUNCATE work_item, work_absence, due")
        yield connection


def at(day: date) -> ClockOn:
    return ClockOn(day, BusinessClock())


async def act(database: Database, doing: Callable[[AsyncSession], Awaitable[Any]]) -> Any:
    return await once(database, doing)


async def opened(
    database: Database, subject: str = "paper-1", *, days: int = 5, on: date = MONDAY, **more: Any
) -> Item:
    return await act(
        database,
        lambda s: work.open(s, QUEUE, subject, days=days, clock=at(on), correlation_id="case-1", **more),
    )


async def claimed(database: Database, item: Item, desk: Desk = ANN, *, on: date = MONDAY) -> Item:
    return await act(database, lambda s: work.claim(s, item.id, desk, item.version, at(on)))


async def acts_on(database: Database, officer: str, on: date, *, department: str | None = None) -> Item:
    caller = Caller(officer, frozenset({"registrar"}), department)
    return await act(database, lambda s: work.claimed_by(s, QUEUE, "paper-1", caller, at(on)))


async def view(look: asyncpg.Connection, desk: Desk, state: work.State, *, on: date = MONDAY) -> list[str]:
    found = await work.items(look, desk, state, today=on, after=None, limit=1000)
    return [item.subject for item in found]


async def time_passes(database: Database, until: date) -> None:
    service = Service(name="work", when_due={work.OVERDUE: work.escalate})
    while await due.fire(service, database, BusinessClock(until)):
        pass


async def absent(database: Database, officer: str, stand_in: str, first: date, last: date) -> None:
    await act(database, lambda s: work.be_absent(s, Absence(officer, first, last, stand_in)))


# Opening and closing


async def test_what_is_opened_waits_for_anybody_until_its_last_working_day(
    database: Database, look: asyncpg.Connection
) -> None:
    item = await opened(database)

    assert (item.opened_on, item.due_on, item.provisional) == (MONDAY, date(2026, 3, 9), False)
    assert await view(look, ANN, "open") == await view(look, BEN, "open") == ["paper-1"]
    assert await view(look, ANN, "mine") == await view(look, ANN, "escalated") == await view(look, ANN, "closed") == []


async def test_what_waits_already_goes_on_waiting(database: Database, look: asyncpg.Connection) -> None:
    first = await opened(database)
    held = await claimed(database, first)

    assert await opened(database, on=MONDAY + 2 * DAY) == held
    assert await look.fetchval("SELECT on_date FROM due") == first.due_on + DAY


async def test_many_who_open_the_same_at_once_open_one(database: Database, look: asyncpg.Connection) -> None:
    found = await asyncio.gather(*(opened(database) for _ in range(8)))
    assert len({item.id for item in found}) == await look.fetchval("SELECT count(*) FROM work_item") == 1


async def test_many_are_opened_as_each_alone_would_be(database: Database, look: asyncpg.Connection) -> None:
    """Under the ids, and with the deadlines, that they would have one by one; what waits already is left alone."""
    cause, waiting = uuid4(), {"paper-3": None, "paper-2": "fire_and_rescue", "paper-1": None}
    first = await claimed(database, await opened(database, days=1))

    async def together(session: AsyncSession) -> dict[str, Item]:
        assert await work.open_many(session, QUEUE, {}, days=5, clock=at(MONDAY), correlation_id="case-2") == {}
        return await work.open_many(session, QUEUE, waiting, days=5, clock=at(MONDAY), correlation_id="case-2")

    found = await once(database, together, Cause(cause))
    fires = dict(await look.fetch("SELECT subject, on_date FROM due"))
    assert found.keys() == waiting.keys()
    assert found["paper-1"] == first
    assert {item.department for item in found.values()} == {None, "fire_and_rescue"}
    assert fires == {str(item.id): item.due_on + DAY for item in found.values()}

    async def one_by_one(session: AsyncSession) -> list[Item]:
        more: dict[str, Any] = {"days": 5, "clock": at(MONDAY), "correlation_id": "case-2"}
        return [await work.open(session, QUEUE, one, department=waiting[one], **more) for one in ("paper-2", "paper-3")]

    await look.execute("TRUNCATE work_item, due")
    assert await once(database, one_by_one, Cause(cause)) == [found["paper-2"], found["paper-3"]]


async def test_many_who_open_the_same_in_any_order_do_not_wait_in_a_circle(
    database: Database, look: asyncpg.Connection
) -> None:
    subjects = [f"paper-{n}" for n in range(300)]

    async def open_all(order: list[str]) -> None:
        waiting = dict.fromkeys(order)
        await once(
            database, lambda s: work.open_many(s, QUEUE, waiting, days=5, clock=at(MONDAY), correlation_id="case-1")
        )

    await asyncio.gather(*(open_all(order) for order in (subjects, subjects[::-1]) * 4))
    assert await look.fetchval("SELECT count(*) FROM work_item") == len(subjects)


async def test_a_reaction_that_is_run_again_opens_the_same_item(database: Database, look: asyncpg.Connection) -> None:
    cause = Cause(uuid4())

    async def react(session: AsyncSession) -> Item:
        return await work.open(session, QUEUE, "paper-1", days=5, clock=at(MONDAY), correlation_id="case-1")

    first = await once(database, react, cause)
    await look.execute("TRUNCATE work_item, due")
    assert (await once(database, react, cause)).id == first.id


async def test_what_is_closed_has_no_deadline_and_may_wait_anew(database: Database, look: asyncpg.Connection) -> None:
    first = await opened(database)
    await act(database, lambda s: work.close(s, QUEUE, "paper-1", "granted", at(MONDAY)))
    await act(database, lambda s: work.close(s, QUEUE, "paper-1", "again", at(MONDAY)))

    assert await look.fetchval("SELECT count(*) FROM due") == 0
    assert await view(look, ANN, "closed") == ["paper-1"]
    closed = await work.item(look, first.id, ANN)
    assert (closed.outcome, closed.closed_at is not None) == ("granted", True)
    assert (await opened(database)).id != first.id


# Claiming


async def test_of_many_who_claim_at_once_exactly_one_gets_it(database: Database) -> None:
    item = await opened(database)
    officers = [Desk(f"officer-{n}", [QUEUE]) for n in range(12)]
    answers = await asyncio.gather(*(claimed(database, item, desk) for desk in officers), return_exceptions=True)

    winners = [answer for answer in answers if isinstance(answer, Item)]
    losers = [answer for answer in answers if isinstance(answer, work.Claimed)]
    assert (len(winners), len(losers)) == (1, 11)
    assert {loser.at for loser in losers} == {winners[0].claimed_at}
    assert winners[0].claimed_by not in str(losers[0]), "when, but not by whom"


async def test_a_claim_waits_for_one_under_way_and_gets_the_item_when_that_fails(
    database: Database, look: asyncpg.Connection
) -> None:
    item = await opened(database)
    async with look.transaction():
        await look.execute("SELECT 1 FROM work_item FOR UPDATE")
        waiting = asyncio.create_task(claimed(database, item, BEN))
        await eventually(lambda: _waits_for_a_lock(database))
    assert (await waiting).claimed_by == "ben"


async def _waits_for_a_lock(database: Database) -> bool:
    async with database.engine.connect() as connection:
        found = await connection.exec_driver_sql(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(found.scalar())


async def test_who_has_read_an_older_version_is_told(database: Database) -> None:
    item = await opened(database)
    held = await claimed(database, item)
    with pytest.raises(work.Changed):
        await act(database, lambda s: work.release(s, held.id, ANN, item.version, at(MONDAY)))
    free = await act(database, lambda s: work.release(s, held.id, ANN, held.version, at(MONDAY)))

    for old in (item, held):
        with pytest.raises(work.Changed):
            await claimed(database, old, BEN)
    assert (await claimed(database, free, BEN)).claimed_by == "ben"


async def test_only_its_holder_gives_an_item_back_or_on(database: Database, look: asyncpg.Connection) -> None:
    held = await claimed(database, await opened(database))
    for desk in (BEN, HEAD):
        with pytest.raises(work.NotYours):
            await act(database, partial(work.release, id=held.id, desk=desk, version=held.version, clock=at(MONDAY)))
    given = await act(database, lambda s: work.hand_over(s, held.id, "ben", ANN, held.version, at(MONDAY + DAY)))

    assert (given.claimed_by, given.claimed_at.astimezone(SHANGHAI).date()) == ("ben", MONDAY + DAY)
    assert await view(look, BEN, "mine") == ["paper-1"]
    with pytest.raises(work.NotYours):
        await act(database, lambda s: work.release(s, held.id, ANN, given.version, at(MONDAY)))
    await act(database, lambda s: work.release(s, held.id, BEN, given.version, at(MONDAY)))
    assert await view(look, ANN, "open") == ["paper-1"]


async def test_nothing_is_done_to_what_is_closed(database: Database) -> None:
    held = await claimed(database, await opened(database))
    await act(database, lambda s: work.close(s, QUEUE, "paper-1", "granted", at(MONDAY)))
    for doing in (
        lambda s: work.claim(s, held.id, BEN, held.version, at(MONDAY)),
        lambda s: work.release(s, held.id, ANN, held.version, at(MONDAY)),
        lambda s: work.hand_over(s, held.id, "ben", ANN, held.version, at(MONDAY)),
        lambda s: work.extend(s, QUEUE, "paper-1", days=1, reason="complex", clock=at(MONDAY)),
        lambda s: work.claimed_by(s, QUEUE, "paper-1", Caller("ann", frozenset()), at(MONDAY)),
    ):
        with pytest.raises(work.Closed):
            await act(database, doing)


# Who may act


async def test_only_who_holds_it_decides(database: Database) -> None:
    item = await opened(database)
    with pytest.raises(work.NotYours):
        await acts_on(database, "ann", MONDAY)
    held = await claimed(database, item)
    assert await acts_on(database, "ann", MONDAY) == held
    with pytest.raises(work.NotYours):
        await acts_on(database, "ben", MONDAY)


async def test_an_item_of_a_department_is_not_there_for_another(database: Database, look: asyncpg.Connection) -> None:
    item = await opened(database, department="fire")
    await opened(database, "paper-2")
    fire, health = replace(ANN, department="fire"), replace(BEN, department="health")

    assert sorted(await view(look, fire, "open")) == sorted(await view(look, HEAD, "open")) == ["paper-1", "paper-2"]
    assert await view(look, health, "open") == await view(look, EVE, "open") == ["paper-2"]
    assert await view(look, Desk("ann", ["other.queue"], "fire"), "open") == []
    for desk in (health, EVE, Desk("ann", ["other.queue"], "fire")):
        with pytest.raises(work.NoSuchItem):
            await claimed(database, item, desk)
        with pytest.raises(work.NoSuchItem):
            await work.item(look, item.id, desk)
    held = await claimed(database, item, fire)
    await act(database, lambda s: work.hand_over(s, item.id, "ben", fire, held.version, at(MONDAY)))
    with pytest.raises(work.NotYours):
        await acts_on(database, "ben", MONDAY, department="health")
    assert (await acts_on(database, "ben", MONDAY, department="fire")).claimed_by == "ben"


# Absence


async def test_a_stand_in_acts_on_what_an_absent_officer_holds_on_those_days_only(
    database: Database, look: asyncpg.Connection
) -> None:
    held = await claimed(database, await opened(database, days=20))
    first, last = MONDAY + 7 * DAY, MONDAY + 11 * DAY
    await absent(database, "ann", "ben", first, last)

    for day in (first - DAY, last + DAY):
        assert await view(look, BEN, "mine", on=day) == []
        with pytest.raises(work.NotYours):
            await acts_on(database, "ben", day)
    for day in (first, last):
        assert await view(look, BEN, "mine", on=day) == await view(look, ANN, "mine", on=day) == ["paper-1"]
        assert await acts_on(database, "ben", day) == held
    with pytest.raises(work.NotYours):
        await acts_on(database, "eve", first)
    given = await act(database, lambda s: work.hand_over(s, held.id, "ben", BEN, held.version, at(first)))
    assert given.claimed_by == "ben"


async def test_when_the_stand_in_is_away_as_well_the_next_one_takes_part(database: Database) -> None:
    held = await claimed(database, await opened(database))
    await absent(database, "ann", "ben", MONDAY, MONDAY + DAY)
    await absent(database, "ben", "eve", MONDAY, MONDAY)
    await absent(database, "eve", "ann", MONDAY, MONDAY)

    assert await acts_on(database, "eve", MONDAY) == held
    with pytest.raises(work.NotYours):
        await acts_on(database, "eve", MONDAY + DAY)


async def test_an_absence_is_entered_once_and_ends_when_it_is_struck(
    database: Database, look: asyncpg.Connection
) -> None:
    await absent(database, "ann", "ben", MONDAY, MONDAY + 4 * DAY)
    for first, last in ((MONDAY, MONDAY), (MONDAY - DAY, MONDAY), (MONDAY + 4 * DAY, MONDAY + 9 * DAY)):
        with pytest.raises(work.AbsenceOverlaps):
            await absent(database, "ann", "eve", first, last)
    await absent(database, "ann", "eve", MONDAY + 5 * DAY, MONDAY + 6 * DAY)

    assert len(await work.absences(look, "ann", after=None, limit=9)) == 2
    assert [a.officer for a in await work.absences(look, "ben", after=None, limit=9)] == ["ann"]
    assert await work.acts_for(look, "ben", MONDAY) == ["ben", "ann"]
    assert await act(database, lambda s: work.be_back(s, "ann", MONDAY))
    assert not await act(database, lambda s: work.be_back(s, "ann", MONDAY))
    assert await work.acts_for(look, "ben", MONDAY) == ["ben"]


async def test_of_overlapping_absences_entered_at_once_one_stands(database: Database) -> None:
    answers = await asyncio.gather(
        *(absent(database, "ann", "ben", MONDAY + n * DAY, MONDAY + 9 * DAY) for n in range(6)), return_exceptions=True
    )
    assert [type(answer) for answer in answers if answer is not None] == [work.AbsenceOverlaps] * 5


# Time


async def test_an_item_is_in_time_on_its_last_day_and_escalated_on_the_next(
    database: Database, look: asyncpg.Connection
) -> None:
    item = await opened(database)
    await time_passes(database, item.due_on)
    assert await view(look, HEAD, "escalated") == []

    await time_passes(database, item.due_on + DAY)
    assert await view(look, HEAD, "escalated") == await view(look, ANN, "open") == ["paper-1"]
    assert (await work.item(look, item.id, HEAD)).escalated_on == item.due_on + DAY


async def test_what_is_overdue_is_passed_on_by_who_supervises(database: Database, look: asyncpg.Connection) -> None:
    held = await claimed(database, await opened(database))
    await time_passes(database, held.due_on + DAY)
    late = await work.item(look, held.id, HEAD)

    assert await view(look, ANN, "mine") == await view(look, HEAD, "escalated") == ["paper-1"]
    await act(database, lambda s: work.hand_over(s, held.id, "ben", HEAD, late.version, at(MONDAY)))
    assert await view(look, BEN, "mine") == await view(look, HEAD, "escalated") == ["paper-1"]


async def test_what_was_closed_in_time_never_escalates(database: Database, look: asyncpg.Connection) -> None:
    item = await opened(database)
    await act(database, lambda s: work.close(s, QUEUE, "paper-1", "granted", at(MONDAY)))
    await act(database, lambda s: due.add(s, work.OVERDUE, str(item.id), item.due_on + DAY))

    await time_passes(database, item.due_on + DAY)
    assert (await work.item(look, item.id, HEAD)).escalated_on is None


async def test_time_is_extended_once_and_only_while_there_is_some(database: Database, look: asyncpg.Connection) -> None:
    item = await opened(database)

    async def extend(subject: str, on: date) -> Item:
        return await act(database, lambda s: work.extend(s, QUEUE, subject, days=10, reason="complex", clock=at(on)))

    longer = await extend("paper-1", item.due_on)
    assert (longer.due_on, longer.extension) == (calendar.add_working_days(item.due_on, 10).on, "complex")
    with pytest.raises(work.NotExtendable):
        await extend("paper-1", item.due_on)
    await time_passes(database, item.due_on + DAY)
    assert await view(look, HEAD, "escalated") == []

    late = await opened(database, "paper-2")
    with pytest.raises(work.NotExtendable):
        await extend("paper-2", late.due_on + DAY)


# The calendar


async def test_a_newly_announced_year_moves_the_deadlines_that_rested_on_it_and_says_so(
    database: Database, look: asyncpg.Connection, tmp_path: Path
) -> None:
    firm = await opened(database, "paper-1", on=date(2026, 12, 1))
    moved = await opened(database, "paper-2", on=date(2026, 12, 30), days=2)
    closed = await opened(database, "paper-3", on=date(2026, 12, 30), days=2)
    await act(database, lambda s: work.close(s, QUEUE, "paper-3", "granted", at(MONDAY)))
    assert (moved.due_on, moved.provisional) == (date(2027, 1, 1), True)
    announced = tmp_path / "days.csv"
    announced.write_text(
        calendar.FILE.read_text(encoding="utf-8") + "2027-01-01,holiday,元旦,a notice,verified\n", encoding="utf-8"
    )
    days = calendar.load(announced)

    assert await work.follow_calendar(database, calendar.current(), at(MONDAY)) == 0
    assert await work.follow_calendar(database, days, at(MONDAY)) == 1
    assert await work.follow_calendar(database, days, at(MONDAY)) == 0, "once"

    assert await work.item(look, firm.id, HEAD) == firm
    assert (await work.item(look, closed.id, HEAD)).due_on == closed.due_on
    now = await work.item(look, moved.id, HEAD)
    assert (now.due_on, now.provisional, now.version) == (date(2027, 1, 4), False, moved.version + 1)
    assert await look.fetchval("SELECT on_date FROM due WHERE subject = $1", str(moved.id)) == date(2027, 1, 5)
    told = json.loads(await look.fetchval("SELECT entry FROM audit ORDER BY id DESC LIMIT 1"))
    assert told["action"] == "work.deadline_moved"
    assert told["object"] == f"/v1/work-items/{moved.id}"
    assert (told["was"], told["due"], told["calendar"]) == ("2027-01-01", "2027-01-04", days.digest)


# All together

steps = st.lists(
    st.tuples(
        st.sampled_from(("open", "claim", "release", "hand over", "extend", "close", "be absent", "be back", "wait")),
        st.sampled_from((ANN, BEN, EVE, HEAD)),
        st.sampled_from(("paper-1", "paper-2", "paper-3")),
        st.integers(0, 9),
    ),
    min_size=10,
    max_size=40,
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps)
async def test_whatever_is_done_to_items_none_is_ever_lost(
    database: Database, look: asyncpg.Connection, steps: list[tuple[str, Desk, str, int]]
) -> None:
    """At any time an open item is nobody's or somebody's, not both, and escalated exactly when it is late."""
    await look.execute("TRUNCATE work_item, work_absence, due")
    today = MONDAY
    for what, desk, subject, number in steps:
        today += number * DAY if what == "wait" else 0 * DAY
        await time_passes(database, today)
        with contextlib.suppress(
            work.Changed, work.Claimed, work.Closed, work.NotExtendable, work.NotYours, work.AbsenceOverlaps
        ):
            await _do(database, look, what, desk, subject, number, today)
        there = await look.fetch("SELECT subject, due_on FROM work_item WHERE closed_at IS NULL")
        free = await view(look, HEAD, "open", on=today)
        taken = {paper for one in (ANN, BEN, EVE, HEAD) for paper in await view(look, one, "mine", on=today)}
        late = await view(look, HEAD, "escalated", on=today)
        assert sorted([*free, *taken]) == sorted(row["subject"] for row in there)
        assert sorted(late) == sorted(row["subject"] for row in there if row["due_on"] < today)


async def _do(
    database: Database, look: asyncpg.Connection, what: str, desk: Desk, subject: str, number: int, today: date
) -> None:
    """Try it with the version that is there, or, for odd numbers above 4, with the one before."""
    clock = at(today)
    row = await look.fetchrow("SELECT id, version FROM work_item WHERE subject = $1 ORDER BY closed_at DESC", subject)
    if what == "open":
        await opened(database, subject, on=today, days=number + 1)
    elif what == "be absent":
        await absent(database, desk.officer, "eve" if desk is ANN else "ann", today, today + number * DAY)
    elif what == "be back":
        await act(database, lambda s: work.be_back(s, desk.officer, today - number * DAY))
    elif what == "extend":
        await act(database, lambda s: work.extend(s, QUEUE, subject, days=number + 1, reason="complex", clock=clock))
    elif what == "close":
        await act(database, lambda s: work.close(s, QUEUE, subject, "done", clock))
    elif what != "wait" and row is not None:
        version = row["version"] - (number > 4 and number % 2)
        doing = {
            "claim": lambda s: work.claim(s, row["id"], desk, version, clock),
            "release": lambda s: work.release(s, row["id"], desk, version, clock),
            "hand over": lambda s: work.hand_over(s, row["id"], ("ann", "ben")[number % 2], desk, version, clock),
        }
        await act(database, doing[what])
