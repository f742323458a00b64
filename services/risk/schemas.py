"""Response bodies of risk."""

from datetime import date
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

ClassLetter = Literal["A", "B", "C", "D"]

NOTICE = "Internal use only: no evaluation of the enterprise, no ground for penalty, not to be made public."
"""国市监信发〔2022〕6号: the classification guides supervision and nothing else."""

_EVENT = "6b8068a8-eda0-4fb0-ab52-1ee405a275a6"
RISK_EXAMPLE: dict[str, Any] = {
    "uscc": "91310106MA0000015B",
    "score": 62,
    "risk_class": "B",
    "assessed_on": "2026-01-05",
    "next_step_on": "2027-01-05",
    "scorecard": "district-2026-1",
    "scorecard_digest": "7e377a5d2c72c09cebe5c44d0232b04fe47cdd1fbccad481fde4db6d7f812323",
    "contributions": [
        {"rule": "industry_risk", "points": 20, "at_least": None, "event_ids": [_EVENT]},
        {"rule": "newly_registered", "points": 30, "at_least": None, "event_ids": [_EVENT]},
        {"rule": "registered_capital", "points": 12, "at_least": None, "event_ids": [_EVENT]},
    ],
    "missing": ["penalties_3y", "unreachable"],
    "notice": NOTICE,
}
DISTRIBUTION_EXAMPLE: dict[str, Any] = {"classes": {"A": 40, "B": 211, "C": 17, "D": 2}, "notice": NOTICE}


class ContributionView(BaseModel):
    """What one rule added, the least class it demands, and the events that caused it."""

    rule: str
    points: int
    at_least: ClassLetter | None
    event_ids: list[UUID]


class RiskView(BaseModel):
    """Score and class of one enterprise on the assessment date, with all reasons: the points sum to the score."""

    model_config = ConfigDict(json_schema_extra={"examples": [RISK_EXAMPLE]})

    uscc: str
    score: int
    risk_class: ClassLetter
    assessed_on: date
    next_step_on: date | None
    scorecard: str
    scorecard_digest: str
    contributions: list[ContributionView]
    missing: list[str]
    notice: str = NOTICE


LIST_EXAMPLE: dict[str, Any] = {
    "items": [{"uscc": "91310106MA0000015B", "score": 62, "risk_class": "B", "assessed_on": "2026-01-05"}],
    "next": None,
    "notice": NOTICE,
}


class ListedView(BaseModel):
    """One enterprise of the risk list."""

    uscc: str
    score: int
    risk_class: ClassLetter
    assessed_on: date


class RiskListView(BaseModel):
    """A page of the risk list, by USCC; `next` is the cursor of the page after it."""

    model_config = ConfigDict(json_schema_extra={"examples": [LIST_EXAMPLE]})

    items: list[ListedView]
    next: str | None
    notice: str = NOTICE


class DistributionView(BaseModel):
    """Enterprises by class."""

    model_config = ConfigDict(json_schema_extra={"examples": [DISTRIBUTION_EXAMPLE]})

    classes: dict[ClassLetter, int]
    notice: str = NOTICE
