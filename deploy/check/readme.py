"""python -m deploy.check.readme: every command of README.md does what a reader would see.

The blocks fenced as ```sh run in order in a fresh copy of this checkout, each in a shell of its own, with the copy's
own Kafka and PostgreSQL and free ports in place of the usual ones. A comment before a block says how it runs:

<!-- check: until TEXT -->       it runs for ever: go on as soon as it has printed TEXT; it gets a Ctrl-C at the end
<!-- check: after Ctrl-C -->     end what runs for ever first
<!-- check: by FILE -->          not run here, for FILE runs each of its commands (as .ci/run does with the tests)
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from deploy.check.gates import CHECKOUT
from deploy.contracts.events import services
from deploy.local import stack
from deploy.local.processes import free_ports
from libs.common.service import find

FENCE = re.compile(r"\s*```(?P<language>\w*)\s*")
SAYS_HOW = re.compile(r"\s*<!-- check: (?P<how>until|after|by) (?P<what>.+?) -->\s*")
OTHER_SHELLS = frozenset({"bash", "shell", "console", "zsh"})
BLOCK_SECONDS = 180.0
CTRL_C_SECONDS = 30.0
LEFT_BEHIND = (".git", ".venv", ".local", "__pycache__", ".*_cache", ".hypothesis", "node_modules")


class Broken(Exception):
    """README.md says something that does not hold; the message shows the line and what came of it."""


@dataclass(frozen=True, slots=True)
class Block:
    """Commands of one fence. `line` is the fence's; `how` and `what` are the comment's words, empty without one."""

    line: int
    commands: str
    how: str = ""
    what: str = ""

    def broken(self, reason: str, output: str = "") -> Broken:
        return Broken("\n".join([f"README.md:{self.line}: {reason}", self.commands.rstrip(), output.rstrip()]).rstrip())


def blocks(text: str) -> list[Block]:
    """The commands of a README, in order. Raises Broken for a fence that would escape this check."""
    found: list[Block] = []
    how, what = "", ""
    lines = iter(enumerate(text.splitlines(), start=1))
    for number, line in lines:
        if comment := SAYS_HOW.fullmatch(line):
            how, what = comment["how"], comment["what"]
        elif "<!-- check" in line:
            raise Broken(f"README.md:{number}: not a comment that this check understands: {line.strip()}")
        elif fence := FENCE.fullmatch(line):
            commands = "\n".join(_until_fence(lines, number)) + "\n"
            if fence["language"] == "sh":
                found.append(Block(number, commands, how, what))
            elif fence["language"] in OTHER_SHELLS or how:
                raise Broken(f"README.md:{number}: commands stand in ```sh, so that they can be checked")
            how, what = "", ""
        elif line.strip() and how:
            raise Broken(f"README.md:{number}: the comment before it belongs right before a ```sh block")
    if not found:
        raise Broken("README.md has no ```sh block: it must tell how to run the project")
    return found


def _until_fence(lines: Iterator[tuple[int, str]], opened: int) -> Iterator[str]:
    for _, line in lines:
        if line.strip() == "```":
            return
        yield line
    raise Broken(f"README.md:{opened}: the fence is never closed")


@contextmanager
def fresh_copy(checkout: Path = CHECKOUT) -> Iterator[Path]:
    """A copy without state and history, with the packages of this virtual environment; its servers end with it."""
    with tempfile.TemporaryDirectory(prefix="one-window-readme-") as folder:
        copy = Path(folder) / "one-window"
        shutil.copytree(checkout, copy, ignore=shutil.ignore_patterns(*LEFT_BEHIND))
        (copy / ".venv").mkdir()
        for part in Path(sys.executable).parents[1].iterdir():
            if part.name != ".synced":
                (copy / ".venv" / part.name).symlink_to(part)
        (copy / ".venv/.synced").touch()  # what `make setup` leaves; this copy must not alter the packages it shares
        try:
            yield copy
        finally:
            stack.clean(copy)


def moved_ports() -> dict[str, int]:
    """A free port for each service, by the port it usually has: a running system is not in the way."""
    usual = [str(find(service).settings.model_fields["port"].default) for service in services()]
    return dict(zip(usual, free_ports(len(usual)), strict=True))


def surroundings(ports: dict[str, int]) -> dict[str, str]:
    """The environment of the commands: nothing points to servers that exist already."""
    own = {f"{service.upper()}_PORT": str(port) for service, port in zip(services(), ports.values(), strict=True)}
    foreign = {
        "KAFKA_BOOTSTRAP_SERVERS",
        "DATABASE_URL",
        "OIDC_ISSUER",
        *(f"{service.upper()}_DATABASE_URL" for service in services()),
    }
    return {**{name: value for name, value in os.environ.items() if name not in foreign}, **own, "COLUMNS": "120"}


@dataclass(slots=True)
class Reader:
    """Somebody who types what the README says, in `folder`."""

    folder: Path
    ports: dict[str, int]
    running: list[tuple[Block, subprocess.Popen[bytes], Path]]

    def follow(self, block: Block) -> None:
        if block.how == "by":
            self._see_it_run_elsewhere(block)
        elif block.how == "until":
            self._start(block)
        else:
            if block.how == "after":
                self.press_ctrl_c()
            self._run(block)

    def _see_it_run_elsewhere(self, block: Block) -> None:
        file = self.folder / block.what
        run_there = {line.strip() for line in file.read_text().splitlines()} if file.is_file() else set()
        for command in block.commands.splitlines():
            if command.strip() and command.split("#")[0].strip() not in run_there:
                raise block.broken(f"{block.what} does not run this command")

    def _run(self, block: Block) -> None:
        output = self.folder.parent / f"line-{block.line}.txt"
        process = self._shell(block, output)
        try:
            code = process.wait(BLOCK_SECONDS)
        except subprocess.TimeoutExpired:
            raise block.broken(
                f"not done after {BLOCK_SECONDS:.0f} seconds", output.read_text("utf-8", "replace")
            ) from None
        finally:
            _signal(process, signal.SIGKILL)
        if code != 0:
            raise block.broken(f"ended with {code}", output.read_text("utf-8", "replace"))

    def _start(self, block: Block) -> None:
        output = self.folder.parent / f"line-{block.line}.txt"
        process = self._shell(block, output)
        self.running.append((block, process, output))
        deadline = time.monotonic() + BLOCK_SECONDS
        while block.what not in (said := output.read_text("utf-8", "replace")):
            if process.poll() is not None:
                raise block.broken(f"ended with {process.returncode} before it said: {block.what}", said)
            if time.monotonic() > deadline:
                raise block.broken(f"did not say within {BLOCK_SECONDS:.0f} seconds: {block.what}", said)
            time.sleep(0.05)

    def press_ctrl_c(self) -> None:
        """End what runs for ever, the last started first. It must still run, and end when it is asked to."""
        while self.running:
            block, process, output = self.running.pop()
            if process.poll() is not None:
                raise block.broken(f"ended by itself with {process.returncode}", output.read_text("utf-8", "replace"))
            _signal(process, signal.SIGINT)
            try:
                process.wait(CTRL_C_SECONDS)
            except subprocess.TimeoutExpired:
                raise block.broken("does not end on Ctrl-C", output.read_text("utf-8", "replace")) from None
            finally:
                _signal(process, signal.SIGKILL)

    def leave(self) -> None:
        """Kill what an interrupted reading has left running."""
        for _, process, _ in self.running:
            _signal(process, signal.SIGKILL)

    def _shell(self, block: Block, output: Path) -> subprocess.Popen[bytes]:
        commands = block.commands
        for usual, free in self.ports.items():
            commands = re.sub(rf"(?<=:){usual}\b", str(free), commands)
        with output.open("wb") as file:
            return subprocess.Popen(
                ["bash", "-euo", "pipefail", "-c", commands],
                cwd=self.folder,
                env=surroundings(self.ports),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """To the process and all that it started, as a terminal does."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
    if number == signal.SIGKILL:
        process.wait()


def follow(checkout: Path = CHECKOUT) -> int:
    """Run the README of a checkout; returns the number of blocks. Raises Broken where it does not hold."""
    readme = checkout / "README.md"
    if not readme.exists():
        raise Broken("README.md is missing")
    found = blocks(readme.read_text(encoding="utf-8"))
    with fresh_copy(checkout) as copy:
        reader = Reader(copy, moved_ports(), [])
        try:
            for block in found:
                print(f"README.md:{block.line}: {block.commands.splitlines()[0]}", flush=True)
                reader.follow(block)
            reader.press_ctrl_c()
        finally:
            reader.leave()
    return len(found)


if __name__ == "__main__":
    try:
        print(f"{follow()} blocks hold.")
    except Broken as broken:
        sys.exit(str(broken))
