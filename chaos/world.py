"""What people of a run know of each other's affairs: enough to go on with what somebody else has begun."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx

from chaos.journal import Journal
from demo.office import Office
from deploy.local.stack import Stack

OWNERS = ("applicant-1", "applicant-2", "applicant-3", "agent-1")
MANY = 2_000
"""Affairs that are remembered; of more, the oldest are forgotten."""


class Wrong(Exception):
    """A service answered what it must never answer; the sentence says what and to whom."""


@dataclass(frozen=True, slots=True)
class Affair:
    """An application or an enterprise (`id`), with its form, and whose it is."""

    id: str
    owner: str
    form: dict[str, Any]


@dataclass(slots=True)
class World:
    """`enterprises` are registered; `returned` applications wait for their owner. `done` counts successes by act."""

    stack: Stack
    namespace: str
    office: Office
    journal: Journal
    forms: Iterator[dict[str, Any]]
    seed: int
    enterprises: list[Affair] = field(default_factory=list)
    in_review: dict[str, Affair] = field(default_factory=dict)
    returned: list[Affair] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    done: Counter[str] = field(default_factory=Counter)
    answers: Counter[int] = field(default_factory=Counter)

    def remember(self, affair: Affair) -> None:
        self.enterprises.append(affair)
        del self.enterprises[:-MANY]

    def one(self, chance: random.Random) -> Affair | None:
        """Some enterprise; a younger one more often, for there is more to do about it."""
        if not self.enterprises:
            return None
        return self.enterprises[-1 - int(len(self.enterprises) * chance.random() ** 2)]

    async def see(self, person: str | None, service: str, path: str, **headers: str) -> Any:
        """What the person is shown; None where that is nothing, or nobody answers: people look again later."""
        try:
            answer = await self.office.look(person, service, path, **headers)
        except httpx.TransportError:
            return None
        self._judge(answer, person)
        return answer.json() if answer.status_code == httpx.codes.OK else None

    async def some(self, chance: random.Random, person: str, service: str, path: str) -> Any:
        """Any of the things that a list shows first; None of an empty one."""
        shown = await self.see(person, service, path)
        return chance.choice(shown["items"]) if shown and shown["items"] else None

    async def do(
        self, act: str, person: str, service: str, path: str, body: dict[str, Any] | None = None, *,
        of: str | None = None, version: int | None = None, method: str = "POST", key: str | None = None,
    ) -> Any:  # fmt: skip
        """A command, until it is answered; its answer if it succeeded. To be refused is part of life: None."""
        answer = await self.office.ask(
            person, service, path, body, of=of, version=version, method=method, key=key
        )  # fmt: skip
        self._judge(answer, person)
        self.answers[answer.status_code] += 1
        if not answer.is_success:
            return None
        self.done[act] += 1
        return answer.json()

    def must(self, holds: bool, sentence: str) -> None:
        """What an answer says holds; raises Wrong otherwise."""
        if not holds:
            raise Wrong(sentence)

    def _judge(self, answer: httpx.Response, person: str | None) -> None:
        if answer.status_code >= 500 and answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
            asked = answer.request
            raise Wrong(f"{asked.method} {asked.url} by {person}: {answer.status_code} {answer.text[:300]}")
