"""The inbox in its database: position, marks and parked rows move with the effect, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio
from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common import inbox
from libs.common.database import Database, open_database, provision, raw
from libs.common.delivery import REMEMBERED_IDS
from libs.common.dispositions import Futile, dispose
from libs.common.drain import drain
from libs.common.envelope import DeadLetter, Incoming
from libs.common.inbox import PositionMoved, Taken
from libs.common.migration import migrate
from libs.common.settings import Settings, load
from libs.common.transaction import once
from tests.spine import Spine

TOPIC, SOURCE = "pen.events", "/jingan/pen"
SOMEBODY_WAITS = """
SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database())
"""
Record = Incoming | DeadLetter


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def database(spine: Spine) -> AsyncIterator[Database]:
    with spine.as_environment():
        settings = load(Settings, "inbox")
    await provision(settings)
    database = open_database(settings)
    await migrate(database)
    async with spine.database("inbox") as connection:
        await connection.execute(
            f'CREATE TABLE effect (subject text, sequence bigint); ALTER TABLE effect OWNER TO "{spine.namespace}inbox"'
        )
    yield database
    await database.engine.dispose()


@pytest_asyncio.fixture(loop_scope="module")
async def look(spine: Spine, database: Database) -> AsyncIterator[asyncpg.Connection]:
    """An empty inbox, and an administrator's connection to look at it."""
    async with spine.database("inbox") as connection:
        await connection.execute("TRUNCATE position, mark, parked, dead_letter, effect")
        yield connection


def event(offset: int, subject: str, sequence: int, *, id: UUID | None = None, partition: int = 0) -> Incoming:
    return Incoming(
        TOPIC, partition, offset, SOURCE, subject, sequence, id or uuid4(), "pen.noted.v1",
        "2026-01-05T00:00:00+00:00", "case-1", None, b"{}",
    )  # fmt: skip


async def note(session: AsyncSession, events: Sequence[Incoming]) -> None:
    """The effect: one row an event."""
    rows = [(one.subject, one.sequence) for one in events]
    await (await raw(session)).executemany("INSERT INTO effect VALUES ($1, $2)", rows)


async def refuse(session: AsyncSession, events: Sequence[Incoming]) -> None:
    await note(session, events)
    raise ValueError("the handler has a bug")


async def take(database: Database, *records: Record, apply: inbox.Apply = note) -> Taken:
    return await once(database, lambda session: inbox.take(session, records, apply), name="batch")


async def fail(database: Database, record: Incoming) -> Taken:
    return await once(database, lambda session: inbox.take_failed(session, record, ValueError("a bug")), name="batch")


async def effects(look: asyncpg.Connection) -> list[tuple[str, int]]:
    return [tuple(row) for row in await look.fetch("SELECT subject, sequence FROM effect ORDER BY subject, sequence")]


async def marks(look: asyncpg.Connection) -> dict[str, int]:
    return dict(await look.fetch("SELECT subject, sequence FROM mark"))


async def stands(look: asyncpg.Connection, partition: int = 0) -> int | None:
    return await look.fetchval("SELECT next_offset FROM position WHERE partition = $1", partition)


async def parked(look: asyncpg.Connection) -> list[tuple[str, int, str]]:
    rows = await look.fetch("SELECT subject, sequence, state FROM parked ORDER BY subject, sequence, state")
    return [tuple(row) for row in rows]


async def test_a_batch_moves_effect_mark_and_position_together(database: Database, look: asyncpg.Connection) -> None:
    taken = await take(database, event(0, "A", 1), event(1, "B", 1), event(2, "A", 2))

    assert taken.applied == 3
    assert await effects(look) == [("A", 1), ("A", 2), ("B", 1)]
    assert await marks(look) == {"A": 2, "B": 1}
    assert await stands(look) == 3


async def test_a_batch_that_fails_leaves_nothing_behind(database: Database, look: asyncpg.Connection) -> None:
    with pytest.raises(ValueError, match="bug"):
        await take(database, event(0, "A", 1), event(1, "A", 3), apply=refuse)

    assert await effects(look) == []
    assert await marks(look) == {}
    assert await parked(look) == []
    assert await stands(look) is None


