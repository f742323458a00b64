"""Checks of what lives: permits, commitments, inspections, listings, applications pass through legal states, and each
event that another service must react to has its reaction exactly once.

Both are read from the topics alone. The tables below are the published rules, written a second time.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.checker.cloudevents import Event
from tests.checker.evidence import Evidence
from tests.checker.report import Checked


@dataclass(frozen=True, slots=True)
class Step:
    """`type` may be said of the thing that `id` names: once, only after one of `after`, and never after `not_after`.

    `id` empty: the thing is the subject itself."""

    type: str
    id: str
    after: tuple[str, ...] = ()
    not_after: tuple[str, ...] = ()
    once: bool = True


LICENSING, SUPERVISION, CREDIT, REGISTRATION = "licensing.", "supervision.", "credit.", "registration."
GRANTED, REVOKED = LICENSING + "permit_granted.v1", LICENSING + "permit_revoked.v1"
GIVEN, UNKEPT = LICENSING + "commitment_given.v1", LICENSING + "commitment_unkept.v1"
NOTIFIED, CLAIMED = LICENSING + "department_notified.v1", LICENSING + "notification_claimed.v1"
ASSIGNED, COMPLETED = SUPERVISION + "inspection_assigned.v1", SUPERVISION + "inspection_completed.v1"
ORDERED, MET, OVERDUE = (SUPERVISION + f"correction_{name}.v1" for name in ("ordered", "met", "overdue"))
LISTED, DELISTED = CREDIT + "subject_listed.v1", CREDIT + "subject_delisted.v1"
ACCEPTED, ERASED = CREDIT + "record_accepted.v1", CREDIT + "record_erased.v1"
SUBMITTED, DECIDED = REGISTRATION + "application_submitted.v1", REGISTRATION + "application_decided.v1"
TAKEN_OVER = REGISTRATION + "enterprise_taken_over.v1"
ASKED = REGISTRATION + "signatures_requested.v1"
REGISTERED, LEFT = REGISTRATION + "enterprise_registered.v1", REGISTRATION + "enterprise_deregistered.v1"

STEPS = (
    Step(REGISTERED, ""),
    Step(TAKEN_OVER, "", not_after=(REGISTERED,)),
    Step(REGISTRATION + "enterprise_changed.v1", "", (REGISTERED, TAKEN_OVER), (LEFT,), once=False),
    Step(LEFT, "", (REGISTERED, TAKEN_OVER)),
    Step(REGISTRATION + "scope_item_suspended.v1", "permit_id"),
    Step(SUBMITTED, "", (), (DECIDED,), once=False),
    Step(REGISTRATION + "corrections_requested.v1", "", (SUBMITTED,), (DECIDED,), once=False),
    Step(ASKED, "", (), (DECIDED,), once=False),
    Step(DECIDED, "", (SUBMITTED, ASKED)),
    Step(NOTIFIED, "notification_id", not_after=(CLAIMED,), once=False),
    Step(CLAIMED, "notification_id", (NOTIFIED,)),
    Step(LICENSING + "notification_returned.v1", "notification_id", (NOTIFIED,), (CLAIMED,), once=False),
    Step(LICENSING + "notification_overdue.v1", "notification_id", (NOTIFIED,), (CLAIMED,), once=False),
    Step(GRANTED, "permit_id"),
    Step(REVOKED, "permit_id", (GRANTED,)),
    Step(GIVEN, "commitment_id"),
    Step(UNKEPT, "commitment_id", (GIVEN,)),
    Step(ASSIGNED, "inspection_id"),
    Step(COMPLETED, "inspection_id", (ASSIGNED,)),
    Step(SUPERVISION + "result_published.v1", "inspection_id", (COMPLETED,)),
    Step(ORDERED, "correction_id"),
    Step(MET, "correction_id", (ORDERED,)),
    Step(OVERDUE, "correction_id", (ORDERED,), (MET,)),
    Step(ACCEPTED, "record_id", (), (ERASED,), once=False),
    Step(ERASED, "record_id", (ACCEPTED,)),
    Step(LISTED, "listing_id"),
    Step(DELISTED, "listing_id", (LISTED,)),
    Step(CREDIT + "repair_applied.v1", "repair_id"),
    Step(CREDIT + "repair_decided.v1", "repair_id", (CREDIT + "repair_applied.v1",)),
)


def things_pass_through_legal_states(evidence: Evidence) -> Checked:
    """In the order in which a service said it of one subject."""
    steps = {step.type: step for step in STEPS}
    said: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    violations, looked_at = [], 0
    for event in _in_order(evidence):
        step = steps.get(event.type)
        if step is None or not isinstance(event.data, dict):
            continue
        looked_at += 1
        thing = said[event.source, str(event.data[step.id]) if step.id else event.subject]
        if step.once and thing[event.type]:
            violations.append(f"{event}: said a second time")
        if step.after and not any(thing[type] for type in step.after):
            violations.append(f"{event}: said before {' or '.join(step.after)}")
        violations += [f"{event}: said after {type}" for type in step.not_after if thing[type]]
        thing[event.type] += 1
    return Checked("I6", "permits, inspections, listings and cases are in legal states", looked_at, tuple(violations))


def _in_order(evidence: Evidence) -> Iterator[Event]:
    """Each event once, sorted by subject and sequence."""
    for events in evidence.events.values():
        once = {event.id: event for event in events}
        yield from sorted(once.values(), key=lambda event: (event.subject, event.sequence))


Data = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reaction:
    """Each event of `cause` for which `when` holds leads to exactly one event of `effect`, which names it as cause."""

    cause: str
    effect: str
    when: Callable[[Data], bool] = lambda _: True
    which: Callable[[Data], bool] = lambda _: True


def _by_a_commitment(data: Data) -> bool:
    return data["commitment_id"] is not None


REACTIONS = (
    Reaction(REGISTERED, LICENSING + "permit_requirements_determined.v1"),
    Reaction(COMPLETED, UNKEPT, lambda data: _by_a_commitment(data) and data["problem"]),
    Reaction(UNKEPT, ACCEPTED, which=lambda data: data["kind"] == "commitment_breach"),
    Reaction(OVERDUE, REVOKED, _by_a_commitment),
    Reaction(REVOKED, REGISTRATION + "scope_item_suspended.v1",
             lambda data: bool(data["activities"]) and data["reason"] != "enterprise_deregistered"),
)  # fmt: skip


def reactions_happen_once(evidence: Evidence) -> Checked:
    """Where both services ran. What was parked or given up by a person has no reaction to show."""
    by_type: dict[str, list[Event]] = defaultdict(list)
    for event in _in_order(evidence):
        by_type[event.type].append(event)
    violations, looked_at = [], 0
    for reaction in REACTIONS:
        service = reaction.effect.partition(".")[0]
        if service not in evidence.target.services:
            continue
        stopped = {row["id"] for row in evidence.before[service]["parked"]}
        effects = Counter(event.cause for event in by_type[reaction.effect] if reaction.which(event.data))
        for cause in by_type[reaction.cause]:
            if cause.id in stopped or not reaction.when(cause.data):
                continue
            looked_at += 1
            if (times := effects[str(cause.id)]) != 1:
                violations.append(f"{cause}: {service} said {reaction.effect} {times} times")
    return Checked("I2", "each event has its reaction in the other service once", looked_at, tuple(violations))
