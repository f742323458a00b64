"""What a fault is: one thing that is broken, at one target, and mended again."""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from chaos.cluster import Cluster

KAFKA, POSTGRES, TOPICS = "kafka", "postgres", "topics"
"""Targets that all services share."""


class NotReached(Exception):
    """The place at which something was to break was not come to: nothing was broken, and nothing is counted."""


@dataclass(frozen=True, slots=True)
class Over:
    """What was done. `at`: when its cause was gone, in seconds of the monotonic clock. `back_to`: the moment to which a
    database went back."""

    what: str
    at: float = field(default_factory=time.monotonic)
    back_to: float | None = None


Act = Callable[[Cluster, random.Random, str], Awaitable[Over]]
"""Break something of this target; returns when the cause is gone."""


@dataclass(frozen=True, slots=True)
class Fault:
    """`kind`: what recovery from it is measured as. `name`: what exactly. `target`: a service, or KAFKA, POSTGRES or
    TOPICS. `holds`: what else no other fault may touch meanwhile."""

    kind: str
    name: str
    target: str
    act: Act
    holds: tuple[str, ...] = ()

    @property
    def needs(self) -> tuple[str, ...]:
        """What no other fault may touch meanwhile, in an order that all share. Topics take any number."""
        return tuple(sorted({self.target, *self.holds} - {TOPICS}))

    def __str__(self) -> str:
        return f"{self.kind}: {self.name}, {self.target}"
