"""A registration that was obtained by false papers: noticed, objected to, withdrawn; who answers for it is barred.

Source: Market Entity Registration Regulations Art 40.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

BAN_YEARS = 3


class NoticeOver(Exception):
    """The days for objections are over, or the case is decided."""


class CaseOpen(Exception):
    """A case on this registration is open already."""


@dataclass(frozen=True, slots=True)
class Ban:
    """Somebody who may not apply, under the opaque id by which they are known, until a day."""

    known_as: UUID
    until: date


@dataclass(frozen=True, slots=True)
class Concern:
    """Somebody named in a form who may be barred: people of one name look alike, so that an officer decides."""

    field: str
    until: date


def banned_until(withdrawn_on: date) -> date:
    """The last day of three years."""
    day = 28 if (withdrawn_on.month, withdrawn_on.day) == (2, 29) else withdrawn_on.day
    return withdrawn_on.replace(year=withdrawn_on.year + BAN_YEARS, day=day)


def concerns(
    investors: Sequence[UUID], legal_representative: UUID, known_as: Mapping[UUID, UUID], bans: Sequence[Ban]
) -> tuple[Concern, ...]:
    """The parties of a form that bear the id of somebody who is barred."""
    fields = {f"investors.{position}": party for position, party in enumerate(investors)}
    fields["legal_representative"] = legal_representative
    barred = {ban.known_as: ban.until for ban in bans}
    named = {field: known_as[party] for field, party in fields.items() if party in known_as}
    return tuple(Concern(field, barred[known]) for field, known in named.items() if known in barred)
