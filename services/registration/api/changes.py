"""What has changed, for programs of agents and departments: page by page, nothing lost and nothing twice."""

from typing import Annotated, Literal

import asyncpg
from fastapi import Query

from libs.common.feed import MAX_CURSOR, NoSuchPlace, Place, read_place
from libs.common.problems import Fault, Problem
from libs.common.web import Reading, router
from libs.common.web.cursors import Limit
from libs.common.web.documents import GONE
from services.registration import views
from services.registration.api.arguments import READERS, ApplicantOrReader, owner_for
from services.registration.repository import changes

api = router()

PLACE = rf"^[A-Za-z0-9_-]{{1,{MAX_CURSOR}}}$"
At = Annotated[str | None, Query(pattern=PLACE, examples=["WzQxXQ"], description="`next` of an answer before.")]
Start = Annotated[
    Literal["beginning", "now"], Query(examples=["now"], description="Where to begin without a cursor.")
]  # fmt: skip


@api.get("/changes", tags=["feed"], responses=GONE)
async def read_changes(
    caller: ApplicantOrReader, connection: Reading, cursor: At = None, start: Start = "beginning", limit: Limit = 50
) -> views.ChangesView:
    """What has changed of the caller's applications and enterprises, or of all to a registrar and an auditor. Ask
    again with `next`. What was said is kept 30 days; a place from before that is answered 410: read the lists anew."""
    place = await _place(connection, cursor, start)
    found = await changes.after(connection, place, owner_for(caller, *READERS), limit)
    items = [views.ChangedView.of(dict(row)) for row in found.rows]
    return views.ChangesView(items=items, next=found.then.written(), more=found.more)


async def _place(connection: asyncpg.Connection, cursor: str | None, start: str) -> Place:
    if cursor is None:
        return Place() if start == "beginning" else await changes.newest(connection)
    try:
        place = read_place(cursor)
    except NoSuchPlace as error:
        raise Problem("malformed", 422, [Fault("cursor", "value_not_accepted")]) from error
    if await changes.is_behind(connection, place):
        raise Problem("feed-behind", 410)
    return place
