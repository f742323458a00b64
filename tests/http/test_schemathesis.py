"""A stranger reads our interface descriptions and tries everything that they allow, and much that they do not.

Bounded and repeatable: a fixed seed, few examples, no time in any decision.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import asyncpg
import httpx
import pytest
import pytest_asyncio

from deploy.contracts.events import services
from tests.http.wire import rows
from tests.spine import Spine, submit

ROOT = Path(__file__).parents[2]

NOT_OURS = ("positive_data_acceptance", "ignored_auth")
"""Bodies that are in shape are judged by law: codes that exist, shares that sum to 100. No schema says that. And the
stranger always comes with a token: who comes without one is the matter of test_rights."""

CONFIGURATION = """
[checks]
missing_required_header.enabled = false  # the token comes along whatever is left out
negative_data_rejection.expected-statuses = [
    "400", "401", "403", "404", "405", "409", "412", "413", "415", "422", "428",
]
"""

COMMON = "^/(v1/(work-items|absences|keys|parked|audit|risk/changes/stream)|health|metrics)"
WITH_COMMON = ("registration", "lobby")
"""What is the same code everywhere is tried where there is most of it, and where there is nothing else.
A stream that does not end is tried by its own test."""

NO_JSON = "^/v1/applications(:batch|/[^/]+/documents)"
"""Bodies of lines and of files are tried by tests/registration/test_integrators.py and test_documents.py."""

pytestmark = pytest.mark.timeout(400)  # the work is bounded, and a busy machine is no failure

COMMAND = (sys.executable, "-m", "schemathesis.cli", "run")
EDGES, CHANCE = "examples,coverage", "fuzzing"
"""The documented examples and the edges of every schema; then whatever chance brings. Chains of calls come about by the
ids that the stranger has seen."""
EXAMPLES = "6"
"""That chance brings per operation."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def enterprise(spine: Spine) -> str:
    """All services, and an enterprise that each has heard of."""
    spine.up(*services())
    registered = (await submit(spine)).json()["uscc"]
    await spine.quiet()
    return str(registered)


def try_everything(url: str, enterprise: str, folder: Path, *, phases: str, without: str) -> str:
    """What schemathesis reports of a running service; it must have found nothing."""
    options = ["--seed", "20260105", "--max-examples", EXAMPLES, "--exclude-checks", ",".join(NOT_OURS)]
    (folder / "schemathesis.toml").write_text(CONFIGURATION)
    quiet = ["--no-color", "--generation-database", "none", "--warnings", "off"]
    hooks = {"PYTHONPATH": str(ROOT), "SCHEMATHESIS_HOOKS": "tests.http.stranger", "ENTERPRISE": enterprise}
    done = subprocess.run(
        [*COMMAND, f"{url}/openapi.json", *options, "--phases", phases, "--exclude-path-regex", without, *quiet],
        cwd=folder, env={**os.environ, **hooks}, capture_output=True, text=True, timeout=380, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    return done.stdout


@pytest.mark.parametrize(("phases", "least"), [(EDGES, 5), pytest.param(CHANCE, 1, marks=pytest.mark.long)])
@pytest.mark.parametrize("service", services())
def test_no_request_gets_a_server_error_or_an_answer_that_is_not_described(
    spine: Spine, enterprise: str, tmp_path: Path, service: str, phases: str, least: int
) -> None:
    url = spine.service(service).url
    without = NO_JSON if service in WITH_COMMON else COMMON
    described = httpx.get(f"{url}/openapi.json").json()["paths"]
    operations = sum(len(methods) for path, methods in described.items() if not re.match(without, path))
    report = try_everything(url, enterprise, tmp_path, phases=phases, without=without)
    assert int(re.search(r"Tested: (\d+)", report)[1]) == operations, report
    assert int(re.search(r"(\d+) generated", report)[1]) >= least * operations, report
    assert spine.service(service).alive


@pytest.mark.parametrize(
    ("service", "table", "least"),
    [
        ("registration", "application", 2), ("registration", "draft", 2), ("supervision", "task", 2),
        ("supervision", "inspector", 1),
    ],
)  # fmt: skip
async def test_some_of_it_took_effect(spine: Spine, service: str, table: str, least: int) -> None:
    """A run in which everything is turned away would prove little."""
    assert (await rows(spine, service))[table] >= least


@pytest.mark.parametrize("service", ["registration", "licensing", "supervision"])
async def test_commands_got_as_far_as_the_rows(spine: Spine, service: str) -> None:
    """Not one of these has refused all of them at the door. (Credit's need a record first, which comes by events.)"""
    async with spine.database(service) as connection:
        assert await taken(connection) > 0


async def taken(connection: asyncpg.Connection) -> int:
    return int(await connection.fetchval("SELECT count(*) FROM idempotency"))
