"""Response bodies. A determination is shown as it was kept when it was made, with the marks of its rows."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from libs.common.problems import Language
from services.licensing.domain.catalogue import Capital, Confidence, Mode, Status
from services.licensing.domain.requirements import Due
from services.licensing.domain.states import ApplicationStatus, NotificationState
from services.licensing.use_cases import Way

USCC = "91310106MA0000015B"
DIGEST = "30be888c891894305405533bfa23f9b1b025dec05a604bc1ec78bcbb5ef9021c"
PERMIT_ID = "a52ea1f4-4f2f-5d0e-9d0f-6a2b6c2f9b11"
APPLICATION_ID = "0b6d0f0e-6b1c-4a3b-9d59-6a1c7d9d5f10"
COMMITMENT_ID = "5f0c3f60-6d5b-4c6e-8f86-3b3a1c2d4e5f"
NOTIFICATION_ID = "c2f5d5a8-53f6-5f2b-8a0e-0c9f6b7d8e9a"
REQUIREMENT: dict[str, Any] = {
    "item_id": "P033",
    "part": 2,
    "item": "Fire safety inspection before public venues open",
    "item_zh": "公众聚集场所投入使用、营业前消防安全检查",
    "item_en": "Fire safety inspection before public venues open",
    "status": "permit",
    "mode": "notification_commitment",
    "mode_confidence": "verified",
    "offers_commitment": True,
    "department": "fire_and_rescue",
    "department_name": "fire and rescue",
    "level": "district",
    "days": 0,
    "day_type": "on the spot",
    "days_basis": "not_applicable",
    "valid_from": "2021-04-29",
    "valid_to": None,
    "dates_confidence": "verified",
    "basis": "Fire Law Art 15, 73(3) (commitment or inspection in 10 working days)",
    "source": "github:LawRefBook/Laws (commit 2f4c5c2)",
    "confidence": "verified",
    "note": "after commitment the fire body must check; applicant may instead ask for prior inspection",
    "due": "yes",
    "why": [{"activity": "6210", "trigger": "6210"}],
    "holds": [],
    "questions": [],
    "blocks_start": True,
}
CATALOGUE: dict[str, Any] = {"items": 143, "of": 523}


class Trigger(BaseModel):
    """An activity, and the division, group or class of the row that it matches."""

    activity: str
    trigger: str


class Question(BaseModel):
    """A fact that decides whether the item is due, and the words to ask for it."""

    fact: str
    words: str
    answered_by: Literal["applicant", "investors"]


class RequirementView(BaseModel):
    """One row of the catalogue that applies. `mode_confidence`, `dates_confidence`, `days_basis` and `confidence` say
    how sure the data is; what is not verified has to be shown so. `due` no: cancelled, no permit may be demanded."""

    item_id: str
    part: int
    item: str
    item_zh: str
    item_en: str
    status: Status
    mode: Mode
    mode_confidence: Confidence
    offers_commitment: bool
    department: str
    department_name: str
    level: str
    days: int
    day_type: str | None
    days_basis: str
    valid_from: date | None
    valid_to: date | None
    dates_confidence: str
    basis: str
    source: str
    confidence: Confidence
    note: str | None
    due: Due
    why: list[Trigger]
    holds: list[str]
    questions: list[Question]
    blocks_start: bool

    @classmethod
    def recorded(cls, row: Mapping[str, Any], language: Language) -> Self:
        named = {"item": row[f"item_{language}"], "department_name": row[f"department_{language}"]}
        questions = [
            Question(fact=one["fact"], words=one[language], answered_by=one["answered_by"]) for one in row["questions"]
        ]
        return cls.model_validate({**row, **named, "questions": questions})


class Coverage(BaseModel):
    """How much of the law the catalogue holds: its items, of those that the reform of 2021 counts."""

    items: int
    of: int


class RequirementsView(BaseModel):
    """What the activities call for on a day. `uncovered`: activities of which the catalogue says nothing, which is not
    that nothing is needed."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "items": [REQUIREMENT], "judged_for": "2026-01-05", "policy_digest": DIGEST,
                    "activities": ["6210"], "answers": {"sells_liquor": True}, "capital": "foreign",
                    "uncovered": [], "catalogue": CATALOGUE,
                }
            ]
        }
    )  # fmt: skip

    items: list[RequirementView]
    judged_for: date
    policy_digest: str
    activities: list[str]
    answers: dict[str, bool]
    capital: Capital | None
    uncovered: list[str]
    catalogue: Coverage

    @classmethod
    def of(cls, record: Mapping[str, Any], uncovered: tuple[str, ...], coverage: Coverage, language: Language) -> Self:
        return cls(
            items=[RequirementView.recorded(row, language) for row in record["requirements"]],
            judged_for=date.fromisoformat(record["judged_for"]),
            policy_digest=record["policy_digest"],
            uncovered=list(uncovered),
            catalogue=coverage,
            **record["facts"],
        )


class ReplayedView(BaseModel):
    """A record of a decision, judged again by the law that is loaded now."""

    model_config = ConfigDict(from_attributes=True)

    of: Literal["determination", "application"]
    id: str
    judged_for: date
    recorded_digest: str
    agrees: bool
    same_policy: bool