@pytest.mark.parametrize("offset", [0, 1, 3])
async def test_a_batch_that_does_not_begin_where_the_database_stands_is_refused(
    database: Database, look: asyncpg.Connection, offset: int
) -> None:
    await take(database, event(0, "A", 1), event(1, "A", 2))

    with pytest.raises(PositionMoved) as moved:
        await take(database, event(offset, "A", 3))

    assert (moved.value.next_offset, moved.value.began) == (2, offset)
    assert await marks(look) == {"A": 2}


async def test_a_place_that_the_database_has_never_seen_begins_at_its_beginning(
    database: Database, look: asyncpg.Connection
) -> None:
    with pytest.raises(PositionMoved) as moved:
        await take(database, event(700, "A", 1))
    assert (moved.value.next_offset, moved.value.began) == (0, 700)
    assert await effects(look) == []

    await take(database, event(0, "A", 1), event(0, "B", 1, partition=4))
    assert (await stands(look), await stands(look, 4)) == (1, 1)


async def test_of_two_members_that_take_the_same_batch_at_once_one_finds_it_taken(
    database: Database, look: asyncpg.Connection
) -> None:
    records = [event(0, "A", 1), event(1, "A", 2)]
    met, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(session: AsyncSession, events: Sequence[Incoming]) -> None:
        met.set()
        await go_on.wait()
        await note(session, events)

    first = asyncio.create_task(take(database, *records, apply=slowly))
    await met.wait()
    second = asyncio.create_task(take(database, *records))
    while not await look.fetchval(SOMEBODY_WAITS):
        await asyncio.sleep(0.01)
    go_on.set()

    assert (await first).applied == 2
    with pytest.raises(PositionMoved):
        await second
    assert await effects(look) == [("A", 1), ("A", 2)]


async def test_one_batch_may_hold_everything_that_can_happen(database: Database, look: asyncpg.Connection) -> None:
    first, third = uuid4(), uuid4()
    nameless = DeadLetter(TOPIC, 0, 6, "missing header 'ce_id'", b"A", b"{}")
    taken = await take(
        database,
        event(0, "A", 1, id=first),
        event(1, "A", 1, id=first),  # a duplicate
        event(2, "A", 3, id=third),  # after a gap
        event(3, "A", 3, id=third),  # parked already
        event(4, "B", 1),
        event(5, "B", 1),  # a fork
        nameless,
        event(7, "C", 1),
    )

    assert (taken.applied, taken.skipped, taken.waiting, taken.forked, taken.dead) == (3, 2, 1, 1, 1)
    assert await effects(look) == [("A", 1), ("B", 1), ("C", 1)]
    assert await parked(look) == [("A", 3, "waiting"), ("B", 1, "forked")]
    assert await marks(look) == {"A": 1, "B": 1, "C": 1}
    assert await look.fetchval('SELECT cause FROM dead_letter WHERE "offset" = 6') == nameless.cause
    assert await stands(look) == 8


async def test_sequences_count_for_each_source_by_itself(database: Database, look: asyncpg.Connection) -> None:
    other = event(1, "A", 1)._replace(source="/jingan/ink")
    assert (await take(database, event(0, "A", 1), other)).applied == 2


async def test_the_database_remembers_the_ids_by_which_a_fork_is_told_from_a_duplicate(
    database: Database, look: asyncpg.Connection
) -> None:
    count = REMEMBERED_IDS + 2
    told = [event(number, "A", number + 1) for number in range(count)]
    await take(database, *told)

    again = [one._replace(offset=count + number) for number, one in enumerate(told)]
    assert (await take(database, *again)).skipped == count
    forged = [event(2 * count + number, "A", number + 1) for number in range(count)]
    taken = await take(database, *forged)
    assert (taken.forked, taken.skipped) == (REMEMBERED_IDS, 2)


