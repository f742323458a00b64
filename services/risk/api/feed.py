"""HTTP: the class changes of all enterprises, page by page and as a stream. Nothing is lost, nothing comes twice."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Annotated, Literal

import asyncpg
from fastapi import Header, Query, Request
from fastapi.responses import StreamingResponse

from libs.common import audit
from libs.common.database import is_database_error, reading
from libs.common.feed import MAX_CURSOR, NoSuchPlace, Place, read_place
from libs.common.identity import Caller, IssuerAway, Refused
from libs.common.problems import Fault, Problem
from libs.common.web import Purpose, Reading, Running, allowed, router
from libs.common.web.cursors import Limit
from libs.common.web.documents import GONE
from libs.common.web.limits import STREAM
from libs.common.web.purpose import Code
from libs.common.web.running import running
from services.risk.repository import changes as repository
from services.risk.repository import looks
from services.risk.schemas.enterprises import NOTICE
from services.risk.schemas.feed import STREAM_EXAMPLE, ChangesView, ClassChangeView

api = router()

AT_ONCE = 200
LOOK_SECONDS = 0.5
SILENT_SECONDS = 10.0

PLACE = rf"^[A-Za-z0-9_-]{{1,{MAX_CURSOR}}}$"
Regulator = Annotated[Caller, allowed("risk_analyst", "regulator", "supervisor", "auditor")]
Cursor = Annotated[str | None, Query(pattern=PLACE, examples=["WzQxXQ"], description="`next` of an answer before.")]
Start = Annotated[
    Literal["beginning", "now"], Query(examples=["now"], description="Where to begin without a cursor.")
]  # fmt: skip
LastSeen = Annotated[
    str | None, Header(alias="Last-Event-ID", pattern=PLACE, examples=["WzQxXQ"], description="The last id received.")
]  # fmt: skip


@api.get("/risk/changes", tags=["feed"], responses=GONE)
async def read_changes(
    request: Request, caller: Regulator, purpose: Purpose, connection: Reading, cursor: Cursor = None,
    start: Start = "beginning", limit: Limit = 50,
) -> ChangesView:  # fmt: skip
    """Class changes as they were announced. Ask again with `next`: each change comes once, also one whose transaction
    ended late. One audit row per purpose in a quarter of an hour."""
    await record_session(connection, request, caller, purpose)
    place = await _place(connection, cursor, start)
    given, then = await repository.after(connection, place, limit)
    return ChangesView(items=[ClassChangeView.of(dict(row)) for row, _ in given], next=then.written())


@api.get(
    "/risk/changes/stream", tags=["feed"], response_class=StreamingResponse,
    responses={**GONE, 200: {"content": {STREAM: {"schema": {"type": "string"}, "example": STREAM_EXAMPLE}}}},
)  # fmt: skip
async def stream_changes(
    request: Request, caller: Regulator, purpose: Purpose, connection: Reading, last_event_id: LastSeen = None,
    cursor: Cursor = None,
) -> StreamingResponse:  # fmt: skip
    """Class changes as server-sent events: from `Last-Event-ID` or `cursor`, otherwise from now. The first event says
    that this is for internal use; a comment every 10 s says that the stream lives. Who comes back with the last id
    misses nothing."""
    await record_session(connection, request, caller, purpose)
    place = await _place(connection, last_event_id or cursor, "now")
    events = _events(request, running(request), place)
    return StreamingResponse(
        events, media_type=STREAM, headers={"cache-control": "no-store", "x-accel-buffering": "no"}
    )


async def record_session(connection: asyncpg.Connection, request: Request, caller: Caller, purpose: Code) -> None:
    """Write who follows what and why, before anything is read: one audit row per caller, purpose and session."""
    what, clock = request.url.path, running(request).clock
    async with connection.transaction():
        if await looks.begins_session(connection, caller.subject, what, purpose):
            await audit.insert(connection, caller, "look", what, clock, purpose=purpose)


async def _place(connection: asyncpg.Connection, cursor: str | None, start: str) -> Place:
    if cursor is None:
        return Place() if start == "beginning" else await repository.newest(connection)
    try:
        place = read_place(cursor)
    except NoSuchPlace as error:
        raise Problem("malformed", 422, [Fault("cursor", "value_not_accepted")]) from error
    if await repository.was_restored(connection, place):
        raise Problem("feed-restarted", 410)
    return place


async def _events(request: Request, run: Running, place: Place) -> AsyncIterator[str]:
    yield f"retry: 2000\n{_event('notice', json.dumps({'notice': NOTICE}))}"
    silent = 0.0
    while not run.stopping.is_set():
        try:
            async with reading(run.database) as connection:
                given, place = await repository.after(connection, place, AT_ONCE)
        except Exception as error:
            if not is_database_error(error):
                raise
            return  # the reader comes back, with its last id, to who can answer
        for row, reached in given:
            yield f"id: {reached.written()}\n{_event('class_changed', ClassChangeView.of(dict(row)).model_dump_json())}"
        silent = 0.0 if given else silent + LOOK_SECONDS
        if silent >= SILENT_SECONDS:
            if not await _still_known(request, run):
                return
            silent = 0.0
            yield ": still here\n\n"
        if len(given) < AT_ONCE:
            with suppress(TimeoutError):
                await asyncio.wait_for(run.stopping.wait(), LOOK_SECONDS)


async def _still_known(request: Request, run: Running) -> bool:
    """Whether the token by which the stream was opened still opens it."""
    try:
        await run.verifier.caller(request.headers["authorization"].partition(" ")[2].strip())
    except (Refused, IssuerAway):
        return False
    return True


def _event(name: str, data: str) -> str:
    return f"event: {name}\ndata: {data}\n\n"
