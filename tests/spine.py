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

from deploy.local.issuer import token
from deploy.local.namespace import remove
from deploy.local.services import DEMO_START, ServiceProcess, environment
from deploy.local.stack import Stack
from libs.common import time_travel
from services.registration.forms import APPLICATION_EXAMPLE

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
        """Start those that do not run yet, and wait until all of them answer."""
        for name in names:
            if not self.service(name).alive:
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
    return {**copy.deepcopy(APPLICATION_EXAMPLE), "enterprise_name": name_of_its_own(), **changes}


def name_of_its_own(industry: str = "餐饮") -> dict[str, str]:
    """A name that nobody else holds."""
    trade = "".join("甲乙丙丁戊己庚辛壬癸天地山川日月"[int(digit, 16)] for digit in uuid4().hex[:12])
    return {"division": "上海", "trade_name": trade, "industry": industry, "form": "有限公司"}


def owned_by(name: str) -> dict[str, Any]:
    """Owners and a legal representative, for a form: those of one name are the same people."""
    body = form()
    for party in (*body["investors"], body["legal_representative"]):
        party["name"] = f"{party['name']} {name}"
    return {"investors": body["investors"], "legal_representative": body["legal_representative"]}


async def submit(
    spine: Spine, body: dict[str, Any] | None = None, *, key: str | None = None, person: str = "applicant-1"
) -> httpx.Response:
    """Submit one form, as a careful client does: the same key again while the answer is `not now`."""
    return await post(spine, "/v1/applications", form() if body is None else body, key=key, person=person)


async def change(
    spine: Spine, uscc: str, body: dict[str, Any], *, key: str | None = None, person: str = "applicant-1"
) -> httpx.Response:
    """Change an enterprise from the version that it has now, and again where somebody was faster."""
    while True:
        seen = await eventually(lambda: _version(spine, f"/v1/enterprises/{uscc}"))
        answer = await post(spine, f"/v1/enterprises/{uscc}/changes", body, key=key, person=person, if_match=seen)
        if answer.status_code != httpx.codes.PRECONDITION_FAILED:
            return answer


async def post(
    spine: Spine, path: str, body: dict[str, Any] | None = None, *, service: str = "registration",
    person: str | None = "applicant-1", key: str | None = None, if_match: int | None = None, method: str = "POST",
) -> httpx.Response:  # fmt: skip
    """A command of one of the demo people (None: of nobody), made from version `if_match` of its object. While the
    answer is `not now`, it is sent again under the same key."""
    headers = {"idempotency-key": key or str(uuid4()), "accept-language": "en", **bearer(person)}
    if if_match is not None:
        headers["if-match"] = f'"{if_match}"'
    deadline = time.monotonic() + PATIENCE
    async with httpx.AsyncClient(base_url=spine.service(service).url, timeout=10) as client:
        while True:
            try:
                answer = await client.request(method, path, json=body, headers=headers)
                if not _not_now(answer) or time.monotonic() > deadline:
                    return answer
            except httpx.TransportError:
                if time.monotonic() > deadline:
                    raise
            await asyncio.sleep(0.1)


async def _version(spine: Spine, path: str) -> int | None:
    answer = await get(spine, path)
    return int(answer.json()["version"]) if answer.status_code == httpx.codes.OK else None


def _not_now(answer: httpx.Response) -> bool:
    in_flight = answer.status_code == 409 and answer.json()["type"].endswith(":idempotency-in-flight")
    return answer.status_code == 503 or in_flight


async def get(
    spine: Spine, path: str, *, service: str = "registration", person: str | None = "applicant-1", member: str = "",
    **headers: str,
) -> httpx.Response:  # fmt: skip
    """What one of the demo people (None: nobody) is shown."""
    async with httpx.AsyncClient(base_url=spine.service(service, member).url, timeout=10) as client:
        return await client.get(path, headers={"accept-language": "en", **bearer(person), **headers})


async def recovery_reports(spine: Spine, service: str) -> list[dict[str, Any]]:
    """What an operator is shown, the newest first."""
    answer = await get(spine, "/v1/recovery-reports", service=service, person="operator-1")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def bearer(person: str | None) -> dict[str, str]:
    """The header by which a demo person is known."""
    return {} if person is None else {"authorization": f"Bearer {token(person)}"}


async def risk_of(spine: Spine, uscc: str, *, member: str = "", person: str = "regulator-1") -> dict[str, Any] | None:
    path = f"/v1/enterprises/{uscc}/risk"
    answer = await get(spine, path, service="risk", person=person, member=member, purpose="case_handling")
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
