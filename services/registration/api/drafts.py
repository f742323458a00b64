"""Drafts: a form somebody has begun, seen by nobody else."""

import json
from datetime import date, datetime
from uuid import UUID, uuid4

from fastapi import Response

from libs.common.clock import Clock
from libs.common.problems import Language, Problem
from libs.common.web import IfMatch, InTransaction, Reading, TheClock, TheLanguage, router, tag
from libs.common.web.cursors import Cursor, Limit, after, page
from services.registration import domain, forms, repository, use_cases, views
from services.registration.api.arguments import Applicant, DraftId, ThePolicy
from services.registration.messages import text

api = router()


@api.post("/drafts", status_code=201, tags=["drafts"])
async def begin_draft(
    body: forms.DraftForm, caller: Applicant, session: InTransaction, law: ThePolicy, clock: TheClock,
    response: Response,
) -> views.DraftItem:  # fmt: skip
    """Keep a form that is not finished: any JSON object up to 64 KiB. What it holds is not repeated in the answer."""
    draft = await use_cases.begin_draft(session, body.content, caller.subject, law, clock, id=uuid4())
    response.headers["location"] = f"/v1/drafts/{draft.id}"
    return _saved(draft.model_dump(), law, clock, response)


@api.get("/drafts", tags=["drafts"])
async def list_drafts(
    caller: Applicant, reading: Reading, law: ThePolicy, clock: TheClock, cursor: Cursor = None, limit: Limit = 50
) -> views.DraftList:
    """The caller's drafts, the last saved first; expired ones too, until they are deleted."""
    behind = after(cursor, datetime.fromisoformat, UUID)
    found = await repository.drafts(reading, caller.subject, behind, limit + 1)
    rows, following = page(found, limit, lambda row: (row["saved_at"].isoformat(), row["id"]))
    return views.DraftList(items=[_item(dict(row), law, clock.today()) for row in rows], next=following)


@api.get("/drafts/{draft_id}", tags=["drafts"])
async def read_draft(
    draft_id: DraftId, caller: Applicant, reading: Reading, law: ThePolicy, clock: TheClock, language: TheLanguage,
    response: Response,
) -> views.DraftView:  # fmt: skip
    """A draft as it was left. One that has expired opens all the same and says so: save it to go on."""
    row = await repository.draft(reading, draft_id, caller.subject)
    if row is None:
        raise Problem("not-found", 404)
    item = _saved(dict(row), law, clock, response)
    notices = [_expired(item, language)] if item.expired else []
    return views.DraftView(**item.model_dump(), content=json.loads(row["content"]), notices=notices)


@api.put("/drafts/{draft_id}", tags=["drafts"])
async def save_draft(
    draft_id: DraftId, body: forms.DraftForm, caller: Applicant, session: InTransaction, law: ThePolicy,
    clock: TheClock, version: IfMatch, response: Response,
) -> views.DraftItem:  # fmt: skip
    """Save a draft again; its days are counted anew."""
    draft = await use_cases.save_draft(session, draft_id, body.content, caller.subject, version, law, clock)
    return _saved(draft.model_dump(), law, clock, response)


@api.delete("/drafts/{draft_id}", tags=["drafts"])
async def drop_draft(draft_id: DraftId, caller: Applicant, session: InTransaction) -> views.DroppedView:
    """Delete a draft with all that it holds."""
    await use_cases.drop_draft(session, draft_id, caller.subject)
    return views.DroppedView(id=draft_id)


def _saved(row: dict[str, object], law: domain.Policy, clock: Clock, response: Response) -> views.DraftItem:
    item = _item(row, law, clock.today())
    tag(response, item.version)
    return item


def _item(row: dict[str, object], law: domain.Policy, today: date) -> views.DraftItem:
    expires_on = row["expires_on"]
    assert isinstance(expires_on, date)
    return views.DraftItem.model_validate(
        {**row, "kept_until": use_cases.kept_until(expires_on, law), "expired": today >= expires_on}
    )


def _expired(item: views.DraftItem, language: Language) -> views.NoticeView:
    figures = {"expired": item.expires_on.isoformat(), "until": item.kept_until.isoformat()}
    return views.NoticeView(code="draft_expired", detail=text("draft_expired", language, **figures))
