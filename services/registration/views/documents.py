"""Documents of an application as they are answered."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from services.registration.domain.document import Kind, Proof

DOCUMENT_EXAMPLE: dict[str, Any] = {
    "id": "8c3f5d2e-4b1a-4e7c-9d60-7a2b9e1f0c44",
    "kind": "identity_proof",
    "media_type": "application/pdf",
    "size": 48213,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "investor": 0,
    "proof": "apostilled",
    "supplied_by": "applicant-1",
    "supplied_at": "2026-01-05T02:35:00Z",
}


class DocumentView(BaseModel):
    """A document without its content: whose it is, its hash, who supplied it, and when."""

    model_config = ConfigDict(json_schema_extra={"examples": [DOCUMENT_EXAMPLE]})

    id: UUID
    kind: Kind
    media_type: str
    size: int
    sha256: str
    investor: int | None
    proof: Proof | None
    supplied_by: str
    supplied_at: datetime


class DocumentList(BaseModel):
    """Documents in the order in which they came."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [DOCUMENT_EXAMPLE]}]})

    items: list[DocumentView]
