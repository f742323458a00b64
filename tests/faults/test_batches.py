"""Batches that fail, cannot be tried or are cut off, in a service with one reaction after the other: the ledger."""

from __future__ import annotations

import asyncio

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.errors import OffsetOutOfRangeError
from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common.consumer import Consumer
from libs.common.database import raw
from tests.faults.ledger import HEARD, NAME, Ledger, noted, open_ledger
from tests.faults.topics import everything_is_taken, new_uscc, positions
from tests.spine import Spine, eventually


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened(spine: Spine) -> Ledger:
    return await open_ledger(spine)


@pytest.fixture
def ledger(opened: Ledger) -> Ledger:
    """The ledger without the troubles of earlier stories."""
    opened.trouble.clear()
    opened.batches.clear()
    return opened


async def all_is_entered(ledger: Ledger) -> None:
    await eventually(lambda: everything_is_taken(ledger.spine, NAME, HEARD))


async def a_bug(session: AsyncSession) -> None:
    raise ValueError("the handler has a bug")


async def a_statement_without_end(session: AsyncSession) -> None:
    connection = await raw(session)
    await connection.execute("SET LOCAL statement_timeout = '50ms'")
    await connection.execute("SELECT pg_sleep(60)")


async def a_locked_row(session: AsyncSession) -> None:
    connection = await raw(session)
    await connection.execute("SET LOCAL lock_timeout = '200ms'")
    await connection.execute("SELECT pg_advisory_xact_lock(17)")


async def test_one_bad_event_among_five_hundred_is_found_by_halving_and_parked_alone(ledger: Ledger) -> None:
    subjects = [new_uscc(3) for _ in range(500)]
    bad = subjects[333]
    ledger.trouble[bad] = a_bug
    await ledger.put(*(noted(subject, 1) for subject in subjects))

    async with ledger.member():
        await all_is_entered(ledger)

    entered = await ledger.read("SELECT subject FROM entry WHERE subject = ANY($1)", subjects)
    assert sorted(row["subject"] for row in entered) == sorted({*subjects} - {bad})
    assert await ledger.parked(*subjects) == [(1, "failed")]
    assert len(ledger.batches) < 40, "by halving, not one by one"


