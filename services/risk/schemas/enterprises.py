"""Response bodies about one enterprise."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from services.risk.domain import Contribution, SectorAssessment
from services.risk.published_events import LETTERS

ClassLetter = Literal["A", "B", "C", "D"]

NOTICE = "Internal use only: no evaluation of the enterprise, no ground for penalty, not to be made public."
"""国市监信发〔2022〕6号: the classification guides supervision and nothing else."""

_EVENT = "6b8068a8-eda0-4fb0-ab52-1ee405a275a6"
RISK_EXAMPLE: dict[str, Any] = {
    "uscc": "91310106MA0000015B",
    "score": 62,
    "risk_class": "B",
    "general_class": "B",
    "assessed_on": "2026-01-05",
    "known_at": None,
    "next_step_on": "2027-01-05",
    "scorecard": "district-2026-1",
    "scorecard_digest": "7e377a5d2c72c09cebe5c44d0232b04fe47cdd1fbccad481fde4db6d7f812323",
    "contributions": [
        {"rule": "industry_risk", "points": 20, "at_least": None, "event_ids": [_EVENT]},
        {"rule": "newly_registered", "points": 30, "at_least": None, "event_ids": [_EVENT]},
        {"rule": "registered_capital", "points": 12, "at_least": None, "event_ids": [_EVENT]},
    ],
    "sectors": [],
    "missing": ["penalties_3y", "unreachable"],
    "override": None,
    "notice": NOTICE,
}


class ContributionView(BaseModel):
    """What one rule added, the least class it demands, and the events that caused it."""

    rule: str
    points: int
    at_least: ClassLetter | None
    event_ids: list[UUID]

    @classmethod
    def of(cls, part: Contribution) -> Self:
        at_least = None if part.at_least is None else part.at_least.name
        return cls(rule=part.rule, points=part.points, at_least=at_least, event_ids=list(part.event_ids))


class SectorView(BaseModel):
    """What a sector's own rules make of an enterprise of that sector; it can only raise the class."""

    sector: str
    score: int
    risk_class: ClassLetter
    contributions: list[ContributionView]

    @classmethod
    def of(cls, part: SectorAssessment) -> Self:
        return cls(
            sector=part.sector, score=part.score, risk_class=part.risk_class.name,
            contributions=[ContributionView.of(one) for one in part.contributions],
        )  # fmt: skip


class OverrideBeside(BaseModel):
    """A class that two people have set beside the computed one, until the day on which it ends."""

    id: UUID
    risk_class: ClassLetter
    reason: str
    entered_by: str
    signed_by: str
    signed_at: datetime
    expires_on: date

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        letter = LETTERS[row["risk_class"]]
        return cls(**{name: row[name] for name in cls.model_fields if name != "risk_class"}, risk_class=letter)


class RiskView(BaseModel):
    """Score and class of one enterprise on the assessment date, with all reasons: the points of `contributions` sum to
    the score. `risk_class` is the higher of `general_class` and the classes of its sectors; `override` is shown beside
    it and never part of it. `known_at`: what was stated later plays no part; null for all that is known."""

    model_config = ConfigDict(json_schema_extra={"examples": [RISK_EXAMPLE]})

    uscc: str
    score: int
    risk_class: ClassLetter
    general_class: ClassLetter
    assessed_on: date
    known_at: datetime | None
    next_step_on: date | None
    scorecard: str
    scorecard_digest: str
    contributions: list[ContributionView]
    sectors: list[SectorView]
    missing: list[str]
    override: OverrideBeside | None
    notice: str = NOTICE
