"""The issuer as a process of the local stack: its port and keys in one folder, found again by a later command."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import psutil  # type: ignore[import-untyped]

from deploy.local import processes
from deploy.local.issuer import keys, tokens
from deploy.local.issuer.people import person
from deploy.local.processes import LocalStackError

CHECKOUT = Path(__file__).parents[3]
START_SECONDS = 60.0
STOP_SECONDS = 10.0
MINTED: dict[tuple[Path, str, str], tuple[float, str]] = {}


@dataclass(frozen=True, slots=True)
class Issuer:
    folder: Path
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.folder / "issuer.log"

    @property
    def _marker(self) -> str:
        """The argument by which the process is known again."""
        return f"--folder={self.folder}"

    def process(self) -> psutil.Process | None:
        return processes.find(self.folder / "issuer.pid", self._marker)

    def start(self, say: Callable[[str], None] = processes.silent) -> None:
        """Start on the remembered port unless it runs already, and wait until it answers."""
        if self.process() is None:
            if not processes.is_free(self.port):
                raise LocalStackError(
                    f"Port {self.port} on 127.0.0.1, by which this issuer is known, is taken by another program: "
                    "stop that program, or run `python -m deploy.local clean` to begin anew on other ports."
                )
            keys.read(self.folder)
            say(f"Starting the issuer of demo logins on {self.url}")
            run = ["/usr/bin/env", f"PYTHONPATH={CHECKOUT}", sys.executable, "-m", "deploy.local.issuer", self._marker]
            processes.launch([*run, "serve"], pid_file=self.folder / "issuer.pid", log=self.log)
        self.wait()

    def wait(self, seconds: float = START_SECONDS) -> None:
        processes.wait_until_ready("The issuer", self.process, self.answers, self.log, seconds)

    def answers(self) -> bool:
        try:
            with urlopen(f"{self.url}/.well-known/openid-configuration", timeout=2) as answer:  # noqa: S310 - loopback
                return bool(json.load(answer)["issuer"] == self.url)
        except (URLError, OSError, ValueError):
            return False

    def stop(self) -> None:
        if running := self.process():
            processes.end(running, signal.SIGTERM, STOP_SECONDS)

    def kill(self) -> None:
        if running := self.process():
            processes.kill(running)

    def token(self, subject: str) -> str:
        """An access token for a demo person, signed here without asking the process; one is used for half its life."""
        signing = keys.read(self.folder).signing
        minted_for = (self.folder, str(signing.kid), subject)
        until, token = MINTED.get(minted_for, (0.0, ""))
        if time.monotonic() >= until:
            token = tokens.access_token(self.url, person(subject), "command-line", signing)
            MINTED[minted_for] = (time.monotonic() + tokens.SECONDS / 2, token)
        return token


def in_folder(folder: Path) -> Issuer:
    """The issuer of this folder: on the port it was given first, or on a new free one, which is remembered."""
    folder.mkdir(parents=True, exist_ok=True)
    folder = folder.resolve()  # a running server knows this name only
    remembered = folder / "port.json"
    try:
        port = int(json.loads(remembered.read_text()))
    except (OSError, ValueError):
        [port] = processes.free_ports(1)
        remembered.write_text(json.dumps(port))
    return Issuer(folder, port)


def of(root: Path = CHECKOUT) -> Issuer:
    """The issuer of a checkout, running or not."""
    return in_folder(root.resolve() / ".local" / "issuer")
