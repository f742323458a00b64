"""HTTP for every service: problems instead of errors, one transaction per command, limits, health, metrics."""

import asyncio
import dataclasses
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, cast

import asyncpg
import structlog
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from opentelemetry import trace
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from libs.common import idempotency
from libs.common.clock import Clock
from libs.common.consumer import Consumer
from libs.common.database import Database, is_database_error, reading
from libs.common.idempotency import Answer
from libs.common.problems import FieldFault, Language, Problem, catalogue, language_of
from libs.common.service import Service
from libs.common.settings import Settings
from libs.common.telemetry import REQUESTS
from libs.common.transaction import CommitUnknown, Unavailable, retried

log = structlog.get_logger()

MAX_BODY_BYTES = 1024 * 1024
TIME_LIMIT_SECONDS = 15
PROBLEM = "application/problem+json"
COMMANDS = {"POST", "PUT", "PATCH", "DELETE"}
CALLER = "anonymous"
"""Until callers identify themselves, everybody who reaches the loopback address is one caller."""


@dataclass(slots=True)
class Running:
    """A service as it runs; what the routes need of it."""

    service: Service
    settings: Settings
    database: Database
    clock: Clock
    consumer: Consumer | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    field: str
    code: str
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def running(request: Request) -> Running:
    return cast(Running, request.app.state.running)


async def _session(request: Request) -> AsyncSession:
    return cast(AsyncSession, request.state.session)


async def _reading(request: Request) -> AsyncIterator[asyncpg.Connection]:
    async with reading(running(request).database) as connection:
        yield connection


async def _clock(request: Request) -> Clock:
    return running(request).clock


async def _language(request: Request) -> Language:
    return language_of(request.headers.get("accept-language"))


InTransaction = Annotated[AsyncSession, Depends(_session)]
"""The session of the command's transaction, which the route commits before it answers."""
Reading = Annotated[asyncpg.Connection, Depends(_reading, scope="function")]
TheClock = Annotated[Clock, Depends(_clock)]
TheLanguage = Annotated[Language, Depends(_language)]


