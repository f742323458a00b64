"""The registry on a database of its own, one per module."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.registration.registry import Registry, open_registry
from tests.spine import Spine


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def registry(spine: Spine) -> AsyncIterator[Registry]:
    async with open_registry(spine) as opened:
        yield opened
