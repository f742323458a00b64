"""The journal of a run: one file of JSON lines, in the shape that tests/checker/record.py reads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

from tests.checker.commands import Attempt
from tests.checker.record import KINDS, Fault

NAMES = {kind: name for name, kind in KINDS.items()}


@dataclass(slots=True)
class Journal:
    """Each line is written when it is noted, so that a run that is cut short can still be judged."""

    path: Path
    file: TextIO | None = None

    def append(self, attempt: Attempt) -> None:
        """A command that was sent, and what came of it."""
        self.note(attempt)

    def fault(self, kind: str, target: str, began: float, ended: float, *, back_to: float | None = None) -> None:
        """What was broken; `ended` is when its cause was gone. Times are of the monotonic clock, in seconds."""
        self.note(Fault(kind, target, began, ended, back_to))

    def note(self, one: Any) -> None:
        """One of the kinds of a record."""
        self.write(NAMES[type(one)], **asdict(one))

    def write(self, kind: str, **said: Any) -> None:
        if self.file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.file = self.path.open("a", encoding="utf-8", buffering=1)
        self.file.write(json.dumps({"kind": kind, **said}, ensure_ascii=False) + "\n")

    def close(self) -> None:
        if self.file is not None:
            self.file.close()
            self.file = None


@contextmanager
def journal(path: Path) -> Iterator[Journal]:
    """A journal that is closed at the end."""
    opened = Journal(path)
    try:
        yield opened
    finally:
        opened.close()
