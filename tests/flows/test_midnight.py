"""Midnight passes in the middle of an act: all of it is of the day on which it began."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import uuid4

import httpx
from sqlmodel.ext.asyncio.session import AsyncSession

from deploy.local.services import DEMO_START
from libs.common.clock import SHANGHAI, for_one_act
from libs.common.database import open_database
from libs.common.run import prepare
from libs.common.service import find
from libs.common.web.app import create_app
from libs.common.web.running import Running
from tests.faults.ledger import HEARD, NAME, noted, open_ledger
from tests.faults.topics import everything_is_taken, new_uscc
from tests.spine import Spine, bearer, eventually, form


@dataclass(slots=True)
class Hurried:
    """A day passes whenever somebody looks."""

    on: date = DEMO_START

    def today(self) -> date:
        self.on += timedelta(days=1)
        return self.on

    def now(self) -> datetime:
        return datetime.combine(self.today(), time(12), SHANGHAI).astimezone(UTC)


def test_recorded_time_stays_on_the_day_as_well_and_does_not_go_back() -> None:
    clock = for_one_act(Hurried())
    assert clock.today() == clock.today() == DEMO_START + timedelta(days=1)
    last_moment = datetime.combine(clock.today(), time.max, SHANGHAI)
    assert clock.now() == clock.now() == last_moment


async def test_an_enterprise_is_registered_on_the_day_that_its_event_says(spine: Spine) -> None:
    service = find("registration")
    with spine.as_environment():
        settings = service.load_settings()
    database = open_database(settings)
    await prepare(service, settings, database)
    app = create_app(service, Running(service, settings, database, Hurried()))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://window") as client:
        headers = {**bearer("applicant-1"), "idempotency-key": str(uuid4())}
        answer = await client.post("/v1/applications", json=form(), headers=headers)
    await database.engine.dispose()

    assert answer.json()["status"] == "registered"
    async with spine.database("registration") as connection:
        row = await connection.fetchrow("SELECT registered_on::text, decided ->> 'on' AS decided_on FROM enterprise"
                                        " JOIN application ON application.uscc = enterprise.uscc")  # fmt: skip
        said = [json.loads(one["data"]) for one in await connection.fetch("SELECT data FROM outbox")]
    dates = {data[name] for data in said for name in data.keys() & {"registered_on", "submitted_on", "decided_on"}}
    assert {*row.values()} == dates == {answer.json()["decision"]["judged_for"]}


async def test_a_batch_is_of_one_day(spine: Spine) -> None:
    ledger = await open_ledger(spine)
    before, after = new_uscc(3), new_uscc(3)

    async def midnight(_: AsyncSession) -> None:
        ledger.clock.advance(DEMO_START + timedelta(days=1))

    ledger.trouble[after] = midnight
    await ledger.put(noted(before, 1), noted(after, 1))
    async with ledger.member():
        await eventually(lambda: everything_is_taken(spine, NAME, HEARD))

    entered = await ledger.read("SELECT subject, on_date FROM entry WHERE subject = ANY($1)", [before, after])
    assert {row["subject"]: row["on_date"] for row in entered} == {before: DEMO_START, after: DEMO_START}
    assert ledger.batches == [2], "both in one transaction"
