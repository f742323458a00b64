"""What time fires: when, in which order, under which ids, and what a failure leaves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import ClassVar

import asyncpg
import pytest_asyncio
from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common import due, outbox
from libs.common.clock import BusinessClock, Clock
from libs.common.database import Database, open_database, provision, raw
from libs.common.envelope import Event
from libs.common.migration import migrate
from libs.common.service import DueAct, Service
from libs.common.settings import Settings, load
from libs.common.transaction import once
from tests.spine import Spine

TODAY = date(2026, 3, 2)
DAY = timedelta(days=1)


class Reminded(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "due.reminded.v1"
    subject_kind: ClassVar[str] = "uscc"
    on: date


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def database(spine: Spine) -> AsyncIterator[Database]:
    with spine.as_environment():
        settings = load(Settings, "due")
    await provision(settings)
    database = open_database(settings)
    await migrate(database)
    yield database
    await database.engine.dispose()


@pytest_asyncio.fixture(loop_scope="module")
async def look(spine: Spine, database: Database) -> AsyncIterator[asyncpg.Connection]:
    """No dates and no events, and an administrator's connection to look."""
    async with spine.database("due") as connection:
        await connection.execute("TRUNCATE due, outbox, outbox_counter RESTART IDENTITY")
        yield connection


async def remind(session: AsyncSession, subject: str, on: date, clock: Clock) -> None:
    outbox.add(session, Reminded(on=clock.today()), subject=subject, clock=clock)


async def refuse(session: AsyncSession, subject: str, on: date, clock: Clock) -> None:
    await remind(session, subject, on, clock)
    raise ValueError("the act has a bug")


async def add(database: Database, subject: str, on: date, kind: str = "reminder") -> None:
    await once(database, lambda session: due.add(session, kind, subject, on))


async def fire(database: Database, *, today: date = TODAY, act: DueAct = remind) -> bool:
    return bool(await due.fire(Service(name="due", when_due={"reminder": act}), database, BusinessClock(today), most=1))


async def reminded(look: asyncpg.Connection) -> list[tuple[str, str]]:
    """(subject, the day it was judged on), in the order in which it was said."""
    rows = await look.fetch("SELECT subject, convert_from(data, 'utf8')::json ->> 'on' FROM outbox ORDER BY id")
    return [tuple(row) for row in rows]


async def test_a_date_fires_on_its_day_and_not_before(database: Database, look: asyncpg.Connection) -> None:
    await add(database, "A", TODAY)

    assert not await fire(database, today=TODAY - DAY)
    assert await fire(database, today=TODAY)
    assert await reminded(look) == [("A", "2026-03-02")]
    assert not await fire(database, today=TODAY + DAY), "once"


async def test_what_is_late_fires_in_the_order_of_dates_and_is_judged_on_its_own_day(
    database: Database, look: asyncpg.Connection
) -> None:
    for subject, days in (("C", 3), ("A", 30), ("B", 10), ("A2", 30)):
        await add(database, subject, TODAY - days * DAY)

    while await fire(database):
        pass

    assert await reminded(look) == [
        ("A", "2026-01-31"), ("A2", "2026-01-31"), ("B", "2026-02-20"), ("C", "2026-02-27"),
    ]  # fmt: skip


async def test_a_later_call_moves_the_date_and_a_removed_one_never_fires(
    database: Database, look: asyncpg.Connection
) -> None:
    await add(database, "A", TODAY)
    await add(database, "A", TODAY + 5 * DAY)
    await add(database, "B", TODAY)
    await once(database, lambda session: due.remove(session, "reminder", "B"))

    assert not await fire(database)
    assert await fire(database, today=TODAY + 5 * DAY)
    assert await reminded(look) == [("A", "2026-03-07")]


async def test_an_act_may_set_its_own_next_date(database: Database, look: asyncpg.Connection) -> None:
    async def remind_daily(session: AsyncSession, subject: str, on: date, clock: Clock) -> None:
        await remind(session, subject, on, clock)
        await due.add(session, "reminder", subject, on + DAY)

    await add(database, "A", TODAY - 2 * DAY)
    while await fire(database, act=remind_daily):
        pass

    assert await reminded(look) == [("A", "2026-02-28"), ("A", "2026-03-01"), ("A", "2026-03-02")]
    assert await look.fetchval("SELECT on_date FROM due") == TODAY + DAY


async def test_what_an_act_says_again_has_the_same_id_and_is_said_once(
    database: Database, look: asyncpg.Connection
) -> None:
    """As after a restore: the date is there again, and the event has gone out already."""
    for _ in range(2):
        await add(database, "A", TODAY)
        assert await fire(database)
    await add(database, "A", TODAY + DAY)
    assert await fire(database, today=TODAY + DAY)

    assert await reminded(look) == [("A", "2026-03-02"), ("A", "2026-03-03")]
    rows = await look.fetch("SELECT DISTINCT event_id, causation_id FROM outbox")
    assert len({row["event_id"] for row in rows}) == len({row["causation_id"] for row in rows}) == 2


