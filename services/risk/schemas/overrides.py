"""Bodies of overrides."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel

from libs.common.web.fields import Day
from services.risk.domain import RiskClass
from services.risk.schemas.enterprises import NOTICE, ClassLetter
from services.risk.schemas.fields import Words, asked, shown

OverrideState = Literal["waiting", "in_force", "ended"]

OVERRIDE_ID = "d3b8f0a4-6c55-4e0f-9c37-51d6a5f0a2c1"
REASON = "现场核查确认住所已恢复经营，登记机关尚未更新。"
FORM: dict[str, Any] = {"risk_class": "B", "reason": REASON, "expires_on": "2026-04-01"}
OVERRIDE: dict[str, Any] = {
    "id": OVERRIDE_ID, "uscc": "91310106MA0000015B", **FORM, "state": "in_force",
    "entered_by": "analyst-1", "entered_at": "2026-01-05T02:00:00Z",
    "signed_by": "regulator-1", "signed_at": "2026-01-05T03:00:00Z",
    "ended": None, "ended_by": None, "ended_at": None, "end_reason": None, "version": 2, "notice": NOTICE,
}  # fmt: skip
PAGE: dict[str, Any] = {
    "items": [{name: value for name, value in OVERRIDE.items() if name != "notice"}], "next": None, "notice": NOTICE,
}  # fmt: skip


class OverrideForm(BaseModel):
    """The class that a person sets beside the computed one, why, and the first day on which it holds no longer."""

    model_config = asked(FORM)

    risk_class: ClassLetter
    reason: Words
    expires_on: Day


class WithdrawalForm(BaseModel):
    """Why somebody takes back what he or another has set."""

    model_config = asked({"reason": "情况已消失。"})

    reason: Words


class ListedOverride(BaseModel):
    """An override: `waiting` for its second signature, `in_force`, or `ended` (expired, withdrawn, replaced)."""

    id: UUID
    uscc: str
    risk_class: ClassLetter
    reason: str
    expires_on: date
    state: OverrideState
    entered_by: str
    entered_at: datetime
    signed_by: str | None
    signed_at: datetime | None
    ended: Literal["expired", "withdrawn", "replaced"] | None
    ended_by: str | None
    ended_at: datetime | None
    end_reason: str | None
    version: int

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """From a row of the table."""
        state = "ended" if row["ended"] else "in_force" if row["signed_by"] else "waiting"
        return cls(**{**row, "risk_class": RiskClass(row["risk_class"]).name, "state": state})


class OverrideView(ListedOverride):
    """An override, shown beside the computed class; no score is made from it."""

    model_config = shown(OVERRIDE)

    notice: str = NOTICE


class OverridePage(BaseModel):
    """A page of overrides, the newest first."""

    model_config = shown(PAGE)

    items: list[ListedOverride]
    next: str | None
    notice: str = NOTICE
