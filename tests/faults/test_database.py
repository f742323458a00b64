"""Databases that go away while forms come in: their sessions cut, the server stopped without notice and started."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable

import httpx
import pytest
import pytest_asyncio

from deploy.local import postgres
from deploy.local.namespace import delete_topics
from deploy.local.postgres import Postgres
from deploy.local.stack import Stack
from tests.faults.account import events_of, serve_forms, take_account
from tests.spine import Spine, eventually

CLIENTS, CHANGES = 24, 2

THEIRS = "FROM pg_stat_activity WHERE starts_with(datname, $1) AND pid <> pg_backend_pid()"
CUT = f"SELECT count(pg_terminate_backend(pid)) {THEIRS}"
CONNECTED = f"SELECT count(DISTINCT datname) {THEIRS}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Postgres:
    """A PostgreSQL of our own."""
    return postgres.in_folder(tmp_path_factory.mktemp("database") / "postgres")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def spine(stack: Stack, server: Postgres) -> AsyncIterator[Spine]:
    """Registration and risk, with the shared Kafka."""
    server.start()
    spine = Spine(Stack(stack.bootstrap_servers, server.url), server.folder.parent)
    yield spine.up("registration", "risk")
    for process in spine.processes.values():
        process.kill()
    await delete_topics(stack, spine.namespace)
    server.kill()


async def said(spine: Spine) -> int:
    async with spine.database("registration") as connection:
        return int(await connection.fetchval("SELECT count(*) FROM outbox"))


async def test_sessions_cut_while_forms_come_in_cost_no_form_and_double_none(spine: Spine) -> None:
    clients = asyncio.create_task(serve_forms(spine, CLIENTS, changes=CHANGES, apart=0.1))
    async with spine.database("registration") as connection:
        for at_least in (6, 18, 30, 42):
            await eventually(lambda at_least=at_least: _reached(spine, at_least))
            await eventually(lambda: _is(connection.fetchval(CONNECTED, spine.namespace), 2))
            await connection.execute(CUT, spine.namespace)
    answers = await clients

    assert sum(map(len, (await take_account(spine, answers)).values())) == events_of(answers)
    assert len(answers) == CLIENTS * (1 + CHANGES)


async def test_a_database_server_stopped_without_notice_while_forms_come_in_costs_no_form_and_doubles_none(
    spine: Spine, server: Postgres
) -> None:
    before = await said(spine)
    clients = asyncio.create_task(serve_forms(spine, CLIENTS, changes=CHANGES, apart=0.1))
    await eventually(lambda: _reached(spine, before + 12))

    await asyncio.to_thread(server.stop, "immediate")
    async with httpx.AsyncClient(base_url=spine.service("registration").url, timeout=30) as client:
        assert (await client.get("/health/live")).status_code == 200
        assert (await client.get("/health/ready")).status_code == 503
    await asyncio.to_thread(server.start)
    answers = await clients

    assert sum(map(len, (await take_account(spine, answers)).values())) == before + events_of(answers)
    assert all(process.alive for process in spine.processes.values())


async def _reached(spine: Spine, count: int) -> bool:
    return await said(spine) >= count


async def _is(answer: Awaitable[object], expected: object) -> bool:
    return await answer == expected
