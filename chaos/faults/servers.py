"""Faults of what all services share: brokers, the database server, its disk, and the ways that lead to them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import time
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient

from chaos.cluster import DATABASE, Cluster
from chaos.faults.fault import Act, NotReached, Over
from chaos.proxy import COMMIT
from deploy.local.kafka import Kafka
from deploy.local.processes import LocalStackError

IN_SYNC_SECONDS = 120.0
CUT_SECONDS = 20.0


async def one_broker_killed(cluster: Cluster, rng: random.Random, _: str) -> Over:
    """kill -9 of a broker, which comes back after a while."""
    return await _broker_lost(cluster, rng.choice(cluster.brokers), rng.uniform(0, 8), "broker {} killed")


async def coordinator_lost(cluster: Cluster, rng: random.Random, service: str) -> Over:
    """kill -9 of the broker that keeps the group of this service."""
    async with asyncio.timeout(30):
        admin = AIOKafkaAdminClient(bootstrap_servers=cluster.stack.bootstrap_servers)
        await admin.start()
        try:
            node = await admin.find_coordinator(f"{cluster.namespace}{service}")
        finally:
            await admin.close()
    coordinator = next(broker for broker in cluster.brokers if broker.node == node)
    return await _broker_lost(cluster, coordinator, rng.uniform(4, 8), "coordinator {} killed")


async def two_brokers_killed(cluster: Cluster, rng: random.Random, _: str) -> Over:
    """kill -9 of two of three: partitions without a leader, no quorum to elect one, and producers that give up."""
    lost = rng.sample(list(cluster.brokers), 2)
    await asyncio.gather(*(asyncio.to_thread(broker.kill) for broker in lost))
    try:
        await asyncio.sleep(rng.uniform(11, 14))
    finally:
        await asyncio.gather(*(started(broker) for broker in lost))
    over = Over(f"brokers {' and '.join(str(broker.node) for broker in lost)} of three killed")
    await in_sync(cluster)
    return over


async def brokers_rolled(cluster: Cluster, rng: random.Random, _: str) -> Over:
    """Every broker in its turn is asked to end, and started again."""
    for broker in rng.sample(list(cluster.brokers), len(cluster.brokers)):
        await asyncio.to_thread(broker.stop)
        await started(broker)
        over = Over("all brokers rolled")
        await in_sync(cluster)
    return over


async def _broker_lost(cluster: Cluster, broker: Kafka, seconds: float, what: str) -> Over:
    await asyncio.to_thread(broker.kill)
    try:
        await asyncio.sleep(seconds)
    finally:
        await started(broker)
    over = Over(what.format(broker.node) + f", away for {seconds:.0f} s")
    await in_sync(cluster)
    return over


async def started(broker: Kafka) -> None:
    """Start it, and once more if it ends while its quorum is away."""
    try:
        await asyncio.to_thread(broker.start)
    except LocalStackError:
        await asyncio.to_thread(broker.start)


async def in_sync(cluster: Cluster) -> None:
    """Wait until every replica has caught up: the next broker may be lost then."""
    deadline = time.monotonic() + IN_SYNC_SECONDS
    while time.monotonic() < deadline:
        admin = AIOKafkaAdminClient(bootstrap_servers=cluster.stack.bootstrap_servers)
        with contextlib.suppress(Exception):
            async with asyncio.timeout(10):
                await admin.start()
                topics = await admin.describe_topics()
                if topics and all(len(p["isr"]) == len(cluster.brokers) for t in topics for p in t["partitions"]):
                    return
        with contextlib.suppress(Exception):
            await asyncio.wait_for(admin.close(), 5)
        await asyncio.sleep(0.5)


async def sessions_cut(cluster: Cluster, _rng: random.Random, service: str) -> Over:
    """Every session of a service's database is ended by an administrator."""
    async with cluster.database() as connection:
        cut = await connection.fetchval(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = $1",
            f"{cluster.namespace}{service}",
        )
    return Over(f"{cut} sessions cut")


