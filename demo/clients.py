"""Clients at the window: careful ones, who repeat a form under the same key until they have an answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

import httpx
from aiokafka import AIOKafkaConsumer, TopicPartition

from demo import careful
from demo.careful import Command, NoAnswer
from deploy.local.issuer import token
from tests.checker.commands import Attempt

PATIENCE = 90.0
PARTITIONS = 12


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
    announced: dict[str, float] = field(default_factory=dict)
    """When risk first announced the class of an enterprise, as `listen` heard it."""
    followed: list[Followed] = field(default_factory=list)

    @property
    def repeated(self) -> int:
        """How many requests had no answer, or one to come again."""
        return sum(one.status in careful.NOT_YET for one in self.attempts)

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
        key = careful.fresh_key()
        answers = await asyncio.gather(*(self.post("/v1/applications", form, key) for _ in range(clicks)))
        return answers[0]

    async def change(self, uscc: str, form: dict[str, Any]) -> dict[str, Any]:
        enterprise = f"/v1/enterprises/{uscc}"
        return await self.post(f"{enterprise}/changes", form, careful.fresh_key(), of=enterprise)

    async def post(self, path: str, form: dict[str, Any], key: str, *, of: str | None = None) -> dict[str, Any]:
        """Send until there is an answer; `of` is what the command changes, in the version that stands. A form that
        comes back with faults is a fault of this demonstration."""
        speaks = {"accept-language": "en"}
        command = Command("registration", path, form, key, of=of, speaks=speaks)
        answer = await careful.send(self.registration, command, self.attempts, patience=PATIENCE)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

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
