"""The spine under test: real service processes on the real Kafka and PostgreSQL, under a namespace of their own."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import os
import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx

from deploy.local.namespace import remove
from deploy.local.services import DEMO_START, ServiceProcess, environment
from deploy.local.stack import Stack
from libs.common import time_travel
from services.registration.schemas import APPLICATION_EXAMPLE

PATIENCE = 40.0
"""Seconds within which what must come true has come true, on a busy machine."""


@dataclass(slots=True)
class Spine:
    """`service("risk")` is a process, not started yet; asked again it is the same one, another `member` is not."""

    stack: Stack
    folder: Path
    namespace: str = field(default_factory=lambda: f"t{secrets.token_hex(4)}_")
    business_start: date = DEMO_START
    processes: dict[str, ServiceProcess] = field(default_factory=dict)

    @property
    def env(self) -> dict[str, str]:
        return environment(self.stack, self.namespace, self.business_start)

    def service(self, name: str, member: str = "") -> ServiceProcess:
        key = name + member
        if key not in self.processes:
            self.processes[key] = ServiceProcess(name, self.env, self.folder / f"{key}.log")
        return self.processes[key]

    def up(self, *names: str) -> Spine:
        for name in names:
            self.service(name).start()
        for name in names:
            self.service(name).wait_ready()
        return self

    @contextlib.contextmanager
    def as_environment(self):  # type: ignore[no-untyped-def]
        """This spine's environment in this process, for code of the services that is called in the test itself."""
        before = dict(os.environ)
        os.environ.update(self.env)
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)

    @contextlib.asynccontextmanager
    async def database(self, service: str) -> AsyncIterator[asyncpg.Connection]:
        """An administrator's connection to a service's database."""
        connection = await asyncpg.connect(self.stack.database_url, database=f"{self.namespace}{service}")
        try:
            yield connection
        finally:
            await connection.close()

    async def travel(self, to: date) -> int:
        """Business time moves to `to`, through every due date."""

        async def say(step: date) -> None:
            await time_travel.advance(self.stack.bootstrap_servers, self.namespace, step)

        return await time_travel.travel(say, [p.url for p in self.processes.values() if p.alive], to)

    async def quiet(self) -> None:
        """Wait until nothing is due, unsent or unread in any running service."""
        async with httpx.AsyncClient(timeout=10) as client:
            await time_travel.quiet(client, [p.url for p in self.processes.values() if p.alive])

    async def close(self) -> None:
        for process in self.processes.values():
            process.kill()
        await remove(self.stack, self.namespace)


def form(**changes: Any) -> dict[str, Any]:
    """An application that the list of any recent day accepts, with some fields changed."""
    return {**copy.deepcopy(APPLICATION_EXAMPLE), **changes}


async def submit(spine: Spine, body: dict[str, Any] | None = None, *, key: str | None = None) -> httpx.Response:
    """Submit one form, as a careful client does: the same key again while the answer is `not now`."""
    return await post(spine, "/v1/applications", form() if body is None else body, key=key)


async def change(spine: Spine, uscc: str, body: dict[str, Any], *, key: str | None = None) -> httpx.Response:
    return await post(spine, f"/v1/enterprises/{uscc}/changes", body, key=key)


async def post(spine: Spine, path: str, body: dict[str, Any], *, key: str | None = None) -> httpx.Response:
    headers = {"idempotency-key": key or str(uuid4()), "accept-language": "en"}
    deadline = time.monotonic() + PATIENCE
    async with httpx.AsyncClient(base_url=spine.service("registration").url, timeout=10) as client:
        while True:
            try:
                answer = await client.post(path, json=body, headers=headers)
                if answer.status_code not in (409, 503) or time.monotonic() > deadline:
                    return answer
            except httpx.TransportError:
                if time.monotonic() > deadline:
                    raise
            await asyncio.sleep(0.1)


async def risk_of(spine: Spine, uscc: str, *, member: str = "") -> dict[str, Any] | None:
    async with httpx.AsyncClient(base_url=spine.service("risk", member).url, timeout=10) as client:
        answer = await client.get(f"/v1/enterprises/{uscc}/risk")
    return None if answer.status_code == 404 else answer.raise_for_status().json()


async def eventually(check: Any, *, within: float = PATIENCE) -> Any:
    """The first true answer of `check` (an async function); its last answer or error when the time is over."""
    deadline = time.monotonic() + within
    while True:
        try:
            if answer := await check():
                return answer
            error: Exception | None = None
        except (httpx.TransportError, asyncpg.PostgresError, OSError) as failed:
            error = failed
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within} s: {error or answer!r}")
        await asyncio.sleep(0.05)
