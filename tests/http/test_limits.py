"""When there is too much, or too little: overload, a database that is gone, slow and endless bodies."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from uuid import uuid4

import asyncpg
import httpx
import psutil
import pytest

from deploy.local.issuer import token
from tests.http.wire import APPLICATIONS, as_json, client, get, rows, send, speak
from tests.spine import Spine, eventually, form

BODY = as_json(form())
TOKEN = token("applicant-1").encode()
HEAD = (
    b"POST /v1/applications HTTP/1.1\r\nHost: here\r\nIdempotency-Key: %s\r\nAccept-Language: en\r\n"
    b"Authorization: Bearer %s\r\n"
    b"Content-Type: application/json\r\n"
)


@cache
def body_of(key: str) -> bytes:
    """The form that is sent under this key: each has a name of its own."""
    return as_json(form())


@pytest.fixture(scope="module")
def url(spine: Spine) -> str:
    """Registration with two connections to its database, for whole transactions at most two at a time."""
    process = spine.service("registration")
    process.start(REGISTRATION_POOL_SIZE="1").wait_ready()
    return process.url


def not_now(answer: httpx.Response, type: str) -> bool:
    """The answer is this 503, and says when to try again."""
    problem = answer.json()
    return (
        (answer.status_code, problem["type"]) == (503, f"urn:one-window:problem:{type}")
        and int(answer.headers["retry-after"]) >= 1
        and answer.headers["content-type"] == "application/problem+json"
    )


@asynccontextmanager
async def nobody_registers(spine: Spine) -> AsyncIterator[None]:
    async with spine.database("registration") as connection, connection.transaction():
        await connection.execute("LOCK TABLE application IN SHARE MODE")
        yield


async def test_more_than_the_database_can_take_is_put_off_and_comes_through_later(spine: Spine, url: str) -> None:
    before, keys = await rows(spine), [str(uuid4()) for _ in range(12)]
    async with nobody_registers(spine):
        crowd = asyncio.gather(*(send(url + APPLICATIONS, body_of(key), key=key) for key in keys))
        assert (await get(f"{url}/health/live")).status_code == 200
        answers = await crowd
        assert all(not_now(answer, "unavailable") for answer in answers), [answer.text for answer in answers]
        assert "same key" in answers[0].json()["detail"]
    assert await rows(spine) == before

    again = await asyncio.gather(*(send(url + APPLICATIONS, body_of(key), key=key) for key in keys))
    assert {answer.status_code for answer in again} == {201}
    assert (await rows(spine))["enterprise"] == before["enterprise"] + 12


async def test_while_the_database_is_gone_every_request_is_put_off_and_the_service_lives(
    spine: Spine, url: str
) -> None:
    key, name = str(uuid4()), f"{spine.namespace}registration"
    known = (await send(url + APPLICATIONS, as_json(form()))).json()
    before = await rows(spine)
    async with administrator(spine) as connection:
        try:
            await connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
            await connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
            for answer in (
                await send(url + APPLICATIONS, body_of(key), key=key),
                await get(f"{url}/v1/applications/{known['id']}", **{"accept-language": "en"}),
                await get(f"{url}/v1/enterprises/{known['uscc']}"),
                await get(f"{url}/health/progress"),
            ):
                assert not_now(answer, "unavailable"), answer.text
            ready = await get(f"{url}/health/ready")
            assert (ready.status_code, ready.json()) == (503, {"status": "waiting for the database"})
            assert (await get(f"{url}/health/live")).status_code == 200
            assert "http_request_seconds_count" in (await get(f"{url}/metrics")).text
            assert (await send(url + APPLICATIONS, b"{", key=key)).status_code == 400, "said without a database"
        finally:
            await connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')

    answer = await eventually(lambda: accepted(url, key))
    assert "idempotency-replayed" not in answer.headers
    assert (await rows(spine))["enterprise"] == before["enterprise"] + 1
    assert (await get(f"{url}/health/ready")).json() == {"status": "ready"}


@asynccontextmanager
async def administrator(spine: Spine) -> AsyncIterator[asyncpg.Connection]:
    """A connection beside the service's database, which can be closed to everybody."""
    connection = await asyncpg.connect(spine.stack.database_url)
    try:
        yield connection
    finally:
        await connection.close()


async def accepted(url: str, key: str) -> httpx.Response | None:
    answer = await send(url + APPLICATIONS, body_of(key), key=key)
    return answer if answer.status_code == 201 else None


async def test_an_endless_body_is_answered_and_costs_no_memory(spine: Spine, url: str) -> None:
    server = psutil.Process(spine.service("registration").process.pid)
    before, held = await rows(spine), server.memory_info().rss
    most = held

    async def endless() -> AsyncIterator[bytes]:
        nonlocal most
        for _ in range(256):
            yield b" " * 262_144
            most = max(most, server.memory_info().rss)

    answers = await asyncio.gather(*(send(url + APPLICATIONS, endless()) for _ in range(4)))

    assert [answer.status_code for answer in answers] == [413] * 4, "four times 64 MiB were sent"
    assert most - held < 24 << 20
    assert await rows(spine) == before


