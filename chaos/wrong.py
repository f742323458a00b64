"""Storms over services that are built wrongly on purpose (demo/wrong_build.py): what brings each mistake to light, and
the invariants of which the checker must then find one broken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults import TOPICS, Fault, processes, releases, servers, topics
from chaos.outcome import Outcome
from demo.wrong_build import BETWEEN, BUILDS


@dataclass(frozen=True, slots=True)
class Wrong:
    breaks: frozenset[str]
    faults: Sequence[Fault]


def _killed_between(service: str) -> list[Fault]:
    """In the middle of what must be one."""
    return [Fault("service_killed", f"at {BETWEEN}", service, processes.killed_at(BETWEEN))] * 3


CUT = Fault("network_cut", "every connection reset", "registration", servers.connections_reset)
LATE = Fault("commit_late", "others overtake it", "registration", servers.commits_late)
AGAIN = Fault("duplicates", "from registration", TOPICS, topics.at_service(topics.said_again, "registration"))
REPLAY = Fault("replay", "from zero", "risk", releases.replayed)
POISON = Fault("poison", "bad JSON from registration", TOPICS,
               topics.at_service(topics.unreadable(b'{"cut', "bad JSON"), "registration"))  # fmt: skip

STORMS: dict[str, Wrong] = {
    "position-first": Wrong(frozenset({"I2", "I5"}), _killed_between("risk")),
    "progress-first": Wrong(frozenset({"I1", "I4"}), _killed_between("registration")),
    "no-kept-answers": Wrong(frozenset({"I8"}), [CUT] * 6),
    "no-audit": Wrong(frozenset({"I9"}), [CUT]),
    "id-cursor": Wrong(frozenset({"I1", "I4"}), [LATE] * 4),
    "no-inbox": Wrong(frozenset({"I2"}), [AGAIN, REPLAY, AGAIN]),
    "poison-skipped": Wrong(frozenset({"I7"}), [POISON] * 2),
}


def program(build: str) -> dict[str, Sequence[str]]:
    """What runs in place of the right service."""
    return {BUILDS[build][0]: ("demo.wrong_build", build)}


def caught(build: str, outcome: Outcome) -> bool:
    """Whether the checker has found what this build breaks."""
    return bool(outcome.report.broken & STORMS[build].breaks)
