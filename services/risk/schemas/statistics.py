"""Response bodies of distribution and trend."""

from datetime import date
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel

from services.risk.schemas.enterprises import NOTICE, ClassLetter
from services.risk.schemas.fields import shown

By = Literal["sector", "area", "ownership"]

_OURS = {"A": 40, "B": 211, "C": 17, "D": 2}
_SOURCE = "aic.dandong.gov.cn/html/DDJGJ/202305/0168506601542937.html"
PUBLISHED: dict[str, Any] = {
    "place": "Dandong",
    "year": 2023,
    "classes": {"A": {"count": 31107, "share_pct": "65.4"}, "D": {"count": 721, "share_pct": "1.5"}},
    "source": _SOURCE,
    "confidence": "verified",
}


class GroupView(BaseModel):
    """Enterprises by class within one section of GB/T 4754, one area, or foreign or domestic ones. An empty key:
    nobody has said."""

    key: str
    classes: dict[ClassLetter, int]


class PublishedShare(BaseModel):
    """Enterprises of a class, and what percent of all these are."""

    count: int
    share_pct: Decimal


class PublishedView(BaseModel):
    """What another place has reported of its own enterprises."""

    place: str
    year: int
    classes: dict[ClassLetter, PublishedShare]
    source: str
    confidence: str


class DistributionView(BaseModel):
    """Enterprises by class: all of them, by group where one is asked for, and what other places have published."""

    model_config = shown({"classes": _OURS, "groups": [{"key": "H", "classes": _OURS}], "published": [PUBLISHED],
                          "notice": NOTICE})  # fmt: skip

    classes: dict[ClassLetter, int]
    groups: list[GroupView]
    published: list[PublishedView]
    notice: str = NOTICE


class DayView(BaseModel):
    """Enterprises by class at the end of a day."""

    on: date
    classes: dict[ClassLetter, int]


class TrendView(BaseModel):
    """One entry for each day, the first first."""

    model_config = shown({"items": [{"on": "2026-01-05", "classes": _OURS}], "notice": NOTICE})

    items: list[DayView]
    notice: str = NOTICE
