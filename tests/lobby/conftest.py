"""The lobby alone in this process, and who is signed in to it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from secrets import token_urlsafe
from time import time

import httpx
import pytest_asyncio

from libs.common.clock import BusinessClock
from libs.common.database import open_database
from libs.common.run import prepare
from libs.common.web import Running, create_app
from services.lobby import repository
from services.lobby.service import service
from services.lobby.sessions import COOKIE, hashed, sealed
from tests.spine import Spine

SignIn = Callable[[str], Awaitable[dict[str, str]]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(spine: Spine) -> AsyncIterator[httpx.AsyncClient]:
    """The lobby alone in this process; where the other services should be, nobody listens."""
    with spine.as_environment():
        settings = service.load_settings().model_copy(
            update={f"{name}_url": "http://127.0.0.1:9" for name in ("registration", "licensing", "risk")}
        )
        database = open_database(settings)
        await prepare(service, settings, database)
        app = create_app(service, Running(service, settings, database, BusinessClock(spine.business_start)))
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8100") as opened:
            yield opened
        await database.engine.dispose()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def signed_in(spine: Spine, client: httpx.AsyncClient) -> SignIn:
    """Opens a session of somebody with this role, and gives the headers by which a browser names it."""

    async def open_session(role: str) -> dict[str, str]:
        id = token_urlsafe(32)
        content = {
            "subject": f"{role}-1", "roles": [role], "department": None, "expires_at": time() + 600,
            "access_token": "none", "names": {"zh": role, "en": role},
        }  # fmt: skip
        async with spine.database("lobby") as connection:
            await connection.execute(repository.OPEN_SESSION, hashed(id), sealed(id, content))
        return {"cookie": f"{COOKIE}={id}"}

    return open_session
