"""From the outbox to Kafka under faults: a relay killed at each step, two relays at once, a broker that dies."""

from __future__ import annotations

import asyncio
import dataclasses
import signal
from collections.abc import AsyncIterator
from uuid import uuid4

import psutil
import pytest
import pytest_asyncio

from deploy.local import kafka
from deploy.local.kafka import Kafka
from deploy.local.namespace import drop_databases
from deploy.local.services import ServiceProcess
from deploy.local.stack import Stack
from tests.faults.account import AREAS, caught_up, events_of, serve_forms, take_account, told, told_again
from tests.spine import Spine, change, eventually, form, submit

pytestmark = pytest.mark.long

EVENTS_OF_A_FORM = 3


@pytest.fixture(scope="module", autouse=True)
def risk(spine: Spine) -> None:
    spine.up("risk")


@pytest.mark.parametrize(
    ("point", "repeats"),
    [("relay.before_send", 0), ("relay.after_send", EVENTS_OF_A_FORM), ("relay.after_progress", 0)],
)
async def test_an_event_whose_relay_is_killed_around_sending_it_takes_effect_once(
    spine: Spine, point: str, repeats: int
) -> None:
    registration = spine.service("registration").start(ONE_WINDOW_CRASH_AT=point).wait_ready()
    before, key, filed = told_again(await told(spine)), str(uuid4()), form()
    patient_client = asyncio.create_task(submit(spine, filed, key=key))
    assert await asyncio.to_thread(registration.wait_ended) == -signal.SIGKILL

    registration.start()
    answer = await patient_client

    answers = [answer, await submit(spine, filed, key=key)]
    assert len((await take_account(spine, answers))[answer.json()["uscc"]]) == 1
    assert told_again(await told(spine)) == before + repeats
    registration.kill()


LEADERS = """
SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
AND (classid::bigint << 32) | objid::bigint = hashtextextended('one-window-relay', 0)
"""


def by_way_of(spine: Spine, member: ServiceProcess) -> Spine:
    """The spine as a client sees it who reaches this member of registration."""
    return dataclasses.replace(spine, processes={**spine.processes, "registration": member})


async def test_of_two_relays_one_leads_and_order_is_kept(spine: Spine) -> None:
    members = [spine.service("registration"), spine.service("registration", "-other")]
    for member in members:
        member.start()
    for member in members:
        member.wait_ready()
    before = told_again(await told(spine))

    served = await asyncio.gather(*(serve_forms(by_way_of(spine, member), 4, changes=2) for member in members))

    async with spine.database("registration") as connection:
        assert len(await connection.fetch(LEADERS)) == 1
    await take_account(spine, [*served[0], *served[1]])
    assert told_again(await told(spine)) == before, "both have sent"
    for member in members:
        member.kill()


def frozen(member: ServiceProcess) -> bool:
    assert member.process is not None
    return bool(psutil.Process(member.process.pid).status() == psutil.STATUS_STOPPED)


async def test_a_leader_frozen_before_it_sends_is_replaced_and_does_no_harm_when_it_thaws(spine: Spine) -> None:
    leader = spine.service("registration", "-frozen").start(ONE_WINDOW_FREEZE_AT="relay.before_send:2").wait_ready()
    standby = spine.service("registration").start().wait_ready()
    before = told_again(await told(spine))
    uscc = (await submit(spine)).json()["uscc"]
    await eventually(lambda: caught_up(spine))

    await change(spine, uscc, {"area": AREAS[0]})
    await eventually(lambda: asyncio.to_thread(frozen, leader))
    for area in (AREAS[1], AREAS[0]):
        await change(spine, uscc, {"area": area})
    await serve_forms(spine, 2)
    await eventually(lambda: caught_up(spine))
    assert told_again(await told(spine)) == before

    async with spine.database("registration") as connection:
        progress = await connection.fetchrow("SELECT xmin::text, * FROM relay_progress")
        leader.thaw()
        await eventually(lambda: _told_in_log(leader, "relay term ended"))
        assert await connection.fetchrow("SELECT xmin::text, * FROM relay_progress") == progress
    assert told_again(await told(spine)) > before, "it has not sent what it had in hand"
    assert len((await take_account(spine))[uscc]) == 4

    standby.kill()
    await serve_forms(by_way_of(spine, leader), 1)
    await eventually(lambda: caught_up(spine))
    leader.kill()


@dataclasses.dataclass(frozen=True, slots=True)
class Brittle:
    spine: Spine
    broker: Kafka


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def brittle(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Brittle]:
    """Both services on a broker of our own, with the shared PostgreSQL."""
    folder = tmp_path_factory.mktemp("broker")
    broker = kafka.in_folder(folder / "kafka")
    broker.start()
    spine = Spine(Stack(broker.bootstrap_servers, stack.database_url), folder)
    yield Brittle(spine.up("registration", "risk"), broker)
    for process in spine.processes.values():
        process.kill()
    await drop_databases(stack, spine.namespace)
    broker.kill()


async def test_a_broker_killed_while_forms_come_in_loses_and_doubles_and_reorders_nothing(brittle: Brittle) -> None:
    spine, broker = brittle.spine, brittle.broker
    pids = [process.process.pid for process in spine.processes.values() if process.process]
    clients = asyncio.create_task(serve_forms(spine, 24, changes=2, apart=0.1))
    await eventually(lambda: _reached(spine, 12))

    await asyncio.to_thread(broker.kill)
    await eventually(lambda: _reached(spine, 36))
    await asyncio.to_thread(broker.start)
    answers = await clients

    assert sum(map(len, (await take_account(spine, answers)).values())) == events_of(answers)
    assert len(answers) == 72
    assert [process.process.pid for process in spine.processes.values() if process.alive] == pids


async def test_a_relay_that_loses_its_session_while_the_broker_is_down_begins_anew_with_a_new_producer(
    brittle: Brittle,
) -> None:
    spine, broker = brittle.spine, brittle.broker
    before = await _said(spine)
    await asyncio.to_thread(broker.kill)
    answers = await serve_forms(spine, 6, changes=2)

    async with spine.database("registration") as connection:
        await connection.execute("SELECT pg_terminate_backend($1)", await connection.fetchval(LEADERS))
    await eventually(lambda: _told_in_log(spine.service("registration"), "KafkaConnectionError"))
    await asyncio.to_thread(broker.start)

    assert sum(map(len, (await take_account(spine, answers)).values())) == before + events_of(answers)


async def _said(spine: Spine) -> int:
    async with spine.database("registration") as connection:
        return int(await connection.fetchval("SELECT count(*) FROM outbox"))


async def _reached(spine: Spine, count: int) -> bool:
    return await _said(spine) >= count


async def _told_in_log(process: ServiceProcess, words: str) -> bool:
    return words in await asyncio.to_thread(process.log.read_text)
