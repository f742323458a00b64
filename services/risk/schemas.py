"""Response bodies of risk."""

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import BaseModel

ClassLetter = Literal["A", "B", "C", "D"]

NOTICE = "Internal use only: no evaluation of the enterprise, no ground for penalty, not to be made public."
"""国市监信发〔2022〕6号: the classification guides supervision and nothing else."""


class ContributionView(BaseModel):
    """What one rule added, the least class it demands, and the events that caused it."""

    rule: str
    points: int
    at_least: ClassLetter | None
    event_ids: list[UUID]


class RiskView(BaseModel):
    """Score and class of one enterprise on the assessment date, with all reasons: the points sum to the score."""

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


class DistributionView(BaseModel):
    """Enterprises by class."""

    classes: dict[ClassLetter, int]
    notice: str = NOTICE
