"""The account after a fault, taken from outside: what the databases hold against what the topics say."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import httpx
from aiokafka import AIOKafkaConsumer, TopicPartition

from tests.spine import Spine, change, eventually, form, submit

REGISTERED, CHANGED = "registration.enterprise_registered.v1", "registration.enterprise_changed.v1"
AREAS = ("310106013", "310106014")
PARTITIONS = 12


class Told(NamedTuple):
    """A record of a topic."""

    subject: str
    sequence: int
    id: UUID
    type: str
    data: dict[str, Any]
    partition: int
    offset: int


async def told(spine: Spine, service: str = "registration") -> list[Told]:
    """Every record of a service's topic up to its present end, each partition in its order."""
    consumer = AIOKafkaConsumer(bootstrap_servers=spine.stack.bootstrap_servers, enable_auto_commit=False)
    await consumer.start()
    try:
        places = [TopicPartition(f"{spine.namespace}{service}.events", number) for number in range(PARTITIONS)]
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        ends = await consumer.end_offsets(places)
        records: list[Told] = []
        while any([await consumer.position(place) < end for place, end in ends.items()]):
            for batch in (await consumer.getmany(timeout_ms=200)).values():
                records += [_read(record) for record in batch]
        return sorted(records, key=lambda record: (record.partition, record.offset))
    finally:
        await consumer.stop()


def _read(record: Any) -> Told:
    attributes = {name: value.decode() for name, value in record.headers}
    return Told(
        attributes["ce_subject"], int(attributes["ce_subjectsequence"]), UUID(attributes["ce_id"]),
        attributes["ce_type"], json.loads(record.value), record.partition, record.offset,
    )  # fmt: skip


def histories(records: Iterable[Told]) -> dict[str, list[Told]]:
    """Each subject's events as a reader takes them: sequences 1, 2, 3 ...; one told again must be the very same."""
    found: dict[str, list[Told]] = {}
    for record in records:
        history = found.setdefault(record.subject, [])
        if record.sequence <= len(history):
            assert record.id == history[record.sequence - 1].id, f"a fork: {record}"
        else:
            assert record.sequence == len(history) + 1, f"a gap before {record}"
            history.append(record)
    ids = [event.id for history in found.values() for event in history]
    assert len(ids) == len(set(ids)), "an event under two sequences"
    return found


def told_again(records: Sequence[Told]) -> int:
    """How many records repeat an earlier one."""
    return len(records) - len({record.id for record in records})


async def serve_forms(
    spine: Spine, count: int, *, changes: int = 0, apart: float = 0.0
) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """`count` clients at once, each with a form and then some changes of address, each act under a key of its own.

    Returns the answers to the forms by their keys, and the ids of the accepted changes. `apart`: seconds between
    the starts of two clients.
    """

    async def client(number: int) -> tuple[str, dict[str, Any], list[str]]:
        await asyncio.sleep(number * apart)
        key = str(uuid4())
        answer = await submit(spine, key=key)
        assert answer.status_code == 201, answer.text
        changed = []
        for at in range(changes):
            done = await change(spine, answer.json()["uscc"], {"area": AREAS[at % 2]})
            assert done.status_code == 201, done.text
            changed.append(done.json()["id"])
        return key, answer.json(), changed

    served = await asyncio.gather(*(client(number) for number in range(count)))
    return {key: answer for key, answer, _ in served}, [id for _, _, changed in served for id in changed]


async def ask_again(spine: Spine, key: str) -> httpx.Response:
    """The same form under the same key."""
    return await submit(spine, form(), key=key)


async def caught_up(spine: Spine) -> bool:
    """Whether risk has taken everything that registration's counters count."""
    async with spine.database("registration") as connection:
        said = await connection.fetch("SELECT subject, sequence FROM outbox_counter ORDER BY subject")
    async with spine.database("risk") as connection:
        taken = await connection.fetch("SELECT subject, sequence FROM mark ORDER BY subject")
    return [tuple(row) for row in said] == [tuple(row) for row in taken]


async def take_account(spine: Spine) -> dict[str, list[Told]]:
    """Wait until risk has everything, then compare all that there is; returns what registration said, by subject.

    Every accepted form is one enterprise, one event and one profile; every accepted change one event; sequences have
    no gap; nothing is parked; every class announced last is the class.
    """
    await eventually(lambda: caught_up(spine))
    await spine.quiet()
    said = histories(await told(spine))
    async with spine.database("registration") as connection:
        enterprises = dict(await connection.fetch("SELECT uscc, application_id FROM enterprise"))
        accepted = dict(await connection.fetch("SELECT uscc, id FROM application WHERE uscc IS NOT NULL"))
        changes = await connection.fetch("SELECT id, uscc FROM enterprise_change WHERE outcome = 'accepted'")
        outbox = {
            row[0]: tuple(row[1:]) for row in await connection.fetch("SELECT event_id, subject, sequence FROM outbox")
        }
    assert accepted == enterprises
    assert {uscc: UUID(history[0].data["application_id"]) for uscc, history in said.items()} == enterprises
    changed = Counter((UUID(event.data["change_id"]), uscc) for uscc, history in said.items() for event in history[1:])
    assert changed == Counter((row["id"], row["uscc"]) for row in changes)
    assert {event.id: event[:2] for history in said.values() for event in history} == outbox
    await _account_of_risk(spine, said)
    return said


async def _account_of_risk(spine: Spine, said: dict[str, list[Told]]) -> None:
    async with spine.database("risk") as connection:
        assert await connection.fetchval("SELECT count(*) FROM parked") == 0
        assert await connection.fetchval("SELECT count(*) FROM dead_letter") == 0
        taken = await connection.fetch("SELECT subject, array_agg(DISTINCT sequence) AS sequences FROM fact GROUP BY 1")
        classes = dict(await connection.fetch("SELECT uscc, risk_class FROM profile"))
    assert {row["subject"]: set(row["sequences"]) for row in taken} == {
        uscc: {event.sequence for event in history} for uscc, history in said.items()
    }
    announced = histories(await told(spine, "risk"))
    assert {uscc: "ABCD".index(history[-1].data["risk_class"]) for uscc, history in announced.items()} == classes
