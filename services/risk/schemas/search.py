"""What enterprises are searched by, and what the search gives."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal, Self

from fastapi import Query
from pydantic import BaseModel

from libs.common.web.fields import Day
from services.risk.domain import RiskClass
from services.risk.repository.search import Filters
from services.risk.schemas.enterprises import NOTICE, ClassLetter
from services.risk.schemas.fields import shown

SECTOR = r"^([A-T]|(0[1-9]|[1-8][0-9]|9[0-7]))$"
FOUND: dict[str, Any] = {
    "uscc": "91310106MA0000015B", "score": 62, "risk_class": "B", "assessed_on": "2026-01-05", "division": 62,
    "area": "310106013", "foreign_invested": True, "class_changed_on": "2026-01-05",
    "override": {"risk_class": "C", "expires_on": "2026-06-30"},
}  # fmt: skip


async def filters(
    risk_class: Annotated[ClassLetter | None, Query(examples=["D"], description="The computed class.")] = None,
    sector: Annotated[
        str | None,
        Query(pattern=SECTOR, examples=["H"], description="A section (A to T) or a division of GB/T 4754-2017."),
    ] = None,
    area: Annotated[str | None, Query(pattern="^[0-9]{6,12}$", examples=["310106013"])] = None,
    indicator: Annotated[
        str | None,
        Query(
            pattern="^[a-z0-9_]{1,60}$", examples=["penalties_3y"],
            description="Those for which a rule over this indicator counts. A page may be short.",
        ),
    ] = None,
    ownership: Annotated[Literal["foreign", "domestic"] | None, Query(examples=["foreign"])] = None,
    changed_since: Annotated[
        Day | None, Query(examples=["2026-01-05"], description="The class has changed on this day or later.")
    ] = None,
) -> Filters:  # fmt: skip
    """The filters of a request."""
    of_class = None if risk_class is None else RiskClass[risk_class]
    foreign_invested = None if ownership is None else ownership == "foreign"
    return Filters(of_class, sector, area, indicator, foreign_invested, changed_since)


class StandingOverride(BaseModel):
    """A class that people have set beside the computed one, and the first day without it."""

    risk_class: ClassLetter
    expires_on: date

    @classmethod
    def of(cls, row: Mapping[str, Any] | None) -> Self | None:
        return None if row is None else cls(risk_class=RiskClass(row["risk_class"]).name, expires_on=row["expires_on"])


class FoundView(BaseModel):
    """One enterprise: its computed class and what it is searched by. `override` changes neither score nor class."""

    uscc: str
    score: int
    risk_class: ClassLetter
    assessed_on: date
    division: int | None
    area: str | None
    foreign_invested: bool | None
    class_changed_on: date | None
    override: StandingOverride | None

    @classmethod
    def of(cls, row: Mapping[str, Any], overrides: Mapping[str, Mapping[str, Any]]) -> Self:
        letter = RiskClass(row["risk_class"]).name
        return cls(**{**row, "risk_class": letter}, override=StandingOverride.of(overrides.get(row["uscc"])))


class SearchView(BaseModel):
    """A page of what was found, by USCC; `next` is the cursor of the page after it, null where this is the last."""

    model_config = shown({"items": [FOUND], "next": None, "notice": NOTICE})

    items: list[FoundView]
    next: str | None
    notice: str = NOTICE
