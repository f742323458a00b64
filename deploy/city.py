"""The city's side of the exchange, played: it sends credit records as the city would, and reads what became of them.

python -m deploy.city send [--seed N] [--count N] USCC...   seeded records with duplicates, disorder and bad ones
python -m deploy.city outcomes                              what was answered so far

Reads KAFKA_BOOTSTRAP_SERVERS and ONE_WINDOW_NAMESPACE. Delivery is at least once and keeps no order, on purpose.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from libs.common.kafka import PARTITIONS

RECORDS, OUTCOMES = "city.credit.records", "city.credit.outcomes"
SOURCE, TYPE = "/shanghai/credit", "shanghai.credit.record.v1"
ACCEPTED, REJECTED = "credit.record_accepted.v1", "credit.record_rejected.v1"
KINDS = (("penalty", "PP1"), ("penalty", "PP2"), ("other", "SH4"), ("information_report", None), ("other", None))

Data = Mapping[str, Any] | bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the district has answered. `id` is the event's; the same answer may come more than once under it."""

    id: UUID
    type: str
    subject: str
    correlation_id: str
    data: dict[str, Any]

    @property
    def record_id(self) -> str:
        """The city's own id of the record that is answered (or where it stood, if none could be read)."""
        return str(self.data.get("origin_id", self.subject))


def record(
    record_id: str, uscc: str, *, version: int = 1, kind: str = "penalty", ground: str | None = None,
    effective_on: date | str = date(2025, 12, 15), **more: Any,
) -> dict[str, Any]:  # fmt: skip
    """One credit record as the city states it."""
    grounded = {} if ground is None else {"ground": ground}
    return {
        "record_id": record_id, "version": version, "uscc": uscc, "kind": kind, **grounded,
        "effective_on": str(effective_on), **more,
    }  # fmt: skip


def records(seed: int, usccs: Sequence[str], count: int, *, until: date = date(2026, 1, 5)) -> list[Data]:
    """`count` records about these enterprises, some with a second version, some bad; then some of them again, and all
    in disorder. The same seed gives the same."""
    chance = random.Random(seed)
    made: list[Data] = []
    for number in range(count):
        kind, ground = chance.choice(KINDS)
        on = until - timedelta(days=chance.randrange(1, 400))
        one = record(f"sh-{seed}-{number:05d}", chance.choice(usccs), kind=kind, ground=ground, effective_on=on)
        made.append(one)
        if chance.random() < 0.2:
            made.append({**one, "version": 2, "effective_on": str(on + timedelta(days=1))})
    made += _bad(seed, usccs[0])
    made += chance.sample(made, len(made) // 4)
    chance.shuffle(made)
    return made


def _bad(seed: int, uscc: str) -> Iterator[Data]:
    """One of each kind that cannot be taken, and the two that are taken with a doubt."""
    good = record(f"sh-{seed}-good", uscc)
    yield b'{"record_id": "sh-cut-off'
    yield {name: value for name, value in {**good, "record_id": f"sh-{seed}-no-date"}.items() if name != "effective_on"}
    for name, changes in (
        ("bad-kind", {"kind": "gossip"}), ("bad-ground", {"ground": "ZZ9"}),
        ("bad-date", {"effective_on": "2025-02-30"}),
        ("bad-uscc", {"uscc": "12345"}), ("odd-uscc", {"uscc": uscc[:17] + ("1" if uscc[17] == "0" else "0")}),
    ):  # fmt: skip
        yield {**good, "record_id": f"sh-{seed}-{name}", **changes}


async def send(bootstrap: str, namespace: str, given: Sequence[Data]) -> list[int]:
    """Put records on the city's topic, in this order; bytes go as they are. Returns their offsets."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
    await producer.start()
    try:
        sent = [
            await producer.send(f"{namespace}{RECORDS}", value, key=key, headers=_headers(key, value))
            for key, value in map(_key_and_value, given)
        ]
        return [(await acknowledged).offset for acknowledged in sent]
    finally:
        await producer.stop()


async def outcomes(bootstrap: str, namespace: str) -> list[Outcome]:
    """Everything that was answered up to now, each partition in its order, with whatever came twice."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    await consumer.start()
    try:
        places = [TopicPartition(f"{namespace}{OUTCOMES}", number) for number in range(PARTITIONS)]
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        ends = await consumer.end_offsets(places)
        found: list[Outcome] = []
        while any([await consumer.position(place) < end for place, end in ends.items()]):
            for batch in (await consumer.getmany(timeout_ms=200)).values():
                found += [_outcome(one) for one in batch]
        return found
    finally:
        await consumer.stop()


def _key_and_value(given: Data) -> tuple[bytes, bytes]:
    if isinstance(given, bytes):
        return b"unreadable", given
    return str(given.get("record_id", "")).encode(), json.dumps(given, ensure_ascii=False).encode()


def _headers(key: bytes, value: bytes) -> list[tuple[str, bytes]]:
    """CloudEvents in Kafka's binary mode. The city gives one record one id, however often it sends it."""
    attributes = {
        "ce_specversion": "1.0", "ce_id": str(uuid5(NAMESPACE_URL, value.hex())), "ce_source": SOURCE, "ce_type": TYPE,
        "ce_subject": key.decode(), "content-type": "application/json",
    }  # fmt: skip
    return [(name, text.encode()) for name, text in attributes.items()]


def _outcome(one: Any) -> Outcome:
    attributes = {name: value.decode() for name, value in one.headers}
    return Outcome(
        UUID(attributes["ce_id"]), attributes["ce_type"], attributes["ce_subject"], attributes["ce_correlationid"],
        json.loads(one.value),
    )  # fmt: skip


async def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.city", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    acts = parser.add_subparsers(dest="act", required=True)
    sending = acts.add_parser("send")
    sending.add_argument("usccs", nargs="+", metavar="USCC")
    sending.add_argument("--seed", type=int, default=1)
    sending.add_argument("--count", type=int, default=20)
    acts.add_parser("outcomes")
    asked = parser.parse_args()
    place = os.environ["KAFKA_BOOTSTRAP_SERVERS"], os.environ.get("ONE_WINDOW_NAMESPACE", "")
    if asked.act == "send":
        sent = await send(*place, records(asked.seed, asked.usccs, asked.count))
        print(f"{len(sent)} records sent.")
        return
    for one in await outcomes(*place):
        doubt = "flagged" if one.data.get("flagged") else "accepted"
        answer = {ACCEPTED: doubt, REJECTED: one.data.get("reason")}.get(one.type, one.type)
        print(one.record_id, one.data.get("origin_version", "-"), answer, one.data.get("field") or "")


if __name__ == "__main__":
    asyncio.run(main())
