"""The web application of one service: its routes, and for every error the problem that it is to a caller."""

import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from fastapi.telemetry import TelemetryConfig
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from libs.common.problems import Fault, Problem, catalogue, field_path
from libs.common.service import Service
from libs.common.signature import NoSigningKey
from libs.common.transaction import CommitUnknown, Unavailable
from libs.common.web.audit import audit
from libs.common.web.documents import Application
from libs.common.web.health import health
from libs.common.web.keys import keys
from libs.common.web.limits import Limits
from libs.common.web.operations import operations
from libs.common.web.recovery import recovery
from libs.common.web.running import Running, refusal
from libs.common.web.versions import Stale
from libs.common.web.work import PROBLEMS as WORK_PROBLEMS

KINDS = {404: "not-found", 405: "method-not-allowed"}
MAX_FAULTS = 300
"""An answer stays bounded whatever was sent. No form has as many fields."""

QUIET = ("/health/", "/metrics")
TELEMETRY = TelemetryConfig(
    operation_spans=False, metrics=False, logs=False, exclude=lambda scope: scope["path"].startswith(QUIET)
)
"""One span a request, from the framework itself; Prometheus counts, structlog writes."""


def create_app(service: Service, run: Running) -> FastAPI:
    """The web application of one service."""
    app = Application(
        title=f"One Window: {service.name}", version="1", docs_url="/docs", redoc_url=None, redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name, telemetry=TELEMETRY,
    )  # fmt: skip
    app.state.running = run
    app.state.catalogue = catalogue(*_message_files(service))
    for kind, to_problem in (WORK_PROBLEMS | dict(service.problems)).items():
        app.add_exception_handler(kind, _handler(to_problem))
    app.add_exception_handler(Problem, _handler(lambda problem: problem))
    app.add_exception_handler(RequestValidationError, _handler(_malformed))
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(CommitUnknown, _handler(lambda _: Problem("outcome-unknown", 503, retry_after=1)))
    app.add_exception_handler(Unavailable, _handler(lambda _: Problem("unavailable", 503, retry_after=1)))
    app.add_exception_handler(Stale, _handler(lambda _: Problem("stale", 412)))
    app.add_exception_handler(NoSigningKey, _handler(lambda _: Problem("no-signing-key", 503)))
    for one in service.routers:
        app.include_router(one)
    app.include_router(keys())
    app.include_router(operations())
    app.include_router(recovery())
    app.include_router(audit())
    app.include_router(health())
    app.add_middleware(Limits)
    for around in service.middleware:
        app.add_middleware(around)
    return app


def _message_files(service: Service) -> list[Path]:
    own = Path(__file__).parents[3] / "services" / service.name / "messages.csv"
    return [own] if own.exists() else []


def _handler(to_problem: Callable[[Any], Problem]) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def handle(request: Request, error: Exception) -> Response:
        return refusal(request, to_problem(error))

    return handle


def _malformed(error: RequestValidationError) -> Problem:
    return Problem("malformed", 422, [_fault(found) for found in error.errors()[:MAX_FAULTS]])


def _fault(found: dict[str, Any]) -> Fault:
    """What pydantic found, without what it found it in."""
    if found["loc"] == ("body",) and found["type"] == "missing":
        return Fault("", "body_missing")
    where = found["loc"][1:] if found["loc"][:1] in (("body",), ("path",), ("query",)) else found["loc"]
    params = dict(found.get("ctx") or {})
    if found["type"] == "literal_error":
        params["expected"] = ", ".join(re.findall(r"'([^']*)'", params["expected"]))
    return Fault(field_path(where), str(found["type"]), params)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    if error.status_code == 405:  # the framework names the methods of the first route of several
        headers["Allow"] = ", ".join(sorted(_methods(request)))
    return refusal(request, Problem(KINDS.get(error.status_code, "malformed"), error.status_code, headers=headers))


def _methods(request: Request) -> set[str]:
    """What the path of a request does offer."""
    routes = ((one.path, one.methods or ()) for one in iter_route_contexts(request.app.routes))
    return {way for path, ways in routes if path and compile_path(path)[0].match(request.scope["path"]) for way in ways}
