"""Watches a run from second to second: how far each service has come, and what memory and disk all of it takes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import asyncpg
import httpx
import psutil  # type: ignore[import-untyped]

from chaos.journal import Journal
from deploy.local.services import DEMO_START
from deploy.local.stack import Stack
from tests.checker.record import Disk, Look, Memory, Share

LOOK_SECONDS, MEMORY_SECONDS, SHARE_SECONDS, DISK_SECONDS = 1.0, 5.0, 5.0, 10.0
IDLE = 0.1
"""Of all cores: where more is idle, nobody waits for them."""
ANSWER_SECONDS = 2.0
"""A service that answers no sooner does not answer."""

SIZES = "SELECT coalesce(sum(pg_database_size(datname)), 0)::bigint FROM pg_database WHERE starts_with(datname, $1)"
ENTERPRISES = "SELECT count(*) FROM enterprise"


class Broker(Protocol):
    @property
    def folder(self) -> Path: ...


class Watched(Protocol):
    """What is watched: chaos/cluster.py."""

    namespace: str
    brokers: Sequence[Broker]

    @property
    def urls(self) -> Mapping[str, str]: ...
    @property
    def stack(self) -> Stack: ...
    def pids(self) -> Mapping[str, int]: ...


async def watch(cluster: Watched, stop: asyncio.Event, journal: Journal) -> None:
    """Note what is seen until `stop`, and once more then."""
    async with httpx.AsyncClient(timeout=ANSWER_SECONDS) as client:
        dates: dict[str, str] = {}

        async def look() -> None:
            await asyncio.gather(*(_look(client, name, url, journal, dates) for name, url in cluster.urls.items()))

        async def weigh() -> None:
            for sample in await asyncio.to_thread(memory, cluster.pids()):
                journal.note(sample)

        shares = own_share()

        async def share() -> None:
            journal.note(Share(time.monotonic(), await asyncio.to_thread(shares.send, cluster.pids())))

        async def disk() -> None:
            for sample in await _disk(cluster, dates):
                journal.note(sample)

        work = ((look, LOOK_SECONDS), (weigh, MEMORY_SECONDS), (share, SHARE_SECONDS), (disk, DISK_SECONDS))
        await asyncio.gather(*(_each(act, seconds, stop) for act, seconds in work))


async def _each(act: Any, seconds: float, stop: asyncio.Event) -> None:
    last = False
    while not last:
        last = stop.is_set()
        with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
            await act()
        if not last:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), seconds)


async def _look(client: httpx.AsyncClient, name: str, url: str, journal: Journal, dates: dict[str, str]) -> None:
    lag = unsent = None
    with contextlib.suppress(httpx.TransportError, ValueError):
        answer = await client.get(f"{url}/health/progress")
        if answer.status_code == httpx.codes.OK:
            seen = answer.json()
            lag, unsent, dates[name] = seen["lag"], seen["unsent"], seen["business_date"]
    journal.note(Look(time.monotonic(), name, lag, unsent))


def memory(pids: Mapping[str, int]) -> list[Memory]:
    """Resident bytes; what PostgreSQL's many processes share is counted once."""
    found = []
    for name, pid in pids.items():
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(pid)
            taken = process.memory_info().rss
            for child in process.children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    used = child.memory_info()
                    taken += max(0, used.rss - used.shared)
            found.append(Memory(time.monotonic(), name, pid, taken))
    return found


def own_share() -> Generator[float, Mapping[str, int], None]:
    """Begun already: sent the pids of a run, it gives what part of the busy cores was theirs since the last time."""

    def shares() -> Generator[float, Mapping[str, int], None]:
        ours: dict[int, float] = {}
        busy, idle, share = 0.0, 0.0, 1.0
        while True:
            pids = yield share
            before, was_busy, was_idle = ours, busy, idle
            ours = _seconds_of([*pids.values(), os.getpid()])
            times = psutil.cpu_times()
            idle = times.idle + times.iowait
            busy = sum(times) - times.guest - times.guest_nice - idle
            taken = sum(seconds - before.get(pid, 0.0) for pid, seconds in ours.items())
            spent, rested = busy - was_busy, idle - was_idle
            crowded = before and rested < IDLE * (spent + rested)
            share = min(1.0, taken / spent) if crowded and spent else 1.0

    begun = shares()
    next(begun)
    return begun


def _seconds_of(pids: Sequence[int]) -> dict[int, float]:
    """What these processes and their children have had of the cores."""
    found: dict[int, float] = {}
    for pid in pids:
        with contextlib.suppress(psutil.Error):
            one = psutil.Process(pid)
            for process in (one, *one.children(recursive=True)):
                with contextlib.suppress(psutil.Error):
                    times = process.cpu_times()
                    found[process.pid] = times.user + times.system
    return found


async def _disk(cluster: Watched, dates: Mapping[str, str]) -> list[Disk]:
    """Databases, and the segments of all topics on one broker, once it has some."""
    if not dates:
        return []
    days = (max(map(_day, dates.values()))) - DEMO_START.toordinal()
    connection = await asyncpg.connect(cluster.stack.database_url, timeout=5)
    try:
        databases = await connection.fetchval(SIZES, cluster.namespace, timeout=5)
    finally:
        await connection.close(timeout=2)
    registry = await asyncpg.connect(cluster.stack.database_url, database=f"{cluster.namespace}registration", timeout=5)
    try:
        enterprises = await registry.fetchval(ENTERPRISES, timeout=5)
    finally:
        await registry.close(timeout=2)
    topics = await asyncio.to_thread(topic_bytes, cluster.brokers[0].folder, cluster.namespace)
    at = time.monotonic()
    return [Disk(at, "database", databases, enterprises, days), Disk(at, "topics", topics, enterprises, days)]


def _day(text: str) -> int:
    return type(DEMO_START).fromisoformat(text).toordinal()


def topic_bytes(folder: Path, namespace: str) -> int:
    """What was written; indexes are given their room in advance and are not counted."""
    total = 0
    for segment in folder.rglob("*.log"):
        if segment.parent.name.startswith(namespace):
            with contextlib.suppress(FileNotFoundError):
                total += segment.stat().st_size
    return total
