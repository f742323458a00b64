"""Bodies of warnings."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel

from services.risk.policy import WarningKind, WarningRule
from services.risk.schemas.enterprises import NOTICE
from services.risk.schemas.fields import Words, asked, shown

State = Literal["open", "acknowledged", "closed"]
Outcome = Literal["handled", "no_cause", "referred"]

WARNING_ID = "2f6f0f7e-4a7b-4b8e-9f7e-0d7a52a6a0f1"
WARNING: dict[str, Any] = {
    "id": WARNING_ID, "kind": "address_cluster", "zh": "同一住所聚集登记", "en": "Many enterprises at one address",
    "object": "0b3c7a1e-8d0e-4a4b-9f52-6d3f1f0c9d21", "uscc": None, "value": 6, "threshold": 5, "window_days": 365,
    "enterprises": ["91310106MA0000015B"], "raised_on": "2026-01-05", "raised_at": "2026-01-05T02:00:00Z",
    "state": "open", "acknowledged_by": None, "acknowledged_at": None, "outcome": None, "note": None,
    "closed_by": None, "closed_at": None, "version": 1,
}  # fmt: skip


class ClosingForm(BaseModel):
    """How it was dealt with: handled, no cause for anything, or referred to somebody else."""

    model_config = asked({"outcome": "no_cause", "note": "集中登记点，已核实。"})

    outcome: Outcome
    note: Words | None = None


class WarningView(BaseModel):
    """What people should look at: `value` has reached `threshold` within `window_days`, points for a sudden rise and
    enterprises otherwise, of which up to 20 are named. `object`: a USCC, an address, an account, or a department and a
    division of industry."""

    model_config = shown({**WARNING, "notice": NOTICE})

    id: UUID
    kind: WarningKind
    zh: str
    en: str
    object: str
    uscc: str | None
    value: int
    threshold: int
    window_days: int
    enterprises: list[str]
    raised_on: date
    raised_at: datetime
    state: State
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    outcome: Outcome | None
    note: str | None
    closed_by: str | None
    closed_at: datetime | None
    version: int
    notice: str = NOTICE

    @classmethod
    def of(cls, row: Mapping[str, Any], rules: Mapping[WarningKind, WarningRule]) -> Self:
        rule = rules[row["kind"]]
        return cls(**row, zh=rule.zh, en=rule.en)


class WarningPage(BaseModel):
    """A page of warnings, the newest first."""

    model_config = shown({"items": [{**WARNING, "notice": NOTICE}], "next": None, "notice": NOTICE})

    items: list[WarningView]
    next: str | None
    notice: str = NOTICE
