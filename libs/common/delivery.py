"""How a consumer decides about one event, and about what is parked: pure, so that the simulation drives this very code.

Words: a *mark* is the last sequence applied for one (source, subject) and the ids of its last eight sequences.
*Parked* is what could not take effect yet; the mark never moves on parking.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

REMEMBERED_IDS = 8
RETRY_SECONDS = (1, 2, 5, 15, 60, 300)


class Mark(NamedTuple):
    """`recent` holds the ids of the last sequences, oldest first: `recent[-1]` is the id at `sequence`."""

    sequence: int = 0
    recent: tuple[UUID, ...] = ()

    def moved(self, id: UUID) -> "Mark":
        return Mark(self.sequence + 1, (*self.recent[1 - REMEMBERED_IDS :], id))

    def id_at(self, sequence: int) -> UUID | None:
        back = self.sequence - sequence
        return self.recent[-1 - back] if 0 <= back < len(self.recent) else None


class State(StrEnum):
    """Why a row is parked. `dropped` and `skipped` rows are settled: they stay as the record of a person's decision."""

    WAITING = "waiting"
    FAILED = "failed"
    FORKED = "forked"
    DROPPED = "dropped"
    SKIPPED = "skipped"


SETTLED = frozenset({State.DROPPED, State.SKIPPED})


@dataclass(frozen=True, slots=True)
class Parked:
    """One parked event of a (source, subject). `retry_at` is a UNIX time; `disposition` is what a person asked for."""

    sequence: int
    id: UUID
    state: State
    retry_at: float = 0.0
    disposition: str | None = None


class Decision(StrEnum):
    APPLY = "apply"
    SKIP = "skip"
    FORK = "fork"
    WAIT = "wait"


def decide(sequence: int, id: UUID, mark: Mark, parked: Sequence[Parked]) -> Decision:
    """What to do with an arriving event, given its subject's mark and parked rows.

    FORK and WAIT park the event; SKIP forgets it (its effect is there already, or it is parked already).
    A forked subject waits as a whole until a person drops the fork, since nobody knows which history is true.
    """
    blocked = rival = False
    for row in parked:
        if row.sequence == sequence:
            if row.id == id:
                return Decision.SKIP
            rival = rival or row.state not in SETTLED
        blocked = blocked or row.state is State.FORKED
    if sequence <= mark.sequence:
        known = mark.id_at(sequence)
        return Decision.SKIP if known is None or known == id else Decision.FORK
    if rival:
        return Decision.FORK
    return Decision.APPLY if sequence == mark.sequence + 1 and not blocked else Decision.WAIT


class Step(NamedTuple):
    """What to do next with a subject's parked rows: `what` is apply, drop or skip; `row` is the one it concerns."""

    what: str
    row: Parked


def next_step(mark: Mark, parked: Sequence[Parked], now: float) -> Step | None:
    """What the owner of the partition does next for one subject: a person's disposition, or the head that is due.

    A `drop` takes effect at once on a fork, and on any other row when it is the head (dropping further back would
    leave a hole). `skip` accepts the gap before its row: the mark jumps to just below it.
    """
    blocked = False
    for row in parked:
        if row.disposition == "drop" and (row.state is State.FORKED or row.sequence <= mark.sequence + 1):
            return Step("drop", row)
        blocked = blocked or row.state is State.FORKED
    if blocked:
        return None
    for row in parked:
        if row.state in SETTLED:
            continue
        if row.disposition == "skip" and row.sequence > mark.sequence + 1:
            return Step("skip", row)
        if row.sequence == mark.sequence + 1 and (
            row.state is State.WAITING or row.disposition == "retry" or row.retry_at <= now
        ):
            return Step("apply", row)
    return None


WIDEST_GAP = 10_000
"""Sequences that `skip` may give up at once: each leaves a row. A wider gap is no loss but a wrong number: drop it."""


def futile(disposition: str, row: Parked, mark: Mark) -> str | None:
    """Why this disposition would never be carried out, as a message code; None where it will be."""
    gap = row.sequence - mark.sequence - 1
    if row.state is State.FORKED:
        return None if disposition == "drop" else "parked-fork-only-drop"
    if disposition == "retry" and gap > 0:
        return "parked-waits-for-gap"
    if disposition == "skip" and gap <= 0:
        return "parked-no-gap"
    if disposition == "skip" and gap > WIDEST_GAP:
        return "parked-gap-too-wide"
    return None


def retry_delay(attempts: int) -> int:
    """Seconds until the next attempt of a failed head."""
    return RETRY_SECONDS[min(attempts, len(RETRY_SECONDS)) - 1]


def pause_after(took: float, pace: float, most: float) -> float:
    """Seconds to pause after what took so long, where more is to come and nobody lags: until the pace is kept, and on a
    busy machine twice as long as it took, up to `most`."""
    return max(pace - took, min(2 * took, most))
