"""No event without a reader, and no reader who is not what readers.yaml says."""

from __future__ import annotations

from typing import ClassVar

import pytest

from deploy.contracts import events, readers
from deploy.contracts.events import Published
from deploy.contracts.readers import Readers
from libs.common.envelope import Event
from services.risk.published_events import ClassChanged


def test_who_reads_what() -> None:
    """The whole published language on one page; whoever publishes a new type adds its readers here too."""
    assert {type: {*one.services, *one.outside} for type, one in readers.load().items()} == {
        "registration.enterprise_registered.v1": {
            "credit",
            "licensing",
            "lobby",
            "risk",
            "supervision",
            "tests/checker",
        },
        "registration.enterprise_taken_over.v1": {"credit", "lobby", "risk", "supervision", "tests/checker"},
        "registration.enterprise_changed.v1": {"licensing", "lobby", "risk", "supervision", "tests/checker"},
        "registration.information_report_filed.v1": {"lobby"},
        "registration.information_report_overdue.v1": {"credit", "lobby"},
        "registration.false_registration_noticed.v1": {"lobby"},
        "registration.registration_withdrawn.v1": {"licensing", "lobby", "risk", "supervision", "tests/checker"},
        "registration.matters_handed_over.v1": {"lobby"},
        "registration.matter_settled.v1": {"lobby"},
        "registration.deregistration_requested.v1": {"lobby", "risk", "tests/checker"},
        "registration.deregistration_refused.v1": {"lobby", "risk", "tests/checker"},
        "registration.enterprise_deregistered.v1": {"licensing", "lobby", "risk", "supervision", "tests/checker"},
        "registration.scope_item_suspended.v1": {"lobby", "tests/checker"},
        "registration.application_submitted.v1": {"lobby", "tests/checker"},
        "registration.signatures_requested.v1": {"lobby", "tests/checker"},
        "registration.corrections_requested.v1": {"lobby", "tests/checker"},
        "registration.application_decided.v1": {"lobby", "tests/checker"},
        "licensing.permit_requirements_determined.v1": {"lobby"},
        "licensing.department_notified.v1": {"lobby"},
        "licensing.notification_claimed.v1": {"lobby"},
        "licensing.notification_returned.v1": {"lobby"},
        "licensing.notification_overdue.v1": {"lobby"},
        "licensing.permit_granted.v1": {"lobby", "risk", "supervision", "tests/checker"},
        "licensing.permit_refused.v1": {"lobby"},
        "licensing.permit_revoked.v1": {"credit", "lobby", "registration", "risk", "supervision", "tests/checker"},
        "licensing.commitment_given.v1": {"lobby", "supervision"},
        "licensing.commitment_unkept.v1": {"credit", "lobby"},
        "licensing.filing_recorded.v1": {"lobby"},
        "supervision.draw_made.v1": {"lobby", "tests/checker"},
        "supervision.inspection_assigned.v1": {"lobby"},
        "supervision.inspection_completed.v1": {"credit", "licensing", "lobby", "risk", "tests/checker"},
        "supervision.result_published.v1": {"credit", "lobby"},
        "supervision.correction_ordered.v1": {"lobby"},
        "supervision.correction_met.v1": {"licensing", "lobby", "risk", "tests/checker"},
        "supervision.correction_overdue.v1": {"licensing", "lobby", "risk", "tests/checker"},
        "credit.record_accepted.v1": {"lobby", "risk", "deploy/city.py", "tests/checker"},
        "credit.record_rejected.v1": {"lobby", "deploy/city.py", "tests/checker"},
        "credit.record_erased.v1": {"lobby", "risk", "tests/checker"},
        "credit.subject_listed.v1": {"lobby", "risk", "supervision", "tests/checker"},
        "credit.subject_delisted.v1": {"lobby", "risk", "supervision", "tests/checker"},
        "credit.repair_applied.v1": {"lobby"},
        "credit.repair_decided.v1": {"lobby", "risk", "tests/checker"},
        "credit.restriction_changed.v1": {"licensing", "lobby", "registration"},
        "risk.related_party_signalled.v1": {"lobby", "risk", "tests/checker"},
        "risk.class_changed.v1": {"lobby", "supervision", "tests/checker"},
    }
    assert set(readers.load()) == set(events.published())


def test_the_lobby_reads_everything_as_the_checker_expects_of_its_timeline() -> None:
    assert all("lobby" in one.services for one in readers.load().values())


def test_what_readers_yaml_says_is_so() -> None:
    assert not list(readers.faults(events.published(), events.consumed(), readers.load()))
    assert not list(events.faults(events.published(), events.consumed()))


class ReadsTheClass(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "risk.class_changed.v1"
    risk_class: str


SAID = {ClassChanged.type: Published("risk", ClassChanged)}
TYPE = ClassChanged.type
CHECKER = Readers(outside=("tests/checker",))


@pytest.mark.parametrize(
    ("heard", "stated", "says"),
    [
        ((), {}, [f"{TYPE}: has no reader; publish only what someone reads"]),
        ((), {TYPE: Readers(services=("supervision",))}, [f"{TYPE}: readers.yaml names the services supervision;"]),
        ((ReadsTheClass,), {TYPE: CHECKER}, [f"{TYPE}: readers.yaml names the services none;"]),
        ((ReadsTheClass,), {TYPE: Readers(services=("supervision",))}, []),
        ((), {TYPE: Readers(outside=("tests/deploy",))}, [f"{TYPE}: readers.yaml names tests/deploy, where nothing"]),
        ((), {TYPE: CHECKER, "risk.gone.v1": CHECKER}, ["risk.gone.v1: nobody says it", "risk.gone.v1: readers.yaml"]),
    ],
)
def test_a_difference_is_told(heard: tuple[type[Event], ...], stated: dict[str, Readers], says: list[str]) -> None:
    faults = sorted(readers.faults(SAID, {"supervision": heard}, stated))
    assert len(faults) == len(says), faults
    assert all(fault.startswith(start) for fault, start in zip(faults, says, strict=True)), faults


class NoSubject(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "risk.warning_raised.v1"


class OfAnother(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "credit.subject_listed.v1"
    subject_kind: ClassVar[str] = "uscc"


class NextClassChanged(ClassChanged, frozen=True, kw_only=True):
    type: ClassVar[str] = "risk.class_changed.v2"


class HeardFromRisk(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "risk.class_changed.v1"


@pytest.mark.parametrize(
    ("kinds", "heard", "says"),
    [
        ((NoSubject,), {}, "risk.warning_raised.v1: states no subject_kind"),
        ((OfAnother,), {}, "credit.subject_listed.v1: a type of risk reads risk.<past_tense>.v<number>"),
        ((ClassChanged, NextClassChanged), {}, "risk.class_changed: said in 2 versions"),
        ((ClassChanged,), {"registration": (HeardFromRisk,)}, "risk.class_changed.v1: registration reads it and does"),
    ],
)
def test_a_list_that_cannot_be_right_is_told(
    kinds: tuple[type[Event], ...], heard: dict[str, tuple[type[Event], ...]], says: str
) -> None:
    (fault,) = events.faults({kind.type: Published("risk", kind) for kind in kinds}, heard)
    assert fault.startswith(says)


def test_an_event_that_is_defined_and_not_listed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.risk.published_events.PUBLISHED", ())
    assert "ClassChanged: stands in services/risk/published_events.py and not in its PUBLISHED" in list(
        events.faults(events.published(), {})
    )
