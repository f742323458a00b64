"""Checks of risk: facts and scores against the checker's own replay of the topics below the cut."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import date
from typing import Any

from tests.checker import related
from tests.checker.cloudevents import Event
from tests.checker.evidence import Evidence, between_dates
from tests.checker.packed import KeptFact, kept_facts, sealed
from tests.checker.replay import CLASSES, REGISTERED, TAKEN_OVER, Standing, facts, standing
from tests.checker.report import Checked

ENTERED = (REGISTERED, TAKEN_OVER)
CLASS_CHANGED = "risk.class_changed.v1"


def each_event_has_its_facts_once(evidence: Evidence) -> Checked:
    stated = Counter(sealed(fact) for event in evidence.taken for fact in facts(event) or ())
    kept = Counter(fact for row in evidence.before["risk"]["fact_sheet"] for fact in kept_facts(row))
    violations = [f"{event}: taken, though it cannot be read" for event in evidence.taken if facts(event) is None]
    violations += [f"{_fact(fact)}: lost" for fact in stated.keys() - kept.keys()]
    violations += [f"{_fact(fact)}: stated by no event" for fact in kept.keys() - stated.keys()]
    violations += [f"{_fact(fact)}: there {n} times" for fact, n in kept.items() if n > stated[fact] > 0]
    return Checked("I2", "each event has its facts exactly once", len(evidence.taken), tuple(sorted(violations)))


def _fact(fact: KeptFact) -> str:
    return f"fact {fact.indicator:08x} of {fact.subject} (event {fact.sequence})"


def _replayed(evidence: Evidence) -> dict[str, Standing]:
    """The standing of each enterprise at its partition's assessment date."""
    dates = {row["partition"]: row["assessed_on"] for row in evidence.before["risk"]["assessment"]}
    return {
        uscc: standing(events, dates[events[0].partition], evidence.card)
        for uscc, events in _by_subject(evidence).items()
        if events[0].partition in dates
    }


def _by_subject(evidence: Evidence) -> Mapping[str, list[Event]]:
    """What states a fact of an enterprise. One that is not registered, as far as we know, is not scored."""
    by_subject: dict[str, list[Event]] = defaultdict(list)
    for event in evidence.taken:
        if facts(event):
            by_subject[event.subject].append(event)
    return {uscc: events for uscc, events in by_subject.items() if any(event.type in ENTERED for event in events)}


def scores_equal_the_replay(evidence: Evidence) -> Checked:
    """At the cut, by the dates and the scorecard stored there."""
    replayed = _replayed(evidence)
    rows = {row["uscc"]: row for row in evidence.before["risk"]["profile"]}
    violations = [f"partition {n} is between two dates" for n in between_dates(evidence.before["risk"])]
    for uscc in sorted(rows.keys() | _by_subject(evidence).keys()):
        row, expected = rows.get(uscc), replayed.get(uscc)
        if row is None or expected is None:
            violations.append(f"{uscc}: {'scored without an event' if expected is None else 'never scored'}")
        elif (row["score"], CLASSES[row["risk_class"]], row["next_step_on"]) != (
            expected.score, expected.risk_class, expected.next_step_on,
        ):  # fmt: skip
            violations.append(
                f"{uscc}: {row['score']} {CLASSES[row['risk_class']]} until {row['next_step_on']}, replayed "
                f"{expected.score} {expected.risk_class} until {expected.next_step_on}"
            )
    return Checked("I5", "every score and class equals a replay of the topics", len(replayed), tuple(violations))


def every_step_is_due(evidence: Evidence) -> Checked:
    """A score that time will change is changed by a due row of its partition, on the first of its days or before."""
    tables = evidence.before["risk"]
    due = {row["subject"]: row["on_date"] for row in tables["due"] if row["kind"] == "scores_step"}
    first: dict[int, date] = {}
    for row in tables["profile"]:
        if row["next_step_on"] is not None:
            first[row["partition"]] = min(row["next_step_on"], first.get(row["partition"], date.max))
    violations = [
        f"partition {partition} has a score that steps on {on}, and is due {due.get(str(partition), 'never')}"
        for partition, on in sorted(first.items())
        if due.get(str(partition), date.max) > on
    ]
    return Checked("I5", "every step of a score by time is due", len(first), tuple(violations))


def counters_equal_the_rows(evidence: Evidence) -> Checked:
    tables = evidence.before["risk"]
    counted = {
        (row["partition"], row["risk_class"]): row["enterprises"]
        for row in tables["counter"]
        if row["dimension"] == "all"
    }
    actual = Counter((row["partition"], row["risk_class"]) for row in tables["profile"])
    violations = [
        f"partition {key[0]}, class {CLASSES[key[1]]}: counted {counted.get(key, 0)}, there are {actual[key]}"
        for key in sorted(counted.keys() | actual.keys())
        if counted.get(key, 0) != actual[key]
    ]
    return Checked("I5", "counters by class equal a count of the rows", len(actual), tuple(violations))


