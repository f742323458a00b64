"""Permits, filings, the applications for them, and the certificate."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from services.licensing.domain.catalogue import Mode
from services.licensing.domain.states import ApplicationStatus
from services.licensing.use_cases import Way
from services.licensing.views.examples import (
    APPLICATION_ID,
    COMMITMENT_ID,
    DIGEST,
    PERMIT_ID,
    REQUIREMENT,
    USCC,
)

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
