"""An applicant supplies the documents of a form while it is not decided."""

from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from libs.common.clock import Clock
from services.registration import domain, repository, tables
from services.registration.domain import document as documents
from services.registration.domain import states
from services.registration.use_cases.review import NoSuchApplication


async def supply_document(
    session: AsyncSession, application_id: UUID, document: documents.Document, owner: str, clock: Clock, *, id: UUID
) -> tables.Document:
    """Keep a document with its hash, who supplied it, and when. Earlier ones stay.

    Raises NoSuchApplication, ActClosed, FormReturned with every fault.
    """
    row = await repository.application_to_change(session, application_id, owner)
    if row is None:
        raise NoSuchApplication
    if row.status in states.ENDS:
        raise states.ActClosed(row.status, "judge_review")
    investors = domain.recalled(row.decision["facts"]).structure.investors
    documents.checked(document, investors, await repository.count_documents(session, application_id))
    kept = tables.Document(
        id=id, application_id=application_id, kind=document.kind, media_type=document.media_type,
        size=len(document.content), sha256=document.sha256, investor=document.investor, proof=document.proof,
        supplied_by=owner, supplied_at=clock.now(), content=document.content,
    )  # fmt: skip
    session.add(kept)
    return kept
