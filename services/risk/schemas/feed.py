"""Response bodies of the feed of class changes and of the history of one enterprise."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Self

from pydantic import BaseModel, ConfigDict

from services.risk.domain import RiskClass
from services.risk.schemas.enterprises import NOTICE, ClassLetter

CHANGE: dict[str, Any] = {
    "position": 41, "uscc": "91310106MA0000015B", "at": "2026-01-05T02:00:00Z", "assessed_on": "2026-01-05",
    "before": None, "risk_class": "B", "score": 62, "reasons": ["industry_risk", "newly_registered"],
    "scorecard_digest": "7e377a5d2c72c09cebe5c44d0232b04fe47cdd1fbccad481fde4db6d7f812323",
}  # fmt: skip
STREAM_EXAMPLE = """event: notice
data: {"notice": "Internal use only"}

id: WzQxXQ
event: class_changed
data: {"position": 41, "uscc": "91310106MA0000015B", "before": null, "risk_class": "B", "score": 62}

: still here
"""


class ClassChangeView(BaseModel):
    """A class as it was announced: when, for which assessment date, by which scorecard, and the rules that counted.
    `before` is null the first time."""

    position: int
    uscc: str
    at: datetime
    assessed_on: date
    before: ClassLetter | None
    risk_class: ClassLetter
    score: int
    reasons: list[str]
    scorecard_digest: str

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        before = None if row["before"] is None else RiskClass(row["before"]).name
        given = {name: row[name] for name in ("position", "uscc", "at", "assessed_on", "score", "scorecard_digest")}
        return cls(**given, before=before, risk_class=RiskClass(row["after"]).name, reasons=list(row["reasons"]))


class HistoryView(BaseModel):
    """What was announced, the newest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [CHANGE], "next": None, "notice": NOTICE}]})

    items: list[ClassChangeView]
    next: str | None
    notice: str = NOTICE


class ChangesView(BaseModel):
    """What was announced, in order of each enterprise. `next` is always there: what comes later is asked for by it."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [CHANGE], "next": "WzQxXQ", "notice": NOTICE}]})

    items: list[ClassChangeView]
    next: str
    notice: str = NOTICE
