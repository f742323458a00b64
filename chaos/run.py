"""One run: a seeded storm over a cluster in use, then quiet, then the proof from outside."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import asyncpg
import httpx
from aiokafka.errors import KafkaError

from chaos.cluster import SERVICES, Cluster, cluster
from chaos.faults import KAFKA, POSTGRES, TOPICS, Fault, NotReached, Over
from chaos.faults.topics import WHO_SPEAKS
from chaos.journal import Journal
from chaos.lives import live
from chaos.outcome import Broken, Outcome
from chaos.recovery import Ends, recovered
from chaos.watch import watch
from deploy.local.issuer import token
from tests.checker import Report, Target, check
from tests.checker.record import load

AT_ONCE = 6
"""Faults whose causes may be there at the same time, at different targets."""

AHEAD = 24
"""Faults of the schedule among which the next one is looked for."""

SETTLE_SECONDS = 180.0
"""Within which a service is well after a fault, others being broken meanwhile, and all are quiet after the last one."""

CALM_SECONDS = 5.0
"""Of use before the first fault and after the last."""

AWAY = (
    asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, KafkaError, OSError, TimeoutError,
)  # fmt: skip
"""What a fault meets where what it needs is broken by another one at this very moment."""

Say = Callable[[str], None]


def first_free(ahead: Sequence[tuple[int, Fault]], held: Set[str]) -> tuple[int, Fault] | None:
    """The first of these faults whose targets are free and not waited for by an earlier one."""
    taken = set(held)
    for number, fault in ahead:
        if taken.isdisjoint(fault.needs):
            return number, fault
        taken.update(fault.needs)
    return None


def touched(fault: Fault) -> Sequence[str]:
    """The services that are not well before they have got over it."""
    return SERVICES if fault.target in (KAFKA, POSTGRES, TOPICS) else (fault.target,)


@dataclass(slots=True)
class Storm:
    """What is done to a cluster, and what came of it."""

    cluster: Cluster
    journal: Journal
    seed: int
    say: Say
    began: float = field(default_factory=time.monotonic)
    done: list[Broken] = field(default_factory=list)
    not_reached: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    breaking: set[int] = field(default_factory=set)
    """Faults whose cause is not gone yet, by number."""
    held: set[str] = field(default_factory=set)
    """Targets that are broken, or not well again."""

    async def blow(self, faults: Iterator[Fault], minutes: float, at_once: int) -> None:
        """Do one fault after the other until the time is over, `at_once` of them side by side. Each target has its own
        in the order of the schedule, and the next one when it is well again from the one before."""
        topics = [f"{self.cluster.namespace}{name}.events" for name in WHO_SPEAKS]
        ends, changed = Ends(self.cluster, topics), asyncio.Event()
        until = time.monotonic() + 60 * minutes
        numbered = enumerate(faults)
        ahead = list(islice(numbered, AHEAD))
        async with asyncio.TaskGroup() as group:
            while (ahead or self.held) and time.monotonic() < until:
                changed.clear()
                found = first_free(ahead, self.held) if len(self.breaking) < at_once else None
                if found is None:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(changed.wait(), until - time.monotonic())
                    continue
                ahead.remove(found)
                ahead += islice(numbered, 1)
                self.breaking.add(found[0])
                self.held.update(found[1].needs)
                group.create_task(self._one(*found, ends, changed))
        await ends.close()

    async def _one(self, number: int, fault: Fault, ends: Ends, changed: asyncio.Event) -> None:
        began = time.monotonic()
        try:
            over = await fault.act(self.cluster, random.Random(f"{self.seed}:{number}"), fault.target)
        except NotReached as reason:
            self.not_reached.append(f"{fault.name}: {reason}")
            self.say(f"{'':9} {number:4} {fault.target:12} not done: {reason}")
        except AWAY as error:
            self.not_reached.append(f"{fault.name}: {fault.target}: what it needs was away: {error!r}")
            self.say(f"{'':9} {number:4} {fault.target:12} not done: what it needs was away: {error!r}")
            self.breaking.discard(number)
            if await recovered(self.cluster, ends, touched(fault), SETTLE_SECONDS) is None:  # it got half of the way
                self.failed.append(f"{fault.kind} ({fault.name}) of {fault.target}: not well again after {error!r}")
        except Exception as error:
            self.failed.append(f"{fault.kind} ({fault.name}) of {fault.target}: {error!r}")
            self.say(f"{'':9} {number:4} {fault.target:12} failed: {fault.name}: {error!r}")
        else:
            self.breaking.discard(number)
            changed.set()
            self.journal.fault(fault.kind, fault.target, began, over.at, back_to=over.back_to)
            await self._recovers(number, fault, began, over, ends)
        finally:
            self.breaking.discard(number)
            self.held.difference_update(fault.needs)
            changed.set()

    async def _recovers(self, number: int, fault: Fault, began: float, over: Over, ends: Ends) -> None:
        well = await recovered(self.cluster, ends, touched(fault), SETTLE_SECONDS)
        took = None if well is None else round(max(0.0, well - over.at), 2)
        at, ended = began - self.began, over.at - self.began
        self.done.append(Broken(fault.kind, fault.name, fault.target, over.what, round(at, 1), round(ended, 1), took))
        told = "never well again" if took is None else f"well after {took:.1f} s"
        self.say(f"{ended:7.0f} s {number:4} {fault.target:12} {over.what}: {told}")


async def run(
    seed: int, faults: Iterator[Fault], *, folder: Path, minutes: float, at_once: int = AT_ONCE, rate: float = 10.0,
    programs: Mapping[str, Sequence[str]] | None = None, say: Say = print,
) -> Outcome:  # fmt: skip
    """A cluster of its own in `folder`, used at `rate` acts a second, under these faults for at most so many minutes;
    then the proof. `programs`: what runs in place of a service."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(64))  # most of them only wait
    async with cluster(folder, say, programs) as on:
        journal = Journal(folder / "record.ndjson")
        storm, stop, resting = Storm(on, journal, seed, say), asyncio.Event(), asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(on.supervise(resting))
            watching = group.create_task(watch(on, resting, journal))
            living = group.create_task(live(on, random.Random(seed), stop, journal, rate=rate))
            await asyncio.sleep(CALM_SECONDS)
            await storm.blow(faults, minutes, at_once)
            await asyncio.sleep(CALM_SECONDS)
            stop.set()
            await living
            quiet = await all_quiet(on)
            say(f"the last fault is over, quiet after {quiet:.0f} s" if quiet is not None else "it is not quiet again")
            await asyncio.sleep(CALM_SECONDS)  # for the last looks
            report = await proof(on, folder / "record.ndjson")
            resting.set()
            await watching
    return Outcome(
        seed, round(time.monotonic() - storm.began), storm.done, storm.not_reached, storm.failed, quiet, report
    )


