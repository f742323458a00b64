"""Names as they are answered."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from services.registration import domain
from services.registration.domain.names import Held, Likeness, NameAnswer
from services.registration.messages import Language, text

GROUND: dict[str, Any] = {
    "code": "name_taken",
    "outcome": "refused",
    "field": "trade_name",
    "article": "17",
    "source": "Name Regulations (Order 734) Art 17; github:LawRefBook/Laws (commit 6ef77b0)",
    "word": "上海青禾餐饮有限公司",
    "sentence": "Another name in this industry has this trade name: 上海青禾餐饮有限公司. Choose another one.",
}
ANSWER: dict[str, Any] = {
    "outcome": "refused",
    "grounds": [GROUND],
    "alike": [{"full_name": "上海清和餐饮管理有限公司", "state": "registered", "likeness": "same_sound"}],
}
RESERVED: dict[str, Any] = {
    "id": "0f8c2f1d-9b11-4b6c-9a3a-5a2f6a0e7a51",
    "full_name": "上海青禾餐饮有限公司",
    "reserved_on": "2026-01-05",
    "until": "2026-03-05",
}


class NameGroundView(BaseModel):
    """Why a name is refused, or why an officer looks at it: the article of the Name Regulations, the word that offends
    (or the name that is taken), and what to do."""

    code: str
    outcome: domain.Outcome
    field: str
    article: str
    source: str
    word: str
    sentence: str

    @classmethod
    def all_of(cls, grounds: Sequence[Mapping[str, Any]], language: Language) -> list[Self]:
        return [cls(**one, sentence=text(one["code"], language, word=one["word"])) for one in grounds]


class LikeNameView(BaseModel):
    """A name in the same industry that the asked one is like."""

    full_name: str
    state: Held
    likeness: Likeness


class NameAnswerView(BaseModel):
    """Every ground against a name at once, and the names that it is like without offending: who files it answers for
    that (Art 16)."""

    model_config = ConfigDict(json_schema_extra={"examples": [ANSWER]})

    outcome: domain.Outcome
    grounds: list[NameGroundView]
    alike: list[LikeNameView]

    @classmethod
    def of(cls, answer: NameAnswer, grounds: Sequence[Mapping[str, Any]], language: Language) -> Self:
        alike = [LikeNameView(full_name=o.full_name, state=o.state, likeness=o.likeness) for o in answer.alike]
        return cls(outcome=answer.outcome, grounds=NameGroundView.all_of(grounds, language), alike=alike)


class ReservedNameView(BaseModel):
    """A name that is kept for its applicant through `until`."""

    model_config = ConfigDict(json_schema_extra={"examples": [RESERVED]})

    id: UUID
    full_name: str
    reserved_on: date
    until: date


class ReservedNameList(BaseModel):
    """The caller's reserved names, the latest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [RESERVED], "next": None}]})

    items: list[ReservedNameView]
    next: str | None


class ReleasedView(BaseModel):
    """The reservation that was given back."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"id": RESERVED["id"]}]})

    id: UUID
