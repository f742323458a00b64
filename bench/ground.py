"""A namespace of its own for one measurement: databases and topics made before it and removed after it."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient

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
        await _remove(stack, namespace)


async def _remove(stack: Stack, namespace: str) -> None:
    connection = await asyncpg.connect(stack.database_url)
    try:
        for (name,) in await connection.fetch(
            "SELECT datname FROM pg_database WHERE starts_with(datname, $1)", namespace
        ):
            await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
            await connection.execute(f'DROP ROLE IF EXISTS "{name}"')
    finally:
        await connection.close()
    admin = AIOKafkaAdminClient(bootstrap_servers=stack.bootstrap_servers)
    await admin.start()
    try:
        await admin.delete_topics([name for name in await admin.list_topics() if name.startswith(namespace)])
    finally:
        await admin.close()
