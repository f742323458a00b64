"""Corrections: who was ordered, until when, and whether it is done."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Path, Query, Response

from libs.common.identity import Caller
from libs.common.web import InTransaction, Reading, TheClock, allowed, router, tag
from libs.common.web.cursors import Cursor, Limit, after, page
from services.supervision import repository, use_cases
from services.supervision.api.callers import InspectorOrSupervisor, inspecting
from services.supervision.schemas import examples, views

api = router()

Reader = Annotated[Caller, allowed("applicant", "agent", "supervisor", "inspector", "auditor", "regulator")]
CorrectionId = Annotated[UUID, Path(examples=[examples.CORRECTION_ID])]
State = Annotated[Literal["ordered", "overdue", "met"] | None, Query(examples=["ordered"])]


@api.get("/corrections", tags=["corrections"])
async def list_corrections(
    caller: Reader, reading: Reading, state: State = None, cursor: Cursor = None, limit: Limit = 50
) -> views.CorrectionPage:
    """Corrections, the most urgent first: those of the caller's enterprises, those an inspector was at, or all."""
    owner, inspector = _bounds(caller)
    begin = after(cursor, date.fromisoformat, UUID) or (None, None)
    found = await repository.fetch(reading, repository.CORRECTIONS, owner, inspector, state, *begin, limit + 1)
    rows, more = page(found, limit, lambda row: [row["due_on"], row["id"]])
    return views.CorrectionPage(items=[views.CorrectionView.model_validate(row) for row in rows], next=more)


@api.post("/corrections/{correction_id}/met", tags=["corrections"])
async def meet_correction(
    correction_id: CorrectionId, caller: InspectorOrSupervisor, session: InTransaction, clock: TheClock,
    response: Response,
) -> views.CorrectionView:  # fmt: skip
    """Note that a correction was checked and is met, by an inspector who was there or a supervisor."""
    row = await use_cases.meet_correction(session, correction_id, clock, assigned_to=inspecting(caller))
    tag(response, row.version)
    return views.CorrectionView.model_validate(row.model_dump())


def _bounds(caller: Caller) -> tuple[str | None, str | None]:
    """Whose enterprises, and whose inspections, the caller is bound to."""
    if caller.has("supervisor", "auditor", "regulator"):
        return None, None
    return (None, caller.subject) if caller.has("inspector") else (caller.subject, None)