class ReplayView(BaseModel):
    """All determinations and permit decisions of an enterprise, judged again. `agrees`: every one came out alike."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "agrees": True,
                    "decisions": [
                        {
                            "of": "determination", "id": "1", "judged_for": "2026-01-05", "recorded_digest": DIGEST,
                            "agrees": True, "same_policy": True,
                        }
                    ],
                }
            ]
        }
    )  # fmt: skip

    agrees: bool
    decisions: list[ReplayedView]


PERMIT: dict[str, Any] = {
    "id": PERMIT_ID,
    "item_id": "P033",
    "department": "fire_and_rescue",
    "mode": "notification_commitment",
    "granted_on": "2026-01-05",
    "revoked_on": None,
    "revoked_for": None,
    "commitment_id": COMMITMENT_ID,
    "commitment_state": "given",
    "check_by": "2026-02-02",
}


class PermitView(BaseModel):
    """A permit, with the commitment on which it was granted, if any."""

    id: UUID
    item_id: str
    department: str
    mode: Mode
    granted_on: date
    revoked_on: date | None
    revoked_for: str | None
    commitment_id: UUID | None
    commitment_state: str | None
    check_by: date | None


class Permits(BaseModel):
    """A page of permits, the latest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [PERMIT], "next": None}]})
    items: list[PermitView]
    next: str | None


class FilingView(BaseModel):
    """A filing (备案): no permission, and it refuses nothing."""

    id: UUID
    item_id: str
    department: str
    recorded_on: date


class Filings(BaseModel):
    """A page of filings, the latest first."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "items": [
                        {
                            "id": APPLICATION_ID, "item_id": "P077", "department": "commerce",
                            "recorded_on": "2026-01-05",
                        }
                    ],
                    "next": None,
                }
            ]
        }
    )  # fmt: skip
    items: list[FilingView]
    next: str | None


APPLICATION: dict[str, Any] = {
    "id": APPLICATION_ID,
    "uscc": USCC,
    "item_id": "P033",
    "part": 2,
    "way": "commitment",
    "status": "granted",
    "department": "fire_and_rescue",
    "filed_on": "2026-01-05",
    "decide_by": None,
    "days_basis": None,
    "permit_id": PERMIT_ID,
    "reason": None,
    "decided_on": "2026-01-05",
    "policy_digest": DIGEST,
    "version": 1,
}


class ApplicationView(BaseModel):
    """An application for an item. `decide_by` is the last day in time, `days_basis` what it rests on."""

    model_config = ConfigDict(json_schema_extra={"examples": [APPLICATION]})

    id: UUID
    uscc: str
    item_id: str
    part: int
    way: Way
    status: ApplicationStatus
    department: str
    filed_on: date
    decide_by: date | None
    days_basis: str | None
    permit_id: UUID | None
    reason: str | None
    decided_on: date | None
    policy_digest: str
    version: int

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        decided, record = row["decided"] or {}, row["record"]
        return cls.model_validate(
            {
                **row,
                "reason": decided.get("reason"),
                "decided_on": decided.get("on"),
                "policy_digest": record["policy_digest"],
            }
        )


class Applications(BaseModel):
    """A page of applications, the latest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [APPLICATION], "next": None}]})
    items: list[ApplicationView]
    next: str | None


NOTIFICATION: dict[str, Any] = {
    "id": NOTIFICATION_ID,
    "uscc": USCC,
    "item_id": "P033",
    "department": "fire_and_rescue",
    "catalogue_department": "fire_and_rescue",
    "state": "sent",
    "event_type": 1,
    "dispatch_status": 1,
    "target_type": 1,
    "sent_on": "2026-01-05",
    "claim_by": "2026-01-12",
    "claimed_on": None,
    "overdue_on": None,
    "returns": [],
    "version": 1,
}


class ReturnedView(BaseModel):
    """Once sent back: from which department, to which (none: to a person), why and when."""

    from_department: str
    to: str | None
    reassign_type: int
    reason: str
    on: date


class NotificationView(BaseModel):
    """A double notification. `department` null: not clear whose it is, departments may claim it;
    `catalogue_department` is whom the catalogue names. Codes are those of dual_notification_codes.csv."""

    model_config = ConfigDict(json_schema_extra={"examples": [NOTIFICATION]})

    id: UUID
    uscc: str
    item_id: str
    department: str | None
    catalogue_department: str
    state: NotificationState
    event_type: int
    dispatch_status: int
    target_type: int
    sent_on: date
    claim_by: date
    claimed_on: date | None
    overdue_on: date | None
    returns: list[ReturnedView]
    version: int

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        returns = [{**one, "from_department": one["from"]} for one in row["returns"]]
        return cls.model_validate({**row, "returns": returns})


class Notifications(BaseModel):
    """A page of notifications, those to be claimed first first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [NOTIFICATION], "next": None}]})
    items: list[NotificationView]
    next: str | None


def certificate(row: Mapping[str, Any], item: tuple[str, str], at: datetime) -> dict[str, Any]:
    """What a permit certificate says, as of a business time: to be signed."""
    return {
        "permit_id": str(row["id"]),
        "uscc": row["uscc"],
        "item_id": row["item_id"],
        "item_zh": item[0],
        "item_en": item[1],
        "department": row["department"],
        "mode": row["mode"],
        "granted_on": row["granted_on"].isoformat(),
        "revoked_on": row["revoked_on"].isoformat() if row["revoked_on"] else None,
        "in_force": row["revoked_on"] is None,
        "issued_at": at.isoformat(),
    }


class CertificateView(BaseModel):
    """Is the permit in force today? `jws` is the signed `document`, to be checked offline."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "in_force": True, "issued": "2026-01-05", "revoked_on": None,
                    "item": {"item_id": "P033", "name": REQUIREMENT["item"]}, "uscc": USCC,
                    "department": "fire_and_rescue",
                    "document": {"permit_id": PERMIT_ID, "in_force": True},
                    "jws": "eyJhbGciOiJFZDI1NTE5In0.e30.c2lnbmF0dXJl",
                }
            ]
        }
    )  # fmt: skip

    class Item(BaseModel):
        item_id: str
        name: str

    in_force: bool
    issued: date
    revoked_on: date | None
    item: Item
    uscc: str
    department: str
    document: dict[str, Any]
    jws: str
