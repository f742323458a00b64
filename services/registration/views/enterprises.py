"""Enterprises as they are answered."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from services.registration.domain.standing import Procedure, Standing
from services.registration.domain.structure import Capital
from services.registration.views.applications import JUDGED_EXAMPLE
from services.registration.views.decisions import DecisionView, RestrictedView
from services.registration.views.history import SpanView


class ChangeJudgedView(BaseModel):
    """The answer to a change: it takes effect where its outcome is `accepted`."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{name: JUDGED_EXAMPLE[name] for name in ("id", "uscc", "decision", "version")}]}
    )

    id: UUID
    uscc: str
    decision: DecisionView
    version: int


ENTERPRISE_EXAMPLE: dict[str, Any] = {
    "uscc": "91310106MA0000015B",
    "application_id": "6105cc38-1855-416d-a878-494a36227cef",
    "status": "registered",
    "registered_on": "2026-01-05",
    "deregistered_on": None,
    "withdrawn_on": None,
    "name": "上海青禾餐饮有限公司",
    "enterprise_type": "limited_company",
    "registered_capital": "5000000.00",
    "capital_currency": "CNY",
    "capital": "foreign",
    "activities": ["6210", "5432"],
    "area": "310106012",
    "suspended": [
        {
            "permit_id": "0b8f3c7a-11d2-4f0e-8a3e-2f9d6c1b5e77",
            "permit_item": "food_business",
            "activities": ["6210"],
            "suspended_on": "2026-04-20",
        }
    ],
    "deregistration": None,
    "version": 1,
    "flags": [],
    "restricted": None,
}


class SuspendedView(BaseModel):
    """Activities that may not be carried on: the permit that they need was revoked."""

    permit_id: UUID
    permit_item: str
    activities: list[str]
    suspended_on: date


class UnderwayView(BaseModel):
    """A deregistration that is under way; a simplified one is under public notice until the day named."""

    procedure: Procedure
    notice_until: date | None
    version: int


class EnterpriseView(BaseModel):
    """An enterprise as the register has it; `version` counts its changes. `application_id`: none where it came from
    an older register; `flags` (what a person has to look at then) and `restricted` are shown to staff alone.
    `held`: what was asked for of another day or moment."""

    model_config = ConfigDict(json_schema_extra={"examples": [ENTERPRISE_EXAMPLE]})

    uscc: str
    application_id: UUID | None
    status: Standing
    registered_on: date
    deregistered_on: date | None
    withdrawn_on: date | None
    name: str
    enterprise_type: str
    registered_capital: Decimal
    capital_currency: str
    capital: Capital | None
    activities: list[str]
    area: str
    suspended: list[SuspendedView]
    deregistration: UnderwayView | None
    version: int
    flags: list[str]
    restricted: RestrictedView | None
    held: SpanView | None = None

    @classmethod
    def of(cls, row: Mapping[str, Any], *, to_staff: bool, held: SpanView | None = None) -> Self:
        """From a row whose JSON columns are read."""
        own = {name: row[name] for name in cls.model_fields if name in row and name not in ("flags", "restricted")}
        underway = row["procedure"] and UnderwayView(
            procedure=row["procedure"], notice_until=row["notice_until"], version=row["deregistration_version"]
        )
        return cls(
            **own,
            status=standing(row),
            deregistration=underway,
            flags=row["flags"] if to_staff else [],
            held=held,
            restricted=RestrictedView(**row["restricted"]) if to_staff and row["restricted"] else None,
        )


def standing(row: Mapping[str, Any]) -> Standing:
    """Whether the enterprise is on the register, about to leave it, or gone."""
    if row["withdrawn_on"] is not None:
        return "withdrawn"
    if row["deregistered_on"] is not None:
        return "deregistered"
    return "deregistration_filed" if row.get("procedure") else "registered"


ENTERPRISE_ITEM_EXAMPLE: dict[str, Any] = {
    "uscc": "91310106MA0000015B",
    "name": "上海青禾餐饮有限公司",
    "registered_on": "2026-01-05",
    "deregistered_on": None,
    "area": "310106012",
    "version": 1,
}


class EnterpriseItem(BaseModel):
    """An enterprise in a list."""

    uscc: str
    name: str
    registered_on: date
    deregistered_on: date | None
    area: str
    version: int


