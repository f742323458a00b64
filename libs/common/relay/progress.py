"""How far the relay has come: gap-safe over ids that commit out of order. Pure; the simulation drives this code."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

UNACKNOWLEDGED = -1
"""Marks a missing id that was read but not acknowledged by Kafka: it is missing until it is read again."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Every row up to `high` is acknowledged, except those in `missing`.

    `missing` maps an id to a transaction id assigned after the gap was noticed, or to UNACKNOWLEDGED.
    """

    high: int = 0
    missing: Mapping[int, int] = field(default_factory=dict)

    @property
    def unacknowledged(self) -> list[int]:
        return [id for id, noticed in self.missing.items() if noticed == UNACKNOWLEDGED]


def advanced(progress: Progress, seen: Sequence[int], unacknowledged: Iterable[int], xmin: int, later: int) -> Progress:
    """Progress after one read at a snapshot with `xmin`, and one round of sending.

    `seen` are all ids read, ascending: some above `high`, and every missing one that is there by now. An id below the
    new `high` that is not seen belongs to a transaction still running, or to one that rolled back. That transaction had
    its transaction id before it drew the row id, so its transaction id is below `later`, one assigned after the read.
    When the xmin of a later snapshot has passed `later` and the row is still not there, it never will be.
    (The snapshot's own xmax does not serve: it is one past the highest *completed* transaction.)
    An unacknowledged id was there once; if it is not now, the row was given another id, to be sent under that.

    A plain id cursor loses such rows; a cursor over (xid, id) inverts them and stops behind any old writer.
    """
    high = max(progress.high, seen[-1]) if seen else progress.high
    arrived = set(seen)
    missing = {id: noticed for id, noticed in progress.missing.items() if id not in arrived and xmin <= noticed}
    missing.update((id, later) for id in range(progress.high + 1, high + 1) if id not in arrived)
    missing.update((id, UNACKNOWLEDGED) for id in unacknowledged)
    return Progress(high, missing)
