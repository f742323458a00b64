"""What the routes are given."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path

from libs.common.identity import Caller, Role
from libs.common.web import allowed
from services.registration import policy
from services.registration.domain import Policy


async def _law() -> Policy:
    """Not `policy.current` itself: FastAPI sends plain functions to a thread."""
    return policy.current()


READERS: tuple[Role, ...] = ("registrar", "auditor")
"""Who sees all applications."""

STAFF: tuple[Role, ...] = ("registrar", "licensing_officer", "supervisor", "credit_officer", "regulator", "auditor")
"""Who sees the whole register, with what credit has said."""

ThePolicy = Annotated[Policy, Depends(_law)]
Applicant = Annotated[Caller, allowed("applicant", "agent")]
Registrar = Annotated[Caller, allowed("registrar")]
Reader = Annotated[Caller, allowed(*READERS)]
ApplicantOrReader = Annotated[Caller, allowed("applicant", "agent", *READERS)]
ApplicantOrStaff = Annotated[Caller, allowed("applicant", "agent", *STAFF)]
ApplicationId = Annotated[UUID, Path(examples=["6105cc38-1855-416d-a878-494a36227cef"])]
DraftId = Annotated[UUID, Path(examples=["5a2f6a0e-7a51-4b6c-9a3a-0c8f2f1d9b11"])]
Uscc = Annotated[str, Path(pattern="^[0-9A-HJ-NPQRTUWXY]{18}$", examples=["91310106MA0000015B"])]


def owner_for(caller: Caller, *all_of_it: Role) -> str | None:
    """Whose rows the caller may read: nobody's in particular with one of these roles, otherwise their own."""
    return None if caller.has(*all_of_it) else caller.subject
