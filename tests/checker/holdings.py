"""Checks of what licensing, supervision and credit hold: their own things, and their copies of what others have said.

A thing stands as the last event about it says; a copy is what the events that were taken amount to. The tables are the
published rules, written a second time.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.checker.evidence import Evidence
from tests.checker.lives import (
    ACCEPTED,
    ASSIGNED,
    CLAIMED,
    COMPLETED,
    DELISTED,
    ERASED,
    GIVEN,
    GRANTED,
    LEFT,
    LISTED,
    MET,
    NOTIFIED,
    ORDERED,
    OVERDUE,
    REGISTERED,
    REVOKED,
    TAKEN_OVER,
    UNKEPT,
)
from tests.checker.report import Checked

RETURNED, FORGOTTEN = "licensing.notification_returned.v1", "licensing.notification_overdue.v1"
PUBLISHED, DRAWN = "supervision.result_published.v1", "supervision.draw_made.v1"
APPLIED, REPAIRED = "credit.repair_applied.v1", "credit.repair_decided.v1"
RESTRICTED, CLASSED = "credit.restriction_changed.v1", "risk.class_changed.v1"
Data = Mapping[str, Any]
Says = Callable[[Data], set[str]]


def _always(*states: str) -> Says:
    return lambda _: set(states)


@dataclass(frozen=True, slots=True)
class Kept:
    """Things of a service: `stands` reads the state of a row; `after` has, by the type of an event about it, the states
    in which it may stand while nothing more is said; the event has the thing's id under `id`."""

    service: str
    table: str
    id: str
    stands: Callable[[Any], str]
    after: Mapping[str, Says]


def _ended(column: str, ended: str, lasting: str) -> Callable[[Any], str]:
    return lambda row: ended if row[column] is not None else lasting


def _state(row: Any) -> str:
    return str(row["state"])


KEPT = (
    Kept("licensing", "permit", "permit_id", _ended("revoked_on", "revoked", "granted"),
         {GRANTED: _always("granted"), REVOKED: _always("revoked")}),
    Kept("licensing", "commitment", "commitment_id", _state,
         {GIVEN: _always("given", "ended"), UNKEPT: _always("unkept", "kept", "revoked", "ended")}),
    Kept("licensing", "notification", "notification_id", _state, {
        NOTIFIED: _always("sent", "dropped"), CLAIMED: _always("claimed"), FORGOTTEN: _always("overdue", "dropped"),
        RETURNED: lambda data: {"sent" if data["sent_to"] else "returned", "dropped"}}),
    Kept("supervision", "draw", "draw_id", _ended("drawn_on", "drawn", "filed"), {DRAWN: _always("drawn")}),
    Kept("supervision", "inspection", "inspection_id", _state, {
        ASSIGNED: _always("assigned", "reported"), COMPLETED: _always("completed"), PUBLISHED: _always("published")}),
    Kept("supervision", "correction", "correction_id", _state,
         {ORDERED: _always("ordered"), OVERDUE: _always("overdue"), MET: _always("met")}),
    Kept("credit", "listing", "listing_id", _state, {LISTED: _always("standing"), DELISTED: _always("ended")}),
    Kept("credit", "record", "record_id", _state,
         {ACCEPTED: _always("standing", "repaired"), ERASED: _always("erased")}),
    Kept("credit", "repair", "repair_id", _state, {
        APPLIED: _always("in_review", "without_object"),
        REPAIRED: lambda data: {"granted" if data["granted"] else "refused"}}),
)  # fmt: skip


def things_stand_as_was_said(evidence: Evidence) -> Checked:
    """Rows and outbox are of one moment; that the outbox is on the topic is checked elsewhere. What a restore brought
    back from the topic alone may have left no row, and no trace in one that is older."""
    violations, looked_at = [], 0
    for kept in (one for one in KEPT if one.service in evidence.target.services):
        said = _said(evidence.before[kept.service]["outbox"], kept)
        rows = {str(row["id"]): row for row in evidence.before[kept.service][kept.table]}
        looked_at += len(rows)
        for id in rows.keys() | said.keys():
            if fault := _fault(kept, rows.get(id), said.get(id, [])):
                violations.append(f"{kept.service}: {kept.table} {id}: {fault}")
    return Checked("I6", "things stand as their last event says", looked_at, tuple(violations))


