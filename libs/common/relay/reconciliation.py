"""Was this database restored to an older state, and how is it brought up to its own topic? Pure decisions.

The topic is the truth about what was said: consumers have acted on it. The outbox of a restored database lacks the
newest events, and its counters would hand out their sequences again.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID


class Said(NamedTuple):
    """An event as the topic holds it. `old` says that it lies past the outbox's retention."""

    subject: str
    sequence: int
    id: UUID
    old: bool


class Row(NamedTuple):
    """An outbox row; `row` is its own id, by which the relay sends."""

    row: int
    subject: str
    sequence: int
    id: UUID


def unknown(said: Iterable[Said], rows: Container[tuple[str, int, UUID]], counters: Mapping[str, int]) -> list[Said]:
    """Events of our own topic that our database does not know: proof that it was restored to an older state.

    Known is a row with the same subject, sequence and id; or, past retention, a counter that has reached it.
    A second event under a sequence (a fork) proves nothing when the first is known: no database could know both.
    `said` is in topic order.
    """
    spoken: dict[tuple[str, int], UUID] = {}
    return [
        event
        for event in said
        if spoken.setdefault((event.subject, event.sequence), event.id) == event.id
        and (event.subject, event.sequence, event.id) not in rows
        and not (event.old and counters.get(event.subject, 0) >= event.sequence)
    ]


@dataclass(frozen=True, slots=True)
class Plan:
    """What `reconcile` writes: events to adopt as sent, new sequences by outbox row, counters to raise.

    `forks` were said under a sequence that another event had taken: consumers have parked them, and a person drops
    them there. A fork that is our own row is said again, under the next free sequence.
    """

    adopt: tuple[Said, ...]
    renumber: Mapping[int, int]
    counters: Mapping[str, int]
    forks: tuple[Said, ...]


def plan(said: Sequence[Said], rows: Sequence[Row], counters: Mapping[str, int]) -> Plan:
    """Adopt what only the topic knows; give what only the database knows new sequences behind it.

    `said` is in topic order and may repeat an event (a relay sends again after a crash). A row whose sequence lies
    below the topic's greatest and was never said keeps it: Kafka has lost that event, and `resend` fills the gap.
    """
    ours = {row.id for row in rows}
    spoken: dict[tuple[str, int], UUID] = {}
    adopt: list[Said] = []
    forks: list[Said] = []
    highest: dict[str, int] = {}
    for event in said:
        holder = spoken.setdefault((event.subject, event.sequence), event.id)
        highest[event.subject] = max(highest.get(event.subject, 0), event.sequence)
        if holder != event.id:
            forks.append(event)
        elif event.id not in ours and not (event.old and counters.get(event.subject, 0) >= event.sequence):
            ours.add(event.id)
            adopt.append(event)
    told = set(spoken.values())
    next_free = dict(highest)
    renumber: dict[int, int] = {}
    for row in sorted(rows, key=lambda row: row.sequence):
        lost = row.sequence < highest.get(row.subject, 0) and (row.subject, row.sequence) not in spoken
        if row.id in told or lost:
            continue
        sequence = next_free[row.subject] = next_free.get(row.subject, row.sequence - 1) + 1
        if sequence != row.sequence:
            renumber[row.row] = sequence
    raised = {subject: top for subject, top in sorted(next_free.items()) if top > counters.get(subject, 0)}
    return Plan(tuple(adopt), renumber, raised, tuple(forks))
