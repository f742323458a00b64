"""Checks that hold for every service: sequences, outbox and topic, marks, what is parked or buried."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from tests.checker.cloudevents import Event, Record, Unreadable
from tests.checker.evidence import TAKES, Evidence, reads
from tests.checker.report import Checked

RETENTION_MS = 30 * 24 * 3600 * 1000
OPEN = {"waiting", "failed", "forked"}
SETTLED = {"dropped", "skipped"}


def everything_is_read(evidence: Evidence) -> Checked:
    violations = []
    looked_at = 0
    for service in evidence.target.services:
        topics, stands = reads(evidence.target, service), evidence.positions(service)
        for place, end in ((place, end) for place, end in evidence.ends.items() if place[0] in topics):
            looked_at += end
            if stands.get(place, 0) < end:
                violations.append(f"{service} stands at {stands.get(place, 0)} of {end} in {place[0]} {place[1]}")
    return Checked("I2", "every record on the topics has been read", looked_at, tuple(violations))


def marks_stand_at_the_last_event(evidence: Evidence) -> Checked:
    """A mark counts the sequences of its subject that took effect or were given up, without a hole."""
    violations, looked_at = [], 0
    for service, heard in evidence.hears.items():
        parked = {(p["source"], p["subject"], p["sequence"], p["id"]): p for p in evidence.before[service]["parked"]}
        done: dict[tuple[str, str], dict[int, UUID]] = defaultdict(dict)
        for event in (record for name in heard for record in evidence.below_cut(service, name)):
            if isinstance(event, Event) and (*event.key, event.sequence, event.id) not in parked:
                done[event.key].setdefault(event.sequence, event.id)
        still_open = {name[:3] for name, row in parked.items() if row["state"] in OPEN}
        for source, subject, sequence, id in (name for name, row in parked.items() if row["state"] in SETTLED):
            if (source, subject, sequence) not in still_open:
                done[source, subject].setdefault(sequence, id)
        marks = {(row["source"], row["subject"]): row for row in evidence.before[service]["mark"]}
        for key in done.keys() | marks.keys():
            looked_at += 1
            last = next(n for n in range(len(done[key]) + 1) if n + 1 not in done[key])
            stands = marks[key]["sequence"] if key in marks else 0
            if stands != last:
                violations.append(f"{service}: the mark of {key[1]} stands at {stands}, its events say {last}")
            elif last and (recent := marks[key]["recent"]) and recent[-16:] != done[key][last].bytes:
                violations.append(f"{service}: the mark of {key[1]} remembers another event at {last}")
    return Checked("I2", "the mark of each subject stands at its last event", looked_at, tuple(violations))


def sequences_have_no_gap(evidence: Evidence) -> Checked:
    """On the topic, in the order of its partition, each subject counts 1, 2, 3 ...; repeats carry the same id."""
    violations: list[str] = []
    subjects: set[tuple[str, str]] = set()
    for name, events in evidence.events.items():
        readers = [service for service, heard in evidence.hears.items() if name in heard]
        decided = {
            (row["source"], row["subject"], row["sequence"])
            for reader in readers for row in evidence.before[reader]["parked"] if row["state"] in SETTLED
        }  # fmt: skip
        ids: dict[tuple[str, str, int], UUID] = {}
        last: dict[tuple[str, str], int] = {}
        partitions: dict[tuple[str, str], int] = {}
        for event in events:
            at = (*event.key, event.sequence)
            if partitions.setdefault(event.key, event.partition) != event.partition:
                violations.append(f"{event}: the subject began in partition {partitions[event.key]}")
            if at in ids:
                if ids[at] != event.id and at not in decided:
                    violations.append(f"{event}: another event has this sequence")
                continue
            ids[at] = event.id
            following = last.get(event.key, 0) + 1
            while following < event.sequence and (*event.key, following) in decided:
                following += 1
            if event.sequence != following:
                violations.append(f"{event}: {following} was expected next")
            last[event.key] = max(event.sequence, following)
        subjects |= last.keys()
    return Checked("I3", "sequences run 1, 2, 3 ... in order, repeats are the same", len(subjects), tuple(violations))


def rows_and_events_agree(evidence: Evidence) -> Checked:
    """Outbox and topic hold the same events, byte for byte. Rows are kept 30 days, topics for good."""
    violations, looked_at = [], 0
    for service, events in evidence.events.items():
        by_id = {event.id: event for event in events}
        looked_at += len(by_id)
        for row in evidence.before[service]["outbox"]:
            event = by_id.get(row["event_id"])
            if event is None:
                violations.append(f"{service}: outbox row {row['id']} ({row['type']}) is on no topic")
            elif (row["subject"], row["sequence"], row["type"], bytes(row["data"])) != (
                event.subject, event.sequence, event.type, event.raw,
            ):  # fmt: skip
                violations.append(f"{service}: outbox row {row['id']} differs from {event}")
        kept = {row["event_id"]: row["created_at"] for row in evidence.after[service]["outbox"]}
        counters = {row["subject"]: row["sequence"] for row in evidence.after[service]["outbox_counter"]}
        newest = max((event.written for event in events), default=0)
        for event in by_id.values():
            past_retention = event.written < newest - RETENTION_MS
            if event.id not in kept and not (past_retention and counters.get(event.subject, 0) >= event.sequence):
                violations.append(f"{event}: no committed row says it")
    return Checked("I4", "no event without its row, no row without its event", looked_at, tuple(violations))


def parked_and_buried_are_accounted_for(evidence: Evidence) -> Checked:
    """Every unreadable record is buried, every parked row is a record of the topic, and nothing waits in vain."""
    violations, looked_at = [], 0
    for service, heard in evidence.hears.items():
        records = {(r.topic, r.partition, r.offset): r for name in heard for r in evidence.records[name]}
        below = {(r.topic, r.partition, r.offset): r for name in heard for r in evidence.below_cut(service, name)}
        outsiders = evidence.target.namespace + TAKES.get(service, "")
        letters = [row for row in evidence.before[service]["dead_letter"] if row["topic"] != outsiders]
        buried = {(row["topic"], row["partition"], row["offset"]): row for row in letters}
        unreadable = {place for place, record in below.items() if isinstance(record, Unreadable)}
        violations += [f"{service}: the unreadable record {at} is not buried" for at in unreadable - buried.keys()]
        for place, row in buried.items():
            if not isinstance(records.get(place), Unreadable):
                violations.append(f"{service}: the dead letter {place} is no unreadable record of the topic")
            elif not row["cause"]:
                violations.append(f"{service}: the dead letter {place} names no cause")
        parked = evidence.before[service]["parked"]
        looked_at += len(unreadable | buried.keys()) + len(parked)
        marks = Counter({(row["source"], row["subject"]): row["sequence"] for row in evidence.before[service]["mark"]})
        forked = {(row["source"], row["subject"]) for row in parked if row["state"] == "forked"}
        for row in parked:
            violations += _parked_faults(service, row, records, marks[row["source"], row["subject"]], forked)
    return Checked("I7", "what is parked or buried has its record and its cause", looked_at, tuple(violations))


def _parked_faults(
    service: str, row: Any, records: Mapping[tuple[str, int, int], Record], mark: int, forked: set[tuple[str, str]]
) -> Iterator[str]:
    name = f"{service}: {row['state']} {row['sequence']} of {row['subject']}"
    if row["state"] not in OPEN | SETTLED:
        yield f"{name} is in no state that exists"
    if row["offset"] >= 0:  # a gap that was given up has no record
        event = records.get((row["topic"], row["partition"], row["offset"]))
        if not isinstance(event, Event) or (event.id, event.sequence) != (row["id"], row["sequence"]):
            yield f"{name} is not the record at its offset"
    if row["state"] == "failed" and not row["error"]:
        yield f"{name} names no cause"
    blocked = (row["source"], row["subject"]) in forked
    if row["state"] == "waiting" and row["sequence"] == mark + 1 and not blocked:
        yield f"{name} waits although its turn has come"
    if row["state"] in {"waiting", "failed"} and row["sequence"] <= mark:
        yield f"{name} is parked although its mark has passed it"
    if row["state"] in SETTLED and not (row["disposed_by"] and row["disposed_why"]):
        yield f"{name} was settled by nobody"
