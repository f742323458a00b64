"""What licensing reads of others: only the fields it uses."""

from datetime import date
from typing import ClassVar, Literal
from uuid import UUID

from libs.common.envelope import Event


class EnterpriseRegistered(Event, frozen=True, kw_only=True):
    """Older events know nothing of owner, capital and answers: then the questions are open."""

    type: ClassVar[str] = "registration.enterprise_registered.v1"

    registered_on: date
    activities: tuple[str, ...]
    capital: Literal["domestic", "hk_mo_tw", "foreign"] | None = None
    permit_facts: tuple[str, ...] = ()
    permit_facts_denied: tuple[str, ...] = ()
    filed_by: str | None = None


class EnterpriseChanged(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "registration.enterprise_changed.v1"

    changed_on: date
    activities: tuple[str, ...] | None = None
    capital: Literal["domestic", "hk_mo_tw", "foreign"] | None = None


class EnterpriseDeregistered(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "registration.enterprise_deregistered.v1"

    deregistered_on: date


class RegistrationWithdrawn(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "registration.registration_withdrawn.v1"

    withdrawn_on: date


class InspectionCompleted(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "supervision.inspection_completed.v1"

    inspection_id: UUID
    commitment_id: UUID | None
    problem: bool
    completed_on: date


class CorrectionMet(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "supervision.correction_met.v1"

    commitment_id: UUID | None


class CorrectionOverdue(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "supervision.correction_overdue.v1"

    commitment_id: UUID | None
    overdue_on: date


class RestrictionChanged(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "credit.restriction_changed.v1"

    restrictions: tuple[str, ...]
    grounds: tuple[str, ...]
    changed_on: date


CONSUMED = (
    EnterpriseRegistered,
    EnterpriseChanged,
    EnterpriseDeregistered,
    RegistrationWithdrawn,
    InspectionCompleted,
    CorrectionMet,
    CorrectionOverdue,
    RestrictionChanged,
)
