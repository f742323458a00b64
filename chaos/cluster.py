"""Everything of one's own, to break it: three brokers, a PostgreSQL, and a process for each service. Every service has
a way of its own to the database and to each broker, through a proxy."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import asyncpg

from chaos.proxy import Proxy, in_front_of
from deploy.local import issuer, jars, kafka, postgres, processes
from deploy.local.issuer import Issuer
from deploy.local.kafka import Kafka, Listener
from deploy.local.postgres import SOCKET, Postgres
from deploy.local.processes import silent
from deploy.local.services import DEMO_START, ServiceProcess, environment
from deploy.local.stack import CHECKOUT, Stack
from libs.common import time_travel

SERVICES = ("registration", "licensing", "supervision", "credit", "risk", "lobby")
NODES = 3
DATABASE = "database"
SMALL_DISK_MEGABYTES = 1536
STOPS = "ONE_WINDOW_STOPS"
"""By this a process that runs is asked to stop at a crash point."""


@dataclass(slots=True)
class Cluster:
    """`ways`: the proxies, by service and by what they lead to ("database", "kafka-1" ...). `programs`: what runs in
    place of a service. `processes`: by name; members of a service beyond its first are "risk-2", "risk-3" ..."""

    folder: Path
    brokers: Sequence[Kafka]
    postgres: Postgres
    issuer: Issuer
    ways: Mapping[tuple[str, str], Proxy]
    namespace: str = "chaos_"
    programs: Mapping[str, Sequence[str]] = field(default_factory=dict)
    processes: dict[str, ServiceProcess] = field(default_factory=dict)
    by_hand: set[str] = field(default_factory=set)
    """Services whose first member is just started and ended by a fault: the supervisor keeps away from them."""
    today: date = DEMO_START
    small_disk: bool = False
    """Whether the database lies on a small disk of its own, which may be filled."""

    @property
    def stack(self) -> Stack:
        """The servers as the checker and the clients reach them: past every proxy."""
        bootstrap = ",".join(broker.bootstrap_servers for broker in self.brokers)
        return Stack(bootstrap, self.postgres.url, self.issuer.url)

    @property
    def urls(self) -> dict[str, str]:
        """The base URL of each service; it outlives the processes."""
        return {name: self.service(name).url for name in SERVICES}

    def service(self, name: str, member: int = 1) -> ServiceProcess:
        """A member of a service, not started yet; asked again it is the same one."""
        key = name if member == 1 else f"{name}-{member}"
        if key not in self.processes:
            log = self.folder / f"{key}.log"
            program = self.programs.get(name, ())
            env = {**self.environment(name), STOPS: str(self.folder / f"{key}.stop")}
            self.processes[key] = ServiceProcess(name, env, log, program=program)
        return self.processes[key]

    def environment(self, service: str) -> dict[str, str]:
        """What a process of this service is given: its own ways to all servers."""
        brokers = ",".join(f"127.0.0.1:{self.ways[service, f'kafka-{one.node}'].port}" for one in self.brokers)
        database = f"postgresql://postgres@127.0.0.1:{self.ways[service, DATABASE].port}/postgres"
        return {
            **environment(Stack(brokers, database, self.issuer.url), self.namespace),
            "KAFKA_REPLICATION_FACTOR": str(len(self.brokers)),
            "LOG_LEVEL": "WARNING",
        }

    def whole_environment(self, service: str) -> dict[str, str]:
        """The same for a program that is no service: an operator's command, one more member."""
        return {**os.environ, **self.environment(service)}

    def pids(self) -> dict[str, int]:
        """Every live process of ours by name."""
        found = {name: one.process.pid for name, one in self.processes.items() if one.process and one.alive}
        servers = {f"kafka-{broker.node}": broker.process() for broker in self.brokers}
        servers["postgres"] = self.postgres.process()
        return found | {name: running.pid for name, running in servers.items() if running is not None}

    def up(self) -> None:
        """Start every service, and wait until all are ready."""
        for name in SERVICES:
            self.service(name).start()
        for name in SERVICES:
            self.service(name).wait_ready(180)

    async def supervise(self, stop: asyncio.Event) -> None:
        """Start again what has ended, as systemd or Kubernetes would: the only help that services get."""
        while not stop.is_set():
            for name in SERVICES:
                if name not in self.by_hand and not self.service(name).alive:
                    self.service(name).start()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 0.5)

    @contextlib.contextmanager
    def handled(self, name: str) -> Iterator[ServiceProcess]:
        """The first member of a service, in the hands of a fault. It runs again afterwards, whatever has happened."""
        self.by_hand.add(name)
        try:
            yield self.service(name)
        finally:
            self.by_hand.discard(name)

    @contextlib.asynccontextmanager
    async def database(self, service: str | None = None) -> AsyncIterator[asyncpg.Connection]:
        """An administrator's connection to a service's database, past the proxy; or to the server's own."""
        name = "postgres" if service is None else f"{self.namespace}{service}"
        connection = await asyncpg.connect(self.postgres.url, database=name, timeout=5)
        try:
            yield connection
        finally:
            await asyncio.wait({asyncio.ensure_future(connection.close(timeout=2))}, timeout=3)

    async def next_day(self) -> date:
        """Business time moves by a day."""
        to = self.today + timedelta(days=1)
        await time_travel.advance(self.stack.bootstrap_servers, self.namespace, to)
        self.today = to
        return to

    def kill(self) -> None:
        """Everything at once: nothing of it is needed any more."""
        for process in self.processes.values():
            process.thaw()
            process.kill()
        at_once([*(broker.kill for broker in self.brokers), self.postgres.kill])


