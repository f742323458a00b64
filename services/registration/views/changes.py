"""The feed of changes as it is answered."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict

CHANGED_EXAMPLE: dict[str, Any] = {
    "id": "0b8f3c7a-11d2-4f0e-8a3e-2f9d6c1b5e77",
    "type": "registration.enterprise_deregistered.v1",
    "time": "2026-01-26T00:00:00Z",
    "subject": "91310106MA0000015B",
    "sequence": 3,
    "case": "c0f0a7e2-53b7-4f0f-8b7e-1d0e6a1f2b33",
    "data": {"procedure": "simplified", "deregistered_on": "2026-01-26"},
}


class ChangedView(BaseModel):
    """One event: `subject` is the identifier of an enterprise or the id of an application, `sequence` counts what was
    said of it, `case` is what started it. `data` is as `contracts/schemas` has it for the type."""

    id: UUID
    type: str
    time: datetime
    subject: str
    sequence: int
    case: str
    data: dict[str, Any]

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        return cls(
            id=row["event_id"],
            type=row["type"],
            time=row["time"],
            subject=row["subject"],
            sequence=row["sequence"],
            case=row["correlation_id"],
            data=json.loads(row["data"]),
        )


class ChangesView(BaseModel):
    """What has changed, in the order of each subject. `next` is always there. `more`: ask again at once."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"items": [CHANGED_EXAMPLE], "next": "WzQxXQ", "more": False}]}
    )

    items: list[ChangedView]
    next: str
    more: bool
