"""Every fault that a run may hold: what is broken, at which target."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import islice

from chaos.cluster import DATABASE, SERVICES
from chaos.faults import processes, releases, servers, topics
from chaos.faults.fault import KAFKA, POSTGRES, TOPICS, Fault, NotReached, Over
from libs.common.crash import POINTS

__all__ = ["KAFKA", "POSTGRES", "TOPICS", "Fault", "NotReached", "Over", "every_fault", "one_of_each_kind", "schedule"]

COMES_TO = {
    "command": ("registration", "licensing", "supervision", "credit"),
    "relay": ("registration", "licensing", "supervision", "credit", "risk"),
    "due": ("registration", "licensing", "supervision", "risk"),
    "audit": ("registration", "licensing", "supervision", "credit", "risk"),
    "shadow": ("risk",),
}
"""Which services come to the crash points of each part in a run; all of them to the others."""

PROVOKES = {"due": topics.another_day, "drain": topics.provoke_a_drain}
OFTEN = {"command", "relay", "batch", "audit"}
BUSY = ("registration", "licensing", "risk", "lobby")
"""Who comes to the points of these parts again and again."""
RESTORED = ("risk",)
"""Services whose database may come back older than it was without losing what a person was told: what they know and
say follows from what they hear."""


def every_fault() -> list[Fault]:
    """Each kind of fault at each of its targets, in a fixed order."""
    return [*_of_processes(), *_of_servers(), *_of_topics(), *_of_operation()]


def schedule(seed: int) -> Iterator[Fault]:
    """Endless: every fault in an order of its own, then every fault in another order. One seed, one schedule."""
    rng, faults = random.Random(seed), every_fault()
    while True:
        yield from rng.sample(faults, len(faults))


def one_of_each_kind(seed: int) -> list[Fault]:
    """The first of each kind, in the order of the schedule."""
    first = islice(schedule(seed), len(every_fault()))
    return list({one.kind: one for one in reversed(list(first))}.values())[::-1]


def _of_processes() -> Iterator[Fault]:
    for service in SERVICES:
        yield Fault("service_killed", "anywhere", service, processes.killed)
        yield Fault("service_frozen", "anywhere", service, processes.frozen)
        inside = processes.frozen_at("batch.before_commit", heir=True)
        yield Fault("service_frozen", "inside a transaction", service, inside)
        yield Fault("loop_blocked", "inside a transaction", service, processes.blocked)
        yield Fault("pool_exhausted", "of two, with tables locked", service, processes.starved)
        yield Fault("member_joined_or_left", "every two seconds", service, processes.come_and_gone)
        if processes.FAKETIME:
            for minutes in (10, -10):
                yield Fault("clock_step", f"{minutes:+d} minutes", service, processes.clock_stepped(minutes))
    for service in COMES_TO["relay"]:
        leading = processes.frozen_at("relay.before_send", heir=True)
        yield Fault("service_frozen", "leading the relay", service, leading)
    for point in POINTS:
        yield from _at(point)


def _at(point: str) -> Iterator[Fault]:
    part = point.partition(".")[0]
    for service in ("credit",) if point == "relay.between_topics" else COMES_TO.get(part, SERVICES):
        passes = 3 if part in OFTEN and service in BUSY else 1
        kill = processes.killed_at(point, PROVOKES.get(part), passes)
        yield Fault(
            "service_killed", f"at {point}", service, processes.killed_starting_at(point) if part == "start" else kill
        )


def _of_servers() -> Iterator[Fault]:
    for _ in range(6):  # two for each broker, more or less
        yield Fault("broker_killed", "one of three", KAFKA, servers.one_broker_killed)
    yield Fault("brokers_rolled", "all", KAFKA, servers.brokers_rolled)
    yield Fault("partition_leaderless", "two of three killed", KAFKA, servers.two_brokers_killed)
    for how in ("kill -9", "immediate stop"):
        yield Fault("database_killed", how, POSTGRES, servers.database_killed(how))
    yield Fault("disk_full", "of the database", POSTGRES, servers.disk_filled)
    for service in SERVICES:
        yield Fault("coordinator_lost", "of its group", service, servers.coordinator_lost, holds=(KAFKA,))
        yield Fault("database_sessions_cut", "all of its sessions", service, servers.sessions_cut)
        yield Fault("commit_unknown", "the server has it", service, servers.commit_unknown(delivered=True))
        yield Fault("commit_unknown", "the server has it not", service, servers.commit_unknown(delivered=False))
        yield Fault("commit_late", "others overtake it", service, servers.commits_late)
        yield Fault("network_cut", "every connection reset", service, servers.connections_reset)
        for place in (DATABASE, "a broker", "all brokers"):
            yield Fault("network_cut", f"from {place}", service, servers.cut_off(place, there=True, back=True))
            yield Fault("network_cut_one_way", f"to {place}", service, servers.cut_off(place, there=True, back=False))
            yield Fault("network_cut_one_way", f"from {place}", service, servers.cut_off(place, there=False, back=True))


def _of_topics() -> Iterator[Fault]:
    for service in topics.WHO_SPEAKS:
        bad = topics.unreadable(b'{"cut', "bad JSON without an envelope")
        yield Fault("poison", f"bad JSON from {service}", TOPICS, topics.at_service(bad, service))
        large = topics.unreadable(b"x" * topics.OVERSIZED, "an oversized record")
        yield Fault("poison", f"oversized, from {service}", TOPICS, topics.at_service(large, service))
        yield Fault("duplicates", f"from {service}", TOPICS, topics.at_service(topics.said_again, service))
    for service in ("registration", "licensing"):
        unknown = topics.at_service(topics.unknown_version, service)
        yield Fault("poison", f"unknown version from {service}", TOPICS, unknown)
    yield Fault("poison", "bad JSON from the city", TOPICS, topics.unreadable_from_the_city)
    yield Fault("clock_step", "another business date", TOPICS, topics.a_day_passes)


def _of_operation() -> Iterator[Fault]:
    for service in SERVICES:
        yield Fault("replay", "from zero", service, releases.replayed)
        yield Fault("deploy", "old and new schema", service, releases.deployed_beside)
    for service in RESTORED:
        yield Fault("database_restored", "and reconciled", service, releases.restored, holds=(POSTGRES,))
