"""HTTP: a scorecard in the shadow beside the one in force: who would be in another class, before anybody decides."""

from collections import Counter
from collections.abc import Mapping
from typing import Annotated

import asyncpg
from fastapi import Query

from libs.common.web import Looking, Reading, router
from libs.common.web.cursors import Cursor, Limit, after, page
from libs.common.web.documents import NOT_IN_THAT_STATE
from services.risk import scorecards, use_cases
from services.risk.api.scorecards import Digest, Reader
from services.risk.api.statistics import ALL, Grouped, letters, published
from services.risk.published_events import LETTERS
from services.risk.repository import comparison as repository
from services.risk.repository import scorecards as cards
from services.risk.repository import statistics
from services.risk.repository.profiles import FORCE, SHADOW
from services.risk.schemas.comparison import ChangingPage, ChangingView, ComparedGroup, ComparisonView
from services.risk.schemas.enterprises import ClassLetter
from services.risk.use_cases import dimensions

api = router()

CLASSES = range(len(LETTERS))
Before = Annotated[ClassLetter | None, Query(examples=["B"], description="The class that was announced.")]
After = Annotated[ClassLetter | None, Query(examples=["C"], description="The class by this scorecard.")]


@api.get("/scorecards/{digest}/comparison", tags=["scorecards"], responses=NOT_IN_THAT_STATE)
async def compare_scorecard(digest: Digest, _: Reader, reading: Reading, by: Grouped = None) -> ComparisonView:
    """How many enterprises would change from which class to which, and both distributions beside those that other
    places have published; by section, area or ownership where asked. No enterprise is shown, so that no purpose is
    asked for. A comparison guides the choice of a scorecard and is no ground for any penalty."""
    async with reading.transaction(isolation="repeatable_read", readonly=True):
        await _refuse_incomparable(reading, digest)
        in_force = await scorecards.read_in_force(reading)
        before = (await statistics.distribution(reading, ALL, FORCE)).get("", {})
        then = (await statistics.distribution(reading, ALL, SHADOW)).get("", {})
        moves = await repository.moves(reading)
        groups = await _groups(reading, by) if by is not None else []
    return ComparisonView(
        digest=digest, in_force_digest=in_force.digest, in_force=letters(before), shadow=letters(then),
        matrix=_matrix(moves, then), groups=groups, published=list(published()),
        rise=sum(count for (one, other), count in moves.items() if other > one),
        fall=sum(count for (one, other), count in moves.items() if other < one),
    )  # fmt: skip


@api.get("/scorecards/{digest}/comparison/enterprises", tags=["scorecards"], responses=NOT_IN_THAT_STATE)
async def list_changing_enterprises(
    digest: Digest, _: Reader, looking: Looking, reading: Reading, before: Before = None, then: After = None,
    cursor: Cursor = None, limit: Limit = 50,
) -> ChangingPage:  # fmt: skip
    """The enterprises whose class would be another, by USCC. Every page that is read is recorded with its purpose."""
    await looking.record()
    (behind,) = after(cursor, str) or ("",)
    async with reading.transaction(isolation="repeatable_read", readonly=True):
        await _refuse_incomparable(reading, digest)
        found = await repository.changing(reading, behind, limit + 1, _asked(before), _asked(then))
    rows, following = page(found, limit, lambda row: (row["uscc"],))
    return ChangingPage(items=[ChangingView.of(dict(row)) for row in rows], next=following)


async def _refuse_incomparable(reading: asyncpg.Connection, digest: str) -> None:
    row = await cards.one(reading, cards.ONE, digest)
    if row is None:
        raise use_cases.ScorecardUnknown
    if row["state"] != "shadow":
        raise use_cases.WrongState(row["state"])
    if row["scored_at"] is None:
        raise use_cases.NotScoredYet


def _asked(letter: ClassLetter | None) -> list[int]:
    return [*CLASSES] if letter is None else [LETTERS.index(letter)]


def _matrix(moves: Mapping[tuple[int, int], int], then: Mapping[int, int]) -> dict[ClassLetter, dict[ClassLetter, int]]:
    """Who changes is counted; who does not is the rest of each class by the shadow."""
    stay = {one: then.get(one, 0) - sum(moves.get((other, one), 0) for other in CLASSES) for one in CLASSES}
    return {
        LETTERS[one]: letters({other: stay[one] if other == one else moves.get((one, other), 0) for other in CLASSES})
        for one in CLASSES
    }


async def _groups(reading: asyncpg.Connection, by: str) -> list[ComparedGroup]:
    before = await statistics.distribution(reading, by, FORCE)
    then = await statistics.distribution(reading, by, SHADOW)
    moved: Counter[tuple[str, bool]] = Counter()
    for traits, rises, enterprises in await repository.moves_by_traits(reading):
        moved[dict(dimensions(traits))[by], rises] += enterprises
    return [
        ComparedGroup(
            key=key, in_force=letters(before.get(key, {})), shadow=letters(then.get(key, {})), rise=moved[key, True],
            fall=moved[key, False],
        )
        for key in sorted(before.keys() | then.keys())
        if any(before.get(key, {}).values()) or any(then.get(key, {}).values())
    ]  # fmt: skip
