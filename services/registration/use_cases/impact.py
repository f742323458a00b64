"""Who is moved by another edition, in one pass over the register and the open applications."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal

import asyncpg
import msgspec

from services.registration import domain, repository
from services.registration.domain.impact import Effect, LawOn, effect, listed
from services.registration.domain.policy import Scope
from services.registration.domain.structure import EnterpriseType, TreatyClaim

Subject = Literal["enterprise", "application"]
AT_ONCE = 5_000
COLUMNS = ("subject", "id", "move", "before", "after", "activities", "items_before", "items_after")


class _Stated(msgspec.Struct, frozen=True):
    """Facts as `domain.recorded` writes them, read without the detour of a dictionary: there are many."""

    scope: Scope
    place: str
    activities: tuple[str, ...]
    enterprise_type: EnterpriseType
    legal_representative_nationality: str
    treaty_claim: TreatyClaim | None
    investors: tuple[domain.Investor, ...]


_read = msgspec.json.Decoder(_Stated).decode


@dataclass(frozen=True, slots=True)
class Moved:
    """An enterprise (by its USCC) or an open application (by its id), and how it is moved."""

    subject: Subject
    id: str
    activities: tuple[str, ...]
    effect: Effect


@dataclass(frozen=True, slots=True)
class Pass:
    """One page of the pass: how many were looked at, and who of them is moved."""

    looked_at: int
    moved: list[Moved]


async def edition_impact(
    connection: asyncpg.Connection, before: LawOn, after: LawOn, at_once: int = AT_ONCE
) -> AsyncIterator[Pass]:
    """Judge everybody whom the two laws can tell apart, page by page, over one snapshot of the database. Those with no
    activity that either list names are left out by the database."""
    codes = listed(before, after)
    wanted = None if codes is None else sorted(codes)
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        found = await connection.cursor(repository.JUDGED_FACTS, wanted)
        while rows := await found.fetch(at_once):
            yield Pass(len(rows), [moved for row in rows if (moved := _moved(row, before, after))])


def _moved(row: asyncpg.Record, before: LawOn, after: LawOn) -> Moved | None:
    subject, id, facts, activities, place, nationality = row
    stated = _read(facts)
    if subject == "application":
        activities, place, nationality = stated.activities, stated.place, stated.legal_representative_nationality
    structure = domain.Structure(stated.enterprise_type, stated.investors, nationality, stated.treaty_claim)
    judged = domain.Facts(stated.scope, place, tuple(activities), structure)
    found = effect(judged, before, after)
    return None if found is None else Moved(subject, id, judged.activities, found)


def cells(moved: Moved) -> tuple[str, ...]:
    """Somebody who is moved as a line of a file, in the order of COLUMNS."""
    effect = moved.effect
    lists = (moved.activities, effect.items_before, effect.items_after)
    activities, items_before, items_after = (";".join(one) for one in lists)
    return (
        moved.subject, moved.id, effect.move, effect.before, effect.after, activities, items_before, items_after,
    )  # fmt: skip
