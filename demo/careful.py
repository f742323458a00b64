"""How a careful client sends a command: under one key, again and again until there is an answer; all of it is noted."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import uuid4

import httpx

from tests.checker.commands import Attempt, digest

BUSY = frozenset({401, 429, 503})
"""Answers after which a client comes again; so is 409 while the first request of a key is still under way. 401: a token
is too young for a service whose clock is behind."""
NOT_YET = frozenset({None, 409, 412, *BUSY})
"""What a command of which nothing stands in the way may be answered before it is done."""
PAUSE_SECONDS, LONGEST_PAUSE = 0.1, 2.0


class NoAnswer(Exception):
    """A client has waited too long; the sentence says for what."""


class Notes(Protocol):
    """Where a client notes what was said and answered; a list will do."""

    def append(self, attempt: Attempt, /) -> None: ...


@dataclass(frozen=True, slots=True)
class Command:
    """`of`: the path of what the command changes; it is read before each attempt, for the version to name. `version`:
    that which it is made from, where nobody need read it. `speaks`: headers beside those of every command, the caller's
    token among them."""

    service: str
    path: str
    body: Mapping[str, Any]
    key: str
    caller: str | None = None
    method: str = "POST"
    of: str | None = None
    version: int | None = None
    speaks: Mapping[str, str] | None = None


def fresh_key() -> str:
    return str(uuid4())


async def send(client: httpx.AsyncClient, command: Command, notes: Notes, *, patience: float) -> httpx.Response:
    """The first answer that is one. A cut connection, a service that asks to come again and, where the version was
    read, somebody who was faster (412) are none. Raises NoAnswer after `patience` seconds."""
    content = json.dumps(command.body, ensure_ascii=False).encode()
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        answer = await _attempt(client, command, content, notes)
        if answer is not None and not _come_again(answer, command):
            return answer
        await asyncio.sleep(_pause(answer))
    raise NoAnswer(f"{command.method} {command.service} {command.path} had no answer within {patience:.0f} s")


async def _attempt(client: httpx.AsyncClient, command: Command, content: bytes, notes: Notes) -> httpx.Response | None:
    """One sending; noted also where no answer comes, or where the client himself is gone before it does."""
    headers = {"idempotency-key": command.key, "content-type": "application/json", **(command.speaks or {})}
    if command.version is not None:
        headers["if-match"] = f'"{command.version}"'
    elif command.of is not None:
        version = await _version(client, command)
        if version is None:
            return None
        headers["if-match"] = version
    sent, answer = time.monotonic(), None
    try:
        answer = await client.request(command.method, command.path, content=content, headers=headers)
    except httpx.TransportError:
        pass
    finally:
        status, text = (answer.status_code, answer.text) if answer is not None else (None, None)
        notes.append(
            Attempt(
                command.path, command.key, digest(content), status, text, command.service, command.method,
                command.caller, sent, time.monotonic(),
            )
        )  # fmt: skip
    return answer


async def _version(client: httpx.AsyncClient, command: Command) -> str | None:
    """The ETag of what is to be changed; None while nobody answers. What is not there has none: let the service say."""
    try:
        seen = await client.get(command.of or "", headers=command.speaks)
    except httpx.TransportError:
        return None
    return None if seen.status_code in BUSY else seen.headers.get("etag", '"0"')


def _come_again(answer: httpx.Response, command: Command) -> bool:
    if answer.status_code == httpx.codes.CONFLICT:
        return str(answer.json().get("type", "")).endswith(":idempotency-in-flight")
    return answer.status_code in BUSY or (answer.status_code == 412 and command.of is not None)


def _pause(answer: httpx.Response | None) -> float:
    """As long as the service asks for, within reason."""
    asked = answer.headers.get("retry-after") if answer is not None and answer.status_code in BUSY else None
    return min(float(asked), LONGEST_PAUSE) if asked and asked.isdigit() else PAUSE_SECONDS
