"""The record of a run: its faults, and what was seen of every service and process from second to second.

One file of JSON lines, each with its "kind": "attempt" (commands.Attempt), or one of the kinds below. Times are seconds
of one clock that never goes back.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.checker.commands import Attempt

BOUNDS = Path(__file__).with_name("bounds.csv")


@dataclass(frozen=True, slots=True)
class Fault:
    """Something was broken from `began` to `ended`, when its cause was gone. `target`: a service, or what all share.

    `back_to`: the database came back as it had been then.
    """

    fault: str
    target: str
    began: float
    ended: float
    back_to: float | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """What a service said of itself; `lag` and `unsent` are None where it did not answer, or could not tell."""

    at: float
    service: str
    lag: int | None
    unsent: int | None

    @property
    def well(self) -> bool:
        """It answers, and is as good as abreast of what comes in."""
        return self.lag is not None and self.unsent is not None and self.lag + self.unsent <= ABREAST


ABREAST = 100
"""Events that may be on their way at any moment of a busy run."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident memory of a process; its `pid` tells its lives apart."""

    at: float
    process: str
    pid: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Disk:
    """Bytes that `what` ("database", "topics") takes for `enterprises` registered enterprises, `days` of business time
    into the run."""

    at: float
    what: str
    bytes: int
    enterprises: int
    days: int


@dataclass(frozen=True, slots=True)
class Share:
    """What part of the machine's busy cores was the run's own; 1 where some core was idle."""

    at: float
    ours: float


@dataclass(frozen=True, slots=True)
class Met:
    """What somebody met that no service may answer: an error of its own, or an answer that contradicts itself."""

    at: float
    words: str


@dataclass(frozen=True, slots=True)
class Record:
    """Each in the order of time."""

    faults: tuple[Fault, ...] = ()
    looks: tuple[Look, ...] = ()
    memory: tuple[Memory, ...] = ()
    disk: tuple[Disk, ...] = ()
    met: tuple[Met, ...] = ()
    shares: tuple[Share, ...] = ()


KINDS: dict[str, type[Any]] = {
    "attempt": Attempt, "fault": Fault, "look": Look, "memory": Memory, "disk": Disk, "met": Met,
    "share": Share,
}  # fmt: skip
"""The name under which each kind stands in the file."""


def load(file: Path) -> tuple[list[Attempt], Record]:
    """What clients said and were answered, and the record; the last line may have been cut off with its writer."""
    found: dict[str, list[Any]] = {kind: [] for kind in KINDS}
    for line in _lines(file):
        kind = line.pop("kind", "attempt")
        if kind in KINDS:
            found[kind].append(KINDS[kind](**line))
    found["fault"].sort(key=lambda one: one.began)  # each is written when it is over
    faults, *seen = (tuple(found[kind]) for kind in ("fault", "look", "memory", "disk", "met", "share"))
    return found["attempt"], Record(faults, *seen)


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    for line in file.read_text(encoding="utf-8").split("\n"):
        if line.endswith("}"):
            yield json.loads(line)


@cache
def bounds() -> dict[str, float]:
    """Seconds within which a service has recovered from each kind of fault."""
    with BOUNDS.open(newline="", encoding="utf-8") as lines:
        return {row["fault"]: float(row["recovers_within_s"]) for row in csv.DictReader(lines)}
