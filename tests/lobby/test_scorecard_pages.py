"""Scorecards on the pages: compared by one, put in force by two, without any script."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from secrets import token_urlsafe
from time import time

import httpx
import pytest
import pytest_asyncio

from deploy.local.issuer import token
from libs.common.clock import BusinessClock
from libs.common.database import open_database
from libs.common.run import prepare
from libs.common.web import Running, create_app
from services.lobby import repository
from services.lobby.service import service
from services.lobby.sessions import COOKIE, hashed, sealed
from tests.faults.topics import changed_address, everything_is_taken, new_uscc, put, registered
from tests.risk.test_scorecard_versions import card, document, hand_in
from tests.spine import Spine, eventually

ROLES = {"analyst-1": "risk_analyst", "regulator-1": "regulator", "auditor-1": "auditor"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(spine: Spine) -> AsyncIterator[httpx.AsyncClient]:
    """The lobby in this process, before a real risk that knows some enterprises."""
    spine.up("risk")
    enterprises = [new_uscc() for _ in range(4)]
    await put(spine, *(registered(uscc) for uscc in enterprises), changed_address(enterprises[0], 2))
    await eventually(lambda: everything_is_taken(spine, "risk"))
    with spine.as_environment():
        settings = service.load_settings().model_copy(update={"risk_url": spine.service("risk").url})
        database = open_database(settings)
        await prepare(service, settings, database)
        app = create_app(service, Running(service, settings, database, BusinessClock(spine.business_start)))
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8100") as opened:
            yield opened
        await database.engine.dispose()


async def browser_of(spine: Spine, person: str) -> dict[str, str]:
    """The headers of somebody who has signed in and has said why he looks."""
    id = token_urlsafe(32)
    content = {
        "subject": person, "roles": [ROLES[person]], "department": None, "expires_at": time() + 600,
        "access_token": token(person), "names": {"zh": person, "en": person}, "purposes": {"list": "policy_analysis"},
    }  # fmt: skip
    async with spine.database("lobby") as connection:
        await connection.execute(repository.OPEN_SESSION, hashed(id), sealed(id, content))
    return {"cookie": f"{COOKIE}={id}"}


async def opened(client: httpx.AsyncClient, path: str, browser: dict[str, str], status: int = 200) -> str:
    answer = await client.get(path, headers=browser)
    assert answer.status_code == status, answer.text
    return answer.text


async def pressed(
    client: httpx.AsyncClient, path: str, act: str, browser: dict[str, str], reason: str = ""
) -> httpx.Response:
    """The form of this act, filled in and sent as it stands on the page."""
    shown = await opened(client, path, browser)
    form = re.search(rf'<form method="post" action="{path}/{act}".*?</form>', shown, re.S)
    assert form, f"no form for {act}"
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form[0]))
    return await client.post(f"{path}/{act}", data={**fields, "reason": reason}, headers=browser)


async def test_a_scorecard_is_compared_by_one_and_put_in_force_by_two(client: httpx.AsyncClient, spine: Spine) -> None:
    analyst, regulator = await browser_of(spine, "analyst-1"), await browser_of(spine, "regulator-1")
    digest = (await hand_in(spine, {**document("compared-on-pages", 30), "bands": bands(20)})).json()["digest"]
    listed = await opened(client, "/en/risk/scorecards", analyst)
    assert "compared-on-pages" in listed
    assert "not a ground for penalty" in listed
    path = f"/en/risk/scorecards/{digest}"
    assert "Newly registered" in (await opened(client, path, analyst)) or "registered" in listed

    unsaid = await pressed(client, path, "shadow", analyst)
    assert (unsaid.status_code, "Give the reason" in unsaid.text) == (422, True)
    assert (await pressed(client, path, "shadow", analyst, "to be compared")).status_code == 303

    async def complete() -> bool:
        return bool((await card(spine, digest))["progress"]["complete_since"])

    await eventually(complete)
    shown = await opened(client, path, analyst)
    assert "complete since" in shown
    assert "to be compared" in shown
    for language, words in (("en", "4 enterprises would be in a higher class"), ("zh", "4 户企业风险类别将升高")):
        compared = await opened(client, f"/{language}/risk/scorecards/{digest}/comparison?by=ownership", analyst)
        assert words in " ".join(compared.split())
        assert 'data-move="AB"' in compared
    changing = await opened(client, f"{path}/comparison/enterprises?before=A&then=B", regulator)
    assert changing.count('class="ow-table__sub ow-num"') >= 4

    assert (await pressed(client, path, "activation", analyst, "as expected")).status_code == 303
    mine = await opened(client, path, analyst)
    assert "somebody else has to sign" in mine
    assert f'action="{path}/activation/signature"' not in mine
    assert (await pressed(client, path, "activation/signature", regulator)).status_code == 303
    assert (await card(spine, digest))["state"] == "active"
    nothing = await opened(client, f"{path}/comparison", analyst, 409)
    assert "There is nothing to compare yet" in nothing
    back = await pressed(client, path, "rollback", analyst, "on second thoughts")
    assert back.status_code == 303
    assert "on second thoughts" in await opened(client, back.headers["location"], regulator)


def bands(from_b: int) -> list[dict[str, object]]:
    written = document()["bands"]
    written[1]["from_score"] = from_b
    return list(written)


@pytest.mark.parametrize("act", ["shadow", "activation/signature", "rollback"])
async def test_an_auditor_reads_and_does_nothing(client: httpx.AsyncClient, spine: Spine, act: str) -> None:
    auditor = await browser_of(spine, "auditor-1")
    listed = await opened(client, "/en/risk/scorecards", auditor)
    found = re.search(r"/en/risk/scorecards/[0-9a-f]{64}", listed)
    assert found
    assert '<form method="post" action="/en/risk/scorecards' not in await opened(client, found[0], auditor)
    assert (await client.post(f"{found[0]}/{act}", headers=auditor)).status_code == 403
