"""A form whose service dies, or whose COMMIT is lost on the way: one effect and one answer per Idempotency-Key."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from sqlalchemy.engine import make_url

from chaos.proxy import COMMIT, Proxy, in_front_of
from libs.common.database import provision
from services.registration.service import service
from tests.faults.account import take_account
from tests.spine import Spine, bearer, form, submit


@pytest.fixture(scope="module", autouse=True)
def risk(spine: Spine) -> None:
    spine.up("risk")


async def counted(spine: Spine) -> int:
    async with spine.database("registration") as connection:
        return int(await connection.fetchval("SELECT count(*) FROM application"))


@pytest.mark.parametrize(("point", "replayed"), [("command.before_commit", None), ("command.after_commit", "true")])
async def test_a_form_whose_service_is_killed_around_its_commit_takes_effect_once(
    spine: Spine, point: str, replayed: str | None
) -> None:
    registration = spine.service("registration").start(ONE_WINDOW_CRASH_AT=point).wait_ready()
    before, key, filed = await counted(spine), str(uuid4()), form()
    patient_client = asyncio.create_task(submit(spine, filed, key=key))
    assert await asyncio.to_thread(registration.wait_ended) == -signal.SIGKILL

    registration.start()
    answer = await patient_client

    assert answer.status_code == 201
    assert answer.headers.get("idempotency-replayed") == replayed
    again = await submit(spine, filed, key=key)
    assert (again.text, again.headers["location"]) == (answer.text, answer.headers["location"])
    assert await counted(spine) == before + 1
    assert len((await take_account(spine, [answer, again]))[answer.json()["uscc"]]) == 1
    registration.kill()


@pytest.mark.long
async def test_a_service_that_runs_is_killed_where_it_is_asked_to_be_and_not_when_that_is_taken_back(
    spine: Spine, tmp_path: Path
) -> None:
    asked = tmp_path / "asked"
    registration = spine.service("registration").start(ONE_WINDOW_STOPS=str(asked)).wait_ready()
    before = await counted(spine)
    for words in ("ONE_WINDOW_CRASH_AT=command.after_commit:2", ""):
        asked.write_text(words)
        assert (await submit(spine)).status_code == 201
        assert not asked.exists()
    assert (await submit(spine)).status_code == 201, "taken back before the second time"

    asked.write_text("ONE_WINDOW_CRASH_AT=command.after_commit")
    patient_client = asyncio.create_task(submit(spine))
    assert await asyncio.to_thread(registration.wait_ended) == -signal.SIGKILL
    registration.start()
    assert (await patient_client).headers.get("idempotency-replayed") == "true"
    assert await counted(spine) == before + 4
    registration.kill()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def proxy(spine: Spine) -> AsyncIterator[Proxy]:
    """Between registration, which runs, and its database."""
    with spine.as_environment():
        await provision(service.load_settings())
    server = make_url(spine.stack.database_url)
    at = server.query.get("host")
    async with in_front_of(
        Path(str(at)) / f".s.PGSQL.{server.query['port']}" if at else (server.host or "", server.port or 5432)
    ) as running:
        name = f"{spine.namespace}registration"
        url = server.set(username=name, password=None, host="127.0.0.1", port=running.port, database=name, query={})
        registration = spine.service("registration")
        registration.start(REGISTRATION_DATABASE_URL=url.render_as_string(hide_password=False))
        await asyncio.to_thread(registration.wait_ready)
        yield running
        registration.kill()


@pytest.mark.parametrize("reaches_the_server", [True, False])
async def test_a_commit_with_unknown_outcome_is_told_and_the_same_key_then_tells_the_truth(
    spine: Spine, proxy: Proxy, reaches_the_server: bool
) -> None:
    before, key, filed = await counted(spine), str(uuid4()), form()
    cut = proxy.cut_at(COMMIT, after=key.encode(), delivered=reaches_the_server)

    async with httpx.AsyncClient(base_url=spine.service("registration").url, timeout=30) as client:
        headers = {"idempotency-key": key, **bearer("applicant-1")}
        first = await client.post("/v1/applications", json=filed, headers=headers)

    assert cut.done.is_set()
    assert first.status_code == 503
    assert first.json()["type"] == "urn:one-window:problem:outcome-unknown"
    assert int(first.headers["retry-after"]) >= 1
    assert await counted(spine) == before + reaches_the_server

    second = await submit(spine, filed, key=key)

    assert second.status_code == 201
    assert second.headers.get("idempotency-replayed") == ("true" if reaches_the_server else None)
    assert await counted(spine) == before + 1
    assert len((await take_account(spine, [second, await submit(spine, filed, key=key)]))[second.json()["uscc"]]) == 1
