"""Migrations on the real PostgreSQL."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

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
