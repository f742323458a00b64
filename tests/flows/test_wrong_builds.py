"""Services built wrongly on purpose run end to end, and the outside checker catches each of them."""

from __future__ import annotations

import asyncio
import dataclasses
import signal
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer

from demo import wrong
from demo.clients import Window
from demo.wrong_build import BETWEEN
from deploy.local.services import free_port
from deploy.local.stack import Stack
from tests.checker import Target, check
from tests.faults.topics import records
from tests.spine import PATIENCE, Spine, form


def target_of(spine: Spine) -> Target:
    return Target(spine.stack.bootstrap_servers, spine.stack.database_url, spine.namespace, patience=5)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def told(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Spine]:
    """A run of a few forms whose registration has stopped: a wrong build takes its place, or reads its topic."""
    told = Spine(stack, tmp_path_factory.mktemp("wrong_builds")).up("registration", "risk")
    async with Window.opened(told.service("registration").url, told.service("risk").url) as clients:
        for _ in range(9):
            await clients.submit(form())
    await told.quiet()  # what it had not sent yet would be lost or found by the next build, and be taken for its fault
    told.service("registration").stop()
    yield told
    await told.close()


async def test_a_consumer_that_moves_its_position_before_the_effect_is_caught(told: Spine) -> None:
    report = await wrong.caught(told.stack, told.namespace, told.folder / "position-first.log")

    assert report.broken == {"I2", "I5"}
    assert not [violation for violation in report.violations if "stands at" in violation], "it has read everything"
    assert any(violation.endswith("lost") for violation in report.violations)


@asynccontextmanager
async def wrong_registration(spine: Spine, build: str, port: int, **env: str) -> AsyncIterator[Process]:
    process = await wrong.start(build, {**spine.env, "REGISTRATION_PORT": str(port), **env}, spine.folder / "wrong.log")
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@asynccontextmanager
async def window(spine: Spine, port: int) -> AsyncIterator[Window]:
    async with Window.opened(f"http://127.0.0.1:{port}", spine.service("risk").url) as clients:
        yield clients


async def test_a_relay_that_notes_its_progress_before_it_sends_is_caught(told: Spine) -> None:
    port = free_port()
    async with window(told, port) as clients:
        async with wrong_registration(told, "progress-first", port, ONE_WINDOW_CRASH_AT=BETWEEN) as killed:
            answer = asyncio.create_task(clients.submit(form()))
            assert await asyncio.wait_for(killed.wait(), PATIENCE) == -signal.SIGKILL
        async with wrong_registration(told, "progress-first", port):
            assert (await answer)["status"] == "registered"
            report = await check(target_of(told), clients.attempts)

    assert report.broken == {"I1", "I4"}
    assert any("is on no topic" in violation for violation in report.violations)


async def test_a_registration_that_keeps_no_answers_is_caught(told: Spine) -> None:
    port = free_port()
    async with window(told, port) as clients, wrong_registration(told, "no-kept-answers", port):
        with pytest.raises(httpx.HTTPStatusError, match="422"):  # the second click finds the name taken by the first
            await clients.submit(form(), clicks=2)
        report = await check(target_of(told), clients.attempts)

    assert "I8" in report.broken
    assert any("the answer is not kept" in violation for violation in report.violations)


async def test_a_registration_that_does_not_write_down_who_did_what_is_caught(told: Spine) -> None:
    port = free_port()
    async with window(told, port) as clients, wrong_registration(told, "no-audit", port):
        uscc = (await clients.submit(form()))["uscc"]
        await clients.change(uscc, {"area": "310106013"})
        report = await check(target_of(told), clients.attempts)

    assert "I9" in report.broken
    assert any("not in the audit as often as it was done" in violation for violation in report.violations)


@pytest.mark.long
@pytest.mark.parametrize(
    ("build", "broken", "said"),
    [("no-inbox", "I2", "the mark of"), ("poison-skipped", "I7", "is not buried")],
)
async def test_a_risk_that_takes_what_it_should_pass_over_or_bury_is_caught(
    told: Spine, build: str, broken: str, said: str
) -> None:
    """After what came before has come again, and something that nobody can read."""
    risk = told.service("risk")
    risk.stop()
    said_already = await records(told, "registration.events")
    producer = AIOKafkaProducer(bootstrap_servers=told.stack.bootstrap_servers)
    await producer.start()
    try:
        topic = f"{told.namespace}registration.events"
        for one in said_already[:6]:
            await producer.send_and_wait(
                topic, one.value, key=one.key, headers=list(one.headers), partition=one.partition
            )
        await producer.send_and_wait(topic, b"not an event", key=b"nobody", partition=0)
        async with wrong_registration(told, build, free_port(), RISK_PORT="0"):
            report = await check(dataclasses.replace(target_of(told), patience=PATIENCE))
    finally:
        await producer.stop()
        risk.start().wait_ready()

    assert broken in report.broken
    assert any(said in violation for violation in report.violations), report.violations
