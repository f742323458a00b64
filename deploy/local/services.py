"""The services as local processes, one each: for the demonstration and for tests that kill them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import IO
from urllib.error import URLError
from urllib.request import urlopen

from deploy.local.keyrings import party_key, signing_keys
from deploy.local.processes import LocalStackError, free_ports
from deploy.local.stack import CHECKOUT, Stack

START_SECONDS = 150
"""A busy machine is slow, not broken; what has ended is told at once."""
DEMO_START = date(2026, 1, 5)
MANY_IN_ONE = {"REQUESTS_PER_MINUTE": "1000000", "REQUESTS_PER_MINUTE_BY_ADDRESS": "1000000"}
"""Here one demo person stands for hundreds, all at one address."""


def environment(stack: Stack, namespace: str = "", business_start: date | None = DEMO_START) -> dict[str, str]:
    """What a service process needs to reach the local stack; business time stands still where a start is given."""
    travel = {} if business_start is None else {"ALLOW_TIME_TRAVEL": "1", "BUSINESS_START": business_start.isoformat()}
    return {
        "KAFKA_BOOTSTRAP_SERVERS": stack.bootstrap_servers,
        "DATABASE_URL": stack.database_url,
        "OIDC_ISSUER": stack.issuer_url,
        "ONE_WINDOW_NAMESPACE": namespace,
        "SIGNING_KEYS": str(signing_keys()),
        "PARTY_KEY": party_key(),
        **travel,
    }


def free_port() -> int:
    return free_ports(1)[0]


def is_ready(url: str) -> bool:
    """Whether a service answers, and says that it can do its work."""
    try:
        with urlopen(f"{url}/health/ready", timeout=1) as answer:  # noqa: S310 - our own loopback
            return bool(json.load(answer)["status"] == "ready")
    except (URLError, OSError, ValueError):
        return False


@dataclass(slots=True)
class ServiceProcess:
    """One service in a process of its own. Its log goes to `log`, which keeps what earlier lives wrote.

    `program`: the module and its arguments that Python runs; the service itself where nothing is said. `checkout`:
    where its code lies.
    """

    name: str
    env: Mapping[str, str]
    log: Path
    port: int = field(default_factory=free_port)
    program: Sequence[str] = ()
    checkout: Path = CHECKOUT
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self, **extra_env: str) -> ServiceProcess:
        """Start without waiting. `extra_env` holds for this life alone."""
        env = {**MANY_IN_ONE, **os.environ, **self.env, f"{self.name.upper()}_PORT": str(self.port), **extra_env}
        self.log.parent.mkdir(parents=True, exist_ok=True)
        run = [sys.executable, "-m", *(self.program or [f"services.{self.name}"])]
        output: IO[bytes]
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(run, cwd=self.checkout, env=env, stdout=output, stderr=output)
        return self

    def wait_ready(self, seconds: float = START_SECONDS) -> ServiceProcess:
        """Wait until it answers; raises LocalStackError with the end of its log when it ends before that."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.alive:
            if is_ready(self.url):
                return self
            time.sleep(0.05)
        raise LocalStackError(f"{self.name} did not become ready. The end of its log:\n{self.last_lines()}")

    def last_lines(self, count: int = 12) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-count:]) if self.log.exists() else ""

    def kill(self) -> None:
        """As `kill -9`: no farewell to anybody."""
        self._signal(signal.SIGKILL)
        self.wait_ended()

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def stop(self, seconds: float = 20) -> int:
        """Ask it to end; returns its exit code. One that does not end in time is killed and an error raised."""
        if self.process is None:
            return 0
        self._signal(signal.SIGCONT)
        self._signal(signal.SIGTERM)
        return self.wait_ended(seconds)

    def wait_ended(self, seconds: float = 20) -> int:
        if self.process is None:
            return 0
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise LocalStackError(f"{self.name} did not end within {seconds} s:\n{self.last_lines()}") from None

    def _signal(self, number: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)