class EnterpriseList(BaseModel):
    """Enterprises by identifier; `next` is the cursor of the page after this one."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [ENTERPRISE_ITEM_EXAMPLE], "next": None}]})

    items: list[EnterpriseItem]
    next: str | None


class EnterpriseName(BaseModel):
    """What an enterprise is called."""

    uscc: str
    name: str


NAMES_EXAMPLE: dict[str, Any] = {"items": [{"uscc": "91310106MA0000015B", "name": "上海青禾餐饮有限公司"}]}


class EnterpriseNames(BaseModel):
    """The names of those that were asked for and are in the register, by identifier."""

    model_config = ConfigDict(json_schema_extra={"examples": [NAMES_EXAMPLE]})

    items: list[EnterpriseName]


DEREGISTRATION_EXAMPLE: dict[str, Any] = {
    "id": "c0f0a7e2-53b7-4f0f-8b7e-1d0e6a1f2b33",
    "uscc": "91310106MA0000015B",
    "procedure": "simplified",
    "notice_until": "2026-01-25",
    "outcome": None,
    "version": 1,
}


class DeregistrationView(BaseModel):
    """A request to leave the register; `outcome` is null while it is under way."""

    model_config = ConfigDict(json_schema_extra={"examples": [DEREGISTRATION_EXAMPLE]})

    id: UUID
    uscc: str
    procedure: Procedure
    notice_until: date | None
    outcome: Literal["deregister", "refuse"] | None
    version: int


ENDED_EXAMPLE: dict[str, Any] = {
    **DEREGISTRATION_EXAMPLE,
    "outcome": "refuse",
    "version": 2,
    "requested_at": "2026-01-05T02:30:00Z",
    "ended_by": "objection",
    "ended_on": "2026-01-20",
    "words": "尚欠货款未清。",
    "who": None,
}


class DeregistrationItem(DeregistrationView):
    """A request to leave the register and how it ended: by an officer, an objection, or the time of its notice.

    `words`: the officer's reason or what was objected. `who` decided or objected is shown to staff alone.
    """

    requested_at: datetime
    ended_by: Literal["officer", "objection", "time"] | None
    ended_on: date | None
    words: str | None
    who: str | None

    @classmethod
    def of(cls, row: Mapping[str, Any], *, to_staff: bool) -> Self:
        """From a row whose JSON column is read."""
        ended = row["decided"] or {}
        return cls(
            **{name: row[name] for name in cls.model_fields if name in row},
            outcome=ended.get("outcome"),
            ended_by=ended.get("by"),
            ended_on=ended.get("on"),
            words=ended.get("reason") or ended.get("words"),
            who=(ended.get("officer") or ended.get("objector")) if to_staff else None,
        )


class DeregistrationList(BaseModel):
    """What was asked for, the latest first; 200 at most."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [ENDED_EXAMPLE]}]})

    items: list[DeregistrationItem]


LICENCE_EXAMPLE: dict[str, Any] = {
    "uscc": "91310106MA0000015B",
    "in_force": True,
    "document": {
        "uscc": "91310106MA0000015B",
        "name": "上海青禾餐饮有限公司",
        "enterprise_type": "limited_company",
        "registered_capital": "5000000.00",
        "capital_currency": "CNY",
        "activities": ["6210", "5432"],
        "suspended_activities": [],
        "area": "310106012",
        "registered_on": "2026-01-05",
        "status": "registered",
        "deregistered_on": None,
        "version": 1,
        "issued_at": "2026-01-05T02:30:00+00:00",
    },
    "jws": "eyJhbGciOiJFZERTQSJ9.eyJ1c2NjIjoiOTEzMTAxMDZNQTAwMDAwMTVCIn0.c2lnbmVk",
}


class LicenceView(BaseModel):
    """The electronic business licence: a signed document (compact JWS), readable in `document` for people."""

    model_config = ConfigDict(json_schema_extra={"examples": [LICENCE_EXAMPLE]})

    uscc: str
    in_force: bool
    document: dict[str, Any]
    jws: str


def licence(row: Mapping[str, Any], issued_at: datetime) -> dict[str, Any]:
    """The fields of the licence as the register has them at this moment."""
    return {
        "uscc": row["uscc"],
        "name": row["name"],
        "enterprise_type": row["enterprise_type"],
        "registered_capital": f"{row['registered_capital']:f}",
        "capital_currency": row["capital_currency"],
        "activities": list(row["activities"]),
        "suspended_activities": sorted({code for one in row["suspended"] for code in one["activities"]}),
        "area": row["area"],
        "registered_on": row["registered_on"].isoformat(),
        "status": standing(row),
        "deregistered_on": row["deregistered_on"].isoformat() if row["deregistered_on"] else None,
        "version": row["version"],
        "issued_at": issued_at.isoformat(),
    }
