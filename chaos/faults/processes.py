"""Faults of the services' own processes: killed, frozen, blocked, starved, on a wrong clock, in too many members."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import psutil

from chaos.cluster import STOPS, Cluster
from chaos.faults.fault import Act, NotReached, Over
from deploy.local.processes import LocalStackError
from deploy.local.services import ServiceProcess, is_ready
from deploy.local.stack import CHECKOUT

PATIENCE = 60.0
"""Seconds within which a life comes to the place at which it is to break, or is ready."""

PAST_THE_SESSION = 9.0
"""Seconds: Kafka waits 6 for a member, PostgreSQL 5 for the relay's session and 3 for an open transaction."""

FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
"""Debian's libfaketime, where it is installed."""
STOPPING_SECONDS = 45.0
"""A service that is asked to end waits for its clients of Kafka, one after the other, where brokers are away."""

GIVES_WAY_LAST = "SET LOCAL deadlock_timeout = '1min'"
"""Where a service and a fault wait for each other's locks, the service finds out first and gives way."""

Provoke = Callable[[Cluster, str], Awaitable[None]]
"""Make it likely that a service comes to the place."""
PROVOKED_EVERY_SECONDS = 3.0

Seen = Callable[[ServiceProcess], Awaitable[bool]]
"""Whether a process has stopped as it was asked to."""


async def killed(cluster: Cluster, _rng: random.Random, service: str) -> Over:
    """kill -9, whatever it was doing."""
    with cluster.handled(service) as process:
        await asyncio.to_thread(process.kill)
        process.start()
    return Over("kill -9")


def killed_at(point: str, provoke: Provoke | None = None, passes: int = 3) -> Act:
    """kill -9 at a crash point, the first to third time (`passes`) that the process comes there from now on."""

    async def act(cluster: Cluster, rng: random.Random, service: str) -> Over:
        at = f"{point}:{rng.randint(1, passes)}"
        with cluster.handled(service) as process:
            await stops(cluster, process, f"ONE_WINDOW_CRASH_AT={at}", killed_itself, provoke)
            process.start()
        return Over(f"kill -9 at {at}")

    return act


def killed_starting_at(point: str) -> Act:
    """kill -9 at a crash point that a process comes to once, when it starts."""

    async def act(cluster: Cluster, rng: random.Random, service: str) -> Over:
        with cluster.handled(service) as process:
            await ended(process, rng)
            async for _ in lives(process, ONE_WINDOW_CRASH_AT=point):
                if await killed_itself(process):
                    process.start()
                    return Over(f"kill -9 at {point}")
            await asyncio.to_thread(process.kill)
            process.start()
        raise NotReached(f"{service} did not come to {point}")

    return act


async def killed_itself(process: ServiceProcess) -> bool:
    return not process.alive and process.wait_ended() == -signal.SIGKILL


def frozen_at(point: str, *, heir: bool, passes: int = 3) -> Act:
    """SIGSTOP at a point, past every session; with an `heir`, another member that takes over meanwhile."""

    async def act(cluster: Cluster, rng: random.Random, service: str) -> Over:
        at = f"{point}:{rng.randint(1, passes)}"
        async with contextlib.AsyncExitStack() as more:
            process = more.enter_context(cluster.handled(service))
            if heir:
                await more.enter_async_context(second_member(cluster, service))
            more.callback(process.thaw)
            await stops(cluster, process, f"ONE_WINDOW_FREEZE_AT={at}", stopped)
            await asyncio.sleep(PAST_THE_SESSION)
            process.thaw()
            return Over(f"frozen at {at} for {PAST_THE_SESSION:.0f} s" + " while another took over" * heir)

    return act


async def frozen(cluster: Cluster, rng: random.Random, service: str) -> Over:
    """SIGSTOP wherever it is, for a moment or past its sessions."""
    seconds = rng.choice([2.0, PAST_THE_SESSION, 12.0])
    with cluster.handled(service) as process:
        process.freeze()
        try:
            await asyncio.sleep(seconds)
        finally:
            process.thaw()
    return Over(f"frozen for {seconds:.0f} s")


async def blocked(cluster: Cluster, rng: random.Random, service: str) -> Over:
    """The event loop stands still in the middle of a batch: the process lives, and does and answers nothing."""
    with cluster.handled(service) as process:
        await stops(cluster, process, f"ONE_WINDOW_BLOCK_AT=batch.before_commit:{rng.randint(1, 3)}", stands_still)
        while await silent(process):
            await asyncio.sleep(0.2)
    return Over("event loop blocked inside a transaction for 9 s")


async def starved(cluster: Cluster, rng: random.Random, service: str) -> Over:
    """A pool of two connections, and the tables that all acts want are locked again and again."""
    with cluster.handled(service) as process:
        await ended(process, rng)
        await ready(process, **{f"{service.upper()}_POOL_SIZE": "1"})
        for _ in range(3):
            async with cluster.database(service) as connection, connection.transaction():
                await connection.execute(GIVES_WAY_LAST)
                await connection.execute("LOCK TABLE idempotency, outbox, position IN ACCESS EXCLUSIVE MODE")
                await asyncio.sleep(rng.uniform(2, 6))
        await asyncio.to_thread(process.stop, STOPPING_SECONDS)
        process.start()
    return Over("a pool of two connections, three times locked tables")


