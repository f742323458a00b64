"""What credit says. Codes, ids, dates, amounts: no names, no personal data, no free text."""

from datetime import date
from typing import ClassVar, Literal
from uuid import UUID

from msgspec import UNSET, UnsetType

from libs.common.envelope import Event

Origin = Literal["city", "supervision", "licensing", "registration", "credit"]
Kind = Literal["penalty", "commitment_breach", "spot_check_result", "information_report", "other"]
CreditList = Literal["abnormal_operation", "serious_illegal_dishonest"]
Restriction = Literal["commitment_mode"]


class RecordAccepted(Event, frozen=True, kw_only=True):
    """A credit record stands, with where it came from. `flagged`: taken over with a doubt that a person looks at.

    The city reads this too: `origin_id` and `origin_version` name the record of its own that is answered.
    """

    type: ClassVar[str] = "credit.record_accepted.v1"
    subject_kind: ClassVar[str] = "uscc"

    record_id: UUID
    kind: Kind
    ground: str | None
    origin: Origin
    origin_id: str
    origin_version: int | UnsetType = UNSET
    flagged: bool
    effective_on: date


class RecordRejected(Event, frozen=True, kw_only=True):
    """A record from the city was not taken. The subject is the id that the city gave it (or a place on the topic)."""

    type: ClassVar[str] = "credit.record_rejected.v1"
    subject_kind: ClassVar[str] = "city record"

    reason: str
    field: str | None
    origin_version: int | UnsetType = UNSET
    rejected_on: date


class RecordErased(Event, frozen=True, kw_only=True):
    """A record is withdrawn as if it had never been (annulled, or an objection was right)."""

    type: ClassVar[str] = "credit.record_erased.v1"
    subject_kind: ClassVar[str] = "uscc"

    record_id: UUID
    erased_on: date


class SubjectListed(Event, frozen=True, kw_only=True):
    """An officer has put the enterprise on a list, on a ground of credit_grounds.csv."""

    type: ClassVar[str] = "credit.subject_listed.v1"
    subject_kind: ClassVar[str] = "uscc"

    listing_id: UUID
    list: CreditList
    ground: str
    listed_on: date


class SubjectDelisted(Event, frozen=True, kw_only=True):
    """The listing has ended; its history stays."""

    type: ClassVar[str] = "credit.subject_delisted.v1"
    subject_kind: ClassVar[str] = "uscc"

    listing_id: UUID
    list: CreditList
    reason: Literal["ground_cured", "repaired", "term_ended", "objection_upheld"]
    delisted_on: date


class RepairApplied(Event, frozen=True, kw_only=True):
    """The enterprise asks for repair (信用修复) of a record or a listing (`target`: its id)."""

    type: ClassVar[str] = "credit.repair_applied.v1"
    subject_kind: ClassVar[str] = "uscc"

    repair_id: UUID
    target: UUID
    applied_on: date
    decide_by: date


class RepairDecided(Event, frozen=True, kw_only=True):
    """Repair is granted or refused. Granted: the record counts no more, the listing ends by an event of its own."""

    type: ClassVar[str] = "credit.repair_decided.v1"
    subject_kind: ClassVar[str] = "uscc"

    repair_id: UUID
    target: UUID
    target_kind: Literal["record", "listing"]
    record_kind: Kind | None
    granted: bool
    decided_on: date


class RestrictionChanged(Event, frozen=True, kw_only=True):
    """The restrictions that law attaches to the standing records and listings are now these (all of them)."""

    type: ClassVar[str] = "credit.restriction_changed.v1"
    subject_kind: ClassVar[str] = "uscc"

    restrictions: tuple[Restriction, ...]
    grounds: tuple[str, ...]
    changed_on: date


PUBLISHED = (
    RecordAccepted,
    RecordRejected,
    RecordErased,
    SubjectListed,
    SubjectDelisted,
    RepairApplied,
    RepairDecided,
    RestrictionChanged,
)