async def test_a_client_that_fetches_no_more_and_does_not_say_so_is_built_anew(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("libs.common.consumer.SILENT_SECONDS", 0.5)
    subject = new_uscc(9)
    async with ledger.member() as member:
        await ledger.put(noted(subject, 1))
        await all_is_entered(ledger)
        deaf = member.client
        assert deaf is not None
        deaf._fetcher._fetch_task.cancel()

        async def nothing_is_asked_for() -> bool:
            return not deaf._fetcher._in_flight

        await eventually(nothing_is_asked_for)
        await ledger.put(noted(subject, 2))
        await all_is_entered(ledger)
        assert member.client is not deaf

        hears = member.client
        await asyncio.sleep(3)
        assert member.client is hears, "nothing is said, and nothing is missed"


async def test_a_lock_that_somebody_else_holds_parks_nothing_and_the_batch_is_taken_when_it_is_free(
    ledger: Ledger,
) -> None:
    subjects = [new_uscc(5) for _ in range(20)]
    ledger.trouble[subjects[7]] = a_locked_row
    async with ledger.spine.database(NAME) as somebody, ledger.member():
        await somebody.execute("SELECT pg_advisory_lock(17)")
        await ledger.put(*(noted(subject, 1) for subject in subjects))

        async def has_been_tried() -> bool:
            return len(ledger.batches) >= 3

        await eventually(has_been_tried)
        await somebody.execute("SELECT pg_advisory_unlock(17)")
        await all_is_entered(ledger)

    assert await ledger.entries(*subjects) == [1] * len(subjects)
    assert await ledger.parked(*subjects) == []


async def test_an_event_whose_statement_never_ends_is_parked_after_five_tries_and_no_member_suffers_from_it_again(
    ledger: Ledger,
) -> None:
    subjects = [new_uscc(7) for _ in range(64)]
    endless, tries = subjects[40], []

    async def never_ends(session: AsyncSession) -> None:
        tries.append(1)
        await a_statement_without_end(session)

    ledger.trouble[endless] = never_ends
    async with ledger.member() as member:
        await ledger.put(*(noted(subject, 1) for subject in subjects), noted(endless, 2))
        await all_is_entered(ledger)
        assert len(tries) >= 5
        assert await ledger.entries(*subjects) == [1] * (len(subjects) - 1)
        assert await ledger.parked(endless) == [(1, "failed"), (2, "waiting")]

        client = member.client

        async def has_been_tried_again() -> bool:
            [row] = await ledger.read("SELECT attempts FROM parked WHERE subject = $1 AND sequence = 1", endless)
            return row["attempts"] >= 2

        await eventually(has_been_tried_again)
        assert member.client is client, "its retries cost nobody a rebalance"

        ledger.trouble.clear()
        await eventually(lambda: is_home(ledger, endless))
    assert await ledger.entries(endless) == [1, 2]


async def is_home(ledger: Ledger, subject: str) -> bool:
    return await ledger.parked(subject) == []


async def test_a_follower_that_meets_a_lock_when_its_turn_comes_waits_on_and_comes_home(ledger: Ledger) -> None:
    subject = new_uscc()
    async with ledger.spine.database(NAME) as somebody, ledger.member() as member:
        await ledger.put(noted(subject, 2))
        await all_is_entered(ledger)
        client = member.client
        await somebody.execute("SELECT pg_advisory_lock(17)")
        met: list[int] = []

        async def at_its_turn(session: AsyncSession) -> None:
            met.append(1)
            if len(met) > 1:  # the first event passes
                await a_locked_row(session)

        ledger.trouble[subject] = at_its_turn
        await ledger.put(noted(subject, 1))

        async def has_been_tried() -> bool:
            return len(met) >= 4

        await eventually(has_been_tried)
        assert await ledger.parked(subject) == [(2, "waiting")]
        await somebody.execute("SELECT pg_advisory_unlock(17)")
        await eventually(lambda: is_home(ledger, subject))
        assert member.client is client
    assert await ledger.entries(subject) == [1, 2]


async def test_a_batch_whose_commit_was_cut_off_parks_nothing(ledger: Ledger) -> None:
    subject = new_uscc()
    async with ledger.spine.database(NAME) as connection, ledger.member():
        await connection.execute("""
            CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(60); RETURN NULL; END';
            CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON entry DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION linger()""")
        await ledger.put(noted(subject, 1))

        async def is_cut_off_while_it_commits() -> bool:
            return bool(await connection.fetch(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                " AND query ILIKE 'COMMIT%' AND state = 'active'"
            ))  # fmt: skip

        await eventually(is_cut_off_while_it_commits)
        await connection.execute("DROP TRIGGER at_commit ON entry; DROP FUNCTION linger")
        await all_is_entered(ledger)
        assert await ledger.parked(subject) == []
    assert await ledger.entries(subject) == [1]


async def test_a_parked_subject_comes_home_in_order_while_new_events_keep_arriving(ledger: Ledger) -> None:
    subject, other = new_uscc(9), new_uscc(9)
    ledger.trouble[subject] = a_bug
    async with ledger.member():
        await ledger.put(noted(subject, 1), noted(other, 1))

        async def keeps_arriving() -> None:
            for sequence in range(2, 61):
                await ledger.put(noted(subject, sequence), noted(other, sequence))

        arriving = asyncio.create_task(keeps_arriving())

        async def has_followers() -> bool:
            return len(await ledger.parked(subject)) >= 10

        await eventually(has_followers)
        assert (await ledger.parked(subject))[:3] == [(1, "failed"), (2, "waiting"), (3, "waiting")]
        assert await ledger.entries(subject) == []
        ledger.trouble.clear()
        await eventually(lambda: is_home(ledger, subject))
        await arriving
        await all_is_entered(ledger)
        await eventually(lambda: is_home(ledger, subject))

    assert await ledger.entries(subject) == list(range(1, 61))
    assert await ledger.entries(other) == list(range(1, 61))


async def test_a_member_that_cannot_ask_where_its_database_stands_does_not_begin_where_kafka_says(
    ledger: Ledger,
) -> None:
    """A database that was restored lies behind what was committed to Kafka; here it does not even answer at first."""
    place, subject = TopicPartition(f"{ledger.spine.namespace}{HEARD}", 11), new_uscc(11)
    await ledger.put(*(noted(subject, sequence) for sequence in range(1, 2_001)))
    as_if_taken = AIOKafkaConsumer(
        bootstrap_servers=ledger.settings.kafka_bootstrap_servers, group_id=ledger.settings.group,
        enable_auto_commit=False,
    )  # fmt: skip
    await as_if_taken.start()
    as_if_taken.assign([place])
    await as_if_taken.commit({place: 600})
    await as_if_taken.stop()

    async with ledger.spine.database(NAME) as administrator:
        await administrator.execute(f'ALTER ROLE "{ledger.settings.database_name}" NOLOGIN')
        async with ledger.member() as member:

            async def has_records_in_hand() -> bool:
                return member.busy.locked()

            await eventually(has_records_in_hand)
            await administrator.execute(f'ALTER ROLE "{ledger.settings.database_name}" LOGIN')
            await all_is_entered(ledger)

    assert await ledger.entries(subject) == list(range(1, 2_001))
    assert await ledger.parked(subject) == []


async def test_records_that_kafka_has_lost_stop_the_consumer_loudly_and_nothing_is_skipped(ledger: Ledger) -> None:
    place, subject = TopicPartition(f"{ledger.spine.namespace}{HEARD}", 2), new_uscc(2)
    stands = (await positions(ledger.spine, NAME, HEARD)).get(2, 0)
    await ledger.put(*(noted(subject, sequence) for sequence in range(1, 7)))
    admin = AIOKafkaAdminClient(bootstrap_servers=ledger.settings.kafka_bootstrap_servers)
    await admin.start()
    await admin.delete_records({place: RecordsToDelete(before_offset=stands + 4)})
    await admin.close()

    database = ledger.database()
    consumer = Consumer(ledger.service, database, ledger.settings, ledger.clock)
    with pytest.raises(OffsetOutOfRangeError):
        await asyncio.wait_for(consumer.run(asyncio.Event()), 30)
    await database.engine.dispose()

    assert await ledger.entries(subject) == []
    assert (await positions(ledger.spine, NAME, HEARD)).get(2, 0) == stands
