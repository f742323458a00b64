"""The routes of work items and absences, for every service that has queues."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from libs.common import work
from libs.common.clock import SHANGHAI
from libs.common.identity import Caller, Role
from libs.common.problems import Fault, Problem
from libs.common.web.commands import InTransaction, Reading, TheClock, router
from libs.common.web.cursors import Cursor, Limit, after, page
from libs.common.web.fields import Day
from libs.common.web.rights import allowed
from libs.common.web.versions import IfMatch, tag
from libs.common.work import Absence, Desk, Item

PROBLEMS: dict[type[Exception], Callable[[Any], Problem]] = {
    work.NoSuchItem: lambda _: Problem("not-found", 404),
    work.Changed: lambda _: Problem("stale", 412),
    work.Closed: lambda _: Problem("work-closed", 409),
    work.Claimed: lambda taken: Problem("work-claimed", 409, params={"at": f"{taken.at.astimezone(SHANGHAI):%H:%M}"}),
    work.NotYours: lambda _: Problem("work-not-yours", 409),
    work.NotExtendable: lambda _: Problem("work-not-extendable", 409),
    work.AbsenceOverlaps: lambda _: Problem("absence-overlaps", 409),
}
"""What the acts on work items raise, as problems. They name no people."""

ITEM: dict[str, JsonValue] = {
    "id": "0f4b6a52-3c1d-4e0e-9a55-5a1f6c0c9d21",
    "queue": "registration.review",
    "subject": "6105cc38-1855-416d-a878-494a36227cef",
    "correlation_id": "6105cc38-1855-416d-a878-494a36227cef",
    "department": None,
    "opened_on": "2026-01-05",
    "due_on": "2026-01-12",
    "provisional": False,
    "claimed_by": "registrar-1",
    "claimed_at": "2026-01-05T01:30:00Z",
    "escalated_on": None,
    "extension": None,
    "closed_at": None,
    "outcome": None,
    "version": 2,
}
ABSENCE: dict[str, JsonValue] = {
    "officer": "registrar-1",
    "from_on": "2026-02-09",
    "to_on": "2026-02-13",
    "stand_in": "registrar-2",
}

Account = Annotated[str, Field(pattern=r"^[!-~]{1,200}$", description="the account (`sub`) of an officer")]
ItemId = Annotated[UUID, Path(examples=[ITEM["id"]])]
State = Annotated[
    work.State,
    Query(
        examples=["open"],
        description="open: nobody's; mine: taken by the caller, or by one for whom the caller stands in today; "
        "escalated: open, taken or not, and overdue; closed.",
    ),
]
FromOn = Annotated[Day, Path(description="The first day of the absence.", examples=[ABSENCE["from_on"]])]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class HandOver(Body):
    """To whom an item goes."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"to": "registrar-2"}]})
    to: Account


class AbsenceForm(Body):
    """The caller's absence: first day, last day, and who stands in."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{name: ABSENCE[name] for name in ("from_on", "to_on", "stand_in")}]}
    )
    from_on: Day
    to_on: Day
    stand_in: Account

    def of(self, officer: str) -> Absence:
        """Raises Problem where the last day comes before the first, or the officer stands in for himself."""
        faults = []
        if self.to_on < self.from_on:
            faults.append(Fault("to_on", "ends_before_it_begins"))
        if self.stand_in == officer:
            faults.append(Fault("stand_in", "stand_in_is_oneself"))
        if faults:
            raise Problem("malformed", 422, faults)
        return Absence(officer, self.from_on, self.to_on, self.stand_in)


class ItemView(BaseModel):
    """A work item. `due_on` is the last day in time; `provisional` while the years up to it are not announced."""

    model_config = ConfigDict(from_attributes=True, json_schema_extra={"examples": [ITEM]})
    id: UUID
    queue: str
    subject: str
    correlation_id: str
    department: str | None
    opened_on: date
    due_on: date
    provisional: bool
    claimed_by: str | None
    claimed_at: datetime | None
    escalated_on: date | None
    extension: str | None
    closed_at: datetime | None
    outcome: str | None
    version: int

    @classmethod
    def tagged(cls, item: Item, response: Response) -> Self:
        tag(response, item.version)
        return cls.model_validate(item)


class Items(BaseModel):
    """A page of work items, those due first first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [ITEM], "next": None}]})
    items: list[ItemView]
    next: str | None


class AbsenceView(BaseModel):
    """An absence; both days are days of it."""

    model_config = ConfigDict(from_attributes=True, json_schema_extra={"examples": [ABSENCE]})
    officer: str
    from_on: date
    to_on: date
    stand_in: str