def database_killed(how: str) -> Act:
    """The whole server at once: by kill -9, or told to stop immediately."""

    async def act(cluster: Cluster, rng: random.Random, _: str) -> Over:
        server = cluster.postgres
        await asyncio.to_thread(server.kill if how == "kill -9" else lambda: server.stop("immediate"))
        try:
            await asyncio.sleep(rng.uniform(0, 6))
        finally:
            await asyncio.to_thread(server.start)
        return Over(f"database server: {how}")

    return act


def commit_unknown(delivered: bool) -> Act:
    """A connection is cut at a COMMIT that the server has, or has not: the client cannot know."""

    async def act(cluster: Cluster, _rng: random.Random, service: str) -> Over:
        way = cluster.ways[service, DATABASE]
        cut = way.cut_at(COMMIT, after=b"", delivered=delivered)
        try:
            await asyncio.wait_for(cut.done.wait(), CUT_SECONDS)
        except TimeoutError:
            raise NotReached(f"{service} did not commit") from None
        finally:
            with contextlib.suppress(ValueError):
                way.cuts.remove(cut)
        return Over(f"connection cut at a COMMIT that the server has {'' if delivered else 'not '}got")

    return act


async def commits_late(cluster: Cluster, rng: random.Random, service: str) -> Over:
    """Some COMMITs are held up, one after the other: what began after them commits before them."""
    way, count = cluster.ways[service, DATABASE], rng.randint(2, 4)
    for _ in range(count):
        cut = way.delay(COMMIT, rng.uniform(0.5, 2.5))
        try:
            await asyncio.wait_for(cut.done.wait(), CUT_SECONDS)
        except TimeoutError:
            raise NotReached(f"{service} did not commit") from None
        finally:
            with contextlib.suppress(ValueError):
                way.cuts.remove(cut)
    return Over(f"{count} COMMITs held up")


def cut_off(from_what: str, there: bool, back: bool) -> Act:
    """Nothing passes between a service and the database, or one or all of the brokers; in one direction, or in both."""

    async def act(cluster: Cluster, rng: random.Random, service: str) -> Over:
        brokers = [f"kafka-{broker.node}" for broker in cluster.brokers]
        names = {DATABASE: [DATABASE], "a broker": [rng.choice(brokers)], "all brokers": brokers}[from_what]
        seconds = rng.uniform(4, 12)
        ways = [cluster.ways[service, name] for name in names]
        gates = [gate for way in ways for gate, shut in ((way.there, there), (way.back, back)) if shut]
        for gate in gates:
            gate.clear()
        try:
            await asyncio.sleep(seconds)
        finally:
            for gate in gates:
                gate.set()
        lost = " and ".join(["requests"] * there + ["answers"] * back)
        return Over(f"{lost} held up between it and {from_what} for {seconds:.0f} s")

    return act


async def connections_reset(cluster: Cluster, _rng: random.Random, service: str) -> Over:
    """Every connection of a service to database and brokers is reset at once."""
    reset = sum(way.cut_all() for (name, _), way in cluster.ways.items() if name == service)
    return Over(f"{reset} connections reset")


async def disk_filled(cluster: Cluster, rng: random.Random, _: str) -> Over:
    """The database's disk is full to the last byte, then there is room again; the server is started if it gave up."""
    if not cluster.small_disk:
        raise NotReached("a small disk takes root, and leave to mount")
    filler = cluster.postgres.folder / "filler"
    try:
        await asyncio.to_thread(fill, filler)
        await asyncio.sleep(rng.uniform(4, 10))
    finally:
        filler.unlink(missing_ok=True)
        await asyncio.sleep(1)
        if not cluster.postgres.answers():
            await asyncio.to_thread(cluster.postgres.stop, "immediate")
            await asyncio.to_thread(cluster.postgres.start)
    return Over("the database's disk full")


def fill(file: Path) -> None:
    """Take all that is free on the disk of this file."""
    with contextlib.suppress(OSError), file.open("wb") as out:
        free = os.fstatvfs(out.fileno())
        os.posix_fallocate(out.fileno(), 0, free.f_bavail * free.f_frsize)
        while out.write(bytes(4096)):
            out.flush()
