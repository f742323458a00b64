"""The README is followed as a reader would: in order, with what runs for ever beside, in a copy of its own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deploy.check import readme
from deploy.check.readme import Broken


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A small project: what it needs is in it, and what must not travel along is too."""
    root = tmp_path / "project"
    (root / ".local").mkdir(parents=True)
    (root / ".ci").mkdir()
    (root / ".ci" / "run").write_text("set -e\nmake check\nmake demo\n")
    (root / "serve").write_text(
        'trap "echo ended > farewell; exit 0" INT; echo started; while true; do sleep 0.05; done\n'
    )
    (root / "deaf").write_text('trap "" INT; echo started; sleep 100\n')
    (root / "short").write_text("echo started\n")
    return root


def follow(root: Path, text: str) -> int:
    (root / "README.md").write_text(text)
    return readme.follow(root)


def refused(root: Path, text: str) -> str:
    with pytest.raises(Broken) as broken:
        follow(root, text)
    return str(broken.value)


def test_blocks_run_in_order_in_a_copy_and_leave_the_checkout_alone(checkout: Path) -> None:
    text = "# P\n```sh\ntest ! -e .local\necho one > said\n```\n```text\nno command\n```\n```sh\ngrep one said\n```\n"
    assert follow(checkout, text) == 2
    assert not (checkout / "said").exists()


def test_a_failing_command_is_shown_with_its_line_and_what_it_said(checkout: Path) -> None:
    said = refused(checkout, "# P\n\n```sh\necho before\nls nothing-there\necho after\n```\n")
    assert said.startswith("README.md:3: ended with 2\necho before\n")
    assert "No such file" in said
    assert "after" not in said.splitlines()[-1]


def test_a_failure_inside_a_pipe_counts(checkout: Path) -> None:
    assert "ended with 1" in refused(checkout, "```sh\nfalse | cat\n```\n")


def test_what_runs_for_ever_runs_beside_the_next_blocks_until_ctrl_c(checkout: Path) -> None:
    text = (
        "<!-- check: until started -->\n```sh\nsh serve\n```\n"
        "```sh\ntest ! -e farewell\n```\n"
        "<!-- check: after Ctrl-C -->\n```sh\ngrep ended farewell\n```\n"
    )
    assert follow(checkout, text) == 3


@pytest.mark.parametrize(
    ("program", "word", "says"),
    [
        ("short", "ready", "README.md:2: ended with 0 before it said: ready"),
        ("short", "started", "README.md:2: ended by itself with 0"),
        ("deaf", "started", "README.md:2: does not end on Ctrl-C"),
    ],
)
def test_what_should_run_for_ever_and_does_not_or_will_not_end(
    checkout: Path, program: str, word: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readme, "CTRL_C_SECONDS", 1.0)
    text = f"<!-- check: until {word} -->\n```sh\nsh {program}\n```\n```sh\nsleep 1\n```\n"
    assert refused(checkout, text).startswith(says)


def test_a_command_that_takes_too_long_is_ended(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readme, "BLOCK_SECONDS", 0.5)
    assert "README.md:1: not done after" in refused(checkout, "```sh\nsleep 100\n```\n")


def test_a_command_that_runs_elsewhere_must_stand_there(checkout: Path) -> None:
    assert follow(checkout, "<!-- check: by .ci/run -->\n```sh\nmake demo   # a minute\n```\n") == 1
    said = refused(checkout, "<!-- check: by .ci/run -->\n```sh\nmake test\n```\n")
    assert said.startswith("README.md:2: .ci/run does not run this command")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("# P\n", "no ```sh block"),
        ("```bash\nmake demo\n```\n", "README.md:1: commands stand in ```sh"),
        ("```sh\nmake demo\n", "README.md:1: the fence is never closed"),
        ("<!-- check: sometimes -->\n```sh\ntrue\n```\n", "README.md:1: not a comment that this check understands"),
        ("<!-- check: until ready -->\nSee below.\n```sh\ntrue\n```\n", "README.md:2: the comment before it belongs"),
        ("<!-- check: by .ci/run -->\n```text\ntrue\n```\n", "README.md:2: commands stand in ```sh"),
    ],
)
def test_nothing_escapes_by_its_form(text: str, says: str) -> None:
    with pytest.raises(Broken) as broken:
        readme.blocks(text)
    assert says in str(broken.value)


def test_commands_reach_free_ports_and_no_server_that_runs_already(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "KAFKA_BOOTSTRAP_SERVERS", "elsewhere:9092")
    monkeypatch.setitem(os.environ, "RISK_DATABASE_URL", "postgresql://elsewhere/risk")
    ports = readme.moved_ports()
    around = readme.surroundings(ports)
    assert around["RISK_PORT"] == str(ports["8105"]) != "8105"
    assert len(set(ports.values())) == len(ports)
    given_away_by_the_kernel = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert max(ports.values()) < given_away_by_the_kernel
    assert not {"KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL", "RISK_DATABASE_URL"} & around.keys()


def test_addresses_in_commands_follow_the_ports(checkout: Path) -> None:
    assert follow(checkout, "```sh\ntest http://localhost:8105/docs = http://localhost:$RISK_PORT/docs\n```\n") == 1
