"""A service as it runs, and how it refuses a request."""

import asyncio
from dataclasses import dataclass, field
from typing import cast

import structlog
from fastapi import Request, Response
from fastapi.responses import JSONResponse

from libs.common.clock import Clock
from libs.common.consumer import Consumer
from libs.common.database import Database
from libs.common.identity import Verifier
from libs.common.problems import Language, Problem, language_of
from libs.common.service import Service
from libs.common.settings import Settings
from libs.common.web.rates import Rates

log = structlog.get_logger()

PROBLEM = "application/problem+json"
COMMANDS = frozenset({"POST", "PUT", "PATCH", "DELETE"})


@dataclass(slots=True)
class Running:
    """A service as it runs; what the routes need of it."""

    service: Service
    settings: Settings
    database: Database
    clock: Clock
    consumer: Consumer | None = None
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the process ends: an answer that lasts ends with it."""
    verifier: Verifier = field(init=False)
    rates: Rates = field(init=False)

    def __post_init__(self) -> None:
        self.verifier = Verifier(self.settings.oidc_issuer, self.settings.oidc_audience)
        self.rates = Rates(self.settings.requests_per_minute, self.settings.requests_per_minute_by_address)


def running(request: Request) -> Running:
    return cast(Running, request.app.state.running)


async def language(request: Request) -> Language:
    return spoken_by(request)


def spoken_by(request: Request) -> Language:
    """The language of the caller's choice."""
    return language_of(request.headers.get("accept-language"))


def refusal(request: Request, problem: Problem) -> Response:
    """The problem as an answer, in the caller's language. The log gets its type and codes, nothing that was sent."""
    say = log.warning if problem.status >= 500 else log.info
    say("refused", problem=problem.type, status=problem.status, codes=sorted({fault.code for fault in problem.faults}))
    spoken = spoken_by(request)
    headers = {"content-language": spoken, **problem.headers}
    if problem.retry_after:
        headers["retry-after"] = str(problem.retry_after)
    return JSONResponse(problem.body(spoken, request.app.state.catalogue), problem.status, headers, media_type=PROBLEM)
