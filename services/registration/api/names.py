"""Names: anyone looks one up, an applicant has one kept."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import Path, Response

from libs.common.web import Anyone, InTransaction, QuestionRoute, Reading, TheClock, TheLanguage, router
from libs.common.web.cursors import Cursor, Limit, after, page
from services.registration import forms, use_cases, views
from services.registration.api.arguments import Applicant, ThePolicy
from services.registration.repository import names as held

api, questions = router(), router(route_class=QuestionRoute)
ReservationId = Annotated[UUID, Path(examples=["0f8c2f1d-9b11-4b6c-9a3a-5a2f6a0e7a51"])]


@questions.post("/name-checks", tags=["names"])
async def check_name(
    body: forms.NameForm, _: Anyone, reading: Reading, law: ThePolicy, clock: TheClock, language: TheLanguage
) -> views.NameAnswerView:
    """Look a name up before it is filed: its four parts, the nine prohibited kinds, and the names of the same industry
    that are the same, nearly the same or sound alike. Nothing is kept."""
    answer = await use_cases.check_name(reading, body.plan(), law, clock.today())
    return views.NameAnswerView.of(answer, use_cases.grounds_kept(answer), language)


@api.post("/name-reservations", status_code=201, tags=["names"])
async def reserve_name(
    body: forms.NameReservationForm, caller: Applicant, session: InTransaction, law: ThePolicy, clock: TheClock,
    response: Response,
) -> views.ReservedNameView:  # fmt: skip
    """Keep a name for two months, or for a year where an approval comes first. A form filed by the same account under
    this name uses it. One that is refused comes back with every ground; one that an officer has to look at cannot be
    kept: file it with the form."""
    row = await use_cases.reserve_name(
        session, body.plan(), caller.subject, law, clock, id=uuid4(), prior_approval=body.prior_approval
    )
    response.headers["location"] = f"/v1/name-reservations/{row.id}"
    return _reserved(row.model_dump())


@api.get("/name-reservations", tags=["names"])
async def list_reserved_names(
    caller: Applicant, reading: Reading, clock: TheClock, cursor: Cursor = None, limit: Limit = 50
) -> views.ReservedNameList:
    """The names that are kept for the caller, the latest first."""
    behind = after(cursor, date.fromisoformat, UUID)
    found = await held.reservations(reading, caller.subject, clock.today(), behind, limit + 1)
    rows, following = page(found, limit, lambda row: (row["held_since"].isoformat(), row["id"]))
    return views.ReservedNameList(items=[_reserved(dict(row)) for row in rows], next=following)


@api.delete("/name-reservations/{reservation_id}", tags=["names"])
async def release_name(reservation_id: ReservationId, caller: Applicant, session: InTransaction) -> views.ReleasedView:
    """Give a reserved name back: it is free at once."""
    await use_cases.release_name(session, reservation_id, caller.subject)
    return views.ReleasedView(id=reservation_id)


def _reserved(row: dict[str, Any]) -> views.ReservedNameView:
    return views.ReservedNameView.model_validate({**row, "reserved_on": row["held_since"]})
