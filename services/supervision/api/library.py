"""The object library, the inspector library, and what is still to be checked."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Path, Response

from libs.common.web import IfMatch, InTransaction, Reading, TheClock, router, tag
from libs.common.web.cursors import Cursor, Limit, after, page
from services.supervision import repository, tables, use_cases
from services.supervision.api.callers import Supervisor, SupervisorOrAuditor
from services.supervision.schemas import forms, views

api = router()

AccountPath = Annotated[str, Path(pattern=r"^[!-~]{1,200}$", examples=["inspector-1"])]


@api.get("/objects", tags=["libraries"])
async def list_objects(
    _: SupervisorOrAuditor, reading: Reading, cursor: Cursor = None, limit: Limit = 50
) -> views.ObjectPage:
    """The object library (检查对象名录库), by USCC. The risk class is not in it: ask risk, and say why."""
    [begin] = after(cursor, str) or (None,)
    rows, more = page(
        await repository.fetch(reading, repository.OBJECTS, begin, limit + 1), limit, lambda row: [row["uscc"]]
    )
    return views.ObjectPage(items=[views.ObjectView.model_validate(row) for row in rows], next=more)


@api.get("/obligations", tags=["libraries"])
async def list_obligations(
    _: SupervisorOrAuditor, reading: Reading, clock: TheClock, cursor: Cursor = None, limit: Limit = 50
) -> views.ObligationPage:
    """Commitments whose facts are still to be checked, the most urgent first."""
    begin = after(cursor, date.fromisoformat, UUID) or (None, None)
    found = await repository.fetch(reading, repository.OBLIGATIONS, clock.today(), *begin, limit + 1)
    rows, more = page(found, limit, lambda row: [row["check_by"], row["commitment_id"]])
    return views.ObligationPage(items=[views.ObligationView.model_validate(row) for row in rows], next=more)


@api.get("/inspectors", tags=["libraries"])
async def list_inspectors(
    _: Supervisor, reading: Reading, cursor: Cursor = None, limit: Limit = 50
) -> views.InspectorPage:
    """The inspector library (执法检查人员名录库), by account."""
    [begin] = after(cursor, str) or (None,)
    rows, more = page(
        await repository.fetch(reading, repository.INSPECTORS, begin, limit + 1), limit, lambda row: [row["account"]]
    )
    return views.InspectorPage(items=[views.InspectorView.model_validate(row) for row in rows], next=more)


@api.post("/inspectors", status_code=201, tags=["libraries"])
async def enter_inspector(
    body: forms.InspectorForm, _: Supervisor, session: InTransaction, response: Response
) -> views.InspectorView:
    """Enter an inspector, with the enterprises that he has a conflict of interest with."""
    entry = tables.Inspector(
        account=body.account, department=body.department, conflicts=sorted(set(body.conflicts)),
        available=body.available,
    )  # fmt: skip
    row = await use_cases.enter_inspector(session, entry)
    tag(response, row.version)
    return views.InspectorView.model_validate(row.model_dump())


@api.put("/inspectors/{account}", tags=["libraries"])
async def change_inspector(
    account: AccountPath, body: forms.InspectorEntry, _: Supervisor, version: IfMatch, session: InTransaction,
    response: Response,
) -> views.InspectorView:  # fmt: skip
    """Replace what stands of an inspector. Draws that were made keep him as he was."""
    row = await use_cases.change_inspector(
        session, account, body.department, sorted(set(body.conflicts)), body.available, version=version
    )
    tag(response, row.version)
    return views.InspectorView.model_validate(row.model_dump())
