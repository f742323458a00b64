"""Named points at which a fault test stops this very process: for good, as `kill -9` would (ONE_WINDOW_CRASH_AT), or
until somebody thaws it, as `kill -STOP` would (ONE_WINDOW_FREEZE_AT), or blocks its event loop for longer than Kafka
waits for a member (ONE_WINDOW_BLOCK_AT). The setting is "name", or "name:3" for the third time the point is passed.

A process that runs already is asked by a file: ONE_WINDOW_STOPS names where it would lie; its text is one such setting,
"ONE_WINDOW_CRASH_AT=name:3", and it is taken away when it is read. Without any of them a point costs a look
into an empty table."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

BLOCK_SECONDS = 9.0

POINTS = (
    "command.before_commit",
    "command.after_commit",
    "start.before_commit",
    "start.after_commit",
    "relay.before_send",
    "relay.between_topics",
    "relay.after_send",
    "relay.after_progress",
    "batch.before_commit",
    "batch.after_commit",
    "drain.before_commit",
    "drain.after_commit",
    "due.before_commit",
    "due.after_commit",
    "shadow.before_commit",
    "shadow.after_commit",
    "shadow.before_finish",
    "audit.before_seal",
    "audit.after_seal",
    "audit.after_publish",
)

SIGNALS: dict[str, signal.Signals | None] = {
    "ONE_WINDOW_CRASH_AT": signal.SIGKILL,
    "ONE_WINDOW_FREEZE_AT": signal.SIGSTOP,
    "ONE_WINDOW_BLOCK_AT": None,
}
"""What each setting does to the process; None: no signal, the loop is blocked."""


@dataclass(slots=True)
class _Stop:
    passes_left: int
    signal: signal.Signals | None


def _asked(variable: str, value: str) -> Iterator[tuple[str, _Stop]]:
    name, _, count = value.partition(":")
    if name:
        yield name, _Stop(int(count or 1), SIGNALS[variable])


_stops = {name: stop for one in SIGNALS for name, stop in _asked(one, os.environ.get(one, ""))}
_file = Path(os.environ["ONE_WINDOW_STOPS"]) if "ONE_WINDOW_STOPS" in os.environ else None


def point(name: str) -> None:
    """Stop here if a test asked for it."""
    if _file is not None:
        _take_what_is_asked(_file)
    if name in _stops:
        stop = _stops[name]
        stop.passes_left -= 1
        if stop.passes_left == 0:
            time.sleep(BLOCK_SECONDS) if stop.signal is None else os.kill(os.getpid(), stop.signal)


def _take_what_is_asked(file: Path) -> None:
    """What was asked before and not come to is not asked any more."""
    with suppress(FileNotFoundError):
        variable, _, value = file.read_text(encoding="ascii").partition("=")
        file.unlink()
        _stops.clear()
        _stops.update(_asked(variable, value))