def _announcements(evidence: Evidence) -> dict[str, list[Event]]:
    """What risk had said of each enterprise at the cut, oldest first."""
    said = {row["subject"]: row["sequence"] for row in evidence.before["risk"]["outbox_counter"]}
    by_subject: dict[str, list[Event]] = defaultdict(list)
    for event in {event.id: event for event in evidence.events["risk"]}.values():
        if event.type == CLASS_CHANGED and event.sequence <= said.get(event.subject, 0):
            by_subject[event.subject].append(event)
    return {subject: sorted(events, key=lambda event: event.sequence) for subject, events in by_subject.items()}


def announced_classes_are_the_classes(evidence: Evidence) -> Checked:
    announced = {subject: events[-1].data["risk_class"] for subject, events in _announcements(evidence).items()}
    violations = []
    for row in evidence.before["risk"]["profile"]:
        actual, noted = CLASSES[row["risk_class"]], row["announced_class"]
        if announced.get(row["uscc"]) != actual:
            violations.append(f"{row['uscc']}: class {actual}, last announced {announced.get(row['uscc'])}")
        elif noted is None or CLASSES[noted] != actual:
            violations.append(f"{row['uscc']}: class {actual}, noted as announced {noted}")
    return Checked("I5", "the last announced class is the class", len(announced), tuple(violations))


def relatives_are_told_what_holds(evidence: Evidence) -> Checked:
    """At the cut, to the event: what risk had said last is what the events that it had taken amount to."""
    expected, said = related.amounts_to(evidence.taken), related.told(evidence)
    kept = {
        related.About(row["uscc"], row["indicator"], row["record"]): (row["value"], row["since"].isoformat())
        for row in evidence.before["risk"]["related_signal"]
    }
    violations = [
        f"{about.subject}: told of {about.indicator} by {about.record} {said.get(about)}, it is {expected.get(about)}"
        for about in sorted(expected.keys() | said.keys())
        if expected.get(about) != said.get(about)
    ]
    violations += [
        f"{about.subject}: {about.indicator} by {about.record} is kept as {kept.get(about)}, said was {said.get(about)}"
        for about in sorted(kept.keys() | said.keys())
        if kept.get(about) != said.get(about)
    ]
    looked_at = len(related.ties_of(evidence.taken))
    return Checked("I5", "relatives are told what holds, and nothing else", looked_at, tuple(violations))


def answers_equal_the_replay(evidence: Evidence) -> Checked:
    """What risk answers over HTTP is what the events amount to, with the events that caused each point."""
    asked = evidence.answers or {}
    taken, violations = {event.id for event in evidence.taken}, []
    known, later = _by_subject(evidence), defaultdict(list)
    for event in {event.id: event for name in evidence.hears["risk"] for event in evidence.events[name]}.values():
        if event.id not in taken:
            later[event.subject].append(event)
    for uscc, answer in asked.items():
        if "score" not in answer:
            violations.append(f"{uscc}: no score is answered")
            continue
        events = [*known.get(uscc, []), *sorted(later[uscc], key=lambda event: event.sequence)]
        # Asked after the cut: risk may have taken some events more.
        replayed = [
            standing(events[:n], date.fromisoformat(answer["assessed_on"]), evidence.card)
            for n in range(len(known.get(uscc, [])), len(events) + 1)
        ]
        points = {part["rule"]: part["points"] for part in answer["contributions"]}
        given = answer["score"], answer["risk_class"], points
        if given not in [(expected.score, expected.risk_class, expected.points) for expected in replayed]:
            violations.append(f"{uscc}: answered {given}, replayed {replayed[0]}")
        elif not _causes(answer) <= {str(event.id) for event in events}:
            violations.append(f"{uscc}: a reason names an event that nobody sent")
    return Checked("I5", "HTTP answers equal the replay, with their reasons", len(asked), tuple(violations))


def _causes(answer: dict[str, Any]) -> set[str]:
    return {id for part in answer["contributions"] for id in part["event_ids"]}


def classes_change_step_by_step(evidence: Evidence) -> Checked:
    """An announcement begins where the last one ended, says something new, and never goes back in time."""
    violations, looked_at = [], 0
    registered = {event.subject for event in evidence.events["registration"] if event.type in ENTERED}
    for subject, events in _announcements(evidence).items():
        before, on = None, ""
        for event in events:
            looked_at += 1
            data = event.data
            if data["before"] != before or data["risk_class"] == before or data["risk_class"] not in CLASSES:
                violations.append(f"{event}: from {data['before']} to {data['risk_class']} after {before}")
            if data["assessed_on"] < on:
                violations.append(f"{event}: assessed on {data['assessed_on']}, after {on}")
            before, on = data["risk_class"], data["assessed_on"]
        if subject not in registered:
            violations.append(f"{subject}: announced, and never registered")
    return Checked("I6", "classes change from the one announced before", looked_at, tuple(violations))
