"""What the routes are given."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path, Query, Request
from pydantic import Field

from libs.common.identity import Caller, Role
from libs.common.web import allowed
from libs.common.web.fields import Day
from libs.common.web.running import running
from services.registration import policy
from services.registration.domain import Policy
from services.registration.settings import Settings


async def _law() -> Policy:
    """Not `policy.current` itself: FastAPI sends plain functions to a thread."""
    return policy.current()


READERS: tuple[Role, ...] = ("registrar", "auditor")
"""Who sees all applications."""

STAFF: tuple[Role, ...] = ("registrar", "licensing_officer", "supervisor", "credit_officer", "regulator", "auditor")
"""Who sees the whole register, with what credit has said."""


async def _party_key(request: Request) -> bytes | None:
    settings = running(request).settings
    key = settings.party_key if isinstance(settings, Settings) else None
    return None if key is None else key.get_secret_value().encode()


PartyKey = Annotated[bytes | None, Depends(_party_key)]
"""What opaque ids of parties are made with; None where the service was given none."""


async def _window_url(request: Request) -> str:
    settings = running(request).settings
    return settings.window_url.rstrip("/") if isinstance(settings, Settings) else ""


WindowUrl = Annotated[str, Depends(_window_url)]

ThePolicy = Annotated[Policy, Depends(_law)]
Applicant = Annotated[Caller, allowed("applicant", "agent")]
Registrar = Annotated[Caller, allowed("registrar")]
Reader = Annotated[Caller, allowed(*READERS)]
ApplicantOrReader = Annotated[Caller, allowed("applicant", "agent", *READERS)]
ApplicantOrStaff = Annotated[Caller, allowed("applicant", "agent", *STAFF)]
ApplicationId = Annotated[UUID, Path(examples=["6105cc38-1855-416d-a878-494a36227cef"])]
DraftId = Annotated[UUID, Path(examples=["5a2f6a0e-7a51-4b6c-9a3a-0c8f2f1d9b11"])]
USCC = "^[0-9A-HJ-NPQRTUWXY]{18}$"
Uscc = Annotated[str, Path(pattern=USCC, examples=["91310106MA0000015B"])]
Usccs = Annotated[
    list[Annotated[str, Field(pattern=USCC)]],
    Query(min_length=1, max_length=200, examples=[["91310106MA0000015B"]], description="Up to 200 identifiers."),
]  # fmt: skip

NamePart = Annotated[
    str | None,
    Query(
        alias="q", min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f]+$", examples=["青禾"],
        description="A part of the name, or a whole identifier.",
    ),
]  # fmt: skip
Since = Annotated[Day | None, Query(examples=["2026-01-01"], description="From this day on.")]
Until = Annotated[Day | None, Query(examples=["2026-12-31"], description="Up to this day.")]


def owner_for(caller: Caller, *all_of_it: Role) -> str | None:
    """Whose rows the caller may read: nobody's in particular with one of these roles, otherwise their own."""
    return None if caller.has(*all_of_it) else caller.subject
