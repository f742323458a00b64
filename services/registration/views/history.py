"""The history of enterprises as it is answered."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from services.registration.domain.history import Because
from services.registration.domain.standing import Standing
from services.registration.domain.structure import Capital

HELD_EXAMPLE: dict[str, Any] = {
    "name": "上海青禾餐饮有限公司",
    "enterprise_type": "limited_company",
    "registered_capital": "5000000.00",
    "capital_currency": "CNY",
    "capital": "foreign",
    "activities": ["6210", "5432"],
    "area": "310106012",
    "legal_representative_nationality": "DE",
    "status": "registered",
}
SPAN_EXAMPLE: dict[str, Any] = {
    "number": 1,
    "valid_from": "2026-01-05",
    "valid_to": None,
    "recorded_at": "2026-01-05T02:30:00Z",
    "superseded_at": "2026-03-02T01:00:00Z",
    "because": "registered",
    "cause": "6105cc38-1855-416d-a878-494a36227cef",
    "reason": None,
    "held": HELD_EXAMPLE,
}


class HeldView(BaseModel):
    """What the register holds of an enterprise."""

    name: str
    enterprise_type: str
    registered_capital: Decimal
    capital_currency: str
    capital: Capital | None
    activities: list[str]
    area: str
    legal_representative_nationality: str
    status: Standing


class SpanView(BaseModel):
    """`held` from `valid_from` to the day before `valid_to`, as was believed from `recorded_at` to `superseded_at`;
    `cause`: the application, change, deregistration, case or correction that it comes from."""

    model_config = ConfigDict(json_schema_extra={"examples": [SPAN_EXAMPLE]})

    number: int
    valid_from: date
    valid_to: date | None
    recorded_at: datetime
    superseded_at: datetime | None
    because: Because
    cause: UUID
    reason: str | None
    held: HeldView

    @classmethod
    def of(cls, row: Mapping[str, Any], *, to_staff: bool) -> Self:
        """From a row whose JSON columns are read."""
        own = {name: row[name] for name in row if name not in ("content", "reason")}
        return cls(**own, reason=row.get("reason") if to_staff else None, held=HeldView(**row["content"]))


class HistoryView(BaseModel):
    """Spans in the order in which they were recorded; `next` is the cursor of the page after this one."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [SPAN_EXAMPLE], "next": None}]})

    items: list[SpanView]
    next: str | None


class HistoryCorrectionView(BaseModel):
    """A correction that is entered."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "2b7e1c5a-6f3d-4b8e-9a10-c4d2e8f70b31", "uscc": "91310106MA0000015B",
                    "valid_from": "2026-01-05", "valid_to": "2026-02-01",
                }
            ]
        }
    )  # fmt: skip

    id: UUID
    uscc: str
    valid_from: date
    valid_to: date
