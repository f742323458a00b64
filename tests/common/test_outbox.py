"""The outbox under real concurrency: sequences without gaps, and row ids in the order of sequences."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy.exc import IntegrityError
from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common import outbox
from libs.common.clock import BusinessClock
from libs.common.database import Database, open_database, provision, raw
from libs.common.envelope import Event
from libs.common.migration import migrate
from libs.common.outbox import Cause
from libs.common.transaction import Unavailable, once, retried
from services.registration.service import service
from tests.spine import Spine, eventually

SUBJECTS = [f"S{number}" for number in range(6)]

ACCOUNTS = """
CREATE TABLE account (n int PRIMARY KEY);
INSERT INTO account SELECT generate_series(1, 4);
CREATE TABLE entry (account int REFERENCES account DEFERRABLE INITIALLY DEFERRED);
"""
"""Rows to lock in any order, and a rule that is checked at COMMIT, when the outbox is written."""


class Noted(Event, frozen=True, kw_only=True):
    type = "registration.noted.v1"
    subject_kind = "uscc"
    n: int = 0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def database(spine: Spine) -> AsyncIterator[Database]:
    with spine.as_environment():
        settings = service.load_settings()
        await provision(settings)
        database = open_database(settings)
        await migrate(database)
    async with spine.database("registration") as connection:
        await connection.execute(f"ALTER ROLE {settings.database_name} SET deadlock_timeout = '20ms'")
        await connection.execute(f"GRANT CREATE ON SCHEMA public TO {settings.database_name}")
        await connection.execute(f"SET ROLE {settings.database_name}")
        await connection.execute(ACCOUNTS)
    yield database
    await database.engine.dispose()


@pytest_asyncio.fixture(loop_scope="module")
async def look(spine: Spine, database: Database) -> AsyncIterator[asyncpg.Connection]:
    """An empty outbox, and an administrator's connection to look at it."""
    async with spine.database("registration") as connection:
        await connection.execute("TRUNCATE outbox, outbox_counter RESTART IDENTITY")
        yield connection


def say(session: AsyncSession, *subjects: str) -> None:
    for subject in subjects:
        outbox.add(session, Noted(), subject=subject, clock=BusinessClock())


async def counters(look: asyncpg.Connection) -> dict[str, int]:
    return dict(map(tuple, await look.fetch("SELECT subject, sequence FROM outbox_counter")))


@dataclass(slots=True)
class Tally:
    said: list[str] = field(default_factory=list)
    runs: int = 0
    committed: int = 0
    rolled_back: int = 0
    given_up: int = 0


async def assert_contiguous_and_in_order(look: asyncpg.Connection, tally: Tally) -> None:
    """Read by row id, as the relay reads, each subject's sequences are 1, 2, 3 ... as many as were said."""
    expected = {subject: list(range(1, tally.said.count(subject) + 1)) for subject in set(tally.said)}
    rows = await look.fetch("SELECT subject, array_agg(sequence ORDER BY id) FROM outbox GROUP BY subject")
    assert dict(map(tuple, rows)) == expected
    assert await counters(look) == {subject: ordered[-1] for subject, ordered in expected.items()}


async def write_many(database: Database, seed: int, tally: Tally, *, transactions: int, trouble: bool) -> None:
    """A writer whose transactions each say a few events; with `trouble` they also lock rows in any order, so that some
    deadlock, and break a rule that is only checked at COMMIT, when their row ids have been drawn."""
    chance = random.Random(seed)
    for _ in range(transactions):
        subjects = chance.choices(SUBJECTS, k=chance.randint(1, 4))
        locks = chance.sample(range(1, 5), 2) if trouble else []
        entry = 9 if trouble and chance.random() < 0.2 else 1

        async def act(session: AsyncSession, subjects=subjects, locks=locks, entry=entry) -> None:  # type: ignore[no-untyped-def]
            tally.runs += 1
            connection = await raw(session)
            for n in locks:
                await connection.execute("SELECT 1 FROM account WHERE n = $1 FOR UPDATE", n)
            await connection.execute("INSERT INTO entry VALUES ($1)", entry)
            say(session, *subjects)

        try:
            await retried(database, act)
        except IntegrityError:
            tally.rolled_back += 1
        except Unavailable:
            tally.given_up += 1
        else:
            tally.committed += 1
            tally.said += subjects


async def test_eight_writers_with_rollbacks_and_deadlocks_leave_no_gap_and_keep_ids_in_order(
    database: Database, look: asyncpg.Connection
) -> None:
    tally = Tally()
    await asyncio.gather(*(write_many(database, seed, tally, transactions=25, trouble=True) for seed in range(8)))

    assert tally.rolled_back > 10
    assert tally.runs > tally.committed + tally.rolled_back, "no deadlock was retried"
    await assert_contiguous_and_in_order(look, tally)


async def test_writers_that_name_the_same_subjects_in_any_order_never_deadlock_and_keep_ids_in_order(
    database: Database, look: asyncpg.Connection
) -> None:
    tally = Tally()
    await asyncio.gather(*(write_many(database, seed, tally, transactions=25, trouble=False) for seed in range(8)))

    assert tally.runs == tally.committed == 200
    await assert_contiguous_and_in_order(look, tally)


JOINS = ("hashjoin", "mergejoin", "nestloop")


@pytest.mark.parametrize("join", JOINS)
async def test_row_ids_are_drawn_when_every_counter_is_locked_whatever_the_plan(
    database: Database, look: asyncpg.Connection, join: str
) -> None:
    held, released = asyncio.Event(), asyncio.Event()

    async def holds_s1(session: AsyncSession) -> None:
        say(session, "S1")
        await outbox.write(session)
        held.set()
        await released.wait()

    async def wants_s0_and_s1(session: AsyncSession) -> None:
        for other in JOINS:
            await (await raw(session)).execute(f"SET LOCAL enable_{other} = {'on' if other == join else 'off'}")
        say(session, "S1", "S0", "S1")

    first = asyncio.create_task(once(database, holds_s1))
    await held.wait()
    second = asyncio.create_task(once(database, wants_s0_and_s1))
    await eventually(
        lambda: look.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype <> 'relation'")
    )

    assert await look.fetchval("SELECT last_value FROM outbox_id_seq") == 1, "an id was drawn before the lock was got"
    await once(database, lambda session: _say(session, "S2"))
    released.set()
    await asyncio.gather(first, second)
    rows = await look.fetch("SELECT subject, sequence FROM outbox ORDER BY id")
    assert [tuple(row) for row in rows] == [("S1", 1), ("S2", 1), ("S1", 2), ("S0", 1), ("S1", 3)]


async def _say(session: AsyncSession, *subjects: str) -> None:
    say(session, *subjects)


async def test_what_a_reaction_has_said_is_not_said_again(database: Database, look: asyncpg.Connection) -> None:
    cause = (await look.fetchval("SELECT gen_random_uuid()"), "case")
    for _ in range(2):
        await once(database, lambda session: _say(session, "S0", "S1"), Cause(*cause))

    assert await counters(look) == {"S0": 1, "S1": 1}
    assert await look.fetchval("SELECT count(*) FROM outbox WHERE causation_id = $1", cause[0]) == 2


async def test_the_relay_is_woken_by_a_commit_with_events_and_by_no_other(
    database: Database, look: asyncpg.Connection
) -> None:
    database.said.clear()
    await once(database, lambda session: _say(session))
    assert not database.said.is_set()

    await once(database, lambda session: _say(session, "S0"))
    assert database.said.is_set()