def clock_stepped(minutes: int) -> Act:
    """The machine's clock steps, and later back; time that only counts seconds is not touched."""

    async def act(cluster: Cluster, rng: random.Random, service: str) -> Over:
        told = cluster.folder / f"{service}.time"
        told.write_text("+0")
        wrong = {
            "LD_PRELOAD": str(FAKETIME), "FAKETIME_TIMESTAMP_FILE": str(told), "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }  # fmt: skip
        with cluster.handled(service) as process:
            await ended(process, rng)
            await ready(process, **wrong)
            told.write_text(f"{60 * minutes:+d}")
            await asyncio.sleep(rng.uniform(4, 8))
            told.write_text("+0")
            await asyncio.sleep(1)
        return Over(f"clock stepped by {minutes:+d} minutes and back")

    return act


async def come_and_gone(cluster: Cluster, rng: random.Random, service: str) -> Over:
    """Another member joins its group and leaves it every two seconds."""
    rounds = rng.randint(2, 4)
    with (cluster.folder / f"{service}-member.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "chaos.member", service, str(rounds),
            cwd=CHECKOUT, env=cluster.whole_environment(service), stdout=log, stderr=log,
        )  # fmt: skip
        try:
            await asyncio.wait_for(process.wait(), PATIENCE + 30 * rounds)
        except TimeoutError:
            process.kill()
            await process.wait()
    return Over(f"a member joined and left {rounds} times")


@contextlib.asynccontextmanager
async def second_member(cluster: Cluster, service: str) -> AsyncIterator[ServiceProcess]:
    """Another process of the service, for as long as the context lasts."""
    member = cluster.service(service, 2)
    try:
        await ready(member)
        yield member
    finally:
        with contextlib.suppress(LocalStackError):
            await asyncio.to_thread(member.stop, STOPPING_SECONDS)


async def ended(process: ServiceProcess, rng: random.Random) -> None:
    """End its present life, in order or not."""
    if rng.random() < 0.5:
        await asyncio.to_thread(process.kill)
    else:
        await asyncio.to_thread(process.stop, STOPPING_SECONDS)


async def ready(process: ServiceProcess, **env: str) -> None:
    """Start it until it is ready: it may end by itself while what it needs is away."""
    async for _ in lives(process, **env):
        if await asyncio.to_thread(is_ready, process.url):
            return
    raise NotReached(f"{process.name} was not ready within {PATIENCE:.0f} s")


async def lives(process: ServiceProcess, **env: str) -> AsyncIterator[None]:
    """Lives of a process in this environment, looked at again and again until they take too long. One that has ended is
    followed by the next, unless who looks has seen enough."""
    deadline = time.monotonic() + PATIENCE
    process.start(**env)
    while time.monotonic() < deadline:
        yield
        if not process.alive:
            await asyncio.sleep(0.5)
            process.start(**env)
        await asyncio.sleep(0.1)


async def stops(
    cluster: Cluster, process: ServiceProcess, setting: str, seen: Seen, provoke: Provoke | None = None
) -> None:
    """Ask a process that runs to stop at a crash point, and wait until that is seen. A life that ends otherwise is
    followed by another one, which is asked as well. Raises NotReached where it takes too long; then nothing is asked.
    """
    deadline = time.monotonic() + PATIENCE
    provoking = asyncio.create_task(_provoked(provoke, cluster, process.name)) if provoke else None
    try:
        while time.monotonic() < deadline:
            if not process.alive:
                process.start()
            ask(process, setting)
            while process.alive and time.monotonic() < deadline:
                if await seen(process):
                    return
                await asyncio.sleep(0.1)
            if await seen(process):
                return
    finally:
        if provoking is not None:
            provoking.cancel()
            await asyncio.wait([provoking])
    ask(process, "")
    raise NotReached(f"{process.name} did not come to {setting.partition('=')[2]}")


def ask(process: ServiceProcess, setting: str) -> None:
    """What libs/common/crash.py reads: all of it or nothing."""
    file = Path(process.env[STOPS])
    new = file.with_suffix(".new")
    new.write_text(setting)
    new.rename(file)


async def _provoked(provoke: Provoke, cluster: Cluster, service: str) -> None:
    while True:
        with contextlib.suppress(Exception):  # what it needs for that may just be broken
            await asyncio.wait_for(provoke(cluster, service), 20)
        await asyncio.sleep(PROVOKED_EVERY_SECONDS)


async def stopped(process: ServiceProcess) -> bool:
    with contextlib.suppress(psutil.Error):
        return bool(process.process and psutil.Process(process.process.pid).status() == psutil.STATUS_STOPPED)
    return False


async def stands_still(process: ServiceProcess) -> bool:
    """Whether it has read what it was asked, and has been silent for longer than a busy machine would explain."""
    has_read = not await asyncio.to_thread(Path(process.env[STOPS]).exists)
    return has_read and await silent(process) and await silent(process)


async def silent(process: ServiceProcess) -> bool:
    """Whether it takes a connection and gives no answer."""

    def ask() -> bool:
        try:
            with urlopen(f"{process.url}/health/live", timeout=2):
                return False
        except TimeoutError:
            return True
        except (URLError, OSError) as error:
            return isinstance(getattr(error, "reason", None), TimeoutError)

    return await asyncio.to_thread(ask)
