"""HTTP: named lists of enterprises that a regulator keeps an eye on."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import asyncpg
from fastapi import Path, Query, Response

from libs.common.identity import Caller
from libs.common.problems import Problem
from libs.common.web import IfMatch, InTransaction, Looking, Reading, TheClock, allowed, router, tag
from libs.common.web.cursors import Cursor, Limit, after, page
from libs.common.web.fields import Instant
from services.risk.api.enterprises import Uscc
from services.risk.repository import changes, overrides
from services.risk.repository import watch_lists as repository
from services.risk.schemas.feed import ClassChangeView, HistoryView
from services.risk.schemas.watch_lists import (
    LIST_ID,
    WatchedPage,
    WatchedView,
    WatchListChange,
    WatchListForm,
    WatchLists,
    WatchListView,
)
from services.risk.use_cases import watch_lists as acts

api = router("/v1/watch-lists")

FIRST = UUID(int=0)
ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)

Watcher = Annotated[Caller, allowed("risk_analyst", "regulator", "supervisor")]
ListId = Annotated[UUID, Path(examples=[LIST_ID])]
Holding = Annotated[
    str | None,
    Query(pattern="^[0-9A-HJ-NPQRTUWXY]{18}$", examples=["91310106MA0000015B"], description="Only those that hold it."),
]
Since = Annotated[Instant | None, Query(examples=["2026-01-05T00:00:00Z"], description="Announced then or later.")]


@api.post("", status_code=201, tags=["watch lists"])
async def make_watch_list(
    body: WatchListForm, caller: Watcher, session: InTransaction, response: Response
) -> WatchListView:
    """Make a list of one's own; no enterprise is on it yet."""
    row = await acts.make_watch_list(session, caller.subject, body.name)
    response.headers["location"] = f"/v1/watch-lists/{row['id']}"
    tag(response, row["version"])
    return WatchListView(**row)


@api.get("", tags=["watch lists"])
async def list_watch_lists(
    caller: Watcher, reading: Reading, uscc: Holding = None, cursor: Cursor = None, limit: Limit = 50
) -> WatchLists:
    """The caller's own lists, and those shared with the caller; where an enterprise is named, those that it is on."""
    (behind,) = after(cursor, UUID) or (FIRST,)
    found = await reading.fetch(repository.LIST, caller.subject, behind, limit + 1, uscc)
    rows, following = page(found, limit, lambda row: [row["id"]])
    return WatchLists(items=[WatchListView(**dict(row)) for row in rows], next=following)


@api.get("/{list_id}", tags=["watch lists"])
async def read_watch_list(list_id: ListId, caller: Watcher, reading: Reading, response: Response) -> WatchListView:
    """One list of the caller's own, or one shared with the caller."""
    row = await _seen(reading, caller, list_id)
    tag(response, row["version"])
    return WatchListView(**dict(row))


@api.patch("/{list_id}", tags=["watch lists"])
async def change_watch_list(
    list_id: ListId, body: WatchListChange, caller: Watcher, session: InTransaction, version: IfMatch,
    response: Response,
) -> WatchListView:  # fmt: skip
    """Give a list another name, or say anew with whom it is shared. Only its owner may."""
    row = await acts.change_watch_list(session, caller.subject, list_id, version, body.name, body.shared_with)
    tag(response, row["version"])
    return WatchListView(**row)


@api.delete("/{list_id}", tags=["watch lists"])
async def delete_watch_list(
    list_id: ListId, caller: Watcher, session: InTransaction, version: IfMatch
) -> WatchListView:
    """Delete a list; the answer is the list as it was. Only its owner may."""
    return WatchListView(**await acts.delete_watch_list(session, caller.subject, list_id, version))


@api.put("/{list_id}/enterprises/{uscc}", tags=["watch lists"])
async def watch_enterprise(
    list_id: ListId, uscc: Uscc, caller: Watcher, session: InTransaction, clock: TheClock
) -> WatchListView:
    """Put an enterprise on a list; one that is there stays. Only the owner of the list may."""
    return WatchListView(**await acts.watch(session, caller.subject, list_id, uscc, clock))


@api.delete("/{list_id}/enterprises/{uscc}", tags=["watch lists"])
async def unwatch_enterprise(list_id: ListId, uscc: Uscc, caller: Watcher, session: InTransaction) -> WatchListView:
    """Take an enterprise off a list. Only the owner of the list may."""
    return WatchListView(**await acts.unwatch(session, caller.subject, list_id, uscc))


@api.get("/{list_id}/enterprises", tags=["watch lists"])
async def list_watched(
    list_id: ListId, caller: Watcher, looking: Looking, reading: Reading, cursor: Cursor = None, limit: Limit = 50
) -> WatchedPage:
    """What a list holds, with the class of each, by USCC. Every look is recorded with its purpose."""
    await looking.record()
    await _seen(reading, caller, list_id)
    (behind,) = after(cursor, str) or ("",)
    found = await reading.fetch(repository.ENTERPRISES, list_id, behind, limit + 1)
    rows, following = page(found, limit, lambda row: [row["uscc"]])
    beside = await overrides.in_force(reading, [row["uscc"] for row in rows])
    return WatchedPage(items=[WatchedView.of(dict(row), beside) for row in rows], next=following)


@api.get("/{list_id}/changes", tags=["watch lists"])
async def list_watched_changes(
    list_id: ListId, caller: Watcher, looking: Looking, reading: Reading, since: Since = None, cursor: Cursor = None,
    limit: Limit = 50,
) -> HistoryView:  # fmt: skip
    """What was announced of the enterprises on a list, the newest first. Every look is recorded with its purpose."""
    await looking.record()
    await _seen(reading, caller, list_id)
    (behind,) = after(cursor, changes.position) or (changes.BEHIND_ALL,)
    found = await reading.fetch(repository.CHANGES, list_id, since or ALWAYS, behind, limit + 1)
    rows, following = page(found, limit, lambda row: [row["position"]])
    return HistoryView(items=[ClassChangeView.of(dict(row)) for row in rows], next=following)


async def _seen(connection: asyncpg.Connection, caller: Caller, list_id: UUID) -> asyncpg.Record:
    """The list, where the caller may look at it; for everybody else it is not there."""
    row = await connection.fetchrow(repository.ONE, caller.subject, list_id)
    if row is None:
        raise Problem("not-found", 404)
    return row
