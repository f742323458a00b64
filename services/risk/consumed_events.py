"""What risk reads of others' events: only the fields its facts need."""

from datetime import date
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

import msgspec

from libs.common.envelope import Event


class PartyRole(msgspec.Struct, frozen=True):
    """Somebody behind an enterprise, under an opaque id."""

    party_id: UUID
    role: str


class EnterpriseRegistered(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "registration.enterprise_registered.v1"

    registered_on: date
    industry: str
    area: str | None = None
    registered_capital: Decimal
    capital_currency: str
    foreign_share: Decimal
    enterprise_type: str | None = None
    parties: tuple[PartyRole, ...] = ()
    address_id: UUID | None = None
    filed_by: str | None = None


class EnterpriseTakenOver(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "registration.enterprise_taken_over.v1"

    registered_on: date
    industry: str
    area: str
    registered_capital: Decimal
    capital_currency: str
    foreign_share: Decimal
    enterprise_type: str


class EnterpriseChanged(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "registration.enterprise_changed.v1"

    changed_on: date
    changed: tuple[str, ...]
    area: str | None = None
    registered_capital: Decimal | None = None
    capital_currency: str | None = None
    industry: str | None = None


class DeregistrationRequested(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "registration.deregistration_requested.v1"

    procedure: str
    requested_on: date


class DeregistrationRefused(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "registration.deregistration_refused.v1"

    procedure: str
    refused_on: date


class EnterpriseDeregistered(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "registration.enterprise_deregistered.v1"

    deregistered_on: date


class RegistrationWithdrawn(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "registration.registration_withdrawn.v1"

    withdrawn_on: date


class PermitGranted(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "licensing.permit_granted.v1"

    permit_id: UUID
    granted_on: date


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
    departments: tuple[str, ...] = ()


class CorrectionMet(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "supervision.correction_met.v1"

    correction_id: UUID
    met_on: date


class CorrectionOverdue(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "supervision.correction_overdue.v1"

    correction_id: UUID
    overdue_on: date


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


class RelatedPartySignalled(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "risk.related_party_signalled.v1"

    indicator: str
    record: str
    value: int
    since: date


CONSUMED = (
    EnterpriseRegistered,
    EnterpriseTakenOver,
    EnterpriseChanged,
    DeregistrationRequested,
    DeregistrationRefused,
    EnterpriseDeregistered,
    RegistrationWithdrawn,
    PermitGranted,
    PermitRevoked,
    InspectionCompleted,
    CorrectionMet,
    CorrectionOverdue,
    RecordAccepted,
    RecordErased,
    SubjectListed,
    SubjectDelisted,
    RepairDecided,
    RelatedPartySignalled,
)
