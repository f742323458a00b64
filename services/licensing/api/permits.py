"""Applications for permits and filings, and the certificate of a permit."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response

from libs.common import signature
from libs.common.identity import Caller, Role
from libs.common.problems import Problem
from libs.common.web import Anyone, IfMatch, InTransaction, Reading, SigningKeys, TheClock, TheLanguage, router, tag
from libs.common.web.cursors import Cursor, Limit, after, page
from services.licensing import repository, schemas, tables, use_cases, views
from services.licensing.api.arguments import (
    Applicant,
    ApplicationId,
    Officer,
    PermitId,
    Reader,
    TheCatalogue,
    Uscc,
)
from services.licensing.domain.states import ApplicationStatus
from services.licensing.views.examples import USCC

api = router()
CERTIFICATE = "permit"
SEES_ALL: tuple[Role, ...] = ("supervisor", "regulator", "auditor")

OfStatus = Annotated[ApplicationStatus | None, Query(alias="status", examples=["in_review"])]
OfEnterprise = Annotated[str | None, Query(alias="uscc", pattern="^[0-9A-HJ-NPQRTUWXY]{18}$", examples=[USCC])]


@api.post("/enterprises/{uscc}/permit-applications", status_code=201, tags=["permits"])
async def apply_for_permit(
    uscc: Uscc, body: schemas.PermitApplicationForm, caller: Applicant, session: InTransaction,
    catalogue: TheCatalogue, clock: TheClock, response: Response,
) -> views.ApplicationView:  # fmt: skip
    """Apply for an item that is due. A filing is recorded at once; a commitment grants the permit at once, and its
    facts are checked later; the ordinary way waits for an officer of the department."""
    row = await use_cases.apply_for_permit(session, body.command(uscc), caller, catalogue, clock)
    response.headers["location"] = f"/v1/permit-applications/{row.id}"
    return _shown(row, response)


@api.get("/permit-applications", tags=["permits"])
async def list_permit_applications(
    caller: Reader, reading: Reading, status: OfStatus = None, uscc: OfEnterprise = None, cursor: Cursor = None,
    limit: Limit = 50,
) -> views.Applications:  # fmt: skip
    """The caller's applications, those before an officer's department, or all to who supervises; the latest first."""
    account, department = _seen_by(caller)
    behind: Any = after(cursor, date.fromisoformat, UUID)
    found = await repository.applications(reading, account, department, status, uscc, behind, limit + 1)
    rows, following = page(found, limit, lambda row: (row["filed_on"], row["id"]))
    return views.Applications(items=[views.ApplicationView.of(dict(row)) for row in rows], next=following)


@api.get("/permit-applications/{application_id}", tags=["permits"])
async def read_permit_application(
    application_id: ApplicationId, caller: Reader, reading: Reading, response: Response
) -> views.ApplicationView:
    """One application: its owner's, or one before the officer's department."""
    row = await repository.application(reading, application_id, *_seen_by(caller))
    if row is None:
        raise Problem("not-found", 404)
    tag(response, row["version"])
    return views.ApplicationView.of(dict(row))


@api.post("/permit-applications/{application_id}/decision", tags=["permits"])
async def decide_permit_application(
    application_id: ApplicationId, body: schemas.RulingForm, caller: Officer, session: InTransaction, clock: TheClock,
    version: IfMatch, response: Response,
) -> views.ApplicationView:  # fmt: skip
    """Grant or refuse, with a reason; the officer holds the item of queue licensing.permit."""
    row = await use_cases.decide(session, application_id, body.outcome, body.reason, caller, version, clock)
    return _shown(row, response)


@api.get("/permits/{permit_id}/certificate", tags=["permits"])
async def read_certificate(
    permit_id: PermitId, _: Anyone, reading: Reading, clock: TheClock, catalogue: TheCatalogue,
    language: TheLanguage, keys: SigningKeys,
) -> views.CertificateView:  # fmt: skip
    """The certificate of a permit, signed: is it in force today? `python -m verify` checks the signature offline."""
    row = await repository.permit(reading, permit_id)
    if row is None:
        raise Problem("not-found", 404)
    item = next(one for one in catalogue.items if (one.item_id, one.part) == (row["item_id"], row["part"]))
    document = views.certificate(dict(row), (item.item_zh, item.item), clock.now())
    return views.CertificateView(
        in_force=document["in_force"],
        issued=row["granted_on"],
        revoked_on=row["revoked_on"],
        item=views.CertificateView.Item(item_id=row["item_id"], name=document[f"item_{language}"]),
        uscc=row["uscc"],
        department=row["department"],
        document=document,
        jws=signature.sign(document, kind=CERTIFICATE, keys=keys),
    )


def _seen_by(caller: Caller) -> tuple[str | None, str | None]:
    """Account and department by which the caller sees applications; no account: all of them."""
    return (None if caller.has(*SEES_ALL) else caller.subject), caller.department


def _shown(row: tables.PermitApplication, response: Response) -> views.ApplicationView:
    tag(response, row.version)
    return views.ApplicationView.of(row.model_dump())
