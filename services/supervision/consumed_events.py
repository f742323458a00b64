"""What supervision reads of others' events: only the fields its libraries need."""

from datetime import date
from typing import ClassVar, Literal
from uuid import UUID

from libs.common.envelope import Event


class EnterpriseRegistered(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "registration.enterprise_registered.v1"

    registered_on: date
    activities: tuple[str, ...]
    area: str
    filed_by: str | None = None


class EnterpriseTakenOver(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "registration.enterprise_taken_over.v1"

    registered_on: date
    activities: tuple[str, ...]
    area: str


class EnterpriseChanged(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "registration.enterprise_changed.v1"

    activities: tuple[str, ...] | None = None
    area: str | None = None


class EnterpriseDeregistered(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "registration.enterprise_deregistered.v1"

    deregistered_on: date


class RegistrationWithdrawn(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "registration.registration_withdrawn.v1"

    withdrawn_on: date


class PermitGranted(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "licensing.permit_granted.v1"

    permit_id: UUID
    item_id: str
    department: str
    granted_on: date


class PermitRevoked(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "licensing.permit_revoked.v1"

    permit_id: UUID
    revoked_on: date


class CommitmentGiven(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "licensing.commitment_given.v1"

    commitment_id: UUID
    permit_id: UUID
    item_id: str
    department: str
    given_on: date
    check_by: date


class SubjectListed(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "credit.subject_listed.v1"

    listing_id: UUID
    list: str
    listed_on: date


class SubjectDelisted(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "credit.subject_delisted.v1"

    listing_id: UUID
    delisted_on: date


class ClassChanged(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "risk.class_changed.v1"

    risk_class: Literal["A", "B", "C", "D"]


CONSUMED = (
    EnterpriseRegistered,
    EnterpriseTakenOver,
    EnterpriseChanged,
    EnterpriseDeregistered,
    RegistrationWithdrawn,
    PermitGranted,
    PermitRevoked,
    CommitmentGiven,
    SubjectListed,
    SubjectDelisted,
    ClassChanged,
)
