"""One effect per Idempotency-Key, and the same answer to whoever asks again with it."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import asyncpg
import httpx
import pytest

from libs.common.idempotency import forget_old
from tests.http.wire import APPLICATIONS, as_json, client, get, rows, send
from tests.spine import Spine, eventually, form


@pytest.fixture(scope="module")
def url(spine: Spine) -> str:
    return spine.up("registration").service("registration").url


@pytest.fixture
def body() -> bytes:
    """A form with a name of its own, the same throughout a test."""
    return as_json(form())


def problem(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["type"].removeprefix("urn:one-window:problem:")


def more(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    """The tables that hold more rows than before, and how many more."""
    return {table: after[table] - count for table, count in before.items() if after[table] != count}


FIRST = {"if-match": '"1"'}
ONE_REFUSAL = {
    "application": 1,
    "party": 3,
    "signature": 3,
    "outbox": 2,
    "outbox_counter": 1,
    "idempotency": 1,
    "audit": 1,
}
ONE_REGISTRATION = {
    "application": 1,
    "enterprise": 1,
    "enterprise_span": 1,
    "information_report": 1,
    "due": 1,
    "party": 3,
    "signature": 3,
    "outbox": 3,
    "outbox_counter": 2,
    "name_held": 1,
    "idempotency": 1,
    "audit": 1,
}


async def test_a_submission_without_a_key_is_refused(spine: Spine, url: str) -> None:
    before = await rows(spine)
    async with client() as sending:
        answer = await sending.post(url + APPLICATIONS, json=form(), headers={"accept-language": "en"})
    assert problem(answer) == (400, "idempotency-key-missing")
    assert "Idempotency-Key" in answer.json()["detail"]
    assert await rows(spine) == before


@pytest.mark.parametrize("keys", [[""], ["two words"], ["编号"], ["k" * 256], ["one", "two"], ["one", "one"]])
async def test_a_key_that_is_none_is_refused(spine: Spine, url: str, keys: list[str], body: bytes) -> None:
    before = await rows(spine)
    headers = [("content-type", "application/json"), *(("idempotency-key", key.encode()) for key in keys)]
    async with client() as sending:
        answer = await sending.post(url + APPLICATIONS, content=body, headers=headers)
    assert problem(answer) == (400, "idempotency-key-malformed")
    assert await rows(spine) == before


@pytest.mark.parametrize("key", ["1", "!~", '"quoted;as=the-draft-has-it"', "k" * 255])
async def test_any_visible_characters_make_a_key(url: str, key: str, body: bytes) -> None:
    assert (await send(url + APPLICATIONS, body, key=key)).status_code == 201


async def test_the_same_submission_again_gets_the_same_answer_and_has_no_second_effect(
    spine: Spine, url: str, body: bytes
) -> None:
    before, key = await rows(spine), str(uuid4())
    first = await send(url + APPLICATIONS, body, key=key)
    again = [await send(url + APPLICATIONS, body, key=key, language=language) for language in ("en", "zh", "zh")]

    assert first.status_code == 201
    assert "idempotency-replayed" not in first.headers
    for answer in again:
        assert (answer.status_code, answer.content) == (first.status_code, first.content)
        assert answer.headers["idempotency-replayed"] == "true"
        assert answer.headers["content-type"] == first.headers["content-type"]
        assert answer.headers["location"] == first.headers["location"]
    assert more(before, await rows(spine)) == ONE_REGISTRATION
    assert (await get(url + first.headers["location"])).json()["uscc"] == first.json()["uscc"]


async def test_the_key_of_another_body_is_refused_even_if_the_two_mean_the_same(
    spine: Spine, url: str, body: bytes
) -> None:
    key = str(uuid4())
    await send(url + APPLICATIONS, body, key=key)
    before = await rows(spine)

    for other in (as_json(form(area="310106013")), body + b" ", b"{}"):
        assert problem(await send(url + APPLICATIONS, other, key=key)) == (422, "idempotency-other-body")
    assert await rows(spine) == before


async def test_a_key_belongs_to_its_route(spine: Spine, url: str, body: bytes) -> None:
    key = str(uuid4())
    uscc = (await send(url + APPLICATIONS, body, key=key)).json()["uscc"]
    moved = await send(f"{url}/v1/enterprises/{uscc}/changes", as_json({"area": "310106013"}), key=key, **FIRST)
    assert moved.status_code == 201
    assert "idempotency-replayed" not in moved.headers
    assert (await get(f"{url}/v1/enterprises/{uscc}")).json()["version"] == 2


@pytest.mark.parametrize(
    ("wrong", "status"),
    [(b"{", 400), (b"{}", 422), (as_json(form(area="310106999")), 422)],
    ids=["json", "shape", "law"],
)
async def test_a_refusal_is_not_kept_so_the_mended_form_goes_in_under_the_same_key(
    spine: Spine, url: str, wrong: bytes, status: int, body: bytes
) -> None:
    before, key = await rows(spine), str(uuid4())
    assert (await send(url + APPLICATIONS, wrong, key=key)).status_code == status
    assert await rows(spine) == before

    mended = await send(url + APPLICATIONS, body, key=key)
    assert mended.status_code == 201
    assert "idempotency-replayed" not in mended.headers
    assert more(before, await rows(spine)) == ONE_REGISTRATION


async def test_a_decision_against_the_applicant_is_an_effect_and_is_kept(spine: Spine, url: str) -> None:
    before, key, fishing = await rows(spine), str(uuid4()), as_json(form(activities=["0422"]))
    refused, again = [await send(url + APPLICATIONS, fishing, key=key) for _ in range(2)]
    assert (refused.status_code, refused.json()["status"]) == (201, "refused")
    assert again.content == refused.content
    assert more(before, await rows(spine)) == ONE_REFUSAL


@asynccontextmanager
async def nobody_registers(spine: Spine) -> AsyncIterator[None]:
    """Commands wait at their first row until the block ends (they would for 5 s)."""
    async with spine.database("registration") as connection, connection.transaction():
        await connection.execute("LOCK TABLE application IN SHARE MODE")
        yield


async def waiting(spine: Spine, count: int) -> None:
    """Until this many transactions of registration wait for a lock."""

    async def look() -> bool:
        async with spine.database("registration") as connection:
            return await connection.fetchval(WAITING) >= count

    await eventually(look)


WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


async def test_while_a_submission_is_under_way_its_key_is_in_use(spine: Spine, url: str, body: bytes) -> None:
    before, key = await rows(spine), str(uuid4())
    async with nobody_registers(spine):
        first = asyncio.create_task(send(url + APPLICATIONS, body, key=key))
        await waiting(spine, 1)
        second = await send(url + APPLICATIONS, body, key=key)
        other = await send(url + APPLICATIONS, b"{}", key=key)
        assert not first.done()

    for answer in (second, other):
        assert problem(answer) == (409, "idempotency-in-flight")
        assert int(answer.headers["retry-after"]) >= 1
    assert (await first).status_code == 201
    assert (await send(url + APPLICATIONS, body, key=key)).content == (await first).content
    assert more(before, await rows(spine)) == ONE_REGISTRATION


async def test_of_twenty_at_once_with_one_key_one_takes_effect(spine: Spine, url: str, body: bytes) -> None:
    before, key = await rows(spine), str(uuid4())
    answers = await asyncio.gather(*(send(url + APPLICATIONS, body, key=key) for _ in range(20)))

    assert {answer.status_code for answer in answers} <= {201, 409}
    registered = [answer for answer in answers if answer.status_code == 201]
    assert sum("idempotency-replayed" not in answer.headers for answer in registered) == 1
    assert len({answer.content for answer in registered}) == 1
    assert more(before, await rows(spine)) == ONE_REGISTRATION


@pytest.mark.parametrize(
    ("at", "happened"), [("command.before_commit", False), ("command.after_commit", True)], ids=["before", "after"]
)
async def test_where_a_process_was_killed_at_its_commit_another_tells_the_truth(
    spine: Spine, url: str, at: str, happened: bool, body: bytes
) -> None:
    doomed = spine.service("registration", f"-killed-{at}").start(ONE_WINDOW_CRASH_AT=at).wait_ready()
    before, key = await rows(spine), str(uuid4())
    with pytest.raises(httpx.TransportError):
        await send(doomed.url + APPLICATIONS, body, key=key)
    assert doomed.wait_ended() == -signal.SIGKILL
    assert more(before, await rows(spine)) == (ONE_REGISTRATION if happened else {})

    told = await send(url + APPLICATIONS, body, key=key)
    assert told.status_code == 201
    assert ("idempotency-replayed" in told.headers) is happened
    assert more(before, await rows(spine)) == ONE_REGISTRATION
    assert (await get(url + told.headers["location"])).json()["id"] == told.json()["id"]


async def test_a_key_is_forgotten_after_seven_days_and_not_before(spine: Spine, url: str, body: bytes) -> None:
    old, young, other = str(uuid4()), str(uuid4()), as_json(form())
    await send(url + APPLICATIONS, body, key=old)
    await send(url + APPLICATIONS, other, key=young)
    async with spine.database("registration") as connection:
        await made_earlier(connection, old, "7 days 1 minute")
        await made_earlier(connection, young, "6 days 23 hours 59 minutes")
        await forget_old(connection)

    assert "idempotency-replayed" in (await send(url + APPLICATIONS, other, key=young)).headers
    anew = await send(url + APPLICATIONS, body, key=old)
    assert problem(anew) == (422, "form-returned"), "it is judged anew, and its name is taken by now"


async def made_earlier(connection: asyncpg.Connection, key: str, by: str) -> None:
    done = await connection.execute(f"UPDATE idempotency SET at = at - interval '{by}' WHERE key = $1", key)
    assert done == "UPDATE 1"
