"""The register: enterprises, their changes, their licence, and how they leave it."""

from typing import Annotated, Any
from uuid import uuid4

from fastapi import Query, Response

from libs.common import signature
from libs.common.problems import Problem
from libs.common.web import (
    Anyone,
    IfMatch,
    InTransaction,
    Reading,
    SigningKeys,
    TheClock,
    TheLanguage,
    router,
    tag,
)
from libs.common.web.cursors import Cursor, Limit, after, page
from services.registration import forms, repository, tables, use_cases, views
from services.registration.api.arguments import (
    STAFF,
    Applicant,
    ApplicantOrStaff,
    Registrar,
    ThePolicy,
    Uscc,
    owner_for,
)

api = router()
IfDeregistered = Annotated[bool | None, Query(alias="deregistered", examples=[False], description="Only these.")]
LICENCE = "licence"


@api.get("/enterprises", tags=["enterprises"])
async def list_enterprises(
    caller: ApplicantOrStaff, reading: Reading, deregistered: IfDeregistered = None, cursor: Cursor = None,
    limit: Limit = 50,
) -> views.EnterpriseList:  # fmt: skip
    """The caller's enterprises, or the whole register to staff; by identifier."""
    (behind,) = after(cursor, str) or (None,)
    found = await repository.enterprises(reading, owner_for(caller, *STAFF), deregistered, behind, limit + 1)
    rows, following = page(found, limit, lambda row: (row["uscc"],))
    items = [views.EnterpriseItem.model_validate(dict(row)) for row in rows]
    return views.EnterpriseList(items=items, next=following)


@api.get("/enterprises/{uscc}", tags=["enterprises"])
async def read_enterprise(uscc: Uscc, caller: Anyone, reading: Reading, response: Response) -> views.EnterpriseView:
    """An enterprise as the register has it; anyone may read it."""
    row = await _row(reading, uscc)
    tag(response, row["version"])
    return views.EnterpriseView.of(row, to_staff=caller is not None and caller.has(*STAFF))


@api.get("/enterprises/{uscc}/licence", tags=["enterprises"])
async def read_licence(
    uscc: Uscc, _: Anyone, reading: Reading, clock: TheClock, keys: SigningKeys
) -> views.LicenceView:
    """The electronic business licence: what the register holds now, signed. `python -m verify` checks it offline with
    the keys of this service; a copy shows the register as of `issued_at`."""
    row = await _row(reading, uscc)
    document = views.licence(row, clock.now())
    return views.LicenceView(
        uscc=uscc,
        in_force=row["deregistered_on"] is None,
        document=document,
        jws=signature.sign(document, kind=LICENCE, keys=keys),
    )


@api.post("/enterprises/{uscc}/changes", status_code=201, tags=["enterprises"])
async def change_enterprise(
    uscc: Uscc, body: forms.EnterpriseChangeForm, caller: Applicant, session: InTransaction, law: ThePolicy,
    clock: TheClock, language: TheLanguage, version: IfMatch, response: Response,
) -> views.ChangeJudgedView:  # fmt: skip
    """Change registered items; only what changes is stated. The enterprise as changed is screened again."""
    judged = await use_cases.change_enterprise(session, uscc, body.command(), caller.subject, version, law, clock)
    tag(response, judged.version)
    decision = views.DecisionView.recorded(judged.decision, language)
    return views.ChangeJudgedView(id=judged.id, uscc=uscc, decision=decision, version=judged.version)


@api.post("/enterprises/{uscc}/deregistration", status_code=201, tags=["enterprises"])
async def request_deregistration(
    uscc: Uscc, body: forms.DeregistrationForm, caller: Applicant, session: InTransaction, law: ThePolicy,
    clock: TheClock, response: Response,
) -> views.DeregistrationView:  # fmt: skip
    """Ask to leave the register: simplified, after 20 days of public notice; general, by an officer's decision."""
    row = await use_cases.request_deregistration(
        session, uscc, body.procedure, caller.subject, law, clock, id=uuid4()
    )  # fmt: skip
    return _deregistration(row, response)


@api.post("/enterprises/{uscc}/deregistration/decision", tags=["review"])
async def decide_deregistration(
    uscc: Uscc, body: forms.DeregistrationRulingForm, caller: Registrar, session: InTransaction, clock: TheClock,
    version: IfMatch, response: Response,
) -> views.DeregistrationView:  # fmt: skip
    """Decide on a general deregistration, with a reason; the officer holds the item of queue
    registration.deregistration. The version is that of the deregistration."""
    row = await use_cases.decide_deregistration(session, uscc, body.outcome, body.reason, caller, version, clock)
    return _deregistration(row, response)


async def _row(reading: Reading, uscc: str) -> dict[str, Any]:
    row = await repository.enterprise(reading, uscc)
    if row is None:
        raise Problem("not-found", 404)
    return dict(row)


def _deregistration(row: tables.Deregistration, response: Response) -> views.DeregistrationView:
    tag(response, row.version)
    outcome = row.decided["outcome"] if row.decided else None
    return views.DeregistrationView.model_validate({**row.model_dump(), "outcome": outcome})
