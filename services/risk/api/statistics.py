"""HTTP: how many enterprises stand in each class, now and day by day, from counters."""

from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from typing import Annotated

from fastapi import Query

from libs.common.problems import Fault, Problem
from libs.common.web import Reading, TheClock, router
from libs.common.web.fields import Day
from services.risk import policy
from services.risk.api.enterprises import Regulator
from services.risk.published_events import LETTERS
from services.risk.repository import statistics as repository
from services.risk.schemas.enterprises import ClassLetter
from services.risk.schemas.statistics import (
    By,
    DayView,
    DistributionView,
    GroupView,
    PublishedShare,
    PublishedView,
    TrendView,
)

api = router()

DAYS = 30
DAYS_AT_MOST = 366
ALL = "all"

Grouped = Annotated[By | None, Query(examples=["sector"], description="Sections, areas, or foreign and domestic ones.")]
Key = Annotated[str, Query(pattern="^[A-Za-z0-9]{0,20}$", examples=["H"], description="One group of `by`.")]
Since = Annotated[Day | None, Query(examples=["2026-01-01"], description="The first day; otherwise the last 30 days.")]
Until = Annotated[Day | None, Query(examples=["2026-01-31"], description="The last day; otherwise today.")]


@api.get("/risk/distribution", tags=["statistics"])
async def read_distribution(_: Regulator, reading: Reading, by: Grouped = None) -> DistributionView:
    """How many enterprises stand in each class, from counters, and what other places have published. No enterprise is
    shown, so that no purpose is asked for."""
    totals = await repository.distribution(reading, ALL)
    groups = await repository.distribution(reading, by) if by is not None else {}
    return DistributionView(
        classes=letters(totals.get("", {})),
        groups=[GroupView(key=key, classes=letters(counts)) for key, counts in groups.items() if any(counts.values())],
        published=list(published()),
    )


@api.get("/risk/trend", tags=["statistics"])
async def read_trend(
    _: Regulator, reading: Reading, clock: TheClock, since: Since = None, until: Until = None, by: Grouped = None,
    key: Key = "",
) -> TrendView:  # fmt: skip
    """How many enterprises stood in each class at the end of each day: of all, or of one group. 366 days at most."""
    last = until or clock.today()
    first = since or _before(last, DAYS - 1)
    if not 0 <= (last - first).days < DAYS_AT_MOST:
        raise Problem("malformed", 422, [Fault("since", "period_out_of_range", {"days": DAYS_AT_MOST})])
    days = await repository.trend(reading, by or ALL, key if by else "", first, last)
    return TrendView(items=[DayView(on=on, classes=letters(counts)) for on, counts in days])


def _before(day: date, days: int) -> date:
    return max(day, date.min + timedelta(days=days)) - timedelta(days=days)


def letters(counts: Mapping[int, int]) -> dict[ClassLetter, int]:
    """Counts by class, each class there."""
    return {letter: counts.get(number, 0) for number, letter in enumerate(LETTERS)}


@cache
def published() -> tuple[PublishedView, ...]:
    """What other places have reported, each place and year once."""
    rows = policy.published_shares().rows
    return tuple(
        PublishedView(
            place=place, year=year, source=row.source, confidence=row.confidence,
            classes={
                one.risk_class: PublishedShare(count=one.count, share_pct=one.share_pct)
                for one in rows
                if (one.place, one.year) == (place, year)
            },
        )
        for (place, year), row in {(row.place, row.year): row for row in rows}.items()
    )  # fmt: skip
