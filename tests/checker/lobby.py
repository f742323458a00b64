"""Check of the lobby: its timeline holds each event that it hears, once and under the right case, and no other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.checker.cloudevents import Event
from tests.checker.evidence import Evidence
from tests.checker.report import Checked

OF_APPLICATIONS = {
    f"registration.{name}.v1"
    for name in ("signatures_requested", "application_submitted", "corrections_requested", "application_decided")
}
OF_NOBODY = {"supervision.draw_made.v1", "credit.record_rejected.v1"}
"""Types whose subject is an application, or neither that nor an enterprise."""
INTERNAL = {"risk.class_changed.v1", "risk.related_party_signalled.v1"}
"""Kept apart from what applicants may see."""


def each_event_is_a_line_once(evidence: Evidence) -> Checked:
    tables = evidence.before["lobby"]
    taken = {event.id: event for event in evidence.taken_by("lobby")}
    shown = {row["event_id"]: row for row in tables["timeline_entry"]}
    kept_apart = {row["event_id"]: row for row in tables["risk_event"]}
    violations = []
    for id, event in taken.items():
        violations += _faults(event, shown.get(id), kept_apart.get(id))
    violations += [f"{id}: a line that no event is behind" for id in (shown.keys() | kept_apart.keys()) - taken.keys()]
    return Checked("I2", "the timeline has each event once", len(taken), tuple(violations))


def _faults(event: Event, shown: Any, kept_apart: Any) -> Iterator[str]:
    row = kept_apart if event.type in INTERNAL else shown
    if row is None:
        yield f"{event}: not on the timeline"
        return
    if (kept_apart is not None) != (event.type in INTERNAL) or (shown is not None) == (event.type in INTERNAL):
        yield f"{event}: on the wrong timeline"
    elif shown is not None and (shown["source"], shown["type"]) != (event.source, event.type):
        yield f"{event}: shown as {shown['type']}"
    elif event.type in OF_APPLICATIONS and str(row["application_id"]) != event.subject:
        yield f"{event}: under another application"
    elif event.type not in OF_APPLICATIONS | OF_NOBODY and row["uscc"] != event.subject:
        yield f"{event}: under another enterprise"
