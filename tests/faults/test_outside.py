"""Records from outside and what outsiders are told, under faults: each takes effect once, and is answered under one id
however often it is told. The city's side is played by deploy/city.py."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Sequence
from uuid import uuid4

import pytest
import pytest_asyncio
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from sqlmodel.ext.asyncio.session import AsyncSession

from deploy import city
from deploy.city import Outcome, record
from libs.common.clock import BusinessClock, Clock
from libs.common.consumer import Consumer
from libs.common.database import open_database, raw
from libs.common.envelope import Outside
from libs.common.run import prepare
from libs.common.service import Service, TakeRecords
from libs.common.settings import Settings, load
from tests.faults.account import Told, histories, told
from tests.faults.topics import Record as Sent
from tests.faults.topics import everything_is_taken, positions
from tests.faults.topics import put as put_records
from tests.spine import Spine, eventually

pytestmark = pytest.mark.long

USCC = "91310106MA1FY0016K"
KILLED = -signal.SIGKILL


async def send(spine: Spine, *given: city.Data) -> None:
    await city.send(spine.stack.bootstrap_servers, spine.namespace, given)


async def answers(spine: Spine, record_id: str) -> list[Outcome]:
    found = await city.outcomes(spine.stack.bootstrap_servers, spine.namespace)
    return [one for one in found if one.record_id == record_id]


async def said_of(spine: Spine, record_id: str) -> list[Told]:
    """The events about a record on credit's own topic, each once; no fork and no gap among all."""
    by_subject = histories(await told(spine, "credit"))
    return [one for said in by_subject.values() for one in said if one.data.get("origin_id", one.subject) == record_id]


async def rows(spine: Spine, query: str, *arguments: object) -> int:
    async with spine.database("credit") as connection:
        return int(await connection.fetchval(query, *arguments))


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def topics(spine: Spine) -> None:
    """Made by a first life of credit: the city does not make topics."""
    assert await asyncio.to_thread(spine.up("credit").service("credit").stop) == 0


@pytest.mark.parametrize(
    ("point", "told_more_often"),
    [
        ("batch.before_commit", False),
        ("batch.after_commit", False),
        ("relay.before_send", False),
        ("relay.between_topics", True),
        ("relay.after_send", True),
        ("relay.after_progress", False),
    ],
)
async def test_a_record_whose_taker_is_killed_takes_effect_once_and_is_answered_under_one_id(
    spine: Spine, point: str, told_more_often: bool
) -> None:
    id, credit = f"sh-{point}", spine.service("credit").start(ONE_WINDOW_CRASH_AT=point)
    credit.wait_ready()
    await send(spine, record(id, USCC), record(f"{id}-bad", USCC, kind="gossip"))
    assert await asyncio.to_thread(credit.wait_ended, 60) == KILLED

    await send(spine, record(id, USCC))
    credit.start().wait_ready()
    await eventually(lambda: everything_is_taken(spine, "credit", city.RECORDS))
    await spine.quiet()

    given = [*await answers(spine, id), *await answers(spine, f"{id}-bad")]
    assert {one.data.get("reason") for one in given} == {None, "unknown_kind"}
    assert len({one.id for one in given}) == 2
    assert (len(given) > 2) == told_more_often
    for name in (id, f"{id}-bad"):
        [event] = await said_of(spine, name)
        assert event.id in {one.id for one in given}, "outsiders are told the very event"
    assert await rows(spine, "SELECT count(*) FROM record WHERE origin_id = $1", id) == 1
    assert await rows(spine, "SELECT count(*) FROM received WHERE record_id LIKE $1", f"{id}%") == 2
    credit.kill()


async def test_a_crowd_in_disorder_and_a_kill_in_its_middle_is_answered_under_one_id_each(
    spine: Spine,
) -> None:
    given = city.records(11, [USCC], 60)
    credit = spine.service("credit").start(ONE_WINDOW_CRASH_AT="batch.after_commit:2")
    credit.wait_ready()
    await send(spine, *given)
    assert await asyncio.to_thread(credit.wait_ended, 60) == KILLED
    credit.start().wait_ready()
    await eventually(lambda: everything_is_taken(spine, "credit", city.RECORDS))
    await spine.quiet()

    found = await city.outcomes(spine.stack.bootstrap_servers, spine.namespace)
    ids = {(one.record_id, one.data.get("origin_version")): set[object]() for one in found}
    for one in found:
        ids[one.record_id, one.data.get("origin_version")].add(one.id)
    named = {(one["record_id"], one["version"]) for one in given if isinstance(one, dict)}
    assert {len(ids[name]) for name in named} == {1}
    histories(await told(spine, "credit"))


