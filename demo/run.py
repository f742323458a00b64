"""One run: its services, its clients, its story, and what all acts do."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import httpx

from demo.applications import change, forms
from demo.clients import Window
from demo.office import Office
from demo.story import Story
from deploy.local.services import ServiceProcess
from deploy.local.stack import Stack
from libs.common import time_travel

SEED = 2026


@dataclass(slots=True)
class Run:
    """`judged` holds every form with its answer, in the order of the answers; `case` what the story's enterprise needs
    from one act to the next."""

    stack: Stack
    namespace: str
    processes: dict[str, ServiceProcess]
    window: Window
    office: Office
    story: Story
    logs: Path
    case: dict[str, Any] = field(default_factory=dict)
    chance: random.Random = field(default_factory=lambda: random.Random(SEED))
    forms: Iterator[dict[str, Any]] = field(default_factory=lambda: forms(SEED))
    judged: list[tuple[dict[str, Any], dict[str, Any]]] = field(default_factory=list)

    @property
    def urls(self) -> dict[str, str]:
        return {name: process.url for name, process in self.processes.items()}

    @property
    def registered(self) -> list[tuple[dict[str, Any], str]]:
        return [(form, answer["uscc"]) for form, answer in self.judged if answer["uscc"] is not None]

    async def submit(self, form: dict[str, Any], clicks: int = 1) -> tuple[str | None, float]:
        """Submit a form; the identifier if it is registered, and when it was first sent."""
        sent = time.monotonic()
        answer = await self.window.submit(form, clicks=clicks)
        self.judged.append((form, answer))
        return answer["uscc"], sent

    async def change_one(self, among: Sequence[tuple[dict[str, Any], str]] | None = None) -> None:
        """Some enterprise (of those `among`, or of all) changes something."""
        form, uscc = self.chance.choice(among or self.registered)
        await self.window.change(uscc, change(form, self.chance))

    async def quiet(self) -> None:
        """Wait until nothing is due, unsent or unread."""
        async with httpx.AsyncClient(timeout=10) as client:
            await time_travel.quiet(client, list(self.urls.values()))

    async def progress(self) -> dict[str, Any]:
        """How far registration has come, the business date among it."""
        found: dict[str, Any] = await self.office.read(None, "registration", "/health/progress")
        return found

    async def travel(self, to: date) -> int:
        """Business time moves to `to`, through every due date; how many steps that took."""

        async def say(step: date) -> None:
            await time_travel.advance(self.stack.bootstrap_servers, self.namespace, step)

        return await time_travel.travel(say, list(self.urls.values()), to)

    async def standing(self, uscc: str) -> dict[str, Any]:
        found = await self.window.standing(uscc)
        if found is None:
            raise LookupError(f"risk has no score of {uscc}, which it had before")
        return found
