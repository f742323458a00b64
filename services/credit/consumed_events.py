"""What credit reads of others' events: only the fields it acts on."""

from datetime import date
from typing import ClassVar
from uuid import UUID

import msgspec

from libs.common.envelope import Event


class EnterpriseRegistered(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "registration.enterprise_registered.v1"

    registered_on: date
    filed_by: str | None = None


class EnterpriseTakenOver(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "registration.enterprise_taken_over.v1"

    registered_on: date


class CommitmentUnkept(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "licensing.commitment_unkept.v1"

    commitment_id: UUID
    permit_id: UUID
    found_on: date


class PermitRevoked(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "licensing.permit_revoked.v1"

    permit_id: UUID
    reason: str
    revoked_on: date


class InformationReportOverdue(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "registration.information_report_overdue.v1"

    order_id: UUID
    kind: str
    missed: str


class InspectionCompleted(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "supervision.inspection_completed.v1"

    inspection_id: UUID
    unreachable: bool
    completed_on: date


class ResultCode(msgspec.Struct, frozen=True, kw_only=True):
    code_set: str
    code: str


class ResultPublished(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "supervision.result_published.v1"

    inspection_id: UUID
    codes: tuple[ResultCode, ...]
    published_on: date


CONSUMED = (
    EnterpriseRegistered,
    EnterpriseTakenOver,
    CommitmentUnkept,
    PermitRevoked,
    InformationReportOverdue,
    InspectionCompleted,
    ResultPublished,
)
