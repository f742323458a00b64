"""What the lobby reads of the others' events: what a sentence of the timeline needs, and whose case it is."""

from datetime import date
from typing import ClassVar
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from libs.common.envelope import Event


class SignaturesRequested(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "registration.signatures_requested.v1"

    filed_by: str
    due_on: date


class ApplicationSubmitted(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "registration.application_submitted.v1"

    filed_by: str
    status: str
    round: int
    uscc: str | None


class CorrectionsRequested(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "registration.corrections_requested.v1"

    due_on: date


class ApplicationDecided(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "registration.application_decided.v1"

    outcome: str
    decided_by: str
    uscc: str | None


class EnterpriseRegistered(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "registration.enterprise_registered.v1"

    application_id: UUID
    filed_by: str | UnsetType = UNSET


class EnterpriseTakenOver(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "registration.enterprise_taken_over.v1"

    registered_on: date


class EnterpriseChanged(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "registration.enterprise_changed.v1"

    changed: tuple[str, ...]


class InformationReportFiled(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "registration.information_report_filed.v1"

    kind: str
    year: int | None


class InformationReportOverdue(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "registration.information_report_overdue.v1"

    kind: str
    year: int | None
    missed: str
    order_until: date | None


class FalseRegistrationNoticed(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "registration.false_registration_noticed.v1"

    notice_until: date


class RegistrationWithdrawn(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "registration.registration_withdrawn.v1"

    case_id: UUID


class MattersHandedOver(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "registration.matters_handed_over.v1"

    matters: tuple[str, ...]


class MatterSettled(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "registration.matter_settled.v1"

    matter: str
    outcome: str


class DeregistrationRequested(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "registration.deregistration_requested.v1"

    procedure: str
    notice_until: date | None


class DeregistrationRefused(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "registration.deregistration_refused.v1"

    refused_by: str


class EnterpriseDeregistered(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "registration.enterprise_deregistered.v1"

    procedure: str


class ScopeItemSuspended(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "registration.scope_item_suspended.v1"

    activities: tuple[str, ...]
    permit_item: str


class Requirement(msgspec.Struct, frozen=True, kw_only=True):
    item_id: str


class PermitRequirementsDetermined(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "licensing.permit_requirements_determined.v1"

    requirements: tuple[Requirement, ...]


class DepartmentNotified(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "licensing.department_notified.v1"

    item_id: str
    department: str
    claim_by: date


class NotificationClaimed(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "licensing.notification_claimed.v1"

    item_id: str
    department: str


class NotificationReturned(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "licensing.notification_returned.v1"

    item_id: str
    department: str


class NotificationOverdue(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "licensing.notification_overdue.v1"

    item_id: str
    department: str


class PermitGranted(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "licensing.permit_granted.v1"

    permit_id: UUID
    item_id: str
    department: str
    mode: str


class PermitRefused(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "licensing.permit_refused.v1"

    item_id: str
    department: str


class PermitRevoked(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "licensing.permit_revoked.v1"

    permit_id: UUID
    item_id: str
    department: str
    reason: str


class CommitmentGiven(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "licensing.commitment_given.v1"

    item_id: str
    department: str
    check_by: date


class CommitmentUnkept(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "licensing.commitment_unkept.v1"

    item_id: str


class FilingRecorded(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "licensing.filing_recorded.v1"

    item_id: str
    department: str


class ResultCode(msgspec.Struct, frozen=True, kw_only=True):
    code_set: str
    code: str


class DrawMade(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "supervision.draw_made.v1"

    draw_id: UUID
    objects: int


class InspectionAssigned(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "supervision.inspection_assigned.v1"

    code: str


class InspectionCompleted(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "supervision.inspection_completed.v1"

    codes: tuple[ResultCode, ...]
    problem: bool


class ResultPublished(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "supervision.result_published.v1"

    codes: tuple[ResultCode, ...]


class CorrectionOrdered(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "supervision.correction_ordered.v1"

    due_on: date


class CorrectionMet(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "supervision.correction_met.v1"


class CorrectionOverdue(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "supervision.correction_overdue.v1"


class RecordAccepted(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "credit.record_accepted.v1"

    kind: str
    ground: str | None
    origin: str


class RecordRejected(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "credit.record_rejected.v1"

    reason: str


class RecordErased(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "credit.record_erased.v1"


class SubjectListed(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "credit.subject_listed.v1"

    list: str
    ground: str


class SubjectDelisted(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "credit.subject_delisted.v1"

    list: str
    reason: str


class RepairApplied(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "credit.repair_applied.v1"

    decide_by: date


class RepairDecided(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "credit.repair_decided.v1"

    granted: bool


class RestrictionChanged(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "credit.restriction_changed.v1"

    restrictions: tuple[str, ...]


class ClassChanged(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "risk.class_changed.v1"

    risk_class: str
    before: str | None
    score: int
    assessed_on: date
    scorecard: str


class RelatedPartySignalled(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "risk.related_party_signalled.v1"

    indicator: str
    record: str
    value: int
    since: date


OF_APPLICATIONS = (SignaturesRequested, ApplicationSubmitted, CorrectionsRequested, ApplicationDecided)
"""Their subject is an application."""
OF_ENTERPRISES = (
    EnterpriseRegistered, EnterpriseTakenOver, EnterpriseChanged, InformationReportFiled, InformationReportOverdue,
    FalseRegistrationNoticed, RegistrationWithdrawn, MattersHandedOver, MatterSettled, DeregistrationRequested,
    DeregistrationRefused, EnterpriseDeregistered, ScopeItemSuspended, PermitRequirementsDetermined, DepartmentNotified,
    NotificationClaimed,
    NotificationReturned, NotificationOverdue, PermitGranted, PermitRefused, PermitRevoked, CommitmentGiven,
    CommitmentUnkept, FilingRecorded, InspectionAssigned, InspectionCompleted, ResultPublished, CorrectionOrdered,
    CorrectionMet, CorrectionOverdue, RecordAccepted, RecordErased, SubjectListed, SubjectDelisted, RepairApplied,
    RepairDecided, RestrictionChanged,
)  # fmt: skip
"""Their subject is a USCC."""
OF_NOBODY = (DrawMade, RecordRejected)
"""Their subject is a task, or a record of the city's that no enterprise is known for."""
INTERNAL = (ClassChanged, RelatedPartySignalled)
"""Said of an enterprise to those who supervise alone."""
CONSUMED = (*OF_APPLICATIONS, *OF_ENTERPRISES, *OF_NOBODY, *INTERNAL)
