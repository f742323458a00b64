"""A crowd that is more than a service can take, an account that does not stop, and a service that is slow: who asks is
put off and told when to come again, nothing is lost or doubled, and the others do not notice."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from uuid import uuid4

import httpx
import pytest

from bench.client import Answer, Client, a_form
from bench.slow import slowed
from tests.http.wire import rows
from tests.spine import Spine, eventually, risk_of, submit

PATH = "/v1/applications"
PER_MINUTE = 60
CROWD = ("applicant-1", "applicant-2", "applicant-3", "agent-1")


@pytest.fixture(scope="module")
def port(spine: Spine) -> int:
    """Registration with two connections for whole transactions, which answers each account so often a minute."""
    return spine.service("registration").start(
        REGISTRATION_POOL_SIZE="1", REQUESTS_PER_MINUTE=str(PER_MINUTE)
    ).wait_ready().port  # fmt: skip


async def ask(port: int, person: str, key: str, form: bytes) -> Answer:
    client = Client(port)
    try:
        return await client.send(PATH, form, person=person, key=key)
    finally:
        client.close()


async def test_a_crowd_is_answered_or_put_off_and_each_who_comes_again_is_registered_once(
    spine: Spine, port: int
) -> None:
    before = await rows(spine)
    asked = [(CROWD[number % len(CROWD)], str(uuid4()), a_form()) for number in range(4 * 80)]

    answers = await asyncio.gather(*(ask(port, *one) for one in asked))

    statuses = Counter(answer.status for answer in answers)
    assert set(statuses) <= {201, 429, 503}, statuses
    assert statuses[429] >= 4 * 20, "each account has had its share"
    assert all(answer.retry_after for answer in answers if answer.status != 201)

    again = spine.service("registration")
    again.kill()
    again.start().wait_ready()
    late = [await ask(port, *one) for one, answer in zip(asked, answers, strict=True) if answer.status != 201]
    assert {answer.status for answer in late} == {201}
    after = await rows(spine)
    assert after["enterprise"] == before["enterprise"] + len(asked)
    began = time.monotonic()
    assert (await ask(port, "agent-1", str(uuid4()), a_form())).status == 201
    assert time.monotonic() - began < 2, "as before"


async def test_while_one_service_is_slow_the_others_answer_and_it_catches_up_by_itself(spine: Spine) -> None:
    spine.up(*(name for name in ("registration", "licensing", "risk", "lobby") if not spine.service(name).alive))
    slow = spine.service("licensing")
    await submit(spine)
    async with slowed(slow, held=0.95, runs=0.05), httpx.AsyncClient(timeout=10) as client:
        took = []
        for _ in range(8):
            began = time.monotonic()
            answer = await submit(spine)
            took.append(time.monotonic() - began)
            assert answer.status_code == 201
            uscc = answer.json()["uscc"]
        assert await eventually(lambda: risk_of(spine, uscc)), "its class does not wait for licensing"
        assert (await client.get(f"{spine.service('lobby').url}/en/")).status_code == 200
    assert sorted(took)[len(took) // 2] < 2, took

    async def requirements_are_worked_out() -> bool:
        async with spine.database("licensing") as connection:
            known = await connection.fetchval("SELECT count(*) FROM mark WHERE subject = $1", uscc)
        return bool(known)

    assert await eventually(requirements_are_worked_out)
