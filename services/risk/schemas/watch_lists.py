"""Bodies of watch lists."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from services.risk.schemas.enterprises import NOTICE
from services.risk.schemas.fields import Words, asked, shown
from services.risk.schemas.search import FOUND, FoundView

Name = Annotated[Words, StringConstraints(max_length=100)]
Account = Annotated[str, Field(pattern=r"^[!-~]{1,200}$", description="the account (`sub`) of a regulator")]

LIST_ID = "0f4b6a52-3c1d-4e0e-9a55-5a1f6c0c9d21"
WATCH_LIST: dict[str, Any] = {
    "id": LIST_ID, "name": "餐饮 2026", "owner": "regulator-1", "shared_with": ["supervisor-1"], "enterprises": 12,
    "version": 1,
}  # fmt: skip


class WatchListForm(BaseModel):
    """A new list; its name is the owner's own and used once."""

    model_config = asked({"name": "餐饮 2026"})

    name: Name


class WatchListChange(BaseModel):
    """What is to be otherwise: a name, and all with whom the list is shared. What is left out stays."""

    model_config = asked({"shared_with": ["supervisor-1"]})

    name: Name | None = None
    shared_with: Annotated[list[Account], Field(max_length=50)] | None = None


class WatchListView(BaseModel):
    """A watch list; the enterprises on it are asked for by themselves."""

    model_config = shown(WATCH_LIST)

    id: UUID
    name: str
    owner: str
    shared_with: list[str]
    enterprises: int
    version: int


class WatchLists(BaseModel):
    """The caller's own lists and those shared with the caller."""

    model_config = shown({"items": [WATCH_LIST], "next": None})

    items: list[WatchListView]
    next: str | None


class WatchedView(FoundView):
    """An enterprise on a list, and since when."""

    added_at: datetime

    @classmethod
    def of(cls, row: Mapping[str, Any], overrides: Mapping[str, Mapping[str, Any]]) -> Self:
        found = FoundView.of({name: value for name, value in row.items() if name != "added_at"}, overrides)
        return cls(**found.model_dump(), added_at=row["added_at"])


class WatchedPage(BaseModel):
    """A page of what a list holds, by USCC."""

    model_config = shown({"items": [{**FOUND, "added_at": "2026-01-05T02:00:00Z"}], "next": None, "notice": NOTICE})

    items: list[WatchedView]
    next: str | None
    notice: str = NOTICE
