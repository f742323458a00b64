"""The gates as data: what each one holds to, and the command that sees it."""

import sys
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Gate:
    """`command` runs in the checkout and exits with 0 if all is well; its output says what to mend."""

    name: str
    holds: str
    command: tuple[str, ...]
    seconds: float = 120.0


def _tool(name: str, *arguments: str) -> tuple[str, ...]:
    """A tool of the virtual environment that runs this."""
    return (str(Path(sys.executable).with_name(name)), *arguments)


def _module(name: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", name, *arguments)


PROGRAMS = tuple(name for name in ("tests", "demo", "bench", "chaos") if (CHECKOUT / name).exists())
TESTS_ARE_TYPED = "--config-file=deploy/check/mypy-tests.ini"

COLD = 300.0
"""Seconds for a gate that, the first time, reads every library or fetches what the servers need."""

GATES = (
    Gate("format", "files look as ruff formats them", _tool("ruff", "format", "--check", "--quiet", ".")),
    Gate("lint", "ruff finds nothing", _tool("ruff", "check", "--quiet", ".")),
    Gate("types", "mypy --strict on libs, services, deploy", _tool("mypy"), COLD),
    Gate("test-types", "what tests and programs call is there", _tool("mypy", TESTS_ARE_TYPED, *PROGRAMS), COLD),
    Gate("imports", "who may import whom, and the layers", _tool("lint-imports", "--no-logo")),
    Gate("events", "what was ever said is readable and has a reader", _module("deploy.contracts", "compatible")),
    Gate("contracts", "contracts/ is what the code says", _module("deploy.contracts", "current")),
    Gate("migrations", "migrations make the tables the code has", _module("deploy.check.drift"), COLD),
    Gate("readme", "the commands of README.md work", _module("deploy.check.readme"), COLD),
)
