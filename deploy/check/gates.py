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


# What types the values have that tests make up is not checked; that names, attributes and calls are right is.
_UNCHECKED = ("arg-type", "assignment", "index", "operator", "return-value", "union-attr", "var-annotated")
_TESTS = (
    "--config-file=", "--python-version=3.11", "--cache-dir=.mypy_cache/tests", "--check-untyped-defs",
    "--follow-imports=silent", "--ignore-missing-imports",
    *(f"--disable-error-code={code}" for code in _UNCHECKED),
)  # fmt: skip
_PROGRAMS = tuple(name for name in ("tests", "demo", "bench") if (CHECKOUT / name).exists())

GATES = (
    Gate("format", "files look as ruff formats them", _tool("ruff", "format", "--check", "--quiet", ".")),
    Gate("lint", "ruff finds nothing", _tool("ruff", "check", "--quiet", ".")),
    Gate("types", "mypy --strict on libs, services, deploy", _tool("mypy")),
    Gate("test-types", "what tests and programs call is there", _tool("mypy", *_TESTS, *_PROGRAMS)),
    Gate("imports", "who may import whom, and the layers", _tool("lint-imports", "--no-logo")),
    Gate("events", "what was ever said is readable and has a reader", _module("deploy.contracts", "compatible")),
    Gate("contracts", "contracts/ is what the code says", _module("deploy.contracts", "current")),
    Gate("migrations", "migrations make the tables the code has", _module("deploy.check.drift")),
    Gate("readme", "the commands of README.md work", _module("deploy.check.readme"), seconds=300.0),
)
