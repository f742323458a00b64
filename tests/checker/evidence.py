"""What the checker looks at: one consistent read of each database, the topics, HTTP answers, and what clients sent.

The order makes it sound while the services go on: rows are read, then answers, then topics, then rows again. What the
first rows and the answers know must be on the topics; an event on a topic must have its row in the last read.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import asyncpg
import httpx
from aiokafka import AIOKafkaConsumer, TopicPartition

from tests.checker.cloudevents import Event, Record, decode
from tests.checker.commands import Attempt
from tests.checker.record import Fault
from tests.checker.record import Record as RunRecord
from tests.checker.replay import Card, card

PARTITIONS = 12
HEARS = {
    "registration": ("licensing", "credit"),
    "licensing": ("registration", "supervision", "credit"),
    "supervision": ("registration", "licensing", "credit", "risk"),
    "credit": ("registration", "supervision", "licensing"),
    "risk": ("registration", "licensing", "supervision", "credit", "risk"),
    "lobby": ("registration", "licensing", "supervision", "credit", "risk"),
}
TAKES = {"credit": "city.credit.records"}
ANSWERS = {"credit": "city.credit.outcomes"}
"""Topics of outsiders: whose records a service takes in, and where it answers them."""
HEADS = "audit.heads"
NAMES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"

Tables = Mapping[str, Sequence[asyncpg.Record]]
Place = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Target:
    """Where a run can be looked at. `services` are those that ran. `databases` names a service's database where it is
    not <namespace><service>; `urls` are the base URLs of the services that answer; `tokens`, by service,
    are shown to those who want to know who asks; `patience` in seconds is how long they may take to finish."""

    bootstrap_servers: str
    database_url: str
    namespace: str = ""
    services: Sequence[str] = ("registration", "risk")
    databases: Mapping[str, str] = field(default_factory=dict)
    urls: Mapping[str, str] = field(default_factory=dict)
    tokens: Mapping[str, str] = field(default_factory=dict)
    patience: float = 20.0

    def topic(self, service: str) -> str:
        return f"{self.namespace}{service}.events"


@dataclass(frozen=True)
class Evidence:
    """`before` and `after`: rows by service and table. `records`: by service, by partition and offset.
    `answers`: what risk answers over HTTP, by USCC; None where nobody was asked."""

    target: Target
    attempts: Sequence[Attempt]
    before: Mapping[str, Tables]
    after: Mapping[str, Tables]
    records: Mapping[str, Sequence[Record]]
    ends: Mapping[Place, int]
    answers: Mapping[str, dict[str, Any]] | None
    outside: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    """Kafka's records on topics that are not a service's events, by the topic's name without the namespace."""
    record: RunRecord = field(default_factory=RunRecord)

    @cached_property
    def events(self) -> dict[str, list[Event]]:
        return {name: [r for r in records if isinstance(r, Event)] for name, records in self.records.items()}

    @cached_property
    def hears(self) -> dict[str, tuple[str, ...]]:
        """Which of the services that ran each of them hears."""
        return hears(self.target)

    @cached_property
    def remembered(self) -> list[Attempt]:
        """What clients sent, without what a database has forgotten since: it was restored to a copy from before the
        answer. What was said of it meanwhile stands on the topics, and people enter the rest again."""
        restores = [fault for fault in self.record.faults if fault.back_to is not None]
        return [one for one in self.attempts if not any(_forgets(restore, one) for restore in restores)]

    def positions(self, service: str) -> dict[Place, int]:
        return {(row["topic"], row["partition"]): row["next_offset"] for row in self.before[service]["position"]}

    def below_cut(self, service: str, source: str) -> list[Record]:
        """The records of one topic that the service had read at its cut."""
        stands = self.positions(service)
        return [r for r in self.records[source] if r.offset < stands.get((r.topic, r.partition), 0)]

    def given_up(self, service: str) -> set[tuple[str, str, int]]:
        """(source, subject, sequence) of gaps that a person accepted."""
        parked = self.before[service]["parked"]
        return {(p["source"], p["subject"], p["sequence"]) for p in parked if p["state"] == "skipped"}

    @cached_property
    def taken(self) -> list[Event]:
        """The events that risk should have given their effect at its cut."""
        return self.taken_by("risk")

    def taken_by(self, service: str) -> list[Event]:
        """The events that a service should have given their effect at its cut: each once, without what is parked."""
        parked = {(p["source"], p["subject"], p["sequence"], p["id"]) for p in self.before[service]["parked"]}
        given_up = self.given_up(service)
        found = {
            event.id: event
            for source in self.hears[service]
            for event in self.below_cut(service, source)
            if isinstance(event, Event)
            and (*event.key, event.sequence, event.id) not in parked
            and (*event.key, event.sequence) not in given_up
        }
        return list(found.values())

    @cached_property
    def card(self) -> Card:
        newest = max(self.before["risk"]["active_scorecard"], key=lambda row: row["activated_at"])
        return card(newest["name"])


def _forgets(restore: Fault, attempt: Attempt) -> bool:
    """Whether the attempt may have been answered by the database that was given up."""
    if restore.target != attempt.service or restore.back_to is None or attempt.sent is None or attempt.at is None:
        return False
    return attempt.at >= restore.back_to and attempt.sent <= restore.ended


def hears(target: Target) -> dict[str, tuple[str, ...]]:
    return {one: tuple(name for name in HEARS[one] if name in target.services) for one in target.services}


def reads(target: Target, service: str) -> set[str]:
    """The topics that a service has to read to their ends."""
    taken = {f"{target.namespace}{TAKES[service]}"} if service in TAKES else set()
    return taken | {target.topic(name) for name in hears(target)[service]}


