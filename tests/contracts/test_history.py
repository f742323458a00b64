"""What was ever said stays readable: by the rule for shapes, and by decoding every sample as each reader does."""

from __future__ import annotations

import importlib
import json
import subprocess
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import ClassVar, Literal
from uuid import UUID

import jsonschema
import msgspec
import pytest
from msgspec import UNSET, UnsetType

from deploy.contracts import events, history, readers
from deploy.contracts.events import Published
from deploy.contracts.history import Shape
from libs.common.envelope import Event, Incoming, read
from libs.common.outbox import encode
from libs.common.reactions import Reactions
from libs.common.service import find
from services.registration.domain import uscc
from services.registration.policy import load
from services.risk.reactions import facts_stated


class PermitGranted(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "licensing.permit_granted.v1"
    subject_kind: ClassVar[str] = "uscc"

    granted_on: date
    matter: str
    kind: Literal["notice", "approval"]
    ends_on: date | None
    remark_code: str | UnsetType = UNSET


def said(kind: type[Event], service: str = "licensing") -> dict[str, Published]:
    return {kind.type: Published(service, kind)}


def first_shape(kind: type[Event]) -> Shape:
    (text,) = history.unrecorded(said(kind), {}).values()
    return Shape(**json.loads(text))


class FieldRemoved(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = PermitGranted.type
    subject_kind: ClassVar[str] = "uscc"

    granted_on: date
    kind: Literal["notice", "approval"]
    ends_on: date | None
    remark_code: str | UnsetType = UNSET


class OptionalRemoved(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = PermitGranted.type
    subject_kind: ClassVar[str] = "uscc"

    granted_on: date
    matter: str
    kind: Literal["notice", "approval"]
    ends_on: date | None


class Retyped(PermitGranted, frozen=True, kw_only=True):
    matter: int


class CodeAdded(PermitGranted, frozen=True, kw_only=True):
    kind: Literal["notice", "approval", "filing"]


class NullNoMore(PermitGranted, frozen=True, kw_only=True):
    ends_on: date


class NewlyRequired(PermitGranted, frozen=True, kw_only=True):
    department: str


class OptionalNowRequired(PermitGranted, frozen=True, kw_only=True):
    remark_code: str


class RequiredNowOptional(PermitGranted, frozen=True, kw_only=True):
    matter: str | UnsetType = UNSET


class OtherSubject(PermitGranted, frozen=True, kw_only=True):
    subject_kind: ClassVar[str] = "application"


class OptionalAdded(PermitGranted, frozen=True, kw_only=True):
    department: str | UnsetType = UNSET


class NextVersion(FieldRemoved, frozen=True, kw_only=True):
    type: ClassVar[str] = "licensing.permit_granted.v2"


class Renamed(PermitGranted, frozen=True, kw_only=True):
    type: ClassVar[str] = "licensing.permit_given.v1"


@pytest.mark.parametrize(
    ("now", "says"),
    [
        (FieldRemoved, "the field matter was removed"),
        (OptionalRemoved, "the field remark_code was removed"),
        (Retyped, 'the field matter was {"type": "string"} and is now {"type": "integer"}'),
        (CodeAdded, "the field kind was"),
        (NullNoMore, "the field ends_on was"),
        (NewlyRequired, "the field department is newly required"),
        (OptionalNowRequired, "the field remark_code is newly required"),
        (RequiredNowOptional, "the field matter was always there and is now optional"),
        (OtherSubject, "its subject was a uscc and is now a application"),
        (Renamed, "was said and is said no more"),
    ],
)
def test_a_version_that_was_said_keeps_its_shape(now: type[Event], says: str) -> None:
    faults = list(history.incompatible(said(now), {PermitGranted.type: [first_shape(PermitGranted)]}))
    assert len(faults) == 1
    assert faults[0].startswith(f"licensing.permit_granted.v1: {says}")


@pytest.mark.parametrize("now", [PermitGranted, OptionalAdded, NextVersion])
def test_what_old_and_new_readers_survive_is_allowed(now: type[Event]) -> None:
    assert not list(history.incompatible(said(now), {PermitGranted.type: [first_shape(PermitGranted)]}))


def test_a_version_that_grows_leaves_a_second_sample_and_cannot_shrink_again() -> None:
    past = {PermitGranted.type: [first_shape(PermitGranted)]}
    ((path, text),) = history.unrecorded(said(OptionalAdded), past).items()
    assert path.name == "licensing.permit_granted.v1.shape2.json"

    past[PermitGranted.type].append(Shape(**json.loads(text)))
    assert not history.unrecorded(said(OptionalAdded), past)
    assert list(history.incompatible(said(PermitGranted), past)) == [
        "licensing.permit_granted.v1: the field department was removed; "
        "a version that was said keeps its shape: publish the next version"
    ]


def test_words_may_change_without_a_new_shape() -> None:
    reworded = type("PermitGranted", (PermitGranted,), {"__doc__": "Now told in other words."})
    assert not history.unrecorded(said(reworded), {PermitGranted.type: [first_shape(PermitGranted)]})


SHAPES = [shape for shapes in history.load().values() for shape in shapes]
every_sample = pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.type)


def test_every_type_that_is_said_has_its_sample() -> None:
    assert {shape.type for shape in SHAPES} >= set(events.published())
    assert not history.unrecorded(events.published(), history.load())


@every_sample
def test_a_sample_is_an_event_of_its_type(shape: Shape) -> None:
    for data in readers.variants(shape).values():
        jsonschema.validate(data, shape.schema)
        assert json.loads(readers.arrived(shape, data)) == data
    assert IS_A_SUBJECT[shape.subject_kind](shape.headers["ce_subject"])


IS_A_SUBJECT: dict[str, Callable[[str], object]] = {
    "uscc": lambda subject: not uscc.check(subject, load().uscc_authorities),
    "application": UUID,
    "task": UUID,
    "city record": lambda subject: subject.startswith("sh-"),
}


@every_sample
def test_the_one_who_says_it_reads_its_own_sample_and_says_the_like(shape: Shape) -> None:
    kind = events.published()[shape.type].kind
    for data in readers.variants(shape).values():
        again = encode(msgspec.json.decode(json.dumps(data), type=kind))
        jsonschema.validate(json.loads(again), events.schema(kind))
        assert json.loads(again) == {name: value for name, value in data.items() if name in shape.schema["properties"]}


def test_every_reader_decodes_all_that_was_ever_said() -> None:
    assert not list(readers.unreadable(events.published(), events.consumed(), history.load()))


class ReadsTooMuch(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "risk.class_changed.v1"
    floor: int


class ReadsAnotherKind(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "risk.class_changed.v1"
    score: str


class NeedsWhatMayBeNull(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "risk.class_changed.v1"
    before: str


class MisspellsAnOptionalField(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "risk.class_changed.v1"
    asessed_on: date | None = None


class ReadsTheNextVersionAlone(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "risk.class_changed.v2"
    score: int


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        (ReadsTooMuch, "supervision cannot decode its sample (as it is): Object missing required field `floor`"),
        (ReadsAnotherKind, "supervision cannot decode its sample (as it is): Expected `str`, got `int`"),
        (NeedsWhatMayBeNull, "supervision cannot decode its sample (with nulls): Expected `str`, got `null`"),
        (MisspellsAnOptionalField, "supervision reads the field asessed_on, which it does not have"),
        (ReadsTheNextVersionAlone, "was said, and supervision reads other versions of it but not this one"),
    ],
)
def test_a_reader_that_would_stumble_is_named(kind: type[Event], says: str) -> None:
    faults = list(readers.unreadable(events.published(), {"supervision": (kind,)}, history.load()))
    assert any(fault.startswith(f"risk.class_changed.v1: {says}") for fault in faults), faults


PAIRS = [(reader, kind) for reader, kinds in events.consumed().items() for kind in kinds]


@pytest.mark.parametrize(("reader", "kind"), PAIRS, ids=lambda one: one if isinstance(one, str) else one.type)
def test_a_producer_that_renames_a_field_is_stopped_for_the_sake_of_each_reader(reader: str, kind: type[Event]) -> None:
    """For every producer and consumer of the six services: all that was said decodes, and without any one of the
    fields that the reader needs it would not."""
    shapes = history.load()[kind.type]
    assert not list(readers.unreadable(events.published(), {reader: (kind,)}, {kind.type: shapes}))
    needed = [field.encode_name for field in msgspec.structs.fields(kind) if field.required]
    for name in needed:
        without = [replace(one, data={k: v for k, v in one.data.items() if k != name}) for one in shapes]
        faults = list(readers.unreadable({}, {reader: (kind,)}, {kind.type: without}))
        assert any(f"{reader} cannot decode its sample" in fault and name in fault for fault in faults), name


def test_risk_finds_facts_in_everything_it_reads() -> None:
    """A repair may be refused, a class that stays states nothing: the samples are such that each states something."""
    read_by_risk = {kind.type for kind in events.consumed()["risk"]}
    found = set()
    for shape in SHAPES:
        if shape.type in read_by_risk:
            event = read(readers.record(shape, shape.data), shape.headers["ce_source"])
            assert isinstance(event, Incoming)
            assert facts_stated(event), shape.type
            found.add(shape.type)
    assert found == read_by_risk


@pytest.mark.parametrize("service", ["registration", "licensing", "supervision", "credit"])
def test_what_a_service_reads_it_also_acts_on(service: str) -> None:
    """A decoder without a reaction would be a promise that nobody keeps, and the other way round."""
    table: Reactions = importlib.import_module(f"services.{service}.reactions").table
    assert set(table.table) == {kind.type for kind in events.consumed()[service]}
    assert find(service).apply == table.apply


def test_a_sample_that_is_not_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "another.name.v1.json").write_text(json.dumps(asdict(SHAPES[0])))
    with pytest.raises(ValueError, match="a sample is never renamed or removed"):
        history.load(tmp_path)


def test_no_sample_was_ever_changed() -> None:
    """Neither in a commit nor since the last one; git knows."""
    for looked_up in (["log", "--format="], ["diff", "HEAD"]):
        changed = subprocess.run(
            ["git", *looked_up, "--diff-filter=MDR", "--name-only", "--", "contracts/history"],
            cwd=events.CHECKOUT,
            capture_output=True,
            text=True,
            check=True,
        )
        assert changed.stdout.split() == []
