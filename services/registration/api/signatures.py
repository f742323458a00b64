"""Signatures: everybody whom a form names as a signer signs what it states."""

from uuid import UUID

from fastapi import Response

from libs.common.web import InTransaction, Reading, TheClock, router, tag
from libs.common.web.cursors import Cursor, Limit, after, page
from services.registration import forms, use_cases, views
from services.registration.api.arguments import Applicant, ApplicationId, ThePolicy
from services.registration.repository import signatures

api = router()


@api.post("/applications/{application_id}/signatures", status_code=201, tags=["signatures"])
async def sign_application(
    application_id: ApplicationId, body: forms.SignatureForm, caller: Applicant, session: InTransaction,
    law: ThePolicy, clock: TheClock, response: Response,
) -> views.SignatureGivenView:  # fmt: skip
    """Sign a form whose signer the caller is: state the digest of the form that was read (`GET .../form`). Who has
    filed it may bring the signed paper of a signer instead, supplied as a document of the kind `signed_form`; an
    officer then looks at it. With the last signature the form is judged by the law of that day."""
    row, given = await use_cases.sign_application(
        session, application_id, body.signer, body.digest, caller.subject, law, clock, document_id=body.document_id
    )
    tag(response, row.version)
    signature = views.SignatureView.model_validate({**given.model_dump(), "signer": given.field})
    return views.SignatureGivenView.model_validate(
        {"application_id": row.id, "status": row.status, "version": row.version, "signature": signature}
    )


@api.get("/signatures", tags=["signatures"])
async def list_waited_for(
    caller: Applicant, reading: Reading, cursor: Cursor = None, limit: Limit = 50
) -> views.WaitedForList:
    """The forms that wait for the caller's signature."""
    behind = after(cursor, UUID, str)
    found = await signatures.waited_for(reading, caller.subject, behind, limit + 1)
    rows, following = page(found, limit, lambda row: (row["application_id"], row["signer"]))
    items = [views.WaitedForView.model_validate(dict(row)) for row in rows]
    return views.WaitedForList(items=items, next=following)
