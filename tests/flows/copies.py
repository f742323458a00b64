"""Runs whose evidence is altered behind the services' backs, to see that the checker finds it."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from tests.checker import Target


@asynccontextmanager
async def copied(target: Target, service: str, sql: str) -> AsyncIterator[Target]:
    """The run, whose services have stopped, with this service's database copied and then altered."""
    original = f"{target.namespace}{service}"
    copy = f"{original}_copy"
    administrator = await asyncpg.connect(target.database_url)
    await administrator.execute(f'CREATE DATABASE "{copy}" TEMPLATE "{original}"')
    try:
        connection = await asyncpg.connect(target.database_url, database=copy)
        await connection.execute("SET session_replication_role = replica")  # keys and triggers look away
        await connection.execute(sql)
        await connection.close()
        yield dataclasses.replace(target, databases={service: copy}, patience=0)
    finally:
        await administrator.execute(f'DROP DATABASE "{copy}" WITH (FORCE)')
        await administrator.close()
