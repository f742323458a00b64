"""Matters handed over as they are answered."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Self

from pydantic import BaseModel, ConfigDict

from services.registration.domain import Policy
from services.registration.domain.hand_over import Matter, State
from services.registration.messages import Language

HAND_OVER_EXAMPLE: dict[str, Any] = {
    "matter": "seal",
    "name": "Company seal",
    "handled_by": "seal maker",
    "state": "handed_over",
    "handed_on": "2026-01-05",
    "due_on": "2026-01-07",
    "overdue": False,
    "settled_on": None,
    "version": 1,
}


class HandOverView(BaseModel):
    """A matter: who handles it, until when it should be settled, and how it stands."""

    model_config = ConfigDict(json_schema_extra={"examples": [HAND_OVER_EXAMPLE]})

    matter: Matter
    name: str
    handled_by: str
    state: State
    handed_on: date
    due_on: date
    overdue: bool
    settled_on: date | None
    version: int

    @classmethod
    def of(cls, row: Mapping[str, Any], policy: Policy, today: date, language: Language) -> Self:
        matter = policy.follow_on_matters[row["matter"]]
        own = {name: row[name] for name in ("matter", "state", "handed_on", "due_on", "settled_on", "version")}
        return cls(
            **own,
            name=matter.name_zh if language == "zh" else matter.name_en,
            handled_by=matter.handled_by_zh if language == "zh" else matter.handled_by_en,
            overdue=row["settled_on"] is None and today > row["due_on"],
        )


class HandOversView(BaseModel):
    """The matters of an enterprise that were handed over."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [HAND_OVER_EXAMPLE]}]})

    items: list[HandOverView]
