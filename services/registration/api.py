"""HTTP: parse -> one use case -> response."""

from typing import Annotated
from uuid import UUID, uuid4

from fastapi import Depends, Path, Response

from libs.common.identity import Caller
from libs.common.problems import Problem
from libs.common.web import Anyone, InTransaction, Reading, TheClock, TheLanguage, allowed, router
from services.registration import policy, repository, schemas, use_cases
from services.registration.domain import Policy

api = router()


async def _law() -> Policy:
    """Not `policy.current` itself: FastAPI sends plain functions to a thread."""
    return policy.current()


ThePolicy = Annotated[Policy, Depends(_law)]
Applicant = Annotated[Caller, allowed("applicant", "agent")]
ApplicationId = Annotated[UUID, Path(examples=["6105cc38-1855-416d-a878-494a36227cef"])]
Uscc = Annotated[str, Path(pattern="^[0-9A-HJ-NPQRTUWXY]{18}$", examples=["91310106MA0000015B"])]


@api.post("/applications", status_code=201, tags=["applications"])
async def submit_application(
    body: schemas.ApplicationForm, _caller: Applicant, session: InTransaction, law: ThePolicy, clock: TheClock,
    language: TheLanguage, response: Response,
) -> schemas.JudgedView:  # fmt: skip
    """Submit the single form. It is screened against the negative list of the day: registered, in review, or refused
    with every item and its source. A form with faults comes back with all of them at once."""
    judged = await use_cases.submit_application(session, body.command(), law, clock, id=uuid4())
    response.headers["location"] = f"/v1/applications/{judged.id}"
    return schemas.JudgedView(
        id=judged.id,
        status=judged.status,
        uscc=judged.uscc,
        decision=schemas.DecisionView.recorded(judged.decision, language),
    )


@api.get("/applications/{application_id}", tags=["applications"])
async def read_application(
    application_id: ApplicationId, _caller: Applicant, reading: Reading, language: TheLanguage
) -> schemas.ApplicationView:
    """An application, its status and the decision on it."""
    row = await repository.application(reading, application_id)
    if row is None:
        raise Problem("not-found", 404)
    return schemas.ApplicationView.of(dict(row), language)


@api.post("/enterprises/{uscc}/changes", status_code=201, tags=["enterprises"])
async def change_enterprise(
    uscc: Uscc, body: schemas.EnterpriseChangeForm, _caller: Applicant, session: InTransaction, law: ThePolicy,
    clock: TheClock, language: TheLanguage,
) -> schemas.ChangeJudgedView:  # fmt: skip
    """Change registered items; only what changes is stated. The enterprise as changed is screened again."""
    judged = await use_cases.change_enterprise(session, uscc, body.command(), law, clock)
    decision = schemas.DecisionView.recorded(judged.decision, language)
    return schemas.ChangeJudgedView(id=judged.id, uscc=uscc, decision=decision)


@api.get("/enterprises/{uscc}", tags=["enterprises"])
async def read_enterprise(uscc: Uscc, _: Anyone, reading: Reading) -> schemas.EnterpriseView:
    """A registered enterprise as it stands."""
    row = await repository.enterprise(reading, uscc)
    if row is None:
        raise Problem("not-found", 404)
    return schemas.EnterpriseView.model_validate(dict(row))
