"""Each gate is seen to fail: one thing is broken in a scratch copy, and the gate that watches it says so."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.check.gates import CHECKOUT, GATES
from deploy.check.readme import LEFT_BEHIND
from deploy.local.stack import Stack

QUICK = ("format", "lint", "imports")
"""Run beside the gate that must fail, to see that they do not."""

LINE = re.compile(r"^(holds|BROKEN) +([a-z-]+) ", re.MULTILINE)
END = None
"""In place of a text to replace: write at the end of the file, which may be new."""


@dataclass(frozen=True)
class Case:
    """`edits`: file, text that stands in it once, text in its place. `gate` must then fail with words of `says`."""

    what: str
    gate: str
    says: str
    edits: tuple[tuple[str, str | None, str], ...]


REGISTRATION, RISK, COMMON = "services/registration", "services/risk", "libs/common"

LAST_READERS = "risk.class_changed.v1:\n  services: [supervision, lobby]\n  outside: [tests/checker]"
CASES = (
    Case("a file is not formatted", "format", f"{COMMON}/clock.py", ((f"{COMMON}/clock.py", END, "\n\nA  = 1\n"),)),
    Case(
        "an import is not used", "lint", "`os` imported but unused",
        ((f"{RISK}/settings.py", "from libs", "import os\n\nfrom libs"),),
    ),
    Case(
        "a number is given a text", "types", f"{COMMON}/clock.py",
        ((f"{COMMON}/clock.py", END, '\n\nMIDNIGHT: int = "00:00"\n'),),
    ),
    Case(
        "a test calls what is not there", "test-types", 'has no attribute "yesterday"',
        (("tests/gates/test_new.py", END, "from libs.common import clock\n\nclock.yesterday()\n"),),
    ),
    Case(
        "a service imports another", "imports", "services.risk.repository.facts -> services.registration.domain",
        (
            (f"{RISK}/repository/facts.py", "from services.risk import packed\n",
             "from services.registration.domain import DISTRICT\nfrom services.risk import packed\n"),
            (f"{RISK}/repository/facts.py", END, "\n\nHOME = DISTRICT\n"),
        ),
    ),
    Case(
        "what is common imports a service", "imports", "libs.common.clock -> services.risk.domain",
        (
            (f"{COMMON}/clock.py", "import ZoneInfo\n",
             "import ZoneInfo\n\nfrom services.risk.domain import RiskClass\n"),
            (f"{COMMON}/clock.py", END, "\n\nWORST = RiskClass.D\n"),
        ),
    ),
    Case(
        "a domain imports a framework", "imports", "services.risk.domain.assessment -> pydantic",
        (
            (f"{RISK}/domain/assessment.py", "from uuid import UUID\n",
             "from uuid import UUID\n\nfrom pydantic import BaseModel\n"),
            (f"{RISK}/domain/assessment.py", END, "\n\nclass View(BaseModel):\n    score: int\n"),
        ),
    ),
    Case(
        "a use case imports the HTTP layer", "imports",
        "services.registration.use_cases.change_enterprise -> services.registration.api",
        (
            (f"{REGISTRATION}/use_cases/change_enterprise.py", "from services.registration import domain,",
             "from services.registration import api, domain,"),
            (f"{REGISTRATION}/use_cases/change_enterprise.py", END, "\n\nROUTES = api.routers\n"),
        ),
    ),
    Case("a service has a stray module", "imports", "services.risk.utils", ((f"{RISK}/utils.py", END, "ODDS = 1\n"),)),
    Case("the common ground has one", "imports", "libs.common.helpers", ((f"{COMMON}/helpers.py", END, "ENDS = 1\n"),)),
    Case(
        "the outside checker looks inside", "imports", "tests.checker.inside -> libs.common.clock",
        (("tests/checker/inside.py", END, 'from libs.common import clock\n\n__all__ = ["clock"]\n'),),
    ),
    Case(
        "a field of an event is removed", "events", "the field address_id was removed",
        (
            (f"{REGISTRATION}/published_events.py", "    address_id: UUID | UnsetType = UNSET\n", ""),
            (f"{REGISTRATION}/published_events.py", "            address_id=application.address_id or UNSET,\n", ""),
        ),
    ),
    Case(
        "an event has no reader", "events", "risk.class_changed.v1: has no reader",
        (("contracts/readers.yaml", LAST_READERS, "risk.class_changed.v1: {}"),),
    ),
    Case(
        "a route says something new", "contracts", "contracts/openapi/risk.json is not what the code says",
        ((f"{RISK}/api/statistics.py", "How many enterprises stand in each class", "Enterprises by class"),),
    ),
    Case(
        "a table has a column that no migration makes", "migrations", "risk: New upgrade operations detected",
        ((f"{RISK}/tables.py", "    moving_to: date | None", "    note: str | None\n    moving_to: date | None"),),
    ),
    Case(
        "a command of the README fails", "readme", "README.md:1: ended with 3",
        (("README.md", "# One Window", "```sh\nexit 3\n```\n\n# One Window"),),
    ),
)  # fmt: skip


@pytest.fixture(scope="module")
def types_seen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What mypy knows of this checkout already; without it, it reads every library again."""
    cache = tmp_path_factory.mktemp("mypy") / "cache"
    if (CHECKOUT / ".mypy_cache").exists():
        shutil.copytree(CHECKOUT / ".mypy_cache", cache)
    cache.mkdir(exist_ok=True)  # mypy makes no folder at the end of a link that leads nowhere
    return cache


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("untouched") / "one-window"
    shutil.copytree(CHECKOUT, copy, ignore=shutil.ignore_patterns(*LEFT_BEHIND))
    return copy