async def limit_messages(spine: Spine, most: int) -> None:
    """Have the broker refuse batches of outcomes above so many bytes."""
    admin = AIOKafkaAdminClient(bootstrap_servers=spine.stack.bootstrap_servers)
    await admin.start()
    try:
        topic, limits = f"{spine.namespace}{city.OUTCOMES}", {"max.message.bytes": str(most)}
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, limits)])
    finally:
        await admin.close()


async def test_what_the_outside_topic_does_not_take_is_not_told_inside_either_and_both_follow_in_order(
    spine: Spine,
) -> None:
    credit = spine.service("credit")
    await limit_messages(spine, 16)
    await send(spine, record("sh-refused", USCC), record("sh-refused", USCC, version=2))
    await eventually(lambda: everything_is_taken(spine, "credit", city.RECORDS))
    await eventually(lambda: asyncio.to_thread(lambda: "events not acknowledged" in credit.log.read_text()))
    assert (await answers(spine, "sh-refused"), await said_of(spine, "sh-refused")) == ([], [])

    await limit_messages(spine, 1_048_588)
    await spine.quiet()
    inside = await said_of(spine, "sh-refused")
    assert [one.data["origin_version"] for one in inside] == [1, 2]
    assert [one.id for one in await answers(spine, "sh-refused")] == [one.id for one in inside]
    credit.kill()


LETTERS, POST = "harbour.letters", "post"


class Post:
    """A tiny service that takes letters: some fail by themselves, and of some even the answer fails."""

    def __init__(self, spine: Spine) -> None:
        self.spine = spine
        with spine.as_environment():
            self.settings = load(Settings, POST)
        self.service = Service(name=POST, takes={LETTERS: TakeRecords(self.take, self.reject)})

    async def take(self, session: AsyncSession, letters: Sequence[Outside], _: Clock) -> None:
        for letter in letters:
            if b"bad" in (letter.value or b""):
                raise ValueError("no such address")
            await self.enter(session, letter, "taken")

    async def reject(self, session: AsyncSession, letter: Outside, _: Clock) -> None:
        await self.enter(session, letter, "rejected")
        if b"worse" in (letter.value or b""):
            raise ValueError("nobody to answer")

    async def enter(self, session: AsyncSession, letter: Outside, what: str) -> None:
        await (await raw(session)).execute("INSERT INTO entry VALUES ($1, $2)", (letter.value or b"").decode(), what)

    async def read(self, query: str) -> list[tuple[object, ...]]:
        async with self.spine.database(POST) as connection:
            return [tuple(row) for row in await connection.fetch(query)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def post(spine: Spine) -> AsyncIterator[Post]:
    """The post with a member that takes letters."""
    post, stop = Post(spine), asyncio.Event()
    database = open_database(post.settings)
    await prepare(post.service, post.settings, database)
    async with spine.database(POST) as connection:
        await connection.execute(
            f'CREATE TABLE entry (word text, what text); ALTER TABLE entry OWNER TO "{spine.namespace}{POST}"'
        )
    running = asyncio.create_task(Consumer(post.service, database, post.settings, BusinessClock()).run(stop))
    yield post
    stop.set()
    await asyncio.wait_for(running, 30)
    await database.engine.dispose()


async def test_records_that_fail_by_themselves_are_answered_alone_and_kept_and_the_others_go_on(post: Post) -> None:
    words = [f"good-{number}" for number in range(60)]
    words[17], words[40] = "bad", "bad and worse"
    await put_records(post.spine, *(Sent(3, uuid4().bytes, word.encode()) for word in words), topic=LETTERS)
    await eventually(lambda: everything_is_taken(post.spine, POST, LETTERS))

    entered = await post.read("SELECT word, what FROM entry")
    assert sorted(entered) == sorted([*((word, "taken") for word in words if "bad" not in word), ("bad", "rejected")])
    kept = await post.read('SELECT "offset", cause, convert_from(value, \'UTF8\') FROM dead_letter ORDER BY "offset"')
    assert kept == [(17, "ValueError: no such address", "bad"), (40, "ValueError: no such address", "bad and worse")]
    assert await positions(post.spine, POST, LETTERS) == {3: 60}
