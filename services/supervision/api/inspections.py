"""Inspections: triggered, shown by code, reported, confirmed, published."""

from collections import Counter
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Path, Query, Response

from libs.common.problems import Language, Problem
from libs.common.web import Anyone, InTransaction, Reading, TheClock, TheLanguage, router, tag
from libs.common.web.cursors import Cursor, Limit, after, page
from services.supervision import policy, repository, tables, use_cases
from services.supervision.api.callers import (
    AnyUscc,
    Id,
    Inspector,
    InspectorOrSupervisor,
    Supervisor,
    inspecting,
)
from services.supervision.schemas import examples, forms, views

api = router()

State = Annotated[Literal["assigned", "reported", "completed", "published"] | None, Query(examples=["assigned"])]
ShownCode = Annotated[str, Path(pattern="^[0-9a-f]{32}$", examples=[examples.SHOWN_CODE])]


@api.post("/inspections", status_code=201, tags=["inspections"])
async def trigger_inspection(
    body: forms.TriggerForm, _: Supervisor, session: InTransaction, clock: TheClock, response: Response
) -> views.InspectionView:
    """Assign an inspection on a complaint, a clue, or a commitment to be checked. It gets its inspection code."""
    row = await use_cases.trigger_inspection(session, body.trigger(), policy.current(), clock)
    response.headers["location"] = f"/v1/inspections/{row.id}"
    return await _view(session, row, response)


@api.get("/inspections", tags=["inspections"])
async def list_inspections(
    caller: InspectorOrSupervisor, reading: Reading, state: State = None, uscc: AnyUscc = None, cursor: Cursor = None,
    limit: Limit = 50,
) -> views.InspectionPage:  # fmt: skip
    """Inspections by the day of their assignment: an inspector's own, a supervisor's all."""
    begin = after(cursor, date.fromisoformat, UUID) or (None, None)
    found = await repository.fetch(reading, repository.INSPECTIONS, inspecting(caller), state, uscc, *begin, limit + 1)
    rows, more = page(found, limit, lambda row: [row["assigned_on"], row["id"]])
    return views.InspectionPage(items=[views.InspectionView.model_validate(row) for row in rows], next=more)


@api.get("/inspections/{inspection_id}", tags=["inspections"])
async def read_inspection(
    inspection_id: Id, caller: InspectorOrSupervisor, reading: Reading, response: Response
) -> views.InspectionView:
    """One inspection, of those that the caller may see."""
    row = await repository.fetch_one(reading, repository.INSPECTION, inspecting(caller), inspection_id)
    if row is None:
        raise Problem("not-found", 404)
    tag(response, row["version"])
    return views.InspectionView.model_validate(row)


@api.get("/inspection-codes/{code}", tags=["inspections"])
async def read_inspection_code(
    code: ShownCode, _: Anyone, reading: Reading, language: TheLanguage
) -> views.ShownInspectionView:
    """What an inspection code (检查码) shows to who holds it, the enterprise first: task or reason, items, legal basis,
    and how many inspectors of which departments. No names."""
    row = await repository.fetch_one(reading, repository.BY_CODE, code)
    if row is None:
        raise Problem("not-found", 404)
    law = policy.current()
    basis = law.legal_bases[row["legal_basis"]]
    sent = row.pop("sent")
    return views.ShownInspectionView.model_validate(
        {
            **row,
            "legal_basis_title": basis.title_zh if language == "zh" else basis.title,
            "items": [_item(one, language) for one in row["items"]],
            "inspectors": len(sent),
            "departments": Counter(sent),
        }
    )


@api.post("/inspections/{inspection_id}/result", tags=["inspections"])
async def report_result(
    inspection_id: Id, body: forms.ResultForm, caller: Inspector, session: InTransaction, clock: TheClock,
    response: Response,
) -> views.InspectionView:  # fmt: skip
    """Report what was found, by one of the inspectors, with the inspection code. Another inspector confirms it, or
    reports otherwise for the first to confirm."""
    results = [(one.code_set, one.code) for one in body.results]
    row = await use_cases.report_result(
        session, inspection_id, caller.subject, body.code, results, policy.current(), clock
    )
    return await _view(session, row, response)


@api.post("/inspections/{inspection_id}/confirmation", tags=["inspections"])
async def confirm_result(
    inspection_id: Id, body: forms.ConfirmationForm, caller: Inspector, session: InTransaction, clock: TheClock,
    response: Response,
) -> views.InspectionView:  # fmt: skip
    """Confirm the result that another inspector has reported. The inspection is complete; a correction is ordered where
    one follows; the result publishes itself at the latest after 20 working days."""
    row = await use_cases.confirm_result(session, inspection_id, caller.subject, body.code, policy.current(), clock)
    return await _view(session, row, response)


@api.post("/inspections/{inspection_id}/publication", tags=["inspections"])
async def publish_result(
    inspection_id: Id, _: Supervisor, session: InTransaction, clock: TheClock, response: Response
) -> views.InspectionView:
    """Publish a confirmed result before its day."""
    row = await use_cases.publish_result(session, inspection_id, clock)
    return await _view(session, row, response)


@api.get("/published-results", tags=["inspections"])
async def list_published_results(
    _: Anyone, reading: Reading, language: TheLanguage, uscc: AnyUscc = None, cursor: Cursor = None, limit: Limit = 50
) -> views.PublishedResultPage:
    """Results that are public (一公开), by the day of their publication; for one enterprise where `uscc` is given."""
    begin = after(cursor, date.fromisoformat, UUID) or (None, None)
    found = await repository.fetch(reading, repository.PUBLISHED, uscc, *begin, limit + 1)
    rows, more = page(found, limit, lambda row: [row["published_on"], row["id"]])
    return views.PublishedResultPage(
        items=[
            views.PublishedResultView.model_validate(
                {**row, "inspection_id": row["id"], "results": [_result(one, language) for one in row["results"]]}
            )
            for row in rows
        ],
        next=more,
    )


async def _view(session: InTransaction, row: tables.Inspection, response: Response) -> views.InspectionView:
    await session.flush()
    tag(response, row.version)
    accounts = await repository.inspectors_of(session, row.id)
    return views.InspectionView.model_validate({**row.model_dump(), "inspectors": accounts})


def _item(code: str, language: Language) -> dict[str, Any]:
    item = policy.current().items.get(code)
    if item is None:
        return {"code": code, "name": None, "legal_basis": None}
    return {"code": code, "name": item.item_zh if language == "zh" else item.item, "legal_basis": item.legal_basis}


def _result(result: dict[str, str], language: Language) -> dict[str, str]:
    row = policy.current().results[result["code_set"], result["code"]]
    return {**result, "result": row.result_zh if language == "zh" else row.result}
