"""Double notifications to departments."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from services.licensing.domain.states import NotificationState
from services.licensing.views.examples import (
    NOTIFICATION_ID,
    USCC,
)

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
