"""What the routes of licensing are given."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path

from libs.common.identity import Caller, Role
from libs.common.web import allowed
from services.licensing import policy
from services.licensing.domain import Catalogue
from services.licensing.views.examples import APPLICATION_ID, NOTIFICATION_ID, PERMIT_ID, USCC

STAFF: tuple[Role, ...] = ("licensing_officer", "supervisor", "regulator", "auditor")
"""Who sees every enterprise's permits."""


async def _catalogue() -> Catalogue:
    """Not `policy.current` itself: FastAPI sends plain functions to a thread."""
    return policy.current()


TheCatalogue = Annotated[Catalogue, Depends(_catalogue)]
Applicant = Annotated[Caller, allowed("applicant", "agent")]
Officer = Annotated[Caller, allowed("licensing_officer")]
Reader = Annotated[Caller, allowed("applicant", "agent", *STAFF)]
OfficerOrSupervisor = Annotated[Caller, allowed("licensing_officer", "supervisor", "auditor")]
Uscc = Annotated[str, Path(pattern="^[0-9A-HJ-NPQRTUWXY]{18}$", examples=[USCC])]
PermitId = Annotated[UUID, Path(examples=[PERMIT_ID])]
ApplicationId = Annotated[UUID, Path(examples=[APPLICATION_ID])]
NotificationId = Annotated[UUID, Path(examples=[NOTIFICATION_ID])]


def owner_for(caller: Caller) -> str | None:
    """Whose enterprises the caller may see: everybody's, or his own."""
    return None if caller.has(*STAFF) else caller.subject