async def all_quiet(on: Cluster) -> float | None:
    """Seconds until nothing was due, unsent or unread in any service, twice in a row; None if that took too long."""
    began, calm = time.monotonic(), 0
    async with httpx.AsyncClient(timeout=10) as client:
        while time.monotonic() < began + SETTLE_SECONDS:
            states = [await _progress(client, url) for url in on.urls.values()]
            calm = calm + 1 if all(state is not None and not _busy(state) for state in states) else 0
            if calm == 2:
                return time.monotonic() - began
            await asyncio.sleep(0.2)
    return None


async def _progress(client: httpx.AsyncClient, url: str) -> Mapping[str, int] | None:
    try:
        answer = await client.get(f"{url}/health/progress")
        return dict(answer.json()) if answer.status_code == httpx.codes.OK else None
    except (httpx.TransportError, ValueError):
        return None


def _busy(state: Mapping[str, int]) -> bool:
    return bool(state["due_now"] or state["unsent"] or state["lag"])


async def proof(on: Cluster, record: Path) -> Report:
    """What the outside checker says of the whole run."""
    stack = on.stack
    target = Target(
        stack.bootstrap_servers, stack.database_url, on.namespace, SERVICES, urls=on.urls,
        tokens={"risk": token("auditor-1")}, patience=60,
    )  # fmt: skip
    attempts, recorded = await asyncio.to_thread(load, record)
    return await check(target, attempts, recorded)
