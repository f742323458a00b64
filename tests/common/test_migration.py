"""Migrations on the real PostgreSQL."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from sqlalchemy import text

from libs.common.database import Database, open_database, provision
from libs.common.migration import drift, migrate
from libs.common.service import find
from tests.spine import Spine


@pytest_asyncio.fixture
async def databases(spine: Spine, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[Database]]:
    """The empty databases of two services, in this one process."""
    for name, value in spine.env.items():
        monkeypatch.setitem(os.environ, name, value)
    opened = []
    for name in ("registration", "risk"):
        settings = find(name).load_settings()
        await provision(settings)
        opened.append(open_database(settings))
    yield opened
    for database in opened:
        await database.engine.dispose()


async def test_services_that_share_a_process_migrate_at_the_same_time(databases: list[Database]) -> None:
    await asyncio.gather(*(migrate(database) for database in databases))
    assert [await drift(database) for database in databases] == [None, None]


async def test_a_release_starts_on_the_schema_of_a_newer_one_and_leaves_it_alone(databases: list[Database]) -> None:
    database = databases[1]
    await migrate(database)
    async with database.engine.begin() as connection:
        await connection.execute(
            text(
                "UPDATE alembic_version SET version_num = 'common_of_a_newer_release' WHERE version_num LIKE 'common%'"
            )
        )

    await migrate(database)

    async with database.engine.begin() as connection:
        stands = set((await connection.execute(text("SELECT version_num FROM alembic_version"))).scalars())
    assert "common_of_a_newer_release" in stands