async def test_an_act_that_fails_leaves_nothing_but_its_error_and_lets_later_dates_go_first(
    database: Database, look: asyncpg.Connection
) -> None:
    await add(database, "A", TODAY - DAY)
    assert await fire(database, act=refuse)
    assert await reminded(look) == []
    row = await look.fetchrow("SELECT attempts, error, retry_at > now() AS later FROM due")
    assert tuple(row) == (1, "ValueError: the act has a bug", True)

    await add(database, "B", TODAY)
    assert await fire(database)
    assert await reminded(look) == [("B", "2026-03-02")]
    assert not await fire(database), "it waits until its next attempt"
    await look.execute("UPDATE due SET retry_at = now()")
    assert await fire(database)
    assert await reminded(look) == [("B", "2026-03-02"), ("A", "2026-03-01")]


async def test_attempts_come_at_growing_distances(database: Database, look: asyncpg.Connection) -> None:
    await add(database, "A", TODAY)
    waits = []
    for _ in range(4):
        assert await fire(database, act=refuse)
        waits.append(await look.fetchval("SELECT retry_at - now() FROM due"))
        await look.execute("UPDATE due SET retry_at = now()")

    assert waits == sorted(waits)
    assert await look.fetchval("SELECT attempts FROM due") == 4


async def test_an_act_that_the_database_gives_up_backs_off_as_well(
    database: Database, look: asyncpg.Connection
) -> None:
    async def never_ends(session: AsyncSession, subject: str, on: date, clock: Clock) -> None:
        connection = await raw(session)
        await connection.execute("SET LOCAL statement_timeout = '20ms'")
        await connection.execute("SELECT pg_sleep(60)")

    await add(database, "A", TODAY)
    assert await fire(database, act=never_ends)

    assert "QueryCanceled" in await look.fetchval("SELECT error FROM due WHERE retry_at > now()")


async def test_a_kind_that_nobody_acts_on_is_told_as_a_failure(database: Database, look: asyncpg.Connection) -> None:
    await add(database, "A", TODAY, kind="of a newer release")
    assert await fire(database)
    assert await look.fetchval("SELECT error FROM due") == "KeyError: 'of a newer release'"


async def test_a_date_that_somebody_else_works_on_is_passed_over(
    spine: Spine, database: Database, look: asyncpg.Connection
) -> None:
    await add(database, "A", TODAY - DAY)
    await add(database, "B", TODAY)
    async with look.transaction():
        await look.execute("SELECT 1 FROM due WHERE subject = 'A' FOR UPDATE")
        assert await fire(database)
        assert not await fire(database)
        assert await reminded(look) == [("B", "2026-03-02")]
    assert await fire(database)
    assert await reminded(look) == [("B", "2026-03-02"), ("A", "2026-03-01")]


async def fire_many(database: Database, *, alone: frozenset[str] = frozenset(), act: DueAct = remind) -> int:
    service = Service(name="due", when_due={"reminder": act, "heavy": act}, due_alone=alone)
    return await due.fire(service, database, BusinessClock(TODAY))


async def commits(look: asyncpg.Connection) -> int:
    """Transactions that wrote what was said."""
    return int(await look.fetchval("SELECT count(DISTINCT xmin::text) FROM outbox"))


async def test_what_is_due_on_one_date_fires_in_one_transaction_each_under_its_own_id(
    database: Database, look: asyncpg.Connection
) -> None:
    for number in range(30):
        await add(database, f"A{number:02d}", TODAY - DAY)
    await add(database, "later", TODAY)

    assert await fire_many(database) == 30
    assert await reminded(look) == [(f"A{number:02d}", "2026-03-01") for number in range(30)]
    assert await commits(look) == 1
    rows = await look.fetch("SELECT event_id, causation_id, correlation_id FROM outbox")
    assert all(len({row[column] for row in rows}) == 30 for column in ("event_id", "causation_id", "correlation_id"))
    assert await fire_many(database) == 1, "the next date is for the next transaction"
    assert await fire_many(database) == 0


async def test_one_that_fails_among_many_fails_alone(database: Database, look: asyncpg.Connection) -> None:
    async def refuse_b(session: AsyncSession, subject: str, on: date, clock: Clock) -> None:
        await (refuse if subject == "B" else remind)(session, subject, on, clock)

    for subject in ("A", "B", "C"):
        await add(database, subject, TODAY)

    assert await fire_many(database, act=refuse_b) == 3
    assert await reminded(look) == [("A", "2026-03-02"), ("C", "2026-03-02")]
    assert [tuple(row) for row in await look.fetch("SELECT subject, attempts FROM due")] == [("B", 1)]


async def test_an_act_that_removes_or_moves_a_date_after_it_is_heard_in_the_same_transaction(
    database: Database, look: asyncpg.Connection
) -> None:
    async def settle(session: AsyncSession, subject: str, on: date, clock: Clock) -> None:
        await remind(session, subject, on, clock)
        if subject == "A":
            await due.remove(session, "reminder", "B")
            await due.add(session, "reminder", "C", TODAY + DAY)

    for subject in ("A", "B", "C"):
        await add(database, subject, TODAY)

    assert await fire_many(database, act=settle) == 3
    assert await reminded(look) == [("A", "2026-03-02")]
    assert [tuple(row) for row in await look.fetch("SELECT subject, on_date FROM due")] == [("C", TODAY + DAY)]


async def test_a_heavy_act_has_a_transaction_of_its_own(database: Database, look: asyncpg.Connection) -> None:
    for subject in ("A", "B"):
        await add(database, subject, TODAY, kind="heavy")
        await add(database, subject, TODAY)

    assert [await fire_many(database, alone=frozenset({"heavy"})) for _ in range(4)] == [1, 1, 2, 0]
    assert await commits(look) == 3
