from collections.abc import AsyncIterator

import pytest_asyncio

from tests.spine import Spine
from tests.supervision.bureau import Bureau


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened(spine: Spine) -> AsyncIterator[Bureau]:
    bureau = await Bureau.open(spine)
    yield bureau
    await bureau.database.engine.dispose()


@pytest_asyncio.fixture
async def bureau(opened: Bureau) -> Bureau:
    """The bureau on its first day, with nothing in its books."""
    async with opened.spine.database("supervision") as connection:
        await connection.execute(
            "TRUNCATE enterprise, internal_class, permit, listing, obligation, inspector, task, draw, draw_object, "
            "inspection, assignment, correction, due, outbox, outbox_counter RESTART IDENTITY CASCADE"
        )
    return Bureau(opened.database, opened.spine, keys=opened.keys)
