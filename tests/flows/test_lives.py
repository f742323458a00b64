"""The checker's tables of legal states and reactions: each is seen to catch what it is there for."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid5

import pytest

from tests.checker.cloudevents import Event
from tests.checker.evidence import Evidence, Target
from tests.checker.lives import REACTIONS, STEPS, reactions_happen_once, things_pass_through_legal_states

USCC = "91310106MA0000015B"
SERVICES = ("registration", "licensing", "supervision", "credit")
SPACE = UUID(int=5)


def event(n: int, type: str, cause: Event | None = None, **data: Any) -> Event:
    service = type.partition(".")[0]
    return Event(
        f"{service}.events", 0, n, 0, f"/jingan/{service}", USCC, n, uuid5(SPACE, f"{type}{n}"), type, b"", data,
        str(cause.id) if cause else None,
    )  # fmt: skip


def evidence(*events: Event, parked: tuple[tuple[str, UUID], ...] = ()) -> Evidence:
    records = {name: [e for e in events if e.source == f"/jingan/{name}"] for name in SERVICES}
    rows = {name: {"parked": [{"id": id} for service, id in parked if service == name]} for name in SERVICES}
    return Evidence(Target("", "", services=SERVICES), (), rows, rows, records, {}, None)  # type: ignore[arg-type]


def test_every_step_names_types_that_can_come_before_it() -> None:
    known = {step.type for step in STEPS}
    assert all(type in known for step in STEPS for type in (*step.after, *step.not_after))
    assert len(known) == len(STEPS)


@pytest.mark.parametrize(
    ("types", "told"),
    [
        (["permit_granted", "permit_revoked"], None),
        (["permit_revoked"], "said before licensing.permit_granted.v1"),
        (["permit_granted", "permit_granted"], "said a second time"),
        (["permit_granted", "permit_revoked", "permit_revoked"], "said a second time"),
    ],
)
def test_a_permit_is_granted_once_and_revoked_once_after_that(types: list[str], told: str | None) -> None:
    said = [event(n, f"licensing.{type}.v1", permit_id="p") for n, type in enumerate(types, 1)]
    violations = things_pass_through_legal_states(evidence(*said)).violations
    assert (not violations) if told is None else told in violations[0]


def test_a_correction_that_was_met_is_not_overdue() -> None:
    types = ("correction_ordered", "correction_met", "correction_overdue")
    said = [event(n, f"supervision.{type}.v1", correction_id="c") for n, type in enumerate(types, 1)]
    (violation,) = things_pass_through_legal_states(evidence(*said)).violations
    assert "said after supervision.correction_met.v1" in violation


@pytest.mark.parametrize(
    ("types", "told"),
    [
        (["record_accepted", "record_accepted", "record_erased"], None),
        (["record_accepted", "record_erased", "record_accepted"], "said after credit.record_erased.v1"),
        (["record_accepted", "record_erased", "record_erased"], "said a second time"),
        (["record_erased"], "said before credit.record_accepted.v1"),
    ],
)
def test_a_record_may_stand_in_newer_versions_until_it_is_erased(types: list[str], told: str | None) -> None:
    said = [event(n, f"credit.{type}.v1", record_id="r") for n, type in enumerate(types, 1)]
    violations = things_pass_through_legal_states(evidence(*said)).violations
    assert (not violations) if told is None else told in violations[0]


FOUND = {"commitment_id": "c", "problem": True}


def test_an_unkept_commitment_follows_its_inspection_once() -> None:
    found = event(1, "supervision.inspection_completed.v1", **FOUND)
    unkept = event(1, "licensing.commitment_unkept.v1", found, commitment_id="c")
    record = event(1, "credit.record_accepted.v1", unkept, kind="commitment_breach")
    assert reactions_happen_once(evidence(found, unkept, record)).violations == ()

    (lost,) = reactions_happen_once(evidence(found)).violations
    assert "licensing said licensing.commitment_unkept.v1 0 times" in lost
    again = event(2, "licensing.commitment_unkept.v1", found, commitment_id="c")
    assert "2 times" in reactions_happen_once(evidence(found, unkept, again, record)).violations[0]


def test_what_is_parked_has_no_reaction_to_show_and_what_asks_for_none_needs_none() -> None:
    found = event(1, "supervision.inspection_completed.v1", **FOUND)
    assert reactions_happen_once(evidence(found, parked=(("licensing", found.id),))).violations == ()
    planned = event(1, "supervision.inspection_completed.v1", commitment_id=None, problem=True)
    assert reactions_happen_once(evidence(planned)).looked_at == 0
    assert len(REACTIONS) > 3
