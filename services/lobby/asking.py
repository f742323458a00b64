"""Questions to the other services on behalf of the person who waits: time-out, bounded retry, a breaker, their token.

A GET, and a command under its key, may be sent again; a service that fails again and again is left alone for a while.
"""

import asyncio
import time
from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import httpx
import stamina
import structlog
from fastapi import Request
from opentelemetry.propagate import inject

from libs.common.web.running import running
from services.lobby import words
from services.lobby.sessions import Session
from services.lobby.settings import Settings

log = structlog.get_logger()

ATTEMPTS = 3
SECONDS = 4.0
FAILURES_UNTIL_OPEN = 5
OPEN_SECONDS = 5.0


class Away(Exception):
    """A service does not answer now."""

    def __init__(self, service: str) -> None:
        super().__init__(service)
        self.service = service


class SignedOut(Exception):
    """The services take the token for nothing any more."""


class Refusal(Exception):
    """A service has refused: its problem document says why, in the reader's language."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(status, problem.get("type"))
        self.status, self.problem = status, problem

    @property
    def type(self) -> str:
        return str(self.problem.get("type", "")).rpartition(":")[2]

    @property
    def detail(self) -> str:
        return str(self.problem.get("detail", ""))


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service said; `version` is the ETag of what it showed."""

    data: Any
    version: str | None


@dataclass(slots=True)
class Breaker:
    """After some failures in a row a service counts as away for some seconds, so that pages do not wait for it."""

    failures: int = 0
    open_until: float = 0.0

    @property
    def is_open(self) -> bool:
        return time.monotonic() < self.open_until

    def note(self, answered: bool) -> None:
        self.failures = 0 if answered else self.failures + 1
        if self.failures >= FAILURES_UNTIL_OPEN:
            self.open_until = time.monotonic() + OPEN_SECONDS


@dataclass(slots=True)
class Services:
    """The way to the other services: one pool of connections, one breaker for each."""

    settings: Settings
    client: httpx.AsyncClient = field(default_factory=lambda: httpx.AsyncClient(timeout=SECONDS))
    breakers: dict[str, Breaker] = field(default_factory=dict)


def services(request: Request) -> Services:
    state = request.app.state
    if not hasattr(state, "services"):
        state.services = Services(cast(Settings, running(request).settings))
    return cast(Services, state.services)


async def get(request: Request, service: str, path: str, *, purpose: str | None = None, **params: Any) -> Answer:
    """Raises Away, Refusal or SignedOut."""
    headers = {} if purpose is None else {"purpose": purpose}
    return await _ask(request, service, "GET", path, headers, params=_given(params))


async def send(
    request: Request, service: str, path: str, body: Any, *, key: str, version: str | None = None,
    method: str = "POST",
) -> Answer:  # fmt: skip
    """A command under the key that its form carries. Raises Away, Refusal or SignedOut."""
    headers = {"idempotency-key": key} | ({} if version is None else {"if-match": f'"{version}"'})
    return await _ask(request, service, method, path, headers, json=body)


async def every(questions: Mapping[str, Awaitable[Answer]]) -> tuple[dict[str, Any], list[str]]:
    """The answers that came, by name, and the services that are away. What is refused counts as not there."""
    found = await asyncio.gather(*questions.values(), return_exceptions=True)
    answers: dict[str, Any] = {}
    away: list[str] = []
    for name, one in zip(questions, found, strict=True):
        if isinstance(one, Away):
            away.append(one.service)
        elif isinstance(one, Answer):
            answers[name] = one.data
        elif not isinstance(one, Refusal):
            raise one
    return answers, away


async def _ask(
    request: Request, service: str, method: str, path: str, headers: Mapping[str, str], **content: Any
) -> Answer:
    them = services(request)
    breaker = them.breakers.setdefault(service, Breaker())
    if breaker.is_open:
        raise Away(service)
    sent = {"accept-language": words.language.get(), **headers}
    session: Session | None = request.state.session
    if session is not None and session.caller is not None:
        sent["authorization"] = f"Bearer {session.access_token}"
    inject(sent)
    try:
        answer = await _answer(them, f"{them.settings.url_of(service)}{path}", method, sent, content)
    except (httpx.TransportError, _NotNow) as error:
        breaker.note(answered=False)
        log.warning("a service is away", asked=service, error=type(error).__name__)
        raise Away(service) from error
    breaker.note(answered=True)
    if answer.status_code == 401:
        raise SignedOut
    if answer.status_code >= 400:
        raise Refusal(answer.status_code, _problem(answer))
    etag = answer.headers.get("etag")
    return Answer(answer.json() if answer.content else None, etag.strip('W/"') if etag else None)


class _NotNow(Exception):
    pass


async def _answer(
    them: Services, url: str, method: str, headers: Mapping[str, str], content: Mapping[str, Any]
) -> httpx.Response:
    async for attempt in stamina.retry_context(
        on=(httpx.TransportError, _NotNow), attempts=ATTEMPTS, timeout=SECONDS * 2, wait_initial=0.1, wait_jitter=0.2
    ):
        with attempt:
            answer = await them.client.request(method, url, headers=dict(headers), **content)
            if answer.status_code >= 500:
                raise _NotNow
    return answer


def _problem(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        return dict(answer.json())
    except ValueError:
        return {}


def _given(params: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: value for name, value in params.items() if value not in (None, "", [])}


def items(answers: Mapping[str, Any], name: str) -> Iterable[Mapping[str, Any]]:
    """A list that was asked for, empty where it did not come."""
    found = answers.get(name) or {}
    return cast(Iterable[Mapping[str, Any]], found.get("items", []) if isinstance(found, dict) else found)
