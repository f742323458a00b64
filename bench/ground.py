"""A namespace of its own for one measurement: databases and topics made before it and removed after it."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.namespace import remove
from deploy.local.services import ServiceProcess, environment
from deploy.local.stack import CHECKOUT, Stack, ensure_running
from libs.common.database import Database, open_database
from libs.common.run import prepare
from libs.common.service import Service
from libs.common.settings import Settings


@dataclass(frozen=True, slots=True)
class Ground:
    stack: Stack
    namespace: str
    folder: Path
    processes: list[ServiceProcess] = field(default_factory=list)

    def process(self, service: str) -> ServiceProcess:
        env = {**environment(self.stack, self.namespace), "LOG_LEVEL": "WARNING"}
        self.processes.append(ServiceProcess(service, env, self.folder / f"{service}.log"))
        return self.processes[-1]

    async def prepared(self, service: Service) -> tuple[Settings, Database]:
        """The service's database and topics, and a pool to it in this process."""
        settings = service.load_settings()
        database = open_database(settings)
        await prepare(service, settings, database)
        return settings, database


@contextlib.asynccontextmanager
async def ground() -> AsyncIterator[Ground]:
    stack = ensure_running()
    namespace = f"bench{secrets.token_hex(3)}_"
    before = dict(os.environ)
    os.environ.update(environment(stack, namespace))
    on = Ground(stack, namespace, CHECKOUT / ".local" / "bench")
    try:
        yield on
    finally:
        for process in on.processes:
            process.kill()
        os.environ.clear()
        os.environ.update(before)
        await remove(stack, namespace)
