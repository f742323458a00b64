"""Checks of the exchange with the city: what came in is accounted for once, and answered outside as it was said inside.

Nothing is numbered there: a record is the same when its id and version are, or else its bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from tests.checker.cloudevents import Event, decode
from tests.checker.evidence import ANSWERS, TAKES, Evidence
from tests.checker.report import Checked

ACCEPTED, REJECTED = "credit.record_accepted.v1", "credit.record_rejected.v1"
Named = tuple[str, str, int | None]
"""Type, the city's id of the record (or its place), and its version."""


def every_record_of_the_city_is_accounted_for(evidence: Evidence) -> Checked:
    """Each record below the position is known under its identity, and counted once; where taking it failed and even
    rejecting did, a dead letter is the account."""
    topic = evidence.target.namespace + TAKES["credit"]
    tables, stands = evidence.before["credit"], evidence.positions("credit")
    records = [r for r in evidence.outside[TAKES["credit"]] if r.offset < stands.get((topic, r.partition), 0)]
    letters = {(row["partition"], row["offset"]) for row in tables["dead_letter"] if row["topic"] == topic}
    received = {row["identity"]: row for row in tables["received"]}
    places = {f"{TAKES['credit']}:{r.partition}:{r.offset}": r for r in records}
    violations = []
    for place, record in places.items():
        if not received.keys() & set(_identities(record)) and (record.partition, record.offset) not in letters:
            violations.append(f"{place}: read, and not accounted for")
    for identity, row in received.items():
        record = places.get(row["place"])
        if record is None or identity not in _identities(record) or bytes(row["digest"]) != _digest(record):
            violations.append(f"{row['place']}: {identity} is not the record that stands there")
    counted: Counter[int] = Counter()
    for row in tables["received_count"]:
        counted[row["partition"]] += row["records"]
    buried, read = Counter(partition for partition, _ in letters), Counter(record.partition for record in records)
    for partition in sorted(counted.keys() | read.keys()):
        if not read[partition] - buried[partition] <= counted[partition] <= read[partition]:
            violations.append(f"partition {partition}: {read[partition]} records read, {counted[partition]} counted")
    return Checked("I2", "every record of the city is accounted for once", len(records), tuple(violations))


def _digest(record: Any) -> bytes:
    return hashlib.sha256(record.value or b"").digest()


def _identities(record: Any) -> tuple[str, ...]:
    """What the record may be known under: its bytes, or what it calls itself."""
    by_bytes = f"sha256:{_digest(record).hex()}"
    try:
        data = json.loads(record.value or b"")
        return by_bytes, f"{data['record_id']}#{data['version']}"
    except (ValueError, KeyError, TypeError, RecursionError):
        return (by_bytes,)


def the_city_is_told_what_was_said(evidence: Evidence) -> Checked:
    """The same event under the same id, on both topics; outside it may come more than once. Outside comes first, so
    that what is there may have its row only. Each record that was judged has one answer."""
    said = {event.id: event for event in evidence.events["credit"] if event.type in {ACCEPTED, REJECTED}}
    decoded = [decode(record, "/jingan/credit") for record in evidence.outside[ANSWERS["credit"]]]
    told = {event.id: event for event in decoded if isinstance(event, Event)}
    violations = [f"{one}: nobody can read it" for one in decoded if not isinstance(one, Event)]
    violations += [f"{event}: the city was not told" for id, event in said.items() if id not in told]
    rows = {row["event_id"] for row in evidence.after["credit"]["outbox"]}
    for id, event in told.items():
        if id in said and (event.type, event.subject, event.raw) != (said[id].type, said[id].subject, said[id].raw):
            violations.append(f"{event}: the city was told otherwise")
        elif id not in said and id not in rows:
            violations.append(f"{event}: the city was told what credit never said")
    answers = Counter(_answers(said.values()))
    violations += [f"{' '.join(map(str, name))}: judged, and said {answers[name]} times" for name, n in
                   Counter(_judged(evidence.before["credit"]["received"])).items() if answers[name] < n]  # fmt: skip
    known = Counter(_judged(evidence.after["credit"]["received"]))
    violations += [f"{' '.join(map(str, name))}: said {n} times, judged {known[name]} times" for name, n in
                   answers.items() if n > known[name]]  # fmt: skip
    return Checked("I2", "the city is told what credit said, of each record once", len(said), tuple(violations))


def _answers(events: Iterable[Event]) -> Iterator[Named]:
    for event in events:
        if event.type == REJECTED:
            yield REJECTED, event.subject, event.data.get("origin_version")
        elif event.data["origin"] == "city":
            yield ACCEPTED, event.data["origin_id"], event.data.get("origin_version")


def _judged(rows: Iterable[Any]) -> Iterator[Named]:
    for row in rows:
        if row["outcome"] == "rejected":
            yield REJECTED, row["record_id"] or row["place"], row["version"]
        elif row["outcome"] in {"accepted", "flagged"}:
            yield ACCEPTED, row["record_id"], row["version"]