class CommandRoute(APIRoute):
    """A command is one transaction under its Idempotency-Key; it is committed before the answer goes out."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        handle = super().get_route_handler()
        if not COMMANDS.intersection(self.methods or ()):
            return handle

        async def command(request: Request) -> Response:
            return await _command(request, handle)

        return command


def router(prefix: str = "/v1") -> APIRouter:
    return APIRouter(prefix=prefix, route_class=CommandRoute, responses=PROBLEM_RESPONSES)


async def _command(request: Request, handle: Callable[[Request], Awaitable[Response]]) -> Response:
    body = await request.body()
    claim = idempotency.claim_of(
        CALLER, f"{request.method} {request.url.path}", request.headers.get("idempotency-key"), body
    )

    async def act(session: AsyncSession) -> Response:
        if stored := await idempotency.answered(session, claim):
            headers = {**stored.headers, "idempotency-replayed": "true"}
            return Response(stored.body, stored.status, headers)
        request.state.session = session
        response = await handle(request)
        if response.status_code < 300:
            await session.flush()
            answer = Answer(response.status_code, bytes(response.body), dict(response.headers))
            await idempotency.store(session, claim, answer)
        return response

    return await retried(running(request).database, act)


def create_app(service: Service, run: Running) -> FastAPI:
    """The web application of one service."""
    app = FastAPI(
        title=f"One Window: {service.name}", version="1", docs_url="/docs", redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
    )  # fmt: skip
    app.state.running = run
    app.state.catalogue = catalogue(*_message_files(service))
    for kind, to_problem in service.problems.items():
        app.add_exception_handler(kind, _handler(to_problem))
    app.add_exception_handler(Problem, _handler(lambda problem: problem))
    app.add_exception_handler(RequestValidationError, _handler(_malformed))
    app.add_exception_handler(HTTPException, _handler(_http_problem))
    app.add_exception_handler(CommitUnknown, _handler(lambda _: Problem("outcome-unknown", 503, retry_after=1)))
    app.add_exception_handler(Unavailable, _handler(lambda _: Problem("unavailable", 503, retry_after=1)))
    app.add_exception_handler(Exception, _handler(_unexpected))
    for one in service.routers:
        app.include_router(one)
    app.include_router(_health())
    app.add_middleware(Limits)
    return app


def _message_files(service: Service) -> list[Path]:
    own = Path(__file__).parents[2] / "services" / service.name / "messages.csv"
    return [own] if own.exists() else []


def _handler(to_problem: Callable[[Any], Problem]) -> Callable[[Request, Exception], Response]:
    def handle(request: Request, error: Exception) -> Response:
        return _render(request, to_problem(error))

    return handle


def _render(request: Request, problem: Problem) -> Response:
    headers = {"retry-after": str(problem.retry_after)} if problem.retry_after else {}
    body = problem.body(language_of(request.headers.get("accept-language")), request.app.state.catalogue)
    return JSONResponse(body, problem.status, headers, media_type=PROBLEM)


def _malformed(error: RequestValidationError) -> Problem:
    faults: list[FieldFault] = []
    for found in error.errors():
        where = found["loc"][1:] if found["loc"][:1] in (("body",), ("path",), ("query",)) else found["loc"]
        faults.append(Fault(".".join(map(str, where)), str(found["type"]), found.get("ctx") or {}))
    return Problem("malformed", 422, faults)


def _http_problem(error: HTTPException) -> Problem:
    kinds = {404: "not-found", 405: "method-not-allowed", 413: "too-large", 415: "unsupported-media-type"}
    return Problem(kinds.get(error.status_code, "malformed"), error.status_code, params={"limit": MAX_BODY_BYTES})


def _unexpected(error: Exception) -> Problem:
    if is_database_error(error):
        log.warning("database not available to a request", error=repr(error))
        return Problem("unavailable", 503, retry_after=1)
    trace_id = format(trace.get_current_span().get_span_context().trace_id, "032x")
    log.error("a request failed", exc_info=error)
    return Problem("internal", 500, params={"trace": trace_id})


def _health() -> APIRouter:
    health = APIRouter(tags=["health"])

    @health.get("/health/live")
    async def live() -> dict[str, str]:
        """The process runs."""
        return {"status": "live"}

    @health.get("/health/ready")
    async def ready(request: Request) -> Response:
        """The service can do its work: its database answers, and its consumer has its partitions."""
        run = running(request)
        try:
            async with asyncio.timeout(2), reading(run.database) as connection:
                await connection.fetchval("SELECT 1")
        except Exception:
            return JSONResponse({"status": "waiting for the database"}, 503)
        return JSONResponse({"status": "ready"})

    @health.get("/health/progress")
    async def progress(request: Request) -> dict[str, Any]:
        """How far the service has come: what is due, unsent, unread or parked. For operators and for time travel."""
        return await _progress(running(request))

    @health.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return health


async def _progress(run: Running) -> dict[str, Any]:
    today: date = run.clock.today()
    async with reading(run.database) as connection:
        row = await connection.fetchrow(PROGRESS, today)
    assert row is not None
    return {
        "service": run.service.name,
        "business_date": today.isoformat(),
        "due_now": row["due_now"],
        "next_due_on": row["next_due_on"].isoformat() if row["next_due_on"] else None,
        "unsent": row["unsent"],
        "lag": await run.consumer.lag() if run.consumer is not None else 0,
        "parked": row["parked"],
        "dead_letters": row["dead_letters"],
    }


PROGRESS = """
SELECT (SELECT count(*) FROM due WHERE on_date <= $1) AS due_now,
    (SELECT min(on_date) FROM due WHERE on_date > $1) AS next_due_on,
    (SELECT count(*) FROM outbox WHERE NOT adopted AND (
        id > coalesce((SELECT high FROM relay_progress), 0)
        OR id IN (SELECT jsonb_object_keys(missing)::bigint FROM relay_progress))) AS unsent,
    (SELECT count(*) FROM parked WHERE state IN ('waiting', 'failed', 'forked')) AS parked,
    (SELECT count(*) FROM dead_letter) AS dead_letters
"""

_PROBLEM_SCHEMA = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "code", "detail"],
                "properties": {name: {"type": "string"} for name in ("field", "code", "detail")},
            },
        },
    },
}
PROBLEM_RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"description": description, "content": {PROBLEM: {"schema": _PROBLEM_SCHEMA}}}
    for status, description in {
        400: "A header is missing or malformed",
        404: "There is nothing by that name",
        409: "Another request is in the way",
        413: "The body is too large",
        422: "The body has faults; each is named",
        503: "Not now; try again after Retry-After seconds",
    }.items()
}


class Limits:
    """Bounds the size of a body and the time of a request, and counts both by route."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status, received = time.perf_counter(), 0, 0

        async def limited_receive() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > MAX_BODY_BYTES:
                raise Problem("too-large", 413, params={"limit": MAX_BODY_BYTES})
            return message

        async def counted_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            async with asyncio.timeout(TIME_LIMIT_SECONDS):
                await self.app(scope, limited_receive, counted_send)
        except TimeoutError:
            if status == 0:
                problem = Problem("unavailable", 503, retry_after=1)
                await _render(Request(scope, receive), problem)(scope, receive, counted_send)
        finally:
            route = getattr(scope.get("route"), "path", "unmatched")
            service = scope["app"].state.running.service.name if "app" in scope else ""
            labels = (service, scope["method"], route, str(status))
            REQUESTS.labels(*labels).observe(time.perf_counter() - started)
