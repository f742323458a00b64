"""Drafts as they are answered."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict

DRAFT_SAVED_EXAMPLE: dict[str, Any] = {
    "id": "5a2f6a0e-7a51-4b6c-9a3a-0c8f2f1d9b11",
    "version": 1,
    "saved_at": "2026-01-05T02:30:00Z",
    "expires_on": "2026-02-04",
    "kept_until": "2026-03-06",
    "expired": False,
}
DRAFT_VIEW_EXAMPLE: dict[str, Any] = {
    **DRAFT_SAVED_EXAMPLE,
    "content": {"enterprise_name": {"trade_name": "青禾"}, "activities": ["6210"]},
    "notices": [],
}


class DraftItem(BaseModel):
    """A draft without its content. It is current until the day before `expires_on`, can be opened and saved anew until
    the day before `kept_until`, and is deleted then."""

    model_config = ConfigDict(json_schema_extra={"examples": [DRAFT_SAVED_EXAMPLE]})

    id: UUID
    version: int
    saved_at: datetime
    expires_on: date
    kept_until: date
    expired: bool


class DraftList(BaseModel):
    """Drafts, the last saved first; `next` is the cursor of the page after this one."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [DRAFT_SAVED_EXAMPLE], "next": None}]})

    items: list[DraftItem]
    next: str | None


class NoticeView(BaseModel):
    """Something that the owner of a draft should know."""

    code: str
    detail: str


class DraftView(DraftItem):
    """A draft with its content, and what is wrong with it: an expired draft opens all the same."""

    model_config = ConfigDict(json_schema_extra={"examples": [DRAFT_VIEW_EXAMPLE]})

    content: dict[str, Any]
    notices: list[NoticeView]


class DroppedView(BaseModel):
    """The draft that is gone."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"id": DRAFT_SAVED_EXAMPLE["id"]}]})

    id: UUID
