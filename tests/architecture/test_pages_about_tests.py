"""Pages that name a test name one that is there."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
NAMED = re.compile(r"\b(tests/[\w/]+\.py)(?:::(\w+))?")
PAGES = subprocess.run(["git", "ls-files", "*.md"], cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout


def functions(path: Path) -> set[str]:
    return {
        node.name
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    }


@pytest.mark.parametrize("page", PAGES.split())
def test_every_test_that_a_page_names_is_there(page: str) -> None:
    gone = [
        f"{file}::{name}" if name else file
        for file, name in NAMED.findall((CHECKOUT / page).read_text(encoding="utf-8"))
        if not (CHECKOUT / file).exists() or (name and name not in functions(CHECKOUT / file))
    ]
    assert gone == []
