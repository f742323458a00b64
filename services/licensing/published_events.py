"""What licensing says. Codes, ids, dates: no names, no personal data. The subject is the enterprise (its USCC)."""

from datetime import date
from typing import ClassVar, Literal
from uuid import UUID

import msgspec

from libs.common.envelope import Event

Mode = Literal[
    "direct_cancellation", "approval_to_filing", "notification_commitment", "optimised_access", "none", "unknown"
]


class Requirement(msgspec.Struct, frozen=True, kw_only=True):
    """One matter the activities call for. `due`: "yes"; "conditional" while a question is unanswered; "no" for a
    cancelled item, for which no permit may be demanded."""

    item_id: str
    part: int
    status: Literal["permit", "filing", "cancelled"]
    mode: Mode
    department: str
    due: Literal["yes", "conditional", "no"]


class PermitRequirementsDetermined(Event, frozen=True, kw_only=True):
    """Which permits and filings the enterprise needs, by the catalogue of the day."""

    type: ClassVar[str] = "licensing.permit_requirements_determined.v1"
    subject_kind: ClassVar[str] = "uscc"

    determined_on: date
    policy_digest: str
    requirements: tuple[Requirement, ...]


class DepartmentNotified(Event, frozen=True, kw_only=True):
    """Double notification (双告知): a department was sent the registration record, to claim it by `claim_by`."""

    type: ClassVar[str] = "licensing.department_notified.v1"
    subject_kind: ClassVar[str] = "uscc"

    notification_id: UUID
    item_id: str
    department: str
    notified_on: date
    claim_by: date


class NotificationClaimed(Event, frozen=True, kw_only=True):
    """The department has taken the notification as its own."""

    type: ClassVar[str] = "licensing.notification_claimed.v1"
    subject_kind: ClassVar[str] = "uscc"

    notification_id: UUID
    item_id: str
    department: str
    claimed_on: date


class NotificationReturned(Event, frozen=True, kw_only=True):
    """The department says that the matter is not its own; it goes to `sent_to`, or to a person where that is null."""

    type: ClassVar[str] = "licensing.notification_returned.v1"
    subject_kind: ClassVar[str] = "uscc"

    notification_id: UUID
    item_id: str
    department: str
    sent_to: str | None
    returned_on: date


class NotificationOverdue(Event, frozen=True, kw_only=True):
    """Nobody has claimed or returned the notification in time."""

    type: ClassVar[str] = "licensing.notification_overdue.v1"
    subject_kind: ClassVar[str] = "uscc"

    notification_id: UUID
    item_id: str
    department: str
    overdue_on: date


class PermitGranted(Event, frozen=True, kw_only=True):
    """A permit is granted, on application or at once by commitment (`mode`)."""

    type: ClassVar[str] = "licensing.permit_granted.v1"
    subject_kind: ClassVar[str] = "uscc"

    permit_id: UUID
    item_id: str
    department: str
    mode: Mode
    granted_on: date


class PermitRefused(Event, frozen=True, kw_only=True):
    """An application for a permit is refused; the reason stays with licensing."""

    type: ClassVar[str] = "licensing.permit_refused.v1"
    subject_kind: ClassVar[str] = "uscc"

    application_id: UUID
    item_id: str
    department: str
    refused_on: date


class PermitRevoked(Event, frozen=True, kw_only=True):
    """A permit is revoked. `activities`: the registered classes (GB/T 4754) that it covered."""

    type: ClassVar[str] = "licensing.permit_revoked.v1"
    subject_kind: ClassVar[str] = "uscc"

    permit_id: UUID
    item_id: str
    department: str
    activities: tuple[str, ...]
    reason: Literal["commitment_unkept", "commitment_false", "enterprise_deregistered"]
    revoked_on: date


class CommitmentGiven(Event, frozen=True, kw_only=True):
    """A written commitment was taken for a permit; its facts are to be checked by `check_by`."""

    type: ClassVar[str] = "licensing.commitment_given.v1"
    subject_kind: ClassVar[str] = "uscc"

    commitment_id: UUID
    permit_id: UUID
    item_id: str
    department: str
    given_on: date
    check_by: date


class CommitmentUnkept(Event, frozen=True, kw_only=True):
    """A check has found the commitment unkept (ground CB1); correction is ordered, then revocation."""

    type: ClassVar[str] = "licensing.commitment_unkept.v1"
    subject_kind: ClassVar[str] = "uscc"

    commitment_id: UUID
    permit_id: UUID
    item_id: str
    inspection_id: UUID
    found_on: date


class FilingRecorded(Event, frozen=True, kw_only=True):
    """A filing (备案) is recorded; it is no permission and refuses nothing."""

    type: ClassVar[str] = "licensing.filing_recorded.v1"
    subject_kind: ClassVar[str] = "uscc"

    filing_id: UUID
    item_id: str
    department: str
    recorded_on: date


PUBLISHED = (
    PermitRequirementsDetermined,
    DepartmentNotified,
    NotificationClaimed,
    NotificationReturned,
    NotificationOverdue,
    PermitGranted,
    PermitRefused,
    PermitRevoked,
    CommitmentGiven,
    CommitmentUnkept,
    FilingRecorded,
)
