"""What supervision says. Codes, ids, dates: no names, no personal data, no risk class."""

from datetime import date
from typing import ClassVar, Literal
from uuid import UUID

import msgspec

from libs.common.envelope import Event

CodeSet = Literal["publicity_spot_check", "joint_inspection"]


class ResultCode(msgspec.Struct, frozen=True, kw_only=True):
    """One row of inspection_results.csv."""

    code_set: CodeSet
    code: str


class DrawMade(Event, frozen=True, kw_only=True):
    """A task's objects and inspectors were drawn. `commitment` was published before the seed was known."""

    type: ClassVar[str] = "supervision.draw_made.v1"
    subject_kind: ClassVar[str] = "task"

    draw_id: UUID
    drawn_on: date
    objects: int
    commitment: str
    record_digest: str


class InspectionAssigned(Event, frozen=True, kw_only=True):
    """An inspection is assigned and has its inspection code (检查码). `commitment_id` where it checks a commitment."""

    type: ClassVar[str] = "supervision.inspection_assigned.v1"
    subject_kind: ClassVar[str] = "uscc"

    inspection_id: UUID
    task_id: UUID | None
    commitment_id: UUID | None
    code: str
    assigned_on: date


class InspectionCompleted(Event, frozen=True, kw_only=True):
    """An inspection has its result. `problem`: it found something to be mended or handled. `departments`: whose."""

    type: ClassVar[str] = "supervision.inspection_completed.v1"
    subject_kind: ClassVar[str] = "uscc"

    inspection_id: UUID
    task_id: UUID | None
    commitment_id: UUID | None
    item_id: str | None
    codes: tuple[ResultCode, ...]
    problem: bool
    refused: bool
    unreachable: bool
    completed_on: date
    departments: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET


class ResultPublished(Event, frozen=True, kw_only=True):
    """The result of an inspection is public, within 20 working days."""

    type: ClassVar[str] = "supervision.result_published.v1"
    subject_kind: ClassVar[str] = "uscc"

    inspection_id: UUID
    codes: tuple[ResultCode, ...]
    published_on: date


class CorrectionOrdered(Event, frozen=True, kw_only=True):
    """The enterprise is ordered to correct what was found, by `due_on`."""

    type: ClassVar[str] = "supervision.correction_ordered.v1"
    subject_kind: ClassVar[str] = "uscc"

    correction_id: UUID
    inspection_id: UUID
    commitment_id: UUID | None
    ordered_on: date
    due_on: date


class CorrectionMet(Event, frozen=True, kw_only=True):
    """The correction was checked and is met."""

    type: ClassVar[str] = "supervision.correction_met.v1"
    subject_kind: ClassVar[str] = "uscc"

    correction_id: UUID
    inspection_id: UUID
    commitment_id: UUID | None
    met_on: date


class CorrectionOverdue(Event, frozen=True, kw_only=True):
    """The correction was not met in time."""

    type: ClassVar[str] = "supervision.correction_overdue.v1"
    subject_kind: ClassVar[str] = "uscc"

    correction_id: UUID
    inspection_id: UUID
    commitment_id: UUID | None
    overdue_on: date


PUBLISHED = (
    DrawMade,
    InspectionAssigned,
    InspectionCompleted,
    ResultPublished,
    CorrectionOrdered,
    CorrectionMet,
    CorrectionOverdue,
)
