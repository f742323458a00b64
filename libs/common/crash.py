"""Named points at which a fault test kills this very process, as `kill -9` would: ONE_WINDOW_CRASH_AT="name" or
"name:3" for the third time the point is passed. Without that setting a point costs one comparison."""

import os
import signal

_NAME, _, _COUNT = os.environ.get("ONE_WINDOW_CRASH_AT", "").partition(":")
_left = int(_COUNT or 1)

POINTS = (
    "command.before_commit",
    "command.after_commit",
    "relay.before_send",
    "relay.after_send",
    "relay.after_progress",
    "batch.before_commit",
    "batch.after_commit",
    "drain.before_commit",
    "drain.after_commit",
    "due.before_commit",
    "due.after_commit",
)


def point(name: str) -> None:
    """Die here if a test asked for it."""
    global _left
    if name == _NAME:
        _left -= 1
        if _left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