async def test_a_caller_who_leaves_in_the_middle_of_a_body_leaves_nothing_behind(spine: Spine, url: str) -> None:
    before, address = await rows(spine), httpx.URL(url)
    for sent in (b"", BODY[:40]):
        _, writer = await asyncio.open_connection(address.host, address.port)
        writer.write(HEAD % (b"left", TOKEN) + b"Content-Length: %d\r\n\r\n" % len(BODY) + sent)
        await writer.drain()
        writer.close()
    left = 'http_request_seconds_count{method="POST",route="/v1/applications",service="registration",status="408"} 2.0'

    async def noticed() -> bool:
        return left in (await get(f"{url}/metrics")).text

    await eventually(noticed)
    assert await rows(spine) == before
    assert "a request failed" not in spine.service("registration").log.read_text()


@pytest.fixture(scope="module")
def hurried(spine: Spine, url: str) -> str:
    """The service in another life, in which a request may take a second."""
    process = spine.service("registration")
    process.kill()
    process.start(REGISTRATION_REQUEST_SECONDS="1").wait_ready()
    return url


class TestTime:
    async def test_a_body_that_does_not_arrive_in_time_is_not_waited_for(self, spine: Spine, hurried: str) -> None:
        before, began = await rows(spine), time.monotonic()
        head = HEAD % (b"slow", TOKEN) + b"Content-Length: %d\r\n\r\n" % len(BODY)
        answer = await speak(hurried, head, BODY[:100])
        assert (answer.status, answer.problem["type"]) == (408, "urn:one-window:problem:body-incomplete")
        assert answer.problem["detail"].startswith("The body did not arrive in time")
        assert time.monotonic() - began > 0.9
        assert await rows(spine) == before

    async def test_a_command_cut_off_by_its_time_does_not_claim_that_nothing_happened(
        self, spine: Spine, hurried: str
    ) -> None:
        before, key = await rows(spine), str(uuid4())
        async with nobody_registers(spine):
            answer = await send(hurried + APPLICATIONS, body_of(key), key=key)
        assert not_now(answer, "outcome-unknown"), answer.text
        assert answer.json()["detail"].startswith("The outcome is not known yet.")

        told = await eventually(lambda: accepted(hurried, key))
        assert told.json()["status"] == "registered"
        assert (await rows(spine))["enterprise"] == before["enterprise"] + 1

    async def test_a_reader_cut_off_by_time_may_simply_ask_again(self, spine: Spine, hurried: str) -> None:
        known = (await send(hurried + APPLICATIONS, as_json(form()))).json()
        path = f"/v1/enterprises/{known['uscc']}"
        async with spine.database("registration") as connection, connection.transaction():
            await connection.execute("LOCK TABLE enterprise IN ACCESS EXCLUSIVE MODE")
            async with client(hurried) as asking:
                assert not_now(await asking.get(path), "unavailable")
        assert (await get(hurried + path)).status_code == 200


@pytest.fixture(scope="module")
def sparing(spine: Spine) -> str:
    """Risk, which answers each account five times a minute, and each address from which nobody is known as often."""
    limits = {"REQUESTS_PER_MINUTE": "5", "REQUESTS_PER_MINUTE_BY_ADDRESS": "5"}
    return spine.service("risk").start(**limits).wait_ready().url


class TestRates:
    async def test_an_account_that_has_had_its_share_is_put_off_and_others_are_not(self, sparing: str) -> None:
        path = f"{sparing}/v1/risk/distribution"
        answers = [await get(path, person="regulator-1", purpose="case_handling") for _ in range(7)]
        assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 2
        put_off = answers[-1]
        assert put_off.json()["type"] == "urn:one-window:problem:too-many-requests"
        assert 1 <= int(put_off.headers["retry-after"]) <= 60
        assert (await get(path, person="auditor-1", purpose="case_handling")).status_code == 200
        body = as_json({"disposition": "drop", "why": "x"})
        act = f"{sparing}/v1/parked/{uuid4()}/disposition"
        assert (await send(act, body, person="regulator-1")).status_code == 429, "for commands it is the same minute"

    async def test_those_whom_nobody_knows_share_one_allowance_and_guessing_tokens_uses_it_up(
        self, sparing: str
    ) -> None:
        path = f"{sparing}/v1/risk/distribution"
        guesses = [await get(path, person=None, authorization=f"Bearer guess-{number}") for number in range(7)]
        assert [answer.status_code for answer in guesses] == [401] * 5 + [429] * 2
        assert (await get(f"{sparing}/v1/keys", person=None)).status_code == 429
        assert (await get(path, person="supervisor-1", purpose="case_handling")).status_code == 200

    async def test_machines_that_watch_a_service_are_never_put_off(self, sparing: str) -> None:
        for path in ("/health/live", "/health/ready", "/health/progress", "/metrics"):
            answers = [await get(sparing + path, person=None) for _ in range(7)]
            assert {answer.status_code for answer in answers} == {200}


async def test_who_is_still_heard_when_the_service_is_told_to_stop_is_not_answered_by_an_error(spine: Spine) -> None:
    process, before = spine.service("registration"), await rows(spine)
    process.kill()
    process.start(REGISTRATION_REQUEST_SECONDS="60").wait_ready()
    head = HEAD % (b"stopped", TOKEN) + b"Content-Length: %d\r\n\r\n" % len(BODY)
    waiting = asyncio.create_task(speak(process.url, head, BODY[:100]))
    await asyncio.sleep(0.5)  # until the body is waited for
    await asyncio.to_thread(process.stop)
    answer = await waiting
    assert (answer.status, answer.problem["type"]) == (408, "urn:one-window:problem:body-incomplete")
    assert await rows(spine) == before
