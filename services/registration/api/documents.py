"""Documents of an application: supplied by its applicant, read by those who decide."""

import hashlib
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Path, Query, Request, Response

from libs.common.problems import Problem
from libs.common.web import InTransaction, Reading, TheClock, router
from libs.common.web.commands import UploadRoute
from libs.common.web.limits import DOCUMENTS
from services.registration import repository, use_cases, views
from services.registration.api.arguments import READERS, Applicant, ApplicantOrReader, ApplicationId, owner_for
from services.registration.domain.document import Document, Kind, Proof

api: APIRouter = router()
uploads: APIRouter = router(route_class=UploadRoute)

FILE: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}, "example": "%PDF-1.7"}
DocumentId = Annotated[UUID, Path(examples=["8c3f5d2e-4b1a-4e7c-9d60-7a2b9e1f0c44"])]
OfInvestor = Annotated[
    int | None, Query(ge=0, le=49, examples=[0], description="The position of the investor whose it is.")
]  # fmt: skip
OfProof = Annotated[
    Proof | None, Query(examples=["apostilled"], description="How a foreign identity proof is attested.")
]  # fmt: skip
Stated = Annotated[
    str | None,
    Query(pattern="^[0-9a-f]{64}$", examples=["0" * 64], description="What the file's SHA-256 should be."),
]  # fmt: skip


@uploads.post(
    "/applications/{application_id}/documents", status_code=201, tags=["documents"],
    openapi_extra={"requestBody": {"required": True, "content": dict.fromkeys(DOCUMENTS, FILE)}},
)  # fmt: skip
async def supply_document(
    application_id: ApplicationId, request: Request, caller: Applicant, session: InTransaction, clock: TheClock,
    response: Response, kind: Annotated[Kind, Query(examples=["articles_of_association"])],
    investor: OfInvestor = None, proof: OfProof = None, sha256: Stated = None,
) -> views.DocumentView:  # fmt: skip
    """Supply a document of an application that is not decided: a PDF, PNG or JPEG of up to 10 MiB, as the body. It is
    kept with its SHA-256, who supplied it, and when; a foreign investor's identity proof is notarised or apostilled."""
    content = await request.body()
    media_type = request.headers["content-type"].partition(";")[0].strip().lower()
    digest = hashlib.sha256(content).hexdigest()
    document = Document(kind, media_type, content, digest, investor, proof, sha256)
    row = await use_cases.supply_document(session, application_id, document, caller.subject, clock, id=uuid4())
    response.headers["location"] = f"/v1/applications/{application_id}/documents/{row.id}"
    return views.DocumentView.model_validate(row.model_dump(exclude={"content"}))


@api.get("/applications/{application_id}/documents", tags=["documents"])
async def list_documents(
    application_id: ApplicationId, caller: ApplicantOrReader, reading: Reading
) -> views.DocumentList:  # fmt: skip
    """The documents of an application, in the order in which they came."""
    found = await repository.documents(reading, application_id, owner_for(caller, *READERS))
    if found is None:
        raise Problem("not-found", 404)
    return views.DocumentList(items=[views.DocumentView.model_validate(dict(row)) for row in found])


@api.get(
    "/applications/{application_id}/documents/{document_id}", tags=["documents"], response_class=Response,
    responses={200: {"content": dict.fromkeys(DOCUMENTS, FILE)}},
)  # fmt: skip
async def read_document(
    application_id: ApplicationId, document_id: DocumentId, caller: ApplicantOrReader, reading: Reading
) -> Response:
    """A document as it was supplied."""
    row = await repository.document(reading, application_id, document_id, owner_for(caller, *READERS))
    if row is None:
        raise Problem("not-found", 404)
    headers = {
        "content-disposition": f'attachment; filename="{document_id}"', "cache-control": "no-store",
        "x-content-type-options": "nosniff",
    }  # fmt: skip
    return Response(row["content"], media_type=row["media_type"], headers=headers)
