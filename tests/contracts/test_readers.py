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
        "registration.enterprise_registered.v1": {"risk"},
        "registration.enterprise_changed.v1": {"risk"},
        "risk.class_changed.v1": {"tests/checker"},
    }
    assert set(readers.load()) == set(events.published())


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
