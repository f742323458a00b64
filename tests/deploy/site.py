"""Two services as an operator sees them: /metrics is scraped, alerts are judged, runbooks are followed."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import yaml  # type: ignore[import-untyped]

from deploy.local.services import ServiceProcess
from deploy.local.stack import CHECKOUT
from tests.deploy.prometheus import Scrapes, Vector, fires
from tests.spine import Spine, eventually

RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((CHECKOUT / "deploy/alerts.yaml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
EXPRESSIONS = {rule["alert"]: rule["expr"] for rule in RULES}
RUNBOOKS = (CHECKOUT / "docs/runbooks.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", RUNBOOKS, re.MULTILINE | re.DOTALL))
HOUR = 3600.0


@dataclass(slots=True)
class Site:
    """`later`: seconds that have passed since, as scrapes tell the time. `disk`: what registration watches; None where
    there is no leave to mount one. `keys`: where its keyring lies."""

    spine: Spine
    disk: Path | None
    keys: Path
    members: dict[str, ServiceProcess] = field(default_factory=dict)
    scrapes: Scrapes = field(default_factory=Scrapes)
    later: float = 0.0

    async def scrape(self) -> None:
        answers: dict[str, tuple[str, str | None]] = {}
        async with httpx.AsyncClient(timeout=8) as client:
            for instance, process in self.members.items():
                try:
                    answer = await client.get(f"{process.url}/metrics")
                    answers[instance] = process.name, answer.raise_for_status().text
                except httpx.TransportError:
                    answers[instance] = process.name, None
        self.scrapes.add(time.time() + self.later, answers)

    async def firing(self, alert: str) -> Vector:
        await self.scrape()
        return fires(EXPRESSIONS[alert], self.scrapes)

    async def is_quiet(self, alert: str) -> bool:
        return not await self.firing(alert)

    async def an_hour_passes(self) -> None:
        self.later += HOUR + 1
        await self.scrape()

    @asynccontextmanager
    async def session(self, service: str, *statements: str) -> AsyncIterator[asyncpg.Connection]:
        """Somebody's session in a service's database, in a transaction that has said this and does not end."""
        connection = await asyncpg.connect(self.spine.stack.database_url, database=f"{self.spine.namespace}{service}")
        try:
            await connection.execute("BEGIN")
            for statement in statements:
                await connection.execute(statement)
            yield connection
        finally:
            connection.terminate()

    async def follow(self, alert: str, words: str, **names: str) -> str:
        """Run the command of the alert's runbook that has these words, with its capitals filled in; what it printed."""
        commands = re.findall(r"`(python -m [^`]+)`", SECTIONS[alert])
        [command] = [one for one in commands if words in one]
        for name, value in names.items():
            command = re.sub(rf"\b{name}\b", value, command)
        _, *arguments = shlex.split(command.replace("...", "as the runbook says"))

        def run() -> str:
            env = {**os.environ, **self.spine.env, "COLUMNS": "240"}
            done = subprocess.run(
                [sys.executable, *arguments], cwd=CHECKOUT, env=env, text=True, capture_output=True, timeout=90,
                check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
            return done.stdout

        return await asyncio.to_thread(run)

    async def end_sessions(self, alert: str, service: str) -> None:
        """Run the statement of the alert's runbook until it has ended somebody's session."""
        [statement] = re.findall(r"`(SELECT pg_terminate_backend[^`]+)`", SECTIONS[alert])

        async def ended() -> bool:
            async with self.spine.database(service) as connection:
                return bool(await connection.fetch(statement))

        assert await eventually(ended)

    async def log_tells(self, alert: str, service: str, words: str) -> None:
        """What the runbook says to look for in the log is there."""
        assert words in SECTIONS[alert]

        async def told() -> bool:
            return words in self.members[service].log.read_text()

        assert await eventually(told)
