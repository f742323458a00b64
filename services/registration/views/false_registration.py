"""Cases on false registrations as they are answered."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict

CASE_EXAMPLE: dict[str, Any] = {
    "id": "5d1c7b0e-9a55-4a0b-8c7e-2f3b1d7e6a10",
    "uscc": "91310106MA0000015B",
    "opened_on": "2026-01-05",
    "notice_until": "2026-02-19",
    "objections": 1,
    "outcome": None,
    "version": 2,
    "reason": None,
    "said": [],
}


class ObjectionView(BaseModel):
    """What somebody has objected."""

    by: str
    on: date
    words: str


class FalseRegistrationView(BaseModel):
    """A case: publicly noticed until `notice_until`, decided once `outcome` is there. `reason` and what was `said` in
    objections are shown to staff alone."""

    model_config = ConfigDict(json_schema_extra={"examples": [CASE_EXAMPLE]})

    id: UUID
    uscc: str
    opened_on: date
    notice_until: date
    objections: int
    outcome: Literal["withdraw", "dismiss"] | None
    version: int
    reason: str | None
    said: list[ObjectionView]

    @classmethod
    def of(cls, row: Mapping[str, Any], *, to_staff: bool) -> Self:
        """From a row whose JSON columns are read."""
        own = {name: row[name] for name in ("id", "uscc", "opened_on", "notice_until", "version")}
        return cls(
            **own,
            objections=len(row["objections"]),
            outcome=row["decided"]["outcome"] if row["decided"] else None,
            reason=row["reason"] if to_staff else None,
            said=[ObjectionView(**one) for one in row["objections"]] if to_staff else [],
        )
