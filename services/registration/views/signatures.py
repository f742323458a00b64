"""Signatures as they are answered."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from services.registration.domain.signing import Way
from services.registration.domain.states import Status

SIGNATURE_EXAMPLE: dict[str, Any] = {
    "signer": "investors.0", "account": "applicant-2", "way": "account", "signed_at": "2026-01-05T02:35:00Z",
    "document_id": None,
}  # fmt: skip
GIVEN_EXAMPLE: dict[str, Any] = {
    "application_id": "6105cc38-1855-416d-a878-494a36227cef", "status": "awaiting_signatures", "version": 2,
    "signature": SIGNATURE_EXAMPLE,
}  # fmt: skip
WAITED_FOR_EXAMPLE: dict[str, Any] = {
    "application_id": "6105cc38-1855-416d-a878-494a36227cef", "signer": "investors.0",
    "enterprise_name": "上海青禾餐饮有限公司", "sign_by": "2026-01-19",
}  # fmt: skip


class SignatureView(BaseModel):
    """Who signs, and by what they did: under their account, on a paper, on the word of who filed (`declared`); null:
    it is waited for."""

    model_config = ConfigDict(json_schema_extra={"examples": [SIGNATURE_EXAMPLE]})

    signer: str
    account: str | None
    way: Way | None
    signed_at: datetime | None
    document_id: UUID | None


class SignatureGivenView(BaseModel):
    """A signature that was given, and where the application stands by it."""

    model_config = ConfigDict(json_schema_extra={"examples": [GIVEN_EXAMPLE]})

    application_id: UUID
    status: Status
    version: int
    signature: SignatureView


class WaitedForView(BaseModel):
    """A form that waits for the caller's signature, until `sign_by`."""

    model_config = ConfigDict(json_schema_extra={"examples": [WAITED_FOR_EXAMPLE]})

    application_id: UUID
    signer: str
    enterprise_name: str
    sign_by: date | None


class WaitedForList(BaseModel):
    """Forms that wait for the caller's signature; `next` is the cursor of the page after this one."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [WAITED_FOR_EXAMPLE], "next": None}]})

    items: list[WaitedForView]
    next: str | None