def outside(target: Target) -> list[str]:
    """The topics beside those of the services' events: the published heads, and those of outsiders."""
    return [HEADS, *(topics[one] for one in target.services for topics in (TAKES, ANSWERS) if one in topics)]


async def gather(target: Target, attempts: Sequence[Attempt] = (), record: RunRecord | None = None) -> Evidence:
    """Wait, within the target's patience, until all that stood on the topics is read; then read everything."""
    deadline = time.monotonic() + target.patience
    consumer = AIOKafkaConsumer(
        bootstrap_servers=target.bootstrap_servers, enable_auto_commit=False, auto_offset_reset="earliest",
        fetch_max_wait_ms=20,
    )  # fmt: skip
    await consumer.start()
    try:
        topics = [*map(target.topic, target.services), *(target.namespace + name for name in outside(target))]
        consumer.assign([TopicPartition(topic, n) for topic in topics for n in range(PARTITIONS)])
        found = await consumer.end_offsets(list(consumer.assignment()))
        ends = {(place.topic, place.partition): end for place, end in found.items()}
        before = {name: await _snapshot_at_rest(target, name, ends, deadline) for name in target.services}
        scored = before["risk"]["profile"] if "risk" in before else []
        answers = await _ask_risk(target, [row["uscc"] for row in scored])
        records, others = await _read_topics(consumer, target, before, deadline)
    finally:
        await consumer.stop()
    after = {name: await _snapshot(target, name) for name in target.services}
    return Evidence(target, attempts, before, after, records, ends, answers, others, record or RunRecord())


async def _connect(target: Target, service: str) -> asyncpg.Connection:
    name = target.databases.get(service, f"{target.namespace}{service}")
    read_only = {"default_transaction_read_only": "on"}
    return await asyncpg.connect(target.database_url, database=name, server_settings=read_only)


async def _snapshot_at_rest(target: Target, service: str, ends: Mapping[Place, int], deadline: float) -> Tables:
    """A snapshot in which all records below `ends` are read and no partition is between two dates; the last one
    taken if that does not come true in time (the checks will say so)."""
    heard = reads(target, service)
    while True:
        tables = await _snapshot(target, service)
        stands = {(row["topic"], row["partition"]): row["next_offset"] for row in tables["position"]}
        read = all(stands.get(place, 0) >= end for place, end in ends.items() if place[0] in heard)
        still = "assessment" not in tables or not between_dates(tables)
        if (read and still) or time.monotonic() > deadline:
            return tables
        await asyncio.sleep(0.2)


def between_dates(tables: Tables) -> list[int]:
    """Partitions of risk whose rows are just being brought to a new date."""
    dates = {row["partition"]: row["assessed_on"] for row in tables["assessment"]}
    overdue = {
        row["partition"]
        for row in tables["profile"]
        if row["next_step_on"] is not None and row["next_step_on"] <= dates[row["partition"]]
    }
    return sorted(overdue | {row["partition"] for row in tables["assessment"] if row["moving_to"] is not None})


async def _snapshot(target: Target, service: str) -> Tables:
    """Every row of a service's database, at one moment."""
    connection = await _connect(target, service)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            names = [row["tablename"] for row in await connection.fetch(NAMES)]
            return {table: await connection.fetch(f'SELECT * FROM "{table}"') for table in names}
    finally:
        await connection.close()


async def _read_topics(
    consumer: AIOKafkaConsumer, target: Target, before: Mapping[str, Tables], deadline: float
) -> tuple[dict[str, list[Record]], dict[str, list[Any]]]:
    """Every record up to the ends of now; longer, within the deadline, while a row of `before` is not there yet."""
    sources = {target.topic(name): name for name in target.services}
    awaited = {row["event_id"] for tables in before.values() for row in tables["outbox"] if not row["adopted"]}
    records: dict[str, list[Record]] = {name: [] for name in target.services}
    others: dict[str, list[Any]] = {name: [] for name in outside(target)}
    await consumer.seek_to_beginning()
    # What is told outside is told there first, so that its ends are looked up last.
    last = {place for place in consumer.assignment() if place.topic not in sources}
    ends = await consumer.end_offsets(list(consumer.assignment() - last))
    ends |= await consumer.end_offsets(list(last))
    while True:
        for place, batch in (await consumer.getmany(timeout_ms=100)).items():
            if place in last:
                others[place.topic.removeprefix(target.namespace)] += batch
                continue
            name = sources[place.topic]
            decoded = [decode(record, f"/jingan/{name}") for record in batch]
            records[name] += decoded
            awaited -= {record.id for record in decoded if isinstance(record, Event)}
        at_end = all([await consumer.position(place) >= end for place, end in ends.items()])
        if at_end and (not awaited or time.monotonic() > deadline):
            break
    for found in (*records.values(), *others.values()):
        found.sort(key=lambda record: (record.partition, record.offset))
    return records, others


async def _ask_risk(target: Target, identifiers: Sequence[str]) -> dict[str, dict[str, Any]] | None:
    if "risk" not in target.urls:
        return None
    limit = asyncio.Semaphore(8)
    token = {"authorization": f"Bearer {target.tokens['risk']}"} if "risk" in target.tokens else {}
    shown = {"purpose": "audit", **token}
    async with httpx.AsyncClient(base_url=target.urls["risk"], timeout=10, headers=shown) as client:

        async def ask(uscc: str) -> tuple[str, dict[str, Any]]:
            async with limit:
                answer = await client.get(f"/v1/enterprises/{uscc}/risk")
                return uscc, answer.raise_for_status().json()

        return dict(await asyncio.gather(*map(ask, identifiers)))
