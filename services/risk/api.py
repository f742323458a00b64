"""HTTP: what regulators may ask of risk."""

import json
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Query

from libs.common.identity import Caller
from libs.common.problems import Problem
from libs.common.web import Looking, Reading, allowed, router
from libs.common.web.cursors import Cursor, Limit, after, page
from services.risk import repository, scorecards
from services.risk.domain import Fact, RiskClass, assess
from services.risk.schemas import (
    ClassLetter,
    ContributionView,
    DistributionView,
    ListedView,
    RiskListView,
    RiskView,
)

api = router()

Uscc = Annotated[str, Path(pattern="^[0-9A-HJ-NPQRTUWXY]{18}$", examples=["91310106MA0000015B"])]
OfClass = Annotated[ClassLetter | None, Query(examples=["D"])]
Regulator = Annotated[Caller, allowed("risk_analyst", "regulator", "supervisor", "auditor")]


@api.get("/enterprises/{uscc}/risk", tags=["risk"])
async def read_risk(uscc: Uscc, _: Regulator, looking: Looking, reading: Reading) -> RiskView:
    """Score, class and every reason, on the assessment date. Internal use; every look is recorded with its purpose."""
    await looking.record()
    row = await reading.fetchrow(repository.ONE, uscc)
    if row is None:
        raise Problem("not-found", 404)
    scorecard = scorecards.current()
    explained = assess([_fact(fact) for fact in json.loads(row["facts"])], row["assessed_on"], scorecard)
    return RiskView(
        uscc=uscc,
        score=row["score"],
        risk_class=RiskClass(row["risk_class"]).name,
        assessed_on=row["assessed_on"],
        next_step_on=row["next_step_on"],
        scorecard=scorecard.name,
        scorecard_digest=scorecard.digest,
        contributions=[
            ContributionView(
                rule=part.rule,
                points=part.points,
                at_least=None if part.at_least is None else part.at_least.name,
                event_ids=list(part.event_ids),
            )
            for part in explained.contributions
        ],
        missing=list(explained.missing),
    )


@api.get("/risk/enterprises", tags=["risk"])
async def list_risks(
    _: Regulator, looking: Looking, reading: Reading, risk_class: OfClass = None,
    cursor: Cursor = None, limit: Limit = 50,
) -> RiskListView:  # fmt: skip
    """Enterprises with score and class, by USCC, of one class or of all. Every page that is read is recorded with its
    purpose."""
    await looking.record()
    (behind,) = after(cursor, str) or ("",)
    of_class = [] if risk_class is None else [RiskClass[risk_class]]
    query = repository.LIST_OF_CLASS if of_class else repository.LIST
    rows = await reading.fetch(query, behind, limit + 1, *of_class)
    shown, further = page(rows, limit, lambda row: [row["uscc"]])
    items = [ListedView(**{**row, "risk_class": RiskClass(row["risk_class"]).name}) for row in map(dict, shown)]
    return RiskListView(items=items, next=further)


@api.get("/risk/distribution", tags=["risk"])
async def read_distribution(_: Regulator, reading: Reading) -> DistributionView:
    """How many enterprises stand in each class, from counters."""
    rows = await reading.fetch(repository.DISTRIBUTION)
    counts = {RiskClass(row["risk_class"]).name: row["enterprises"] for row in rows}
    return DistributionView(classes={letter.name: counts.get(letter.name, 0) for letter in RiskClass})


def _fact(row: dict[str, Any]) -> Fact:
    return Fact(**{**row, "legal_date": date.fromisoformat(row["legal_date"]), "event_id": UUID(row["event_id"])})
