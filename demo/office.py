"""People of the story at the services: each signs in by a token, and repeats a command until it is answered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Self

import httpx

from demo import careful
from demo.careful import Command, Notes
from deploy.local import issuer

PATIENCE = 60.0


class Unexpected(Exception):
    """An answer that the story does not tell of; the sentence says which."""


@dataclass(slots=True)
class Office:
    """`urls` by service. Every command and its answer is kept in `attempts`, for the proof."""

    urls: Mapping[str, str]
    attempts: Notes
    clients: dict[str, httpx.AsyncClient] = field(default_factory=dict)
    closing: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def __aenter__(self) -> Self:
        for name, url in self.urls.items():
            self.clients[name] = await self.closing.enter_async_context(httpx.AsyncClient(base_url=url, timeout=10))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.closing.aclose()

    async def read(self, person: str | None, service: str, path: str, **headers: str) -> Any:
        """What this person sees there; with no person, what anyone sees."""
        answer = await self.look(person, service, path, **headers)
        if answer.status_code != httpx.codes.OK:
            raise Unexpected(f"GET {service} {path} by {person or 'anyone'}: {answer.status_code} {answer.text[:300]}")
        return answer.json()

    async def look(self, person: str | None, service: str, path: str, **headers: str) -> httpx.Response:
        """Whatever a look is answered with."""
        return await self.clients[service].get(path, headers={**_names(person), **headers})

    async def question(self, service: str, path: str, body: Mapping[str, Any]) -> Any:
        """What anyone is answered who asks with a body; nothing is done by it."""
        answer = await self.clients[service].post(path, json=body, headers=_names(None))
        if answer.status_code != httpx.codes.OK:
            raise Unexpected(f"POST {service} {path}: {answer.status_code} {answer.text[:300]}")
        return answer.json()

    async def act(
        self, person: str, service: str, path: str, body: Mapping[str, Any] | None = None, *, method: str = "POST",
        status: int | None = None, of: str | None = None,
    ) -> Any:  # fmt: skip
        """One command. `of`: the path whose version it is made from (its ETag is read first). `status`: the answer that
        the story expects; any success, if not given."""
        answer = await self.ask(person, service, path, body, method=method, of=of)
        expected = answer.is_success if status is None else answer.status_code == status
        if not expected:
            raise Unexpected(f"{method} {service} {path} by {person}: {answer.status_code} {answer.text[:400]}")
        return answer.json() if answer.content else None

    async def ask(
        self, person: str, service: str, path: str, body: Mapping[str, Any] | None = None, *, method: str = "POST",
        of: str | None = None, version: int | None = None, key: str | None = None,
    ) -> httpx.Response:  # fmt: skip
        """One command, and whatever it is answered in the end. Raises NoAnswer."""
        command = Command(
            service, path, body or {}, key or careful.fresh_key(), person, method, of, version, _names(person)
        )  # fmt: skip
        return await careful.send(self.clients[service], command, self.attempts, patience=PATIENCE)

    async def until(self, look: Callable[[], Awaitable[Any]], what: str) -> Any:
        """The first true answer of `look`; what it waits for comes by an event."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                if found := await look():
                    return found
            except (Unexpected, httpx.TransportError):
                pass
            await asyncio.sleep(0.05)
        raise Unexpected(f"{what}: not within {PATIENCE:.0f} s")


def _names(person: str | None) -> dict[str, str]:
    spoken = {"accept-language": "en"}
    return spoken if person is None else {**spoken, "authorization": f"Bearer {issuer.token(person)}"}