def at_once(calls: Sequence[Callable[[], object]]) -> None:
    """Do these side by side; the first error, when all are done."""
    with ThreadPoolExecutor(max(1, len(calls))) as pool:
        for done in [pool.submit(call) for call in calls]:
            done.result()


@contextlib.asynccontextmanager
async def cluster(
    folder: Path, say: Callable[[str], None] = silent, programs: Mapping[str, Sequence[str]] | None = None
) -> AsyncIterator[Cluster]:
    """A cluster with every service ready. At the end all of it is killed; its folder and the logs in it stay.

    Callers are vouched for by the checkout's issuer, which stays: others may use it by then. `folder` must be new:
    nothing is found again in it.
    """
    vouches = issuer.of(CHECKOUT)
    async with contextlib.AsyncExitStack() as closing:
        brokers, ways = await _ways(folder, closing)
        on = postgres.in_folder(folder / "postgres")
        small = closing.enter_context(small_disk(on.folder))
        running = Cluster(folder, brokers, on, vouches, ways, programs=programs or {}, small_disk=small)
        try:
            await asyncio.to_thread(jars.class_path, say)
            await asyncio.to_thread(at_once, [one.format for one in brokers])
            starting = [*(broker.start for broker in brokers), running.postgres.start, vouches.start]
            await asyncio.to_thread(at_once, starting)
            say(f"Three brokers and a database run in {folder}; six services start")
            await asyncio.to_thread(running.up)
            yield running
        finally:
            await asyncio.to_thread(running.kill)


@contextlib.contextmanager
def small_disk(folder: Path, megabytes: int = SMALL_DISK_MEGABYTES) -> Iterator[bool]:
    """A small disk in memory for this folder; False where that cannot be had: it takes root, and leave to mount."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=700", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        yield False
        return
    try:
        yield True
    finally:
        for log in folder.glob("*.log*"):
            shutil.copy(log, folder.parent / f"{folder.name}-{log.name}")
        subprocess.run(["umount", "--lazy", str(folder)], check=False)


def forget(folder: Path) -> None:
    """Remove what an earlier run has left; one that was killed has left its small disk mounted."""
    if (folder / "postgres").is_mount():
        subprocess.run(["umount", "--lazy", str(folder / "postgres")], check=False)
    shutil.rmtree(folder, ignore_errors=True)


async def _ways(folder: Path, closing: contextlib.AsyncExitStack) -> tuple[list[Kafka], dict[tuple[str, str], Proxy]]:
    """The brokers, not started yet, each with a listener for every service behind a proxy; and all the proxies."""
    ways: dict[tuple[str, str], Proxy] = {}
    ports = iter(processes.free_ports(NODES * len(SERVICES)))
    further: list[list[Listener]] = []
    for node in range(1, NODES + 1):
        further.append([])
        for service in SERVICES:
            behind = next(ports)
            way = await closing.enter_async_context(in_front_of(("127.0.0.1", behind)))
            ways[service, f"kafka-{node}"] = way
            further[-1].append(Listener(service.upper(), behind, way.port))
    brokers = kafka.cluster_in_folder(folder, further)
    socket = postgres.in_folder(folder / "postgres").socket_folder / SOCKET
    for service in SERVICES:
        ways[service, DATABASE] = await closing.enter_async_context(in_front_of(socket))
    return brokers, ways
