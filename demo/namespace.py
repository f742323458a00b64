"""The demonstration's own corner of Kafka and PostgreSQL: fresh at each run, removed at its end or the next start."""

from __future__ import annotations

import fcntl
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local.processes import LocalStackError

PREFIX = "demo_"


def fresh() -> str:
    return f"{PREFIX}{secrets.token_hex(3)}_"


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """One demonstration at a time: the next one removes what the last one left."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LocalStackError("Another demonstration runs in this checkout: wait for its end.") from None
        yield
