"""The register: enterprises, their changes, their licence, and how they leave it."""

import asyncio
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
from libs.common.web.fields import Day, Instant
from services.registration import forms, repository, tables, use_cases, views
from services.registration.api.arguments import (
    STAFF,
    Applicant,
    ApplicantOrStaff,
    NamePart,
    Registrar,
    Since,
    ThePolicy,
    Until,
    Uscc,
    Usccs,
    WindowUrl,
    owner_for,
)
from services.registration.domain.structure import Capital
from services.registration.repository import history, search

api = router()
IfDeregistered = Annotated[bool | None, Query(alias="deregistered", examples=[False], description="Only these.")]
OfCapital = Annotated[Capital | None, Query(examples=["foreign"], description="Whose capital it is.")]
AreaPrefix = Annotated[
    str | None, Query(pattern="^[0-9]{1,9}$", examples=["310106"], description="The beginning of the area's code.")
]  # fmt: skip
ActivityPrefix = Annotated[
    str | None, Query(pattern="^[0-9]{1,4}$", examples=["62"], description="The beginning of a class (GB/T 4754).")
]  # fmt: skip
ValidAt = Annotated[Day | None, Query(examples=["2026-01-05"], description="The day on which it held.")]
KnownAt = Annotated[
    Instant | None, Query(examples=["2026-01-05T10:00:00Z"], description="The moment at which it was known.")
]  # fmt: skip
LICENCE = "licence"
PDF = {"schema": {"type": "string", "format": "binary"}, "example": "%PDF-1.7"}


@api.get("/enterprises", tags=["enterprises"])
async def list_enterprises(
    caller: ApplicantOrStaff, reading: Reading, deregistered: IfDeregistered = None, q: NamePart = None,
    area: AreaPrefix = None, activity: ActivityPrefix = None, capital: OfCapital = None, since: Since = None,
    until: Until = None, cursor: Cursor = None, limit: Limit = 50,
) -> views.EnterpriseList:  # fmt: skip
    """The caller's enterprises, or the whole register to staff; by identifier. `since` and `until` are days of
    registration, both included."""
    (behind,) = after(cursor, str) or (None,)
    owner = owner_for(caller, *STAFF)
    wanted = search.Enterprises(owner, deregistered, q, area, activity, capital, since, until)
    found = await search.enterprises(reading, wanted, behind, limit + 1)
    rows, following = page(found, limit, lambda row: (row["uscc"],))
    items = [views.EnterpriseItem.model_validate(dict(row)) for row in rows]
    return views.EnterpriseList(items=items, next=following)


@api.get("/enterprise-names", tags=["enterprises"])
async def read_names(uscc: Usccs, _: Anyone, reading: Reading) -> views.EnterpriseNames:
    """What these enterprises are called; anyone may ask. One that is not in the register is left out."""
    found = await repository.called(reading, uscc)
    return views.EnterpriseNames(items=[views.EnterpriseName.model_validate(dict(row)) for row in found])


@api.get("/enterprises/{uscc}", tags=["enterprises"])
async def read_enterprise(
    uscc: Uscc, caller: Anyone, reading: Reading, clock: TheClock, response: Response, valid_at: ValidAt = None,
    known_at: KnownAt = None,
) -> views.EnterpriseView:  # fmt: skip
    """An enterprise as the register has it; anyone may read it. With `valid_at` (a day) or `known_at` (a moment): also
    what it `held` on that day as was known at that moment; one that is not given is now."""
    row = await _row(reading, uscc)
    tag(response, row["version"])
    held = None
    if valid_at is not None or known_at is not None:
        found = await history.held(reading, uscc, valid_at or clock.today(), known_at or clock.now())
        if found is None:
            raise Problem("not-held", 404)
        held = views.SpanView.of(dict(found), to_staff=False)
    return views.EnterpriseView.of(row, to_staff=caller is not None and caller.has(*STAFF), held=held)


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
        in_force=row["deregistered_on"] is None and row["withdrawn_on"] is None,
        document=document,
        jws=signature.sign(document, kind=LICENCE, keys=keys),
    )


@api.get(
    "/enterprises/{uscc}/licence.pdf", tags=["enterprises"], response_class=Response,
    responses={200: {"content": {"application/pdf": PDF}}},
)  # fmt: skip
async def print_licence(
    uscc: Uscc, _: Anyone, reading: Reading, clock: TheClock, keys: SigningKeys, law: ThePolicy, window: WindowUrl
) -> Response:
    """The electronic business licence as a PDF to print. Its code leads to what the register holds then; the signed
    document is attached to it as `licence.jws`, for `python -m verify`."""
    row = await _row(reading, uscc)
    document = views.licence(row, clock.now())
    jws = signature.sign(document, kind=LICENCE, keys=keys)
    check = f"{window}/l/{uscc}?v={row['version']}"
    printed = await asyncio.to_thread(views.licence_pdf, document, jws, check, law)
    headers = {"content-disposition": f'inline; filename="licence-{uscc}.pdf"', "cache-control": "no-store"}
    return Response(printed, media_type="application/pdf", headers=headers)


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


@api.get("/enterprises/{uscc}/deregistrations", tags=["enterprises"])
async def list_deregistrations(
    uscc: Uscc, caller: ApplicantOrStaff, reading: Reading
) -> views.DeregistrationList:  # fmt: skip
    """Each time the enterprise asked to leave the register and how that ended, the latest first: to the enterprise with
    the officer's reason or what was objected, to staff with who it was."""
    found = await repository.deregistrations(reading, uscc, owner_for(caller, *STAFF))
    if found is None:
        raise Problem("not-found", 404)
    to_staff = caller.has(*STAFF)
    return views.DeregistrationList(items=[views.DeregistrationItem.of(dict(row), to_staff=to_staff) for row in found])


@api.post("/enterprises/{uscc}/deregistration/objections", status_code=201, tags=["enterprises"])
async def object_to_deregistration(
    uscc: Uscc, body: forms.ObjectionForm, caller: Applicant, session: InTransaction, clock: TheClock,
    response: Response,
) -> views.DeregistrationView:  # fmt: skip
    """Object while the notice of a simplified deregistration runs: a creditor, or whoever has an interest. It is then
    refused, and the enterprise may ask for a general one."""
    row = await use_cases.object_to_deregistration(session, uscc, body.words, caller, clock)
    return _deregistration(row, response)


@api.post("/enterprises/{uscc}/deregistration/decision", tags=["review"])
async def decide_deregistration(
    uscc: Uscc, body: forms.DeregistrationRulingForm, caller: Registrar, session: InTransaction,
    law: ThePolicy, clock: TheClock, version: IfMatch, response: Response,
) -> views.DeregistrationView:  # fmt: skip
    """Decide on a general deregistration, with a reason; the officer holds the item of queue
    registration.deregistration. The version is that of the deregistration."""
    row = await use_cases.decide_deregistration(session, uscc, body.outcome, body.reason, caller, version, law, clock)
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