async def test_an_event_that_failed_is_parked_and_the_mark_stays(database: Database, look: asyncpg.Connection) -> None:
    failed = event(1, "A", 2)
    await take(database, event(0, "A", 1))
    assert (await fail(database, failed)).failed == 1
    assert (await take(database, event(2, "A", 3), event(3, "B", 1))).waiting == 1

    assert await parked(look) == [("A", 2, "failed"), ("A", 3, "waiting")]
    assert await marks(look) == {"A": 1, "B": 1}
    row = await look.fetchrow("SELECT error, attempts, retry_at > now() AS later FROM parked WHERE sequence = 2")
    assert tuple(row) == ("ValueError: a bug", 1, True)
    assert await stands(look) == 4


async def decide(look: asyncpg.Connection, disposition: str, subject: str, sequence: int) -> None:
    await dispose(look, disposition, subject, sequence, by="the registrar", why="it was looked into")


async def drained(database: Database, apply: inbox.Apply = note) -> int:
    return await drain(database, [(TOPIC, 0)], apply)


async def test_what_waited_comes_home_in_order_when_the_missing_event_is_there(
    database: Database, look: asyncpg.Connection
) -> None:
    await take(database, event(0, "A", 4), event(1, "A", 2), event(2, "A", 3), event(3, "B", 2))
    assert await drained(database) == 0
    await take(database, event(4, "A", 1))

    assert await drained(database) == 3
    assert await effects(look) == [("A", 1), ("A", 2), ("A", 3), ("A", 4)]
    assert await parked(look) == [("B", 2, "waiting")]
    assert await drain(database, [(TOPIC, 1)], note) == 0, "another partition is somebody else's"


async def test_a_head_that_fails_again_waits_longer_and_keeps_its_followers_waiting(
    database: Database, look: asyncpg.Connection
) -> None:
    await fail(database, event(0, "A", 1))
    await take(database, event(1, "A", 2))
    waits = []
    for attempts in (2, 3, 4):
        await look.execute("UPDATE parked SET retry_at = now()")
        assert await drained(database, refuse) == 0
        row = await look.fetchrow("SELECT attempts, retry_at - now() AS wait FROM parked WHERE sequence = 1")
        assert row["attempts"] == attempts
        waits.append(row["wait"])

    assert waits == sorted(waits)
    assert await effects(look) == []
    assert await drained(database) == 0, "not before its time"
    await decide(look, "retry", "A", 1)
    assert await drained(database) == 2
    assert await effects(look) == [("A", 1), ("A", 2)]


async def test_a_dropped_head_lets_its_followers_go_on_and_stays_as_a_record(
    database: Database, look: asyncpg.Connection
) -> None:
    head = event(0, "A", 1)
    await fail(database, head)
    await take(database, event(1, "A", 2))
    await decide(look, "drop", "A", 1)

    assert await drained(database) == 2
    assert await effects(look) == [("A", 2)]
    assert await parked(look) == [("A", 1, "dropped")]
    assert (await take(database, head._replace(offset=2))).skipped == 1, "sent again, it stays dropped"


async def test_a_skipped_gap_is_closed_for_good_with_a_record_of_what_is_missing(
    database: Database, look: asyncpg.Connection
) -> None:
    await take(database, event(0, "A", 1), event(1, "A", 4))
    await decide(look, "skip", "A", 4)

    assert await drained(database) == 2
    assert await effects(look) == [("A", 1), ("A", 4)]
    assert await parked(look) == [("A", 2, "skipped"), ("A", 3, "skipped")]
    assert await look.fetchval("SELECT disposed_why FROM parked WHERE sequence = 3") == "it was looked into"
    assert (await take(database, event(2, "A", 2), event(3, "A", 5))).skipped == 1
    assert await effects(look) == [("A", 1), ("A", 4), ("A", 5)]


async def test_a_fork_holds_up_its_subject_until_it_is_dropped(database: Database, look: asyncpg.Connection) -> None:
    await take(database, event(0, "A", 1), event(1, "A", 1), event(2, "A", 2), event(3, "B", 1))
    assert await drained(database) == 0
    assert await parked(look) == [("A", 1, "forked"), ("A", 2, "waiting")]

    await decide(look, "drop", "A", 1)
    assert await drained(database) == 2
    assert await effects(look) == [("A", 1), ("A", 2), ("B", 1)]