def _said(outbox: Any, kept: Kept) -> dict[str, list[tuple[bool, set[str]]]]:
    """By thing, in order: was the event known again after a restore, and how the thing may stand after it."""
    found: dict[str, list[tuple[bool, set[str]]]] = defaultdict(list)
    for row in sorted((row for row in outbox if row["type"] in kept.after), key=lambda row: row["sequence"]):
        data = json.loads(bytes(row["data"]))
        found[str(data[kept.id])].append((row["adopted"], kept.after[row["type"]](data)))
    return found


def _fault(kept: Kept, row: Any, said: list[tuple[bool, set[str]]]) -> str | None:
    adopted = any(again for again, _ in said)
    if row is None:
        return None if adopted else "said of, and there is no such row"
    stands = kept.stands(row)
    silent = kept.table == "draw" and stands == "filed"
    if not said:
        return None if silent else f"{stands}, and no event says so"
    may = set().union(*(states for _, states in said)) if adopted else said[-1][1]
    return (
        None if stands in may or (silent and adopted) else f"{stands}, its last event says {' or '.join(sorted(may))}"
    )


@dataclass(frozen=True, slots=True)
class Copied:
    """A copy of what another service says: each event of `types` sets some columns of the row that it names (`id`
    empty: the row of its subject)."""

    service: str
    table: str
    key: str
    id: str
    types: Mapping[str, Callable[[Data], Data]]


def _registered(data: Data) -> Data:
    return {"registered_on": data["registered_on"]}


def _left(data: Data) -> Data:
    return {"deregistered_on": data["deregistered_on"]}


COPIED = (
    Copied("licensing", "enterprise", "uscc", "", {REGISTERED: _registered, LEFT: _left}),
    Copied("licensing", "restriction", "uscc", "", {
        RESTRICTED: lambda data: {"restrictions": data["restrictions"], "grounds": data["grounds"]}}),
    Copied("supervision", "enterprise", "uscc", "", {REGISTERED: _registered, TAKEN_OVER: _registered, LEFT: _left}),
    Copied("supervision", "internal_class", "uscc", "", {CLASSED: lambda data: {"risk_class": data["risk_class"]}}),
    Copied("supervision", "permit", "permit_id", "permit_id", {
        GRANTED: lambda data: {"granted_on": data["granted_on"]},
        REVOKED: lambda data: {"revoked_on": data["revoked_on"]}}),
    Copied("supervision", "listing", "listing_id", "listing_id", {
        LISTED: lambda data: {"listed_on": data["listed_on"]},
        DELISTED: lambda data: {"delisted_on": data["delisted_on"]}}),
    Copied("supervision", "obligation", "commitment_id", "commitment_id", {
        GIVEN: lambda data: {"given_on": data["given_on"], "check_by": data["check_by"]}}),
    Copied("credit", "enterprise", "uscc", "", {REGISTERED: _registered, TAKEN_OVER: _registered}),
)  # fmt: skip


def copies_are_what_was_heard(evidence: Evidence) -> Checked:
    """At the cut of each service. Where an event about a thing was given up, its copy may lack what that said."""
    violations, looked_at = [], 0
    for copied in (one for one in COPIED if one.service in evidence.target.services):
        expected = _heard(evidence, copied)
        rows = {str(row[copied.key]): row for row in evidence.before[copied.service][copied.table]}
        looked_at += len(expected)
        for id, columns in expected.items():
            for fault in _differences(rows.get(id), columns):
                violations.append(f"{copied.service}: its copy of {copied.table} {id}: {fault}")
        for id, row in rows.items():
            if id not in expected and any(row[column] is not None for column in _columns(copied)):
                violations.append(f"{copied.service}: its copy of {copied.table} {id}: nobody has said it")
    return Checked("I2", "copies are what the others have said", looked_at, tuple(violations))


def _columns(copied: Copied) -> tuple[str, ...]:
    """Which column a row owes to the first of the events about it."""
    return {"enterprise": ("registered_on",)}.get(copied.table, (copied.key,))


def _heard(evidence: Evidence, copied: Copied) -> dict[str, dict[str, Any]]:
    events = [event for event in evidence.taken_by(copied.service) if event.type in copied.types]
    begins = next(iter(copied.types))
    found: dict[str, dict[str, Any]] = {}
    for event in sorted(events, key=lambda event: event.sequence):
        id = str(event.data[copied.id]) if copied.id else event.subject
        if event.type == begins or id in found:
            found.setdefault(id, {}).update(copied.types[event.type](event.data))
    return found


def _differences(row: Any, columns: Data) -> Iterator[str]:
    if row is None:
        yield "it is not there"
        return
    for column, said in columns.items():
        stands = row[column].isoformat() if hasattr(row[column], "isoformat") else row[column]
        if stands != said:
            yield f"{column} is {stands}, heard was {said}"
