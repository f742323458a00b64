"""Named points at which a fault test stops this very process: for good, as `kill -9` would (ONE_WINDOW_CRASH_AT), or
until somebody thaws it, as `kill -STOP` would (ONE_WINDOW_FREEZE_AT). The setting is "name", or "name:3" for the third
time the point is passed. Without it a point costs one look into an empty table."""

import os
import signal
from dataclasses import dataclass

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
    "audit.before_seal",
    "audit.after_seal",
    "audit.after_publish",
)


@dataclass(slots=True)
class _Stop:
    passes_left: int
    signal: signal.Signals


def _asked() -> dict[str, _Stop]:
    stops = {}
    for variable, number in (("ONE_WINDOW_CRASH_AT", signal.SIGKILL), ("ONE_WINDOW_FREEZE_AT", signal.SIGSTOP)):
        name, _, count = os.environ.get(variable, "").partition(":")
        if name:
            stops[name] = _Stop(int(count or 1), number)
    return stops


_stops = _asked()


def point(name: str) -> None:
    """Stop here if a test asked for it."""
    if name in _stops:
        stop = _stops[name]
        stop.passes_left -= 1
        if stop.passes_left == 0:
            os.kill(os.getpid(), stop.signal)
