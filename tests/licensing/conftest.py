from collections.abc import AsyncIterator

import pytest_asyncio

from tests.licensing.office import Office
from tests.spine import Spine


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened(spine: Spine) -> AsyncIterator[Office]:
    running = await Office.open(spine)
    yield running
    await running.database.engine.dispose()


@pytest_asyncio.fixture(loop_scope="module")
async def office(opened: Office) -> Office:
    """The office on the first day of the story, at each test's own clock."""
    return Office(opened.database, opened.spine)
