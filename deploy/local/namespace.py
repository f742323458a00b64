"""What runs under a namespace of its own leaves nothing behind: its databases, roles and topics are removed."""

from __future__ import annotations

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient

from deploy.local.stack import Stack


async def remove(stack: Stack, prefix: str) -> None:
    """Remove every database, role and topic whose name begins with `prefix`."""
    await drop_databases(stack, prefix)
    await delete_topics(stack, prefix)


async def drop_databases(stack: Stack, prefix: str) -> None:
    """All databases before any role: a copy of a database may hold what another role owns."""
    connection = await asyncpg.connect(stack.database_url)
    try:
        for row in await connection.fetch("SELECT datname FROM pg_database WHERE starts_with(datname, $1)", prefix):
            await connection.execute(f'DROP DATABASE IF EXISTS "{row[0]}" WITH (FORCE)')
        for row in await connection.fetch("SELECT rolname FROM pg_roles WHERE starts_with(rolname, $1)", prefix):
            await connection.execute(f'DROP ROLE IF EXISTS "{row[0]}"')
    finally:
        await connection.close()


async def delete_topics(stack: Stack, prefix: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=stack.bootstrap_servers)
    await admin.start()
    try:
        if left := [name for name in await admin.list_topics() if name.startswith(prefix)]:
            await admin.delete_topics(left)
    finally:
        await admin.close()