@pytest.mark.parametrize(
    ("disposition", "subject", "sequence", "code"),
    [
        ("retry", "forked", 1, "parked-fork-only-drop"),
        ("skip", "forked", 1, "parked-fork-only-drop"),
        ("skip", "failed", 1, "parked-no-gap"),
        ("retry", "waiting", 3, "parked-waits-for-gap"),
        ("skip", "absurd", 2**62, "parked-gap-too-wide"),
    ],
)
async def test_what_would_never_be_carried_out_is_refused_when_it_is_decided(
    database: Database, look: asyncpg.Connection, disposition: str, subject: str, sequence: int, code: str
) -> None:
    await take(
        database, event(0, "forked", 1), event(1, "forked", 1), event(2, "waiting", 3), event(3, "absurd", 2**62)
    )
    await fail(database, event(4, "failed", 1))

    with pytest.raises(Futile) as refused:
        await decide(look, disposition, subject, sequence)

    assert refused.value.code == code
    assert await look.fetch("SELECT 1 FROM parked WHERE disposition IS NOT NULL") == []


async def test_a_disposition_that_cannot_be_carried_out_holds_up_nobody_and_says_why(
    database: Database, look: asyncpg.Connection
) -> None:
    """One that an earlier release took: to give up 2^61 sequences, a row each."""
    await take(database, event(0, "A", 2**61), event(1, "B", 1), event(2, "B", 4))
    await look.execute("UPDATE parked SET disposition = 'skip', disposed_by = 'x', disposed_why = 'x'")

    assert await drained(database) == 2
    assert await effects(look) == [("B", 1), ("B", 4)]
    row = await look.fetchrow("SELECT disposition, error FROM parked WHERE subject = 'A'")
    assert row["disposition"] is None
    assert row["error"].startswith("skip could not be carried out: ")


@pytest.mark.parametrize("ends_well", [True, False])
async def test_what_a_person_decides_while_a_step_is_being_taken_is_carried_out_or_refused_but_not_lost(
    database: Database, look: asyncpg.Connection, ends_well: bool
) -> None:
    """The consumer tries a failed head once more, and its operator gives it up in that very moment."""
    await fail(database, event(0, "A", 1))
    await take(database, event(1, "A", 2))
    await look.execute("UPDATE parked SET retry_at = now()")
    decisions: list[asyncio.Task[None]] = []

    async def while_a_person_decides(session: AsyncSession, events: Sequence[Incoming]) -> None:
        if not decisions:
            decisions.append(asyncio.create_task(decide(look, "drop", "A", 1)))
            await asyncio.wait(decisions, timeout=0.5)
        if not ends_well:
            raise ValueError("a bug")
        await note(session, events)

    await drained(database, while_a_person_decides)
    answers = await asyncio.gather(*decisions, return_exceptions=True)
    await drained(database)

    if ends_well:
        assert [type(answer) for answer in answers] == [LookupError], "the person is told that it has taken effect"
        assert (await effects(look), await parked(look)) == ([("A", 1), ("A", 2)], [])
    else:
        assert answers == [None]
        assert (await effects(look), await parked(look)) == ([("A", 2)], [("A", 1, "dropped")])


async def test_taking_back_what_could_not_be_carried_out_leaves_what_was_decided_since(
    database: Database, look: asyncpg.Connection
) -> None:
    await take(database, event(0, "A", 3))
    await decide(look, "skip", "A", 3)
    decisions: list[asyncio.Task[None]] = []

    async def while_a_person_decides(*_: object) -> None:
        decisions.append(asyncio.create_task(decide(look, "drop", "A", 3)))
        await asyncio.wait(decisions, timeout=0.5)
        raise ValueError("a bug")

    await drain(database, [(TOPIC, 0)], note, while_a_person_decides)
    await asyncio.gather(*decisions)

    assert await look.fetchval("SELECT disposition FROM parked") == "drop"
