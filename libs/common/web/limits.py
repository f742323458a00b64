"""The outer edge of a service: bodies and times are bounded, what nobody foresaw becomes a problem, all is counted."""

import asyncio
import time

import structlog
from fastapi import Request
from opentelemetry import trace
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from libs.common.database import is_database_error, sqlstate
from libs.common.problems import Problem
from libs.common.telemetry import REQUESTS
from libs.common.web.body import media_type
from libs.common.web.running import COMMANDS, refusal, running

log = structlog.get_logger()

MAX_BODY_BYTES = 1024 * 1024
MAX_DOCUMENT_BYTES = 10 * MAX_BODY_BYTES
DOCUMENTS = ("application/pdf", "image/png", "image/jpeg")
"""The types of the files that people supply; no other body may be as large."""
STREAM, NDJSON = "text/event-stream", "application/x-ndjson"
STREAMS = (STREAM, NDJSON, "text/csv", "application/vnd.apache.parquet")
"""Such an answer lasts as long as its reader listens."""
METHODS = COMMANDS | {"GET", "HEAD", "OPTIONS"}
BY_ITSELF = frozenset({"22", "23", "42"})
"""Classes of SQLSTATE that trying again does not mend: data, constraints, statements."""


class Limits:
    """Bounds the size of a body and the time of a request.

    A body that is too large is answered at once. The connection stays: its server throws the rest away as it arrives,
    where a reset would take the answer with it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request, started = Request(scope), time.perf_counter()
        status, size, complete = 0, 0, False
        most = MAX_DOCUMENT_BYTES if media_type(request) in DOCUMENTS else MAX_BODY_BYTES

        async def bounded_receive() -> Message:
            nonlocal size, complete
            message = await receive()
            size += len(message.get("body", b""))
            complete = not message.get("more_body", False)
            if size > most:
                raise _too_large(most)
            return message

        async def watched_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if Headers(raw=message["headers"]).get("content-type", "").startswith(STREAMS):
                    limit.reschedule(None)
            await send(message)

        limit = asyncio.timeout(running(request).settings.request_seconds)
        try:
            if int(request.headers.get("content-length", 0)) > most:
                raise _too_large(most)
            async with limit:
                await self.app(scope, bounded_receive, watched_send)
        except asyncio.CancelledError:
            if not status:  # the service stops, and has waited for this one as long as it may
                await refusal(request, _out_of_time(request.method, complete))(scope, receive, watched_send)
            raise
        except Exception as error:
            if status:
                raise
            problem = _out_of_time(request.method, complete) if limit.expired() else _unforeseen(error)
            await refusal(request, problem)(scope, receive, watched_send)
        finally:
            method = request.method if request.method in METHODS else "other"
            route = getattr(scope.get("route"), "path", "unmatched")
            service = running(request).service.name
            REQUESTS.labels(service, method, route, str(status)).observe(time.perf_counter() - started)


def _too_large(most: int) -> Problem:
    return Problem("too-large", 413, params={"limit": most})


def _out_of_time(method: str, body_complete: bool) -> Problem:
    """A command may have been cut off at its COMMIT: only its key can tell."""
    if method not in COMMANDS:
        return Problem("unavailable", 503, retry_after=1)
    if not body_complete:
        return Problem("body-incomplete", 408)
    return Problem("outcome-unknown", 503, retry_after=1)


def _unforeseen(error: Exception) -> Problem:
    if isinstance(error, Problem):
        return error
    if isinstance(error, ClientDisconnect):
        return Problem("body-incomplete", 408)
    if is_database_error(error) and (sqlstate(error) or "")[:2] not in BY_ITSELF:
        log.warning("no database for a request", error=type(error).__name__, sqlstate=sqlstate(error))
        return Problem("unavailable", 503, retry_after=1)
    log.error("a request failed", exc_info=error)
    return Problem("internal", 500, params={"trace": f"{trace.get_current_span().get_span_context().trace_id:032x}"})
