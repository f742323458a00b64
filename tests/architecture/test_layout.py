"""What import contracts cannot see: code outside packages, vague names, and a domain that asks the world."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
SOURCES = [
    path
    for root in ("libs", "services", "deploy", "demo", "verify")
    for path in (CHECKOUT / root).rglob("*.py")
    if "node_modules" not in path.parts
]
DOMAINS = [path for path in SOURCES if "domain" in path.relative_to(CHECKOUT).parts]

SCRIPTS = {"migrations", "alembic"}
"""Folders that Alembic runs file by file; nothing imports them."""

VAGUE = {"util", "utils", "helper", "helpers", "manager", "managers", "misc", "common_utils"}

ASKS = {
    "today", "now", "utcnow", "time", "monotonic", "perf_counter",
    "uuid1", "uuid4", "token_hex", "random", "choice", "shuffle", "sample",
    "getenv", "environ", "open", "read_text", "read_bytes", "write_text", "print", "input",
}  # fmt: skip
"""Names by which Python code learns the hour, a fresh id, chance, the environment or a file."""


def test_all_code_stands_in_packages() -> None:
    """A folder without __init__.py is imported all the same, and no import contract looks into it."""
    outside = {
        str(path.relative_to(CHECKOUT))
        for path in SOURCES
        if path.parent.name not in SCRIPTS and not (path.parent / "__init__.py").exists()
    }
    assert not outside


def test_names_say_what_is_inside() -> None:
    vague = [path for path in SOURCES if VAGUE & {*path.relative_to(CHECKOUT).with_suffix("").parts}]
    assert not vague


def asked(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and name of every call by which the tree asks the world."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Await | ast.AsyncFunctionDef):
            yield node.lineno, "await"
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in ASKS:
                yield node.lineno, name
        if isinstance(node, ast.Attribute) and node.attr == "environ":
            yield node.lineno, "environ"


@pytest.mark.parametrize("path", DOMAINS, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_a_domain_is_told_the_day_the_ids_and_the_law(path: Path) -> None:
    assert not list(asked(ast.parse(path.read_text())))


@pytest.mark.parametrize(
    "code",
    ["date.today()", "datetime.now(UTC)", "uuid4()", "uuid.uuid4()", "open('law.csv')", "os.environ['X']", "random()"],
)
def test_asking_is_noticed(code: str) -> None:
    assert list(asked(ast.parse(code)))


def test_there_are_domains_to_look_at() -> None:
    assert {path.relative_to(CHECKOUT).parts[1] for path in DOMAINS} >= {"registration", "risk"}
