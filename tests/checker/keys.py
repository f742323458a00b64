"""Checks of commands in every service: what was answered with success is there, and a key has one answer and effect."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.checker.commands import Attempt
from tests.checker.evidence import Evidence
from tests.checker.report import Checked

COMMANDS = frozenset({"POST", "PUT", "PATCH", "DELETE"})
Asked = tuple[str, str, str]
"""Method, path and Idempotency-Key."""


@dataclass(frozen=True, slots=True)
class Effect:
    """A command answers with a thing: the row of `table` whose `column` is what the answer has under `id`.

    `said`: the event that tells of it, where `when` holds; it has under `names` (empty: as its subject) what the answer
    has under `tells`, and is not awaited while that is null. `made`: each row is made by one such command, and by
    nothing else.
    """

    service: str
    path: str
    table: str
    said: str = ""
    names: str = ""
    tells: str = "id"
    when: Callable[[Mapping[str, Any]], bool] = lambda _: True
    id: str = "id"
    column: str = "id"
    made: bool = False


REGISTRATION, LICENSING, SUPERVISION, CREDIT = "registration", "licensing", "supervision", "credit"


def _has_come_in(answer: Mapping[str, Any]) -> bool:
    return bool(answer["status"] != "awaiting_signatures")


ENTERPRISE, APPLICATION = "/v1/enterprises/[^/]+", "/v1/applications/[^/]+"
EFFECTS = (
    Effect(REGISTRATION, "/v1/applications", "application", "application_submitted", made=True, when=_has_come_in),
    Effect(REGISTRATION, f"{APPLICATION}/resubmission", "application", "application_submitted", when=_has_come_in),
    Effect(REGISTRATION, f"/v1/applications|{APPLICATION}/(resubmission|decision)", "application",
           "enterprise_registered", "application_id", when=lambda answer: answer["status"] == "registered"),
    Effect(REGISTRATION, f"{APPLICATION}/corrections", "application", "corrections_requested"),
    Effect(REGISTRATION, f"{APPLICATION}/(withdrawal|decision)", "application", "application_decided"),
    Effect(REGISTRATION, f"{APPLICATION}/extension", "work_item"),
    Effect(REGISTRATION, f"{ENTERPRISE}/changes", "enterprise_change", "enterprise_changed", "change_id",
           when=lambda answer: bool(answer["decision"]["outcome"] == "accepted"), made=True),
    Effect(REGISTRATION, f"{ENTERPRISE}/deregistration", "deregistration", made=True),
    Effect(REGISTRATION, f"{ENTERPRISE}/deregistration/(decision|objections)", "deregistration"),
    Effect(LICENSING, f"{ENTERPRISE}/permit-applications", "permit_application", "permit_granted", "permit_id",
           "permit_id", made=True),
    Effect(LICENSING, "/v1/permit-applications/[^/]+/decision", "permit_application", "permit_granted", "permit_id",
           "permit_id"),
    Effect(LICENSING, "/v1/notifications/[^/]+/claim", "notification", "notification_claimed", "notification_id"),
    Effect(LICENSING, "/v1/notifications/[^/]+/return", "notification", "notification_returned", "notification_id"),
    Effect(SUPERVISION, "/v1/inspectors", "inspector", id="account", column="account", made=True),
    Effect(SUPERVISION, "/v1/tasks", "task", made=True),
    Effect(SUPERVISION, "/v1/tasks/[^/]+/draw", "draw", "draw_made", "draw_id", "draw_id", id="draw_id"),
    Effect(SUPERVISION, "/v1/inspections", "inspection", "inspection_assigned", "inspection_id"),
    Effect(SUPERVISION, "/v1/inspections/[^/]+/result", "inspection"),
    Effect(SUPERVISION, "/v1/inspections/[^/]+/confirmation", "inspection", "inspection_completed", "inspection_id"),
    Effect(SUPERVISION, "/v1/inspections/[^/]+/publication", "inspection", "result_published", "inspection_id"),
    Effect(SUPERVISION, "/v1/corrections/[^/]+/met", "correction", "correction_met", "correction_id"),
    Effect(CREDIT, f"{ENTERPRISE}/listings", "listing", "subject_listed", "listing_id", made=True),
    Effect(CREDIT, "/v1/listings/[^/]+/removal", "listing", "subject_delisted", "listing_id"),
    Effect(CREDIT, "/v1/listing-proposals/[^/]+/refusal", "proposal"),
    Effect(CREDIT, "/v1/repairs", "repair", "repair_applied", "repair_id", made=True),
    Effect(CREDIT, "/v1/repairs/[^/]+/decision", "repair", "repair_decided", "repair_id"),
    Effect(CREDIT, "/v1/records/[^/]+/erasure", "record", "record_erased", "record_id"),
    *(Effect(service, "/v1/work-items/[^/]+/(claim|release|hand-over)", "work_item")
      for service in (REGISTRATION, LICENSING, CREDIT)),
)  # fmt: skip


def effects_of(service: str, method: str, path: str) -> list[Effect]:
    """What a successful command leaves behind, where the table knows."""
    if method != "POST":
        return []
    return [effect for effect in EFFECTS if effect.service == service and re.fullmatch(effect.path, path)]


def ask_for(attempt: Attempt) -> Asked:
    return attempt.method, attempt.path, attempt.key


def stored_keys(evidence: Evidence, service: str) -> dict[Asked, list[Any]]:
    """The answers that a service keeps: one, or one for each caller who happened to choose the same key."""
    found: dict[Asked, list[Any]] = defaultdict(list)
    for row in evidence.after[service]["idempotency"]:
        method, _, path = row["route"].partition(" ")
        found[method, path, row["key"]].append(row)
    return dict(found)


def acknowledged_commands_are_there(evidence: Evidence) -> Checked:
    """Each command that was answered with success has its answer kept, its row as answered, and its event."""
    acknowledged = {(one.service, one.caller, *ask_for(one)): one for one in evidence.remembered if one.acknowledged}
    stored = {service: stored_keys(evidence, service) for service in evidence.target.services}
    violations = []
    for attempt in acknowledged.values():
        name = f"{attempt.service}: {attempt.method} {attempt.path} {attempt.key}"
        if ask_for(attempt) not in stored[attempt.service]:
            violations.append(f"{name}: acknowledged, and no answer is kept")
        for effect in effects_of(attempt.service, attempt.method, attempt.path):
            violations += [f"{name}: {fault}" for fault in _faults_of_effect(evidence, effect, attempt.answered)]
    return Checked("I1", "no acknowledged command is lost", len(acknowledged), tuple(violations))


def _faults_of_effect(evidence: Evidence, effect: Effect, answer: Mapping[str, Any]) -> Iterator[str]:
    id = str(answer[effect.id])
    row = next((row for row in evidence.after[effect.service][effect.table] if str(row[effect.column]) == id), None)
    if row is None:
        yield f"acknowledged as {id}, and there is no such row"
    elif not _as_answered(row, answer):
        yield "the row is not what was answered"
    if effect.said and effect.when(answer) and (told := answer[effect.tells]) is not None:
        type = f"{effect.service}.{effect.said}.v1"
        events = (event for event in evidence.events[effect.service] if event.type == type)
        if all(str(event.data[effect.names] if effect.names else event.subject) != str(told) for event in events):
            yield f"acknowledged, and no event says {type}"


def _as_answered(row: Any, answer: Mapping[str, Any]) -> bool:
    """A row may have gone on since; while it is in the version that was answered, it stands as it was answered."""
    if "version" not in row or "version" not in answer or row["version"] > answer["version"]:
        return True
    named = [name for name in ("status", "state", "uscc") if name in row and name in answer]
    return row["version"] == answer["version"] and all(row[name] == answer[name] for name in named)


def one_key_one_answer_one_effect(evidence: Evidence) -> Checked:
    """All answers to a caller's key are one, and it is the one that is kept; keys and what they made correspond."""
    violations: list[str] = []
    looked_at = 0
    for service in evidence.target.services:
        stored = stored_keys(evidence, service)
        asked: dict[Asked, list[Attempt]] = defaultdict(list)
        for attempt in evidence.remembered:
            if attempt.service == service:
                asked[ask_for(attempt)].append(attempt)
        for name, attempts in asked.items():
            violations += _faults_of_key(f"{service}: {' '.join(name)}", attempts, stored.get(name, []))
        violations += _faults_of_made(evidence, service, stored)
        looked_at += len(stored.keys() | asked.keys())
    return Checked("I8", "one key, one answer, one effect", looked_at, tuple(violations))


