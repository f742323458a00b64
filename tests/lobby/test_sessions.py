"""Who is signed in: nobody whom only the table names."""

import json
import secrets

import httpx

from services.lobby import repository
from services.lobby.sessions import COOKIE, hashed
from tests.lobby.conftest import SignIn
from tests.spine import Spine


async def test_a_copy_of_the_table_tells_nothing_and_signs_nobody_in(
    spine: Spine, client: httpx.AsyncClient, signed_in: SignIn
) -> None:
    browser = await signed_in("regulator")
    assert (await client.get("/en/risk", headers=browser)).status_code == 200
    async with spine.database("lobby") as connection:
        rows = await connection.fetch("SELECT id_hash, content FROM browser_session")
    assert rows
    for row in rows:
        content = json.loads(row["content"])
        assert set(content) == {"sealed"}
        for secret in ("regulator", "none", "access_token", browser["cookie"].removeprefix(f"{COOKIE}=")):
            assert secret not in content["sealed"]
        named = {"cookie": f"{COOKIE}={row['id_hash'].hex()}"}
        assert (await client.get("/en/risk", headers=named)).status_code == 303


async def test_a_session_of_a_release_before_they_were_sealed_is_signed_in_anew(
    spine: Spine, client: httpx.AsyncClient
) -> None:
    id = secrets.token_urlsafe(32)
    async with spine.database("lobby") as connection:
        await connection.execute(repository.OPEN_SESSION, hashed(id), json.dumps({"subject": "regulator-1"}))
    answer = await client.get("/en/risk", headers={"cookie": f"{COOKIE}={id}"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/en/sign-in?after=/en/risk")
