"""The real parts, for every test that wants them: one stack for the run, one namespace per module."""

from collections.abc import AsyncIterator
from pathlib import Path

import hypothesis
import pytest
import pytest_asyncio

from deploy.local.stack import Stack, ensure_running
from tests.spine import Spine

# A busy machine is no failure: pytest bounds a test's time, hypothesis need not.
hypothesis.settings.register_profile("one-window", deadline=None)
hypothesis.settings.load_profile("one-window")


@pytest.fixture(scope="session")
def stack() -> Stack:
    """Kafka and PostgreSQL of this checkout, or those that the environment names. Nothing is skipped without them."""
    return ensure_running()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def spine(
    stack: Stack, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> AsyncIterator[Spine]:
    """A namespace of its own for the module; services are started by the tests. Logs are kept in its folder."""
    folder: Path = tmp_path_factory.mktemp(request.module.__name__.rpartition(".")[2])
    running = Spine(stack, folder)
    yield running
    await running.close()
