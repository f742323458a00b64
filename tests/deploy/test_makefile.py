"""`make setup` on a machine that lacks something: one sentence that says what."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    for name in ("Makefile", "pyproject.toml", "uv.lock"):
        shutil.copy(CHECKOUT / name, tmp_path)
    return tmp_path


def make(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    given = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "MAKE"))}
    return subprocess.run(
        ["make", *arguments],
        cwd=folder,
        env={**given, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_make_alone_lists_every_target(clone: Path) -> None:
    phony = re.search(r"^\.PHONY: (.*)$", (clone / "Makefile").read_text(), re.M)
    assert phony is not None
    listed = [line.split()[1] for line in make(clone).stdout.splitlines()]
    assert sorted(listed) == sorted(phony[1].split())


def test_without_python_3_11_setup_says_so(clone: Path) -> None:
    refused = make(clone, "setup", "PYTHON=python3.99")
    assert refused.returncode != 0
    assert "Python 3.11 is needed and python3.99 is not on the PATH" in refused.stderr


def test_another_python_is_refused(clone: Path) -> None:
    other = clone / "python3"
    other.write_text("#!/bin/sh\nexit 1\n")
    other.chmod(0o755)
    refused = make(clone, "setup", f"PYTHON={other}")
    assert refused.returncode != 0
    assert f"{other} is not Python 3.11" in refused.stderr


def test_without_a_package_index_setup_says_so_and_leaves_no_stamp(clone: Path) -> None:
    refused = make(clone, "setup", f"PYTHON={sys.executable}", PIP_NO_INDEX="1")
    assert refused.returncode != 0
    assert "uv could not be installed" in refused.stderr
    assert not (clone / ".venv").exists()
