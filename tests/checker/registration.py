"""Checks of registration: states of what it keeps, identifiers, and enterprises and applications by their events."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from tests.checker.cloudevents import Event
from tests.checker.evidence import Evidence
from tests.checker.identifiers import faults
from tests.checker.replay import CHANGED, REGISTERED, facts
from tests.checker.report import Checked

LEFT, SUSPENDED = "registration.enterprise_deregistered.v1", "registration.scope_item_suspended.v1"
SUBMITTED, RETURNED = "registration.application_submitted.v1", "registration.corrections_requested.v1"
ASKED, DECIDED = "registration.signatures_requested.v1", "registration.application_decided.v1"
SEVERITY = ("accepted", "review", "refused")
OPEN = {"in_review", "corrections_requested", "awaiting_signatures"}
ENDED = {
    ("registered", "screening", "accepted"), ("registered", "officer", "review"), ("refused", "screening", "refused"),
    ("refused", "officer", "review"), ("withdrawn", "applicant", "review"), ("lapsed", "time", "review"),
    ("withdrawn", "applicant", "accepted"), ("lapsed", "time", "accepted"),
}  # fmt: skip
"""Status, who decided, and what the screening of the last round had said; the last two before it was signed."""


def _events(evidence: Evidence, type: str) -> list[Event]:
    """The readable events of one type, each once."""
    found = {event.id: event for event in evidence.events["registration"] if event.type == type}
    return [event for event in found.values() if facts(event) is not None]


def enterprises_are_what_their_events_say(evidence: Evidence) -> Checked:
    """An enterprise has one registering event and one event per change, its row is what they add up to; it has left
    the register, and activities of it are suspended, where an event says so."""
    before, after = evidence.before["registration"], evidence.after["registration"]
    known = {row["uscc"] for row in after["enterprise"]}
    adopted = {row["event_id"] for row in after["outbox"] if row["adopted"]}
    applications = {row["id"]: row for row in after["application"]}
    changes = {row["id"]: row for row in after["enterprise_change"] if row["outcome"] == "accepted"}
    history: dict[str, list[Event]] = defaultdict(list)
    violations = []
    for event in sorted([*_events(evidence, REGISTERED), *_events(evidence, CHANGED)], key=lambda e: e.sequence):
        if event.id in adopted:  # known again from the topic after a restore: a person enters it anew
            continue
        history[event.subject].append(event)
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
    violations += _left_or_suspended(evidence, adopted)
    looked_at = sum(map(len, history.values()))
    return Checked("I4", "every enterprise is what its events add up to", looked_at, tuple(violations))


def _left_or_suspended(evidence: Evidence, adopted: set[UUID]) -> Iterator[str]:
    """Rows of the first read have their events; events have their rows in the last."""
    before, after = evidence.before["registration"], evidence.after["registration"]
    left = {(event.subject, event.data["deregistered_on"]): event for event in _events(evidence, LEFT)}
    gone = {(row["uscc"], row["deregistered_on"].isoformat()) for row in after["enterprise"] if row["deregistered_on"]}
    for row in before["enterprise"]:
        if row["deregistered_on"] and (row["uscc"], row["deregistered_on"].isoformat()) not in left:
            yield f"{row['uscc']}: left the register, and no event says so"
    for name, event in left.items():
        if event.id not in adopted and name not in gone:
            yield f"{event}: the enterprise is on the register"
    suspended = {(event.subject, event.data["permit_id"], *event.data["activities"]): event
                 for event in _events(evidence, SUSPENDED)}  # fmt: skip
    for row in before["suspension"]:
        if (row["uscc"], str(row["permit_id"]), *row["activities"]) not in suspended:
            yield f"{row['uscc']}: {row['activities']} suspended, and no event says so"
    rows = {(row["uscc"], str(row["permit_id"]), *row["activities"]) for row in after["suspension"]}
    for name, event in suspended.items():
        if event.id not in adopted and name not in rows:
            yield f"{event}: no activity is suspended"


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


def applications_are_what_their_events_say(evidence: Evidence) -> Checked:
    """Each round was announced, each return of the form, and the end: in this order, and as the row has it."""
    tables = evidence.before["registration"]
    said = {row["subject"]: row["sequence"] for row in tables["outbox_counter"]}
    adopted = {row["event_id"] for row in evidence.after["registration"]["outbox"] if row["adopted"]}
    told: dict[str, list[Event]] = defaultdict(list)
    for type in (ASKED, SUBMITTED, RETURNED, DECIDED):
        for event in _events(evidence, type):
            if event.sequence <= said.get(event.subject, 0):
                told[event.subject].append(event)
    rows = {str(row["id"]): row for row in tables["application"]}
    signatures = _signatures(tables)
    violations = []
    for id in told.keys() | rows.keys():
        events = sorted(told[id], key=lambda event: event.sequence)
        if any(event.id in adopted for event in events):  # a person enters it anew
            continue
        stated = [(event.type, *map(event.data.get, WORDS[event.type])) for event in events]
        if id not in rows:
            violations.append(f"application {id}: told of, and there is no such row")
        elif stated != (expected := _expected(rows[id], signatures[rows[id]["id"]])):
            violations.append(f"application {id}: its row says {expected}, its events {stated}")
    return Checked("I4", "every application is what its events say", len(rows), tuple(violations))


WORDS = {SUBMITTED: ("round",), ASKED: ("round",), RETURNED: (), DECIDED: ("outcome", "decided_by", "uscc")}


def _signatures(tables: Mapping[str, Sequence[Any]]) -> Mapping[UUID, Mapping[int, Sequence[Any]]]:
    """Those that the filing did not give by itself, by application and round."""
    filed_by = {row["id"]: row["filed_by"] for row in tables["application"]}
    later: dict[UUID, dict[int, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for one in tables["signature"]:
        by_filer = one["way"] == "account" and one["signed_by"] == filed_by[one["application_id"]]
        if one["way"] != "declared" and not by_filer:
            later[one["application_id"]][one["round"]].append(one)
    return later


def _expected(row: Any, signatures: Mapping[int, Sequence[Any]]) -> list[tuple[Any, ...]]:
    events: list[tuple[Any, ...]] = []
    for round in range(1, row["round"] + 1):
        events += [(RETURNED,)] if events else []
        waited_for = signatures.get(round, ())
        events += [(ASKED, round)] if waited_for else []
        events += [(SUBMITTED, round)] if all(one["way"] for one in waited_for) else []
    if json.loads(row["corrections"]):
        events.append((RETURNED,))
    if row["decided"] is not None:
        decided = json.loads(row["decided"])
        events.append((DECIDED, decided["outcome"], decided["by"], row["uscc"]))
    return events


def states_are_legal(evidence: Evidence) -> Checked:
    """A status follows from the acts before it, an outcome from the worst finding; only what is registered has a USCC;
    what is in review, and only that, waits for an officer."""
    tables = evidence.before["registration"]
    earlier: dict[UUID, list[Any]] = defaultdict(list)
    for row in tables["earlier_round"]:
        earlier[row["application_id"]].append(row)
    waiting = {row["subject"] for row in tables["work_item"]
               if row["queue"] == "registration.review" and row["closed_at"] is None}  # fmt: skip
    signatures = _signatures(tables)
    violations = []
    for row in tables["application"]:
        found = _faults_of_application(row, earlier[row["id"]], waiting, signatures[row["id"]])
        violations += [f"application {row['id']}: {row['status']}, {fault}" for fault in found]
    for row in tables["enterprise_change"]:
        if row["outcome"] not in SEVERITY or _screened(row["decision"]) != row["outcome"]:
            violations.append(f"change {row['id']}: {row['outcome']}")
    violations += _faults_of_enterprises(tables)
    looked_at = sum(len(tables[name]) for name in ("application", "enterprise_change", "deregistration"))
    return Checked("I6", "applications and changes are in legal states", looked_at, tuple(violations))


def _screened(record: str) -> str | None:
    """The outcome of a screening; None where it is not that of its worst finding."""
    decision = json.loads(record)
    worst = max((SEVERITY.index(finding["outcome"]) for finding in decision["findings"]), default=0)
    return SEVERITY[worst] if SEVERITY[worst] == decision["outcome"] else None


def _judged(row: Any, concerns: Sequence[Any] = ()) -> str | None:
    """The worst of what the screening, the name and the people of a form give reason for."""
    if (screened := _screened(row["decision"])) is None:
        return None
    grounds = [one["outcome"] for one in json.loads(row["form"]).get("name_grounds", ())]
    return max([screened, *grounds, *(["review"] if concerns else [])], key=SEVERITY.index)


def _faults_of_application(
    row: Any, earlier: Sequence[Any], waiting: set[str], signatures: Mapping[int, Sequence[Any]]
) -> Iterator[str]:
    screened, decided = _judged(row, json.loads(row["concerns"])), json.loads(row["decided"] or "null")
    unsigned = any(one["way"] is None for one in signatures.get(row["round"], ()))
    on_paper = any(one["way"] == "document" for one in signatures.get(row["round"], ()))
    screened = "review" if on_paper and screened == "accepted" else screened
    given = sum(one["way"] is not None for round in signatures.values() for one in round)
    asked = bool(json.loads(row["corrections"]))
    if decided is None:
        if row["status"] not in OPEN or screened not in ({"accepted", "review"} if unsigned else {"review"}):
            yield f"screened as {screened}, and not decided"
    elif decided["outcome"] != row["status"] or (row["status"], decided["by"], screened) not in ENDED:
        yield f"{decided['outcome']} by {decided['by']} after {screened}"
    elif decided["by"] == "officer" and row["status"] == "registered" and _screened(json.dumps(decided["record"])) in {
        None, "refused",
    }:  # fmt: skip
        yield "registered by an officer against the law of the day"
    if (row["status"] == "corrections_requested" and not asked) or (row["status"] == "in_review" and asked):
        yield "with nothing asked for, or something asked for that is done"
    if unsigned != (row["sign_by"] is not None) or (row["status"] == "awaiting_signatures" and not unsigned):
        yield "and waits for signatures that nobody owes, or does not wait for those that are owed"
    if asked != (row["correct_by"] is not None) or (row["status"] == "lapsed" and not (asked or unsigned)):
        yield "and what is asked for has no last day, or a last day nothing to be done"
    if (row["uscc"] is not None) != (row["status"] == "registered"):
        yield f"with the identifier {row['uscc']}"
    if (str(row["id"]) in waiting) != (row["status"] == "in_review"):
        yield "and no officer is asked, or one who need not be"
    rounds = sorted(one["round"] for one in earlier)
    if rounds != list(range(1, row["round"])) or any(_judged(one) in {None, "refused"} for one in earlier):
        yield f"in round {row['round']} after {rounds}"
    acts = 2 * row["round"] - 1 + asked + given + (decided is not None and decided["by"] != "screening")
    if row["version"] != acts:
        yield f"version {row['version']} after {acts} acts"


ENDS = {
    ("simplified", "deregister", "time"), ("simplified", "refuse", "objection"),
    ("general", "deregister", "officer"), ("general", "refuse", "officer"),
}  # fmt: skip
"""How a deregistration may end: procedure, outcome, by whom; of a simplified one by time after its notice alone."""


def _faults_of_enterprises(tables: Mapping[str, Sequence[Any]]) -> Iterator[str]:
    """Changes are counted; who has left was let go once: after public notice, or by an officer."""
    accepted = Counter(row["uscc"] for row in tables["enterprise_change"] if row["outcome"] == "accepted")
    let_go: dict[str, list[str]] = defaultdict(list)
    for row in tables["deregistration"]:
        decided = json.loads(row["decided"] or "null")
        if (row["notice_until"] is not None) != (row["procedure"] == "simplified"):
            yield f"deregistration {row['id']}: {row['procedure']}, with notice until {row['notice_until']}"
        if decided is None:
            continue
        if (row["procedure"], decided["outcome"], decided["by"]) not in ENDS or (
            row["notice_until"] and (decided["by"] == "time") != (decided["on"] > row["notice_until"].isoformat())
        ):
            yield f"deregistration {row['id']}: {row['procedure']}, decided by {decided['by']} on {decided['on']}"
        if decided["outcome"] == "deregister":
            let_go[row["uscc"]].append(decided["on"])
    for row in tables["enterprise"]:
        if row["version"] != 1 + accepted[row["uscc"]]:
            yield f"{row['uscc']}: version {row['version']} after {accepted[row['uscc']]} changes"
        left = [row["deregistered_on"].isoformat()] if row["deregistered_on"] else []
        if let_go[row["uscc"]] != left:
            yield f"{row['uscc']}: let go on {let_go[row['uscc']]}, left on {left}"


def identifiers_are_valid_and_unique(evidence: Evidence) -> Checked:
    registered = _events(evidence, REGISTERED)
    times = Counter(event.subject for event in registered)
    applications = Counter(event.data["application_id"] for event in registered)
    identifiers = times.keys() | {row["uscc"] for row in evidence.before["registration"]["enterprise"]}
    violations = [f"{uscc}: registered {n} times" for uscc, n in times.items() if n > 1]
    violations += [f"application {id}: registered {n} times" for id, n in applications.items() if n > 1]
    violations += [f"{uscc}: {fault}" for uscc in identifiers for fault in faults(uscc)]
    return Checked("USCC", "identifiers are valid and given once", len(identifiers), tuple(violations))
