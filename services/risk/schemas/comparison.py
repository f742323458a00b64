"""Response bodies that set the scorecard in the shadow beside the one in force."""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel

from services.risk.published_events import LETTERS
from services.risk.schemas.enterprises import NOTICE, ClassLetter
from services.risk.schemas.fields import shown
from services.risk.schemas.scorecards import DIGEST
from services.risk.schemas.statistics import PUBLISHED, PublishedView

_BEFORE, _AFTER = {"A": 40, "B": 211, "C": 17, "D": 2}, {"A": 44, "B": 205, "C": 19, "D": 2}
_GROUP: dict[str, Any] = {"key": "H", "in_force": _BEFORE, "shadow": _AFTER, "rise": 2, "fall": 4}
_MATRIX: dict[str, Any] = {
    "A": {"A": 40, "B": 0, "C": 0, "D": 0}, "B": {"A": 4, "B": 205, "C": 2, "D": 0},
    "C": {"A": 0, "B": 0, "C": 17, "D": 0}, "D": {"A": 0, "B": 0, "C": 0, "D": 2},
}  # fmt: skip
_CHANGING: dict[str, Any] = {
    "uscc": "91310106MA0000015B", "before": "B", "after": "C", "score_before": 145, "score_after": 155, "division": 62,
    "area": "310106013", "foreign_invested": True,
}  # fmt: skip


class ComparedGroup(BaseModel):
    """Enterprises by class by either scorecard, and how many of them rise or fall, in one section of GB/T 4754, one
    area, or among foreign or domestic ones. An empty key: nobody has said."""

    key: str
    in_force: dict[ClassLetter, int]
    shadow: dict[ClassLetter, int]
    rise: int
    fall: int


class ComparisonView(BaseModel):
    """What the scorecard makes other than the one in force. `matrix`: enterprises by the class that was announced, and
    within it by the class that this scorecard gives. `published`: what other places have reported."""

    model_config = shown({
        "digest": DIGEST, "in_force_digest": DIGEST[::-1], "in_force": _BEFORE, "shadow": _AFTER, "matrix": _MATRIX,
        "rise": 2, "fall": 4, "groups": [_GROUP], "published": [PUBLISHED], "notice": NOTICE,
    })  # fmt: skip

    digest: str
    in_force_digest: str
    in_force: dict[ClassLetter, int]
    shadow: dict[ClassLetter, int]
    matrix: dict[ClassLetter, dict[ClassLetter, int]]
    rise: int
    fall: int
    groups: list[ComparedGroup]
    published: list[PublishedView]
    notice: str = NOTICE


class ChangingView(BaseModel):
    """One enterprise whose class is another by the scorecard in the shadow."""

    uscc: str
    before: ClassLetter
    after: ClassLetter
    score_before: int
    score_after: int
    division: int | None
    area: str | None
    foreign_invested: bool | None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        return cls(**{**row, "before": LETTERS[row["before"]], "after": LETTERS[row["after"]]})


class ChangingPage(BaseModel):
    """A page of enterprises that change, by USCC."""

    model_config = shown({"items": [_CHANGING], "next": None, "notice": NOTICE})

    items: list[ChangingView]
    next: str | None
    notice: str = NOTICE
