"""Matters that follow on a registration at others'."""

from typing import Annotated

from fastapi import Path, Response

from libs.common.problems import Problem
from libs.common.web import IfMatch, InTransaction, Reading, TheClock, TheLanguage, router, tag
from services.registration import forms, repository, use_cases, views
from services.registration.api.arguments import (
    STAFF,
    Applicant,
    ApplicantOrStaff,
    Registrar,
    ThePolicy,
    Uscc,
    owner_for,
)
from services.registration.domain.hand_over import Matter

api = router()
OfMatter = Annotated[Matter, Path(examples=["seal"])]


@api.get("/enterprises/{uscc}/hand-overs", tags=["follow-on matters"])
async def list_hand_overs(
    uscc: Uscc, caller: ApplicantOrStaff, reading: Reading, law: ThePolicy, clock: TheClock, language: TheLanguage
) -> views.HandOversView:
    """The matters that were handed over, who handles them, and how they stand."""
    found = await repository.hand_overs(reading, uscc, owner_for(caller, *STAFF))
    if found is None:
        raise Problem("not-found", 404)
    items = [views.HandOverView.of(dict(row), law, clock.today(), language) for row in found]
    return views.HandOversView(items=items)


@api.post("/enterprises/{uscc}/hand-overs", status_code=201, tags=["follow-on matters"])
async def hand_over_matters(
    uscc: Uscc, body: forms.HandOverForm, caller: Applicant, session: InTransaction, law: ThePolicy, clock: TheClock,
    language: TheLanguage, response: Response,
) -> views.HandOversView:  # fmt: skip
    """Have matters that follow on the registration handed over: seal, tax, social insurance, provident fund, bank."""
    rows = await use_cases.hand_over_matters(session, uscc, body.matters, caller.subject, law, clock)
    response.headers["location"] = f"/v1/enterprises/{uscc}/hand-overs"
    items = [views.HandOverView.of(row.model_dump(), law, clock.today(), language) for row in rows]
    return views.HandOversView(items=items)


@api.post("/enterprises/{uscc}/hand-overs/{matter}/answer", tags=["follow-on matters"])
async def note_answer(
    uscc: Uscc, matter: OfMatter, body: forms.AnswerForm, caller: Registrar, session: InTransaction, law: ThePolicy,
    clock: TheClock, language: TheLanguage, version: IfMatch, response: Response,
) -> views.HandOverView:  # fmt: skip
    """Note what they who handle a matter have answered; the version is that of the matter."""
    row = await use_cases.note_answer(session, uscc, matter, body.answer, caller, version, clock)
    tag(response, row.version)
    return views.HandOverView.of(row.model_dump(), law, clock.today(), language)
