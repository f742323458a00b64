"""Clients at the window: careful ones, who repeat a form under the same key until they have an answer."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self
from uuid import uuid4

import httpx
from aiokafka import AIOKafkaConsumer, TopicPartition

from deploy.local.issuer import token
from tests.checker.commands import Attempt, digest

NOT_NOW = frozenset({409, 412, 428, 503})
PATIENCE = 90.0
PARTITIONS = 12


class NoAnswer(Exception):
    """A client has waited too long; the sentence says for what."""


class Followed(NamedTuple):
    """One form from its first sending to the answer and to its score; times are of the monotonic clock."""

    sent: float
    answered: float
    scored: float


@dataclass(slots=True)
class Window:
    """Registration and risk as their clients see them. `attempts` records every command and what came back."""

    registration: httpx.AsyncClient
    risk: httpx.AsyncClient
    attempts: list[Attempt] = field(default_factory=list)
    exchanges: list[tuple[float, float]] = field(default_factory=list)
    """When each answered request was sent, and when its answer came."""
    announced: dict[str, float] = field(default_factory=dict)
    """When risk first announced the class of an enterprise, as `listen` heard it."""
    followed: list[Followed] = field(default_factory=list)
    repeated: int = 0

    @classmethod
    @asynccontextmanager
    async def opened(cls, registration: str, risk: str) -> AsyncIterator[Self]:
        """The window of services at these base URLs."""
        looks = {**_shows("regulator-1"), "purpose": "supervision_planning"}
        async with (
            httpx.AsyncClient(base_url=registration, timeout=10, headers=_shows("applicant-1")) as one,
            httpx.AsyncClient(base_url=risk, timeout=10, headers=looks) as other,
        ):
            yield cls(one, other)

    async def submit(self, form: dict[str, Any], *, clicks: int = 1) -> dict[str, Any]:
        """Submit a form, `clicks` times at once under one key; all clicks must get the same answer."""
        key = str(uuid4())
        answers = await asyncio.gather(*(self.post("/v1/applications", form, key) for _ in range(clicks)))
        return answers[0]

    async def change(self, uscc: str, form: dict[str, Any]) -> dict[str, Any]:
        enterprise = f"/v1/enterprises/{uscc}"
        return await self.post(f"{enterprise}/changes", form, str(uuid4()), of=enterprise)

    async def post(self, path: str, form: dict[str, Any], key: str, *, of: str | None = None) -> dict[str, Any]:
        """Send until there is an answer; `of` is what the command changes, in the version that stands. A form that
        comes back with faults is a fault of this demonstration."""
        content = json.dumps(form, ensure_ascii=False).encode()
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            answer = await self._attempt(path, content, key, await self._version(of))
            if answer is not None and answer.status_code not in NOT_NOW:
                answer.raise_for_status()
                found: dict[str, Any] = answer.json()
                return found
            self.repeated += 1
            await asyncio.sleep(0.1)
        raise NoAnswer(f"POST {path} had no answer within {PATIENCE:.0f} s")

    async def _version(self, of: str | None) -> dict[str, str]:
        """The header that names the version of `of`; somebody else may change it before the command comes (412)."""
        with suppress(httpx.TransportError):
            if of is not None:
                return {"if-match": (await self.registration.get(of)).headers.get("etag", "")}
        return {}

    async def _attempt(self, path: str, content: bytes, key: str, version: Mapping[str, str]) -> httpx.Response | None:
        headers = {"idempotency-key": key, "content-type": "application/json", "accept-language": "en", **version}
        sent, answer = time.monotonic(), None
        with suppress(httpx.TransportError):
            answer = await self.registration.post(path, content=content, headers=headers)
            self.exchanges.append((sent, time.monotonic()))
        status, text = (answer.status_code, answer.text) if answer is not None else (None, None)
        self.attempts.append(Attempt(path, key, digest(content), status, text))
        return answer

    async def listen(self, bootstrap_servers: str, topic: str) -> None:
        """Hear what risk announces, for ever. Asking for each score again and again would be the larger part of the
        load: every look at one is written to the audit."""
        consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap_servers, auto_offset_reset="earliest")
        await consumer.start()
        try:
            consumer.assign([TopicPartition(topic, number) for number in range(PARTITIONS)])
            while True:
                for batch in (await consumer.getmany(timeout_ms=100)).values():
                    for record in batch:
                        self.announced.setdefault((record.key or b"").decode(), time.monotonic())
        finally:
            await consumer.stop()

    async def follow(self, uscc: str, sent: float) -> None:
        """Wait until risk has announced its class, and so has its score."""
        answered = time.monotonic()
        while uscc not in self.announced:
            if time.monotonic() - sent > PATIENCE:
                raise NoAnswer(f"{uscc} had no score within {PATIENCE:.0f} s")
            await asyncio.sleep(0.005)
        self.followed.append(Followed(sent, answered, self.announced[uscc]))

    async def standing(self, uscc: str) -> dict[str, Any] | None:
        """What risk says of an enterprise; None while it knows nothing or does not answer."""
        try:
            answer = await self.risk.get(f"/v1/enterprises/{uscc}/risk")
        except httpx.TransportError:
            return None
        found: dict[str, Any] | None = answer.json() if answer.status_code == httpx.codes.OK else None
        return found

    async def distribution(self) -> dict[str, int]:
        """Enterprises by class, from risk."""
        found: dict[str, int] = (await self.risk.get("/v1/risk/distribution")).raise_for_status().json()["classes"]
        return found


def _shows(person: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token(person)}"}
