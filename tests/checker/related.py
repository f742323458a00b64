"""What risk has to tell enterprises of their relatives, worked out from what the other services have said.

The rules are those of docs/decisions/0019-related-parties.md and two CSV files; no code is shared. A signal follows
from who stands behind enterprises, from addresses and from facts that others state: from no other signal.
"""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from tests.checker.cloudevents import Event
from tests.checker.evidence import Evidence
from tests.checker.replay import CHANGED, ERASURE, REGISTERED, SCORECARDS, facts

SIGNALLED = "risk.related_party_signalled.v1"
LEFT = {"registration.enterprise_deregistered.v1", "registration.registration_withdrawn.v1"}
HERE, REPRESENTATIVE = "address", "legal_representative"


class About(NamedTuple):
    """Whom a signal is for, and what it is about."""

    subject: str
    indicator: str
    record: str


Told = dict[About, tuple[int, str]]
"""Value and legal date."""


def told(evidence: Evidence) -> Told:
    """What risk had said at the cut and not taken back, the last word on each thing."""
    until = {row["subject"]: row["sequence"] for row in evidence.before["risk"]["outbox_counter"]}
    last: dict[About, Event] = {}
    for event in evidence.events["risk"]:
        if event.type != SIGNALLED or event.sequence > until.get(event.subject, 0):
            continue
        about = About(event.subject, event.data["indicator"], event.data["record"])
        if about not in last or last[about].sequence < event.sequence:
            last[about] = event
    return {about: (event.data["value"], event.data["since"]) for about, event in last.items() if event.data["value"]}


def ties_of(events: Iterable[Event]) -> dict[tuple[str, str], set[str]]:
    """By enterprise and role, who stands behind it (or where it is): what its last event on that role says."""
    ties: dict[tuple[str, str], set[str]] = {}
    for event in sorted(events, key=lambda event: event.sequence):
        if event.type == REGISTERED:
            for party in event.data.get("parties", ()):
                ties.setdefault((event.subject, party["role"]), set()).add(party["party_id"])
            if "address_id" in event.data:
                ties[event.subject, HERE] = {event.data["address_id"]}
        if event.type in LEFT or (event.type == CHANGED and "area" in event.data["changed"]):
            ties.pop((event.subject, HERE), None)
        if event.type == CHANGED and REPRESENTATIVE in event.data["changed"]:
            ties.pop((event.subject, REPRESENTATIVE), None)
    return ties


def _burdens(events: Iterable[Event], bearing: set[str]) -> dict[str, dict[str, str]]:
    """By enterprise, the facts that bear on its relatives and since when."""
    stated = {fact for event in events if event.type != SIGNALLED for fact in facts(event) or ()}
    erased = {(fact.subject, fact.record_id) for fact in stated if fact.indicator == ERASURE}
    newest: dict[tuple[str, str, str], int] = {}
    for fact in stated:
        record = fact.subject, fact.source, fact.record_id
        newest[record] = max(fact.sequence, newest.get(record, 0))
    burdens: dict[str, dict[str, str]] = defaultdict(dict)
    for fact in stated:
        holds = (fact.subject, fact.record_id) not in erased and fact.value
        if holds and fact.indicator in bearing and fact.sequence == newest[fact.subject, fact.source, fact.record_id]:
            its, since = burdens[fact.subject], fact.legal_date.isoformat()
            its[fact.indicator] = max(since, its.get(fact.indicator, since))
    return burdens


def amounts_to(events: Iterable[Event]) -> Told:
    known = list(events)
    rules = [_rule(row) for row in _rows("relatives.csv")]
    ties, burdens = ties_of(known), _burdens(known, {because for *_, because in rules})
    return {**_of_parties(ties, burdens, rules), **_of_addresses(known, ties)}


Rule = tuple[str, set[str], set[str], str]


def _rule(row: Mapping[str, str]) -> Rule:
    return row["indicator"], set(row["roles"].split(";")), set(row["other_roles"].split(";")), row["because"]


def _of_parties(
    ties: Mapping[tuple[str, str], set[str]], burdens: Mapping[str, Mapping[str, str]], rules: list[Rule]
) -> Told:
    behind: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for (subject, role), parties in ties.items():
        for party in parties if role != HERE else ():
            behind[party].add((subject, role))
    found: Told = {}
    for together in behind.values():
        for other, its_role in together:
            for indicator, roles, other_roles, because in rules:
                since = burdens.get(other, {}).get(because)
                if since is None or its_role not in other_roles:
                    continue
                for subject, role in together:
                    if subject != other and role in roles:
                        about = About(subject, indicator, other)
                        found[about] = max((1, since), found.get(about, (1, since)))
    return found


def _of_addresses(events: list[Event], ties: Mapping[tuple[str, str], set[str]]) -> Told:
    thresholds = [int(row["enterprises"]) for row in _rows("address_density.csv")]
    registered_on = {event.subject: event.data["registered_on"] for event in events if event.type == REGISTERED}
    places = {subject: next(iter(where)) for (subject, role), where in ties.items() if role == HERE}
    many = Counter(places.values())
    return {
        About(subject, "shared_address_density", "domicile"): (
            max(threshold for threshold in thresholds if threshold <= many[where]), registered_on[subject],
        )
        for subject, where in places.items()
        if many[where] >= min(thresholds)
    }  # fmt: skip


def _rows(name: str) -> list[dict[str, Any]]:
    with (SCORECARDS / name).open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))
