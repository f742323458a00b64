"""Registrations obtained by false papers: notice, objections, decision."""

from uuid import uuid4

from fastapi import Response

from libs.common.problems import Problem
from libs.common.web import Anyone, IfMatch, InTransaction, Reading, TheClock, router, tag
from services.registration import forms, repository, use_cases, views
from services.registration.api.arguments import STAFF, Applicant, Registrar, ThePolicy, Uscc

api = router()


@api.post("/enterprises/{uscc}/false-registration", status_code=201, tags=["false registration"])
async def open_case(
    uscc: Uscc, body: forms.FalseRegistrationForm, caller: Registrar, session: InTransaction, law: ThePolicy,
    clock: TheClock, response: Response,
) -> views.FalseRegistrationView:  # fmt: skip
    """Open a case on a registration whose papers were found false: public notice for 45 days, then a decision."""
    row = await use_cases.open_case(session, uscc, body.reason, caller, law, clock, id=uuid4())
    response.headers["location"] = f"/v1/enterprises/{uscc}/false-registration"
    tag(response, row.version)
    return views.FalseRegistrationView.of(row.model_dump(), to_staff=True)


@api.get("/enterprises/{uscc}/false-registration", tags=["false registration"])
async def read_case(
    uscc: Uscc, caller: Anyone, reading: Reading, response: Response
) -> views.FalseRegistrationView:  # fmt: skip
    """The latest case on a registration, as it is publicly noticed. Who objected and what officers wrote is shown to
    staff alone."""
    row = await repository.case(reading, uscc)
    if row is None:
        raise Problem("not-found", 404)
    tag(response, row["version"])
    return views.FalseRegistrationView.of(dict(row), to_staff=caller is not None and caller.has(*STAFF))


@api.post("/enterprises/{uscc}/false-registration/objections", status_code=201, tags=["false registration"])
async def object_to_case(
    uscc: Uscc, body: forms.ObjectionForm, caller: Applicant, session: InTransaction, clock: TheClock,
    response: Response,
) -> views.FalseRegistrationView:  # fmt: skip
    """Object while the notice runs: the enterprise, or whoever has an interest in it."""
    row = await use_cases.object_to_case(session, uscc, body.words, caller, clock)
    tag(response, row.version)
    return views.FalseRegistrationView.of(row.model_dump(), to_staff=False)


@api.post("/enterprises/{uscc}/false-registration/decision", tags=["false registration"])
async def decide_case(
    uscc: Uscc, body: forms.FalseRegistrationRulingForm, caller: Registrar, session: InTransaction, law: ThePolicy,
    clock: TheClock, version: IfMatch, response: Response,
) -> views.FalseRegistrationView:  # fmt: skip
    """Withdraw the registration or let it stand, with a reason; the officer holds the item of queue
    registration.false_registration, which opens when the notice has run. Those responsible may not apply for three
    years."""
    row = await use_cases.decide_case(
        session, uscc, body.outcome, body.reason, body.responsible, caller, version, law, clock
    )  # fmt: skip
    tag(response, row.version)
    return views.FalseRegistrationView.of(row.model_dump(), to_staff=True)