def _faults_of_key(key: str, attempts: Sequence[Attempt], stored: Sequence[Any]) -> Iterator[str]:
    """By caller; who an attempt's caller was is not always noted."""
    for caller in {attempt.caller for attempt in attempts}:
        answered = [one for one in attempts if one.acknowledged and one.caller == caller]
        kept = [row for row in stored if caller is None or row["caller"] == caller]
        if not answered:
            continue
        if len({(a.body_sha256, a.status, a.answer) for a in answered}) > 1:
            yield f"{key}: answered in different ways"
        if not kept:
            yield f"{key}: answered, and the answer is not kept"
        elif (answered[0].body_sha256, answered[0].status, answered[0].answer) not in [
            (bytes(row["body_hash"]).hex(), row["status"], bytes(row["answer"]).decode()) for row in kept
        ]:
            yield f"{key}: another answer is kept than was given"


def _faults_of_made(evidence: Evidence, service: str, stored: Mapping[Asked, Sequence[Any]]) -> Iterator[str]:
    for effect in (one for one in EFFECTS if one.made and one.service == service):
        made = Counter(
            str(json.loads(row["answer"])[effect.id])
            for (method, path, _), rows in stored.items() if effect in effects_of(service, method, path) for row in rows
        )  # fmt: skip
        there = {str(row[effect.column]) for row in evidence.after[service][effect.table]}
        yield from (f"{effect.table} {id}: {n} keys claim this effect" for id, n in made.items() if n > 1)
        yield from (f"{effect.table} {id}: an effect that no key claims" for id in there - made.keys())
        yield from (f"{effect.table} {id}: a key is answered, its effect is not there" for id in made.keys() - there)


def nobody_meets_an_error(evidence: Evidence) -> Checked:
    """A service that cannot do its work says 503 and when to come again; 500 is an error that nobody has thought of."""
    failed = [one for one in evidence.attempts if one.status is not None and one.status >= 500 and one.status != 503]
    violations = [f"{one.service}: {one.method} {one.path}: {one.status} {(one.answer or '')[:200]}" for one in failed]
    violations += [one.words for one in evidence.record.met]
    return Checked("HTTP", "nobody is answered by an error", len(evidence.attempts), tuple(violations))
