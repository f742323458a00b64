"""python -m deploy.check.drift: do the migrations make the very tables that the code has? For every service."""

import asyncio
import os
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from deploy.contracts.events import services
from deploy.local import stack
from deploy.local.processes import LocalStackError
from deploy.local.services import environment
from libs.common.database import Database, open_database, provision
from libs.common.migration import drift, migrate
from libs.common.service import find


@asynccontextmanager
async def scratch(service: str, administrator_url: str) -> AsyncIterator[Database]:
    """An empty database of its own for a service's migrations, gone at the end."""
    settings = find(service).load_settings().model_copy(update={"database_url": None})  # never a real one
    try:
        await provision(settings)
        database = open_database(settings)
        yield database
        await database.engine.dispose()
    finally:
        connection = await asyncpg.connect(administrator_url, timeout=10)
        await connection.execute(f'DROP DATABASE IF EXISTS "{settings.database_name}" WITH (FORCE)')
        await connection.execute(f'DROP ROLE IF EXISTS "{settings.database_name}"')
        await connection.close()


async def main() -> int:
    try:
        running = stack.ensure_running(say=lambda line: print(line, flush=True))
    except LocalStackError as error:
        print(error)
        return 1
    os.environ.update(environment(running, f"drift_{secrets.token_hex(4)}_"))
    drifted = 0
    for service in services():
        async with scratch(service, running.database_url) as database:
            await migrate(database)
            if sentence := await drift(database):
                print(f"{service}: {sentence}")
                drifted += 1
    return 1 if drifted else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
