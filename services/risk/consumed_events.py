"""What risk reads of others' events: only the fields its facts need."""

from datetime import date
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from libs.common.envelope import Event


class EnterpriseRegistered(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "registration.enterprise_registered.v1"

    registered_on: date
    industry: str
    registered_capital: Decimal
    capital_currency: str
    foreign_share: Decimal


class EnterpriseChanged(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "registration.enterprise_changed.v1"

    changed_on: date
    changed: tuple[str, ...]
    registered_capital: Decimal | None = None
    capital_currency: str | None = None
    industry: str | None = None


class PermitRevoked(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "licensing.permit_revoked.v1"

    permit_id: UUID
    reason: str
    revoked_on: date


class InspectionCompleted(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "supervision.inspection_completed.v1"

    inspection_id: UUID
    problem: bool
    refused: bool
    unreachable: bool
    completed_on: date


class RecordAccepted(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "credit.record_accepted.v1"

    record_id: UUID
    kind: str
    effective_on: date


class RecordErased(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "credit.record_erased.v1"

    record_id: UUID
    erased_on: date


class SubjectListed(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "credit.subject_listed.v1"

    listing_id: UUID
    list: str
    listed_on: date


class SubjectDelisted(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "credit.subject_delisted.v1"

    listing_id: UUID
    list: str
    reason: str
    delisted_on: date


class RepairDecided(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "credit.repair_decided.v1"

    target: UUID
    record_kind: str | None
    granted: bool
    decided_on: date


CONSUMED = (
    EnterpriseRegistered,
    EnterpriseChanged,
    PermitRevoked,
    InspectionCompleted,
    RecordAccepted,
    RecordErased,
    SubjectListed,
    SubjectDelisted,
    RepairDecided,
)