class Absences(BaseModel):
    """A page of absences, by their first day."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [ABSENCE], "next": None}]})
    items: list[AbsenceView]
    next: str | None


def work_routes(queues: Mapping[str, Sequence[Role]], supervisory: Sequence[Role] = ("supervisor",)) -> APIRouter:
    """The routes for these queues and the roles that work in each; `supervisory` roles see all of them, and pass on
    what is escalated."""
    api = router()
    workers = frozenset(role for roles in queues.values() for role in roles)

    def desk(caller: Caller) -> Desk:
        supervises = caller.has(*supervisory)
        seen = [queue for queue, roles in queues.items() if supervises or caller.has(*roles)]
        return Desk(caller.subject, seen, caller.department, supervises)

    _reading(api, desk, workers.union(supervisory), queues)
    _acting(api, desk, workers, workers.union(supervisory))
    _absences(api, workers)
    return api


def _reading(
    api: APIRouter, desk: Callable[[Caller], Desk], readers: frozenset[Role], queues: Mapping[str, object]
) -> None:
    Reader = Annotated[Caller, allowed(*readers)]
    one_of = f"^({'|'.join(map(re.escape, queues))})$"
    Queue = Annotated[str | None, Query(pattern=one_of, examples=[min(queues)], description="All where none is named.")]

    @api.get("/work-items", tags=["work"])
    async def list_work_items(
        caller: Reader, reading: Reading, clock: TheClock, state: State = "open", queue: Queue = None,
        cursor: Cursor = None, limit: Limit = 50,
    ) -> Items:  # fmt: skip
        """What waits for the caller's role and department, those due first first. The supervisory roles see all."""
        seen = desk(caller)
        if queue is not None:
            seen = Desk(seen.officer, [queue] if queue in seen.queues else [], seen.department, seen.supervises)
        behind = after(cursor, date.fromisoformat, UUID)
        found = await work.items(reading, seen, state, today=clock.today(), after=behind, limit=limit + 1)
        rows, following = page(found, limit, lambda item: (item.due_on, item.id))
        return Items(items=[ItemView.model_validate(item) for item in rows], next=following)

    @api.get("/work-items/{item_id}", tags=["work"])
    async def read_work_item(item_id: ItemId, caller: Reader, reading: Reading, response: Response) -> ItemView:
        """One work item, open or closed."""
        return ItemView.tagged(await work.item(reading, item_id, desk(caller)), response)


def _acting(
    api: APIRouter, desk: Callable[[Caller], Desk], workers: frozenset[Role], passing_on: frozenset[Role]
) -> None:
    Worker = Annotated[Caller, allowed(*workers)]
    PassesOn = Annotated[Caller, allowed(*passing_on)]

    @api.post("/work-items/{item_id}/claim", tags=["work"])
    async def claim_work_item(
        item_id: ItemId, caller: Worker, session: InTransaction, clock: TheClock, version: IfMatch, response: Response
    ) -> ItemView:
        """Take an item that nobody has. Of many who ask at once one gets it; the others learn when it was taken."""
        return ItemView.tagged(await work.claim(session, item_id, desk(caller), version, clock), response)

    @api.post("/work-items/{item_id}/release", tags=["work"])
    async def release_work_item(
        item_id: ItemId, caller: PassesOn, session: InTransaction, clock: TheClock, version: IfMatch,
        response: Response,
    ) -> ItemView:  # fmt: skip
        """Put an item back for anybody to claim: who holds it, stands in, or supervises what is overdue."""
        return ItemView.tagged(await work.release(session, item_id, desk(caller), version, clock), response)

    @api.post("/work-items/{item_id}/hand-over", tags=["work"])
    async def hand_over_work_item(
        item_id: ItemId, body: HandOver, caller: PassesOn, session: InTransaction, clock: TheClock, version: IfMatch,
        response: Response,
    ) -> ItemView:  # fmt: skip
        """Give an item to another officer: who holds it, stands in, or supervises what is overdue."""
        item = await work.hand_over(session, item_id, body.to, desk(caller), version, clock)
        return ItemView.tagged(item, response)


def _absences(api: APIRouter, workers: frozenset[Role]) -> None:
    Worker = Annotated[Caller, allowed(*workers)]

    @api.post("/absences", status_code=201, tags=["work"])
    async def enter_absence(body: AbsenceForm, caller: Worker, session: InTransaction) -> AbsenceView:
        """Enter an absence of one's own. What the caller holds stays; the stand-in may act on it on those days."""
        absence = body.of(caller.subject)
        await work.be_absent(session, absence)
        return AbsenceView.model_validate(absence)

    @api.get("/absences", tags=["work"])
    async def list_absences(caller: Worker, reading: Reading, cursor: Cursor = None, limit: Limit = 50) -> Absences:
        """The caller's absences, and those in which the caller stands in, by their first day."""
        behind = after(cursor, date.fromisoformat, str)
        found = await work.absences(reading, caller.subject, after=behind, limit=limit + 1)
        rows, following = page(found, limit, lambda absence: (absence.from_on, absence.officer))
        return Absences(items=[AbsenceView.model_validate(absence) for absence in rows], next=following)

    @api.delete("/absences/{from_on}", tags=["work"])
    async def strike_absence(from_on: FromOn, caller: Worker, session: InTransaction) -> AbsenceView:
        """Strike an absence of one's own: it is not taken, or the caller is back early."""
        struck = await work.be_back(session, caller.subject, from_on)
        if struck is None:
            raise Problem("not-found", 404)
        return AbsenceView.model_validate(struck)
