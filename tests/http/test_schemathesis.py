"""A stranger reads our interface descriptions and tries everything that they allow, and much that they do not.

Bounded and repeatable: a fixed seed, few examples, no time in any decision.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from deploy.local.issuer import token
from tests.http.wire import rows
from tests.spine import Spine

ROOT = Path(__file__).parents[2]

NOT_OURS = ("positive_data_acceptance",)
"""Bodies that are in shape are judged by law: codes that exist, shares that sum to 100. No schema says that."""

CONFIGURATION = """
[checks]
missing_required_header.enabled = false  # the token comes by an option, and comes along whatever is left out
negative_data_rejection.expected-statuses = ["400", "401", "403", "404", "405", "409", "412", "415", "422", "428"]
"""


@pytest.fixture(scope="module")
def started(spine: Spine) -> Spine:
    return spine.up("registration", "risk")


def try_everything(url: str, person: str, folder: Path) -> str:
    """What schemathesis reports of a running service; it must have found nothing."""
    options = ["--seed", "20260105", "--max-examples", "12", "--exclude-checks", ",".join(NOT_OURS)]
    (folder / "schemathesis.toml").write_text(CONFIGURATION)
    signed_in = ["-H", f"Authorization: Bearer {token(person)}"]
    quiet = ["--no-color", "--generation-database", "none", "--warnings", "off"]
    done = subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", "run", f"{url}/openapi.json", *options, *signed_in, *quiet],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT), "SCHEMATHESIS_HOOKS": "tests.http.fresh_keys"},
        capture_output=True, text=True, timeout=150, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    return done.stdout


@pytest.mark.parametrize(
    ("service", "person", "cases"), [("registration", "applicant-1", 300), ("risk", "regulator-1", 60)]
)
def test_no_request_gets_a_server_error_or_an_answer_that_is_not_described(
    started: Spine, tmp_path: Path, service: str, person: str, cases: int
) -> None:
    url = started.service(service).url
    described = httpx.get(f"{url}/openapi.json").json()["paths"].values()
    operations = sum(len(methods) for methods in described)
    report = try_everything(url, person, tmp_path)
    assert int(re.search(r"Tested: (\d+)", report)[1]) == operations, report
    assert int(re.search(r"(\d+) generated", report)[1]) >= cases, report
    assert started.service(service).alive


async def test_some_of_it_took_effect(started: Spine) -> None:
    """A run in which every form is turned away would prove little."""
    written = await rows(started)
    assert written["application"] > 5
    assert written["enterprise"] > 5
