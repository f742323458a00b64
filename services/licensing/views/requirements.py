"""A determination is shown as it was kept when it was made, with the marks of its rows."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict

from libs.common.problems import Language
from services.licensing.domain.catalogue import Capital, Confidence, Mode, Status
from services.licensing.domain.requirements import Due
from services.licensing.views.examples import (
    CATALOGUE,
    DIGEST,
    REQUIREMENT,
)


class Trigger(BaseModel):
    """An activity, and the division, group or class of the row that it matches."""

    activity: str
    trigger: str


class Question(BaseModel):
    """A fact that decides whether the item is due, and the words to ask for it."""

    fact: str
    words: str
    answered_by: Literal["applicant", "investors"]


class RequirementView(BaseModel):
    """One row of the catalogue that applies. `mode_confidence`, `dates_confidence`, `days_basis` and `confidence` say
    how sure the data is; what is not verified has to be shown so. `due` no: cancelled, no permit may be demanded."""

    item_id: str
    part: int
    item: str
    item_zh: str
    item_en: str
    status: Status
    mode: Mode
    mode_confidence: Confidence
    offers_commitment: bool
    department: str
    department_name: str
    level: str
    days: int
    day_type: str | None
    days_basis: str
    valid_from: date | None
    valid_to: date | None
    dates_confidence: str
    basis: str
    source: str
    confidence: Confidence
    note: str | None
    due: Due
    why: list[Trigger]
    holds: list[str]
    questions: list[Question]
    blocks_start: bool

    @classmethod
    def recorded(cls, row: Mapping[str, Any], language: Language) -> Self:
        named = {"item": row[f"item_{language}"], "department_name": row[f"department_{language}"]}
        questions = [
            Question(fact=one["fact"], words=one[language], answered_by=one["answered_by"]) for one in row["questions"]
        ]
        return cls.model_validate({**row, **named, "questions": questions})


class Coverage(BaseModel):
    """How much of the law the catalogue holds: its items, of those that the reform of 2021 counts."""

    items: int
    of: int


class RequirementsView(BaseModel):
    """What the activities call for on a day. `uncovered`: activities of which the catalogue says nothing, which is not
    that nothing is needed."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "items": [REQUIREMENT], "judged_for": "2026-01-05", "policy_digest": DIGEST,
                    "activities": ["6210"], "answers": {"sells_liquor": True}, "capital": "foreign",
                    "uncovered": [], "catalogue": CATALOGUE,
                }
            ]
        }
    )  # fmt: skip

    items: list[RequirementView]
    judged_for: date
    policy_digest: str
    activities: list[str]
    answers: dict[str, bool]
    capital: Capital | None
    uncovered: list[str]
    catalogue: Coverage

    @classmethod
    def of(cls, record: Mapping[str, Any], uncovered: tuple[str, ...], coverage: Coverage, language: Language) -> Self:
        return cls(
            items=[RequirementView.recorded(row, language) for row in record["requirements"]],
            judged_for=date.fromisoformat(record["judged_for"]),
            policy_digest=record["policy_digest"],
            uncovered=list(uncovered),
            catalogue=coverage,
            **record["facts"],
        )


class ReplayedView(BaseModel):
    """A record of a decision, judged again by the law that is loaded now."""

    model_config = ConfigDict(from_attributes=True)

    of: Literal["determination", "application"]
    id: str
    judged_for: date
    recorded_digest: str
    agrees: bool
    same_policy: bool


class ReplayView(BaseModel):
    """All determinations and permit decisions of an enterprise, judged again. `agrees`: every one came out alike."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "agrees": True,
                    "decisions": [
                        {
                            "of": "determination", "id": "1", "judged_for": "2026-01-05", "recorded_digest": DIGEST,
                            "agrees": True, "same_policy": True,
                        }
                    ],
                }
            ]
        }
    )  # fmt: skip

    agrees: bool
    decisions: list[ReplayedView]
