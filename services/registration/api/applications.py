"""Applications, as their applicants file and follow them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import Query, Response

from libs.common.problems import Language, Problem
from libs.common.web import IfMatch, InTransaction, Reading, TheClock, TheLanguage, router, tag
from libs.common.web.cursors import Cursor, Limit, after, page
from services.registration import forms, repository, use_cases, views
from services.registration.api.arguments import (
    READERS,
    Applicant,
    ApplicantOrReader,
    ApplicationId,
    NamePart,
    PartyKey,
    Since,
    ThePolicy,
    Until,
    owner_for,
)
from services.registration.domain.states import Status
from services.registration.repository import search

api = router()
OfStatus = Annotated[Status | None, Query(alias="status", examples=["in_review"], description="Only these.")]


@api.post("/applications", status_code=201, tags=["applications"])
async def submit_application(
    body: forms.ApplicationForm, caller: Applicant, session: InTransaction, law: ThePolicy, clock: TheClock,
    language: TheLanguage, key: PartyKey, response: Response,
) -> views.JudgedView:  # fmt: skip
    """Submit the single form. It is screened against the negative list of the day: registered, in review, or refused
    with every item and its source. A form with faults comes back with all of them at once."""
    judged = await use_cases.submit_application(
        session, body.command(key=key), law, clock, id=uuid4(), filed_by=caller.subject, draft_id=body.draft_id
    )
    response.headers["location"] = f"/v1/applications/{judged.id}"
    return _judged(judged, language, response)


@api.get("/applications", tags=["applications"])
async def list_applications(
    caller: ApplicantOrReader, reading: Reading, status: OfStatus = None, q: NamePart = None, since: Since = None,
    until: Until = None, cursor: Cursor = None, limit: Limit = 50,
) -> views.ApplicationList:  # fmt: skip
    """The caller's applications, or all of them to a registrar and an auditor; the latest first. `since` and `until`
    are days on which they came in, both included."""
    behind = after(cursor, datetime.fromisoformat, UUID)
    wanted = search.Applications(owner_for(caller, *READERS), status, q, since, until)
    found = await search.applications(reading, wanted, behind, limit + 1)
    rows, following = page(found, limit, lambda row: (row["submitted_at"].isoformat(), row["id"]))
    items = [views.ApplicationItem.model_validate(dict(row)) for row in rows]
    return views.ApplicationList(items=items, next=following)


@api.get("/applications/{application_id}", tags=["applications"])
async def read_application(
    application_id: ApplicationId, caller: ApplicantOrReader, reading: Reading, language: TheLanguage,
    response: Response,
) -> views.ApplicationView:  # fmt: skip
    """An application, its status, the decision on it, what is to be corrected, and how it ended."""
    row = await repository.application(reading, application_id, owner_for(caller, *READERS))
    if row is None:
        raise Problem("not-found", 404)
    tag(response, row["version"])
    return views.ApplicationView.of(dict(row), language, to_staff=caller.has(*READERS))


@api.get("/applications/{application_id}/form", tags=["applications"])
async def read_form(
    application_id: ApplicationId, caller: ApplicantOrReader, reading: Reading, response: Response
) -> views.SentView:
    """What was declared in the form, with the digest that is signed. Its names are shown to whoever sent it and to
    those whom it names as signers, and to nobody else."""
    row = await repository.form(reading, application_id, owner_for(caller, *READERS))
    if row is None:
        raise Problem("not-found", 404)
    tag(response, row["version"])
    return views.SentView.of(dict(row), to_owner=not caller.has(*READERS))


@api.post("/applications/{application_id}/resubmission", status_code=201, tags=["applications"])
async def resubmit_application(
    application_id: ApplicationId, body: forms.ApplicationForm, caller: Applicant, session: InTransaction,
    law: ThePolicy, clock: TheClock, language: TheLanguage, version: IfMatch, key: PartyKey, response: Response,
) -> views.JudgedView:  # fmt: skip
    """Send the form again after corrections were asked for. It is judged anew, by the law of this day."""
    judged = await use_cases.resubmit_application(
        session, application_id, body.command(key=key), caller.subject, version, law, clock, draft_id=body.draft_id
    )
    return _judged(judged, language, response)


@api.post("/applications/{application_id}/withdrawal", tags=["applications"])
async def withdraw_application(
    application_id: ApplicationId, caller: Applicant, session: InTransaction, clock: TheClock, response: Response
) -> views.StandingView:
    """Withdraw an application that is not decided yet."""
    row = await use_cases.withdraw_application(session, application_id, caller.subject, clock)
    tag(response, row.version)
    return views.StandingView.model_validate(row.model_dump())


def _judged(judged: use_cases.Judged, language: Language, response: Response) -> views.JudgedView:
    tag(response, judged.version)
    return views.JudgedView.model_validate(
        {
            "id": judged.id,
            "status": judged.status,
            "uscc": judged.uscc,
            "decision": views.DecisionView.recorded(judged.decision, language),
            "name_grounds": views.NameGroundView.all_of(judged.name_grounds, language),
            "round": judged.round,
            "version": judged.version,
        }
    )
