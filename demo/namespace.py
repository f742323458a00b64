"""The demonstration's own corner of Kafka and PostgreSQL: fresh at each run, removed at its end or the next start."""

from __future__ import annotations

import fcntl
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient

from deploy.local.processes import LocalStackError
from deploy.local.stack import Stack

PREFIX = "demo_"


def fresh() -> str:
    return f"{PREFIX}{secrets.token_hex(3)}_"


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """One demonstration at a time: the next one removes what the last one left."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LocalStackError("Another demonstration runs in this checkout: wait for its end.") from None
        yield


async def remove(stack: Stack, prefix: str = PREFIX) -> None:
    """Drop every database, role and topic whose name begins with `prefix`."""
    connection = await asyncpg.connect(stack.database_url)
    try:
        for row in await connection.fetch("SELECT datname FROM pg_database WHERE starts_with(datname, $1)", prefix):
            await connection.execute(f'DROP DATABASE IF EXISTS "{row[0]}" WITH (FORCE)')
        for row in await connection.fetch("SELECT rolname FROM pg_roles WHERE starts_with(rolname, $1)", prefix):
            await connection.execute(f'DROP ROLE IF EXISTS "{row[0]}"')
    finally:
        await connection.close()
    admin = AIOKafkaAdminClient(bootstrap_servers=stack.bootstrap_servers)
    await admin.start()
    try:
        if left := [name for name in await admin.list_topics() if name.startswith(prefix)]:
            await admin.delete_topics(left)
    finally:
        await admin.close()
