"""HTTP: one enterprise: where it stands, where it stood as far as was known then, why, and what was announced."""

from datetime import date, datetime
from typing import Annotated

import asyncpg
from fastapi import Path, Query

from libs.common.clock import SHANGHAI
from libs.common.identity import Caller
from libs.common.problems import Problem
from libs.common.web import Looking, Reading, allowed, router
from libs.common.web.cursors import Cursor, Limit, after, page
from libs.common.web.fields import Day, Instant
from services.risk import scorecards
from services.risk.domain import Assessment, Fact, Scorecard, assess, is_registered
from services.risk.repository import changes, facts, overrides
from services.risk.repository import enterprises as repository
from services.risk.schemas.enterprises import ContributionView, OverrideBeside, RiskView, SectorView
from services.risk.schemas.explanation import ExplanationView
from services.risk.schemas.feed import ClassChangeView, HistoryView

api = router()

Uscc = Annotated[str, Path(pattern="^[0-9A-HJ-NPQRTUWXY]{18}$", examples=["91310106MA0000015B"])]
Regulator = Annotated[Caller, allowed("risk_analyst", "regulator", "supervisor", "auditor")]
AsOf = Annotated[Day | None, Query(examples=["2026-03-01"], description="Assessed on this day.")]
KnownAt = Annotated[
    Instant | None,
    Query(examples=["2026-03-01T02:00:00Z"], description="By what was stated until then, with the scorecard of then."),
]


@api.get("/enterprises/{uscc}/risk", tags=["risk"])
async def read_risk(
    uscc: Uscc, _: Regulator, looking: Looking, reading: Reading, as_of: AsOf = None, known_at: KnownAt = None
) -> RiskView:
    """Score, class and every reason, on the assessment date or as of another one, by all that is known or by what was
    known at a time. Internal use; every look is recorded with its purpose."""
    await looking.record()
    async with reading.transaction(isolation="repeatable_read", readonly=True):
        stated, scorecard, on = await _known(reading, uscc, as_of, known_at)
        beside = (await overrides.in_force(reading, [uscc])).get(uscc)
    judged = assess(stated, on, scorecard)
    return RiskView(
        uscc=uscc, known_at=known_at, override=None if beside is None else OverrideBeside.of(beside),
        **_shown(judged, on, scorecard),
    )  # fmt: skip


@api.get("/enterprises/{uscc}/risk/explanation", tags=["risk"])
async def explain_risk(uscc: Uscc, _: Regulator, looking: Looking, reading: Reading) -> ExplanationView:
    """Why the class is what it is: the facts under each rule, what has changed since the announcement before, the
    fewest changes that would lower it, and when time alone will. Internal use; every look is recorded."""
    await looking.record()
    async with reading.transaction(isolation="repeatable_read", readonly=True):
        stated, scorecard, on = await _known(reading, uscc, None, None)
        before = await repository.announcement_before(reading, uscc)
        its_scorecard = await scorecards.of_digest(reading, before["scorecard_digest"]) if before else None
    return ExplanationView.of(uscc, stated, on, scorecard, before, its_scorecard)


@api.get("/enterprises/{uscc}/risk/history", tags=["risk"])
async def read_history(
    uscc: Uscc, _: Regulator, looking: Looking, reading: Reading, cursor: Cursor = None, limit: Limit = 50
) -> HistoryView:
    """Every class that was announced of this enterprise, the newest first."""
    await looking.record()
    (behind,) = after(cursor, changes.position) or (changes.BEHIND_ALL,)
    rows = await changes.of_enterprise(reading, uscc, behind, limit + 1)
    if not rows and cursor is None and await repository.assessed_on(reading, uscc) is None:
        raise Problem("not-found", 404)
    shown, further = page(rows, limit, lambda row: [row["position"]])
    return HistoryView(items=[ClassChangeView.of(row) for row in shown], next=further)


async def _known(
    connection: asyncpg.Connection, uscc: str, as_of: date | None, known_at: datetime | None
) -> tuple[list[Fact], Scorecard, date]:
    """The facts, the scorecard and the date to judge by. Raises Problem (404) where it was not in the register."""
    assessed_on = await repository.assessed_on(connection, uscc)
    stated = await facts.facts_of(connection, [uscc])
    if known_at is not None:
        stated = [fact for fact in stated if fact.stated_at <= known_at]
    if assessed_on is None or not is_registered(stated):
        raise Problem("not-found", 404)
    if known_at is None:
        return stated, await scorecards.read_in_force(connection), as_of or assessed_on
    digest = await repository.in_force_at(connection, known_at)
    return stated, await scorecards.of_digest(connection, digest), as_of or known_at.astimezone(SHANGHAI).date()


def _shown(judged: Assessment, on: date, scorecard: Scorecard) -> dict[str, object]:
    return {
        "score": judged.score,
        "risk_class": judged.risk_class.name,
        "general_class": judged.general_class.name,
        "assessed_on": on,
        "next_step_on": judged.next_step_on,
        "scorecard": scorecard.name,
        "scorecard_digest": scorecard.digest,
        "contributions": [ContributionView.of(part) for part in judged.contributions],
        "sectors": [SectorView.of(part) for part in judged.sectors],
        "missing": list(judged.missing),
    }