@pytest.fixture
def tree(untouched: Path, tmp_path: Path, types_seen: Path) -> Path:
    copy = tmp_path / "one-window"
    shutil.copytree(untouched, copy, ignore=shutil.ignore_patterns(*LEFT_BEHIND))
    (copy / ".mypy_cache").symlink_to(types_seen)
    return copy


def check(tree: Path, gates: set[str], stack: Stack) -> subprocess.CompletedProcess[str]:
    servers = {"KAFKA_BOOTSTRAP_SERVERS": stack.bootstrap_servers, "DATABASE_URL": stack.database_url}
    return subprocess.run(
        [sys.executable, "-m", "deploy.check", *gates],
        cwd=tree,
        env={**os.environ, **servers},
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )


def broken(checked: subprocess.CompletedProcess[str]) -> set[str]:
    return {gate for verdict, gate in LINE.findall(checked.stdout) if verdict == "BROKEN"}


@pytest.fixture(scope="module")
def broken_before(untouched: Path, stack: Stack) -> set[str]:
    """Work under way in this checkout may break a gate by itself; that is for `make check` to say."""
    return broken(check(untouched, set(QUICK), stack))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.what)
def test_the_gate_sees(case: Case, tree: Path, stack: Stack, broken_before: set[str]) -> None:
    for file, old, new in case.edits:
        path = tree / file
        text = path.read_text() if path.exists() else ""
        assert old is None or text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
        path.write_text(text + new if old is None else text.replace(old, new))

    checked = check(tree, {case.gate, *QUICK}, stack)

    assert broken(checked) - (broken_before - {case.gate}) == {case.gate}, checked.stdout
    assert case.says in checked.stdout
    assert checked.returncode == 1


def test_every_gate_has_been_seen_to_fail() -> None:
    assert {case.gate for case in CASES} == {gate.name for gate in GATES}


def test_an_unknown_gate_is_named(tree: Path, stack: Stack) -> None:
    refused = check(tree, {"formatting"}, stack)
    assert refused.returncode == 2
    assert "no gate is called formatting; there are format, lint" in refused.stderr
