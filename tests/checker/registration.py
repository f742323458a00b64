"""Checks of registration: acknowledged commands, one effect per key, states, identifiers, enterprises and events."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID

from tests.checker.cloudevents import Event
from tests.checker.commands import Attempt
from tests.checker.evidence import Evidence
from tests.checker.identifiers import faults
from tests.checker.replay import CHANGED, REGISTERED, facts
from tests.checker.report import Checked

APPLICATIONS = "/v1/applications"
STATUS_OF = {"accepted": "registered", "review": "in_review", "refused": "refused"}
SEVERITY = ("accepted", "review", "refused")


def acknowledged_commands_are_there(evidence: Evidence) -> Checked:
    """Each command that was answered with success has its row as answered and, where it had an effect, its event."""
    rows = _rows(evidence)
    said = {event.data["application_id"] for event in _events(evidence, REGISTERED)}
    said |= {event.data["change_id"] for event in _events(evidence, CHANGED)}
    acknowledged = {(a.path, a.key): a for a in evidence.attempts if a.acknowledged}
    violations = []
    for attempt in acknowledged.values():
        answer = attempt.answered
        row = rows.get(UUID(answer["id"]))
        effect = answer["decision"]["outcome"] == "accepted"
        if row is None:
            violations.append(f"{attempt.path} {attempt.key}: acknowledged as {answer['id']}, and there is no such row")
        elif _as_answered(attempt, row) != (answer.get("status"), answer["uscc"], answer["decision"]["outcome"]):
            violations.append(f"{attempt.path} {attempt.key}: the row is not what was answered")
        elif effect and answer["id"] not in said:
            violations.append(f"{attempt.path} {attempt.key}: acknowledged, and no event says it")
    return Checked("I1", "no acknowledged command is lost", len(acknowledged), tuple(violations))


def _as_answered(attempt: Attempt, row: Any) -> tuple[Any, ...]:
    if attempt.path == APPLICATIONS:
        return row["status"], row["uscc"], json.loads(row["decision"])["outcome"]
    return None, row["uscc"], row["outcome"]


def _rows(evidence: Evidence) -> dict[UUID, Any]:
    """Applications and changes by id."""
    tables = evidence.after["registration"]
    return {row["id"]: row for table in ("application", "enterprise_change") for row in tables[table]}


def _events(evidence: Evidence, type: str) -> list[Event]:
    """The readable events of one type, each once."""
    found = {event.id: event for event in evidence.events["registration"] if event.type == type}
    return [event for event in found.values() if facts(event) is not None]


def enterprises_are_what_their_events_say(evidence: Evidence) -> Checked:
    """An enterprise has one registering event and one event per change, and its row is what they add up to."""
    before, after = evidence.before["registration"], evidence.after["registration"]
    known = {row["uscc"] for row in after["enterprise"]}
    adopted = {row["event_id"] for row in after["outbox"] if row["adopted"]}
    applications = {row["id"]: row for row in after["application"]}
    changes = {row["id"]: row for row in after["enterprise_change"] if row["outcome"] == "accepted"}
    history: dict[str, list[Event]] = defaultdict(list)
    violations = []
    for event in sorted([*_events(evidence, REGISTERED), *_events(evidence, CHANGED)], key=lambda e: e.sequence):
        history[event.subject].append(event)
        if event.id in adopted:  # known again from the topic after a restore: a person enters it anew
            continue
        cause = applications if event.type == REGISTERED else changes
        id = UUID(event.data["application_id" if event.type == REGISTERED else "change_id"])
        if id not in cause or cause[id]["uscc"] != event.subject:
            violations.append(f"{event}: no row of registration is its cause")
        elif event.subject not in known:
            violations.append(f"{event}: there is no such enterprise")
    for row in before["enterprise"]:
        stated = _stated(history[row["uscc"]][: row["version"]])
        if stated != _state(row):
            violations.append(f"{row['uscc']}: its row is {_state(row)}, its events say {stated}")
    registered = [row for row in before["application"] if row["status"] == "registered"]
    violations += [f"{row['uscc']}: registered, and there is no such enterprise" for row in registered
                   if row["uscc"] not in known]  # fmt: skip
    looked_at = sum(map(len, history.values()))
    return Checked("I4", "every enterprise is what its events add up to", looked_at, tuple(violations))


def _stated(events: list[Event]) -> dict[str, Any]:
    """What these events of one enterprise, the oldest first, add up to."""
    if [event.type for event in events] != [REGISTERED, *[CHANGED] * (len(events) - 1)]:
        return {}
    data: dict[str, Any] = {"version": len(events)}
    for event in events:
        data |= {name: event.data[name] for name in event.data if name in STATE}
    return data | {"registered_capital": Decimal(data["registered_capital"])}


STATE = ("application_id", "registered_on", "registered_capital", "capital_currency", "activities", "area")


def _state(row: Any) -> dict[str, Any]:
    return {
        "version": row["version"],
        **{name: row[name] for name in STATE},
        "application_id": str(row["application_id"]),
        "registered_on": row["registered_on"].isoformat(),
    }


def one_key_one_answer_one_effect(evidence: Evidence) -> Checked:
    """All answers to a key are one; and stored keys and effects correspond one to one."""
    violations: list[str] = []
    stored = {
        (row["route"].removeprefix("POST "), row["key"]): row
        for row in evidence.after["registration"]["idempotency"]
    }  # fmt: skip
    by_key: dict[tuple[str, str], list[Attempt]] = defaultdict(list)
    for attempt in evidence.attempts:
        by_key[attempt.path, attempt.key].append(attempt)
    for name, attempts in by_key.items():
        violations += _faults_of_key(name, [a for a in attempts if a.acknowledged], stored.get(name))
    effects = Counter(UUID(json.loads(row["answer"])["id"]) for row in stored.values())
    rows = _rows(evidence).keys()
    violations += [f"{id}: {n} keys claim this effect" for id, n in effects.items() if n > 1]
    violations += [f"{id}: an effect that no key claims" for id in rows - effects.keys()]
    violations += [f"{id}: a key is answered, its effect is not there" for id in effects.keys() - rows]
    return Checked("I8", "one key, one answer, one effect", len(stored.keys() | by_key.keys()), tuple(violations))


def _faults_of_key(name: tuple[str, str], acknowledged: list[Attempt], stored: Any) -> Iterator[str]:
    if not acknowledged:
        return
    key = f"{name[0]} {name[1]}"
    if len({(a.body_sha256, a.status, a.answer) for a in acknowledged}) > 1:
        yield f"{key}: answered in different ways"
    if stored is None:
        yield f"{key}: answered, and the answer is not kept"
    elif (bytes(stored["body_hash"]).hex(), stored["status"], bytes(stored["answer"]).decode()) != (
        acknowledged[0].body_sha256, acknowledged[0].status, acknowledged[0].answer,
    ):  # fmt: skip
        yield f"{key}: another answer is kept than was given"


def states_are_legal(evidence: Evidence) -> Checked:
    """A status follows from the outcome, an outcome from the worst finding; only what is registered has a USCC."""
    tables = evidence.before["registration"]
    violations = []
    for row in tables["application"]:
        decision = json.loads(row["decision"])
        worst = max((SEVERITY.index(f["outcome"]) for f in decision["findings"]), default=0)
        legal = row["status"] == STATUS_OF.get(decision["outcome"]) and SEVERITY[worst] == decision["outcome"]
        if not legal or (row["uscc"] is not None) != (row["status"] == "registered"):
            violations.append(f"application {row['id']}: {row['status']}, {decision['outcome']}, {row['uscc']}")
    accepted = Counter(row["uscc"] for row in tables["enterprise_change"] if row["outcome"] == "accepted")
    for row in tables["enterprise_change"]:
        if row["outcome"] not in SEVERITY or json.loads(row["decision"])["outcome"] != row["outcome"]:
            violations.append(f"change {row['id']}: {row['outcome']}")
    for row in tables["enterprise"]:
        if row["version"] != 1 + accepted[row["uscc"]]:
            violations.append(f"{row['uscc']}: version {row['version']} after {accepted[row['uscc']]} changes")
    looked_at = len(tables["application"]) + len(tables["enterprise_change"])
    return Checked("I6", "applications and changes are in legal states", looked_at, tuple(violations))


def identifiers_are_valid_and_unique(evidence: Evidence) -> Checked:
    registered = _events(evidence, REGISTERED)
    times = Counter(event.subject for event in registered)
    applications = Counter(event.data["application_id"] for event in registered)
    identifiers = times.keys() | {row["uscc"] for row in evidence.before["registration"]["enterprise"]}
    violations = [f"{uscc}: registered {n} times" for uscc, n in times.items() if n > 1]
    violations += [f"application {id}: registered {n} times" for id, n in applications.items() if n > 1]
    violations += [f"{uscc}: {fault}" for uscc in identifiers for fault in faults(uscc)]
    return Checked("USCC", "identifiers are valid and given once", len(identifiers), tuple(violations))
