import pytest_asyncio

from tests.credit.office import Office
from tests.spine import Spine


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office(spine: Spine) -> Office:
    """The credit office, open."""
    return Office(spine.up("credit"))
