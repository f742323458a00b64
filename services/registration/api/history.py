"""What held on a day, as it was known at a moment; and the corrections of it."""

from uuid import uuid4

from fastapi import Response

from libs.common.problems import Problem
from libs.common.web import Anyone, InTransaction, Reading, TheClock, router
from libs.common.web.cursors import Cursor, Limit, after, page
from services.registration import forms, use_cases, views
from services.registration.api.arguments import STAFF, Registrar, ThePolicy, Uscc
from services.registration.repository import history

api = router()


@api.get("/enterprises/{uscc}/history", tags=["history"])
async def read_history(
    uscc: Uscc, caller: Anyone, reading: Reading, cursor: Cursor = None, limit: Limit = 50
) -> views.HistoryView:
    """Everything that was ever known of an enterprise, in the order in which it was recorded: from when to when it was
    said to hold, and until when it was believed. Reasons of corrections are shown to staff alone."""
    (behind,) = after(cursor, int) or (0,)
    found = await history.history(reading, uscc, behind, limit + 1)
    if not found and cursor is None:
        raise Problem("not-found", 404)
    rows, following = page(found, limit, lambda row: (row["number"],))
    to_staff = caller is not None and caller.has(*STAFF)
    return views.HistoryView(items=[views.SpanView.of(dict(row), to_staff=to_staff) for row in rows], next=following)


@api.post("/enterprises/{uscc}/corrections", status_code=201, tags=["history"])
async def correct_history(
    uscc: Uscc, body: forms.HistoryCorrectionForm, caller: Registrar, session: InTransaction, law: ThePolicy,
    clock: TheClock, response: Response,
) -> views.HistoryCorrectionView:  # fmt: skip
    """Correct what the register held in a time that is over, with a reason. What was known before stays readable, and
    decisions keep the facts they rested on; what holds now is changed, not corrected."""
    id = uuid4()
    await use_cases.correct_history(
        session, uscc, body.valid_from, body.valid_to, body.corrected.command(), body.reason, caller, law, clock, id=id
    )
    response.headers["location"] = f"/v1/enterprises/{uscc}/history"
    return views.HistoryCorrectionView(id=id, uscc=uscc, valid_from=body.valid_from, valid_to=body.valid_to)
