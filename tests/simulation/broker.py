"""The broker: append-only partitions, duplicates allowed, and the faults that come from outside the protocol."""

from typing import TYPE_CHECKING, NamedTuple

from tests.simulation.invariants import Violation

if TYPE_CHECKING:
    from tests.simulation.story import World

SUBJECTS = (0, 1, 2)
PARTITIONS = (0, 1)


def partition_of(subject: int) -> int:
    return subject & 1


class Event(NamedTuple):
    """A record on the topic. None stands for a record without readable identity."""

    subject: int
    sequence: int
    id: int


class Broker:
    """`first` and `top` are the tests' own ledger of the topic: who was first to use a sequence, and the greatest."""

    __slots__ = (
        "announced", "announced_first", "committed", "first", "foreign", "logs", "lost", "to_lose", "top",
    )  # fmt: skip

    def __init__(self) -> None:
        self.logs: list[list[Event | None]] = [[], []]
        self.committed = [0, 0]
        self.to_lose = 0
        self.first: dict[tuple[int, int], int] = {}
        self.top = [0, 0, 0]
        self.lost: set[tuple[int, int]] = set()
        self.foreign: list[Event] = []
        self.announced: list[tuple[int, int, int, int]] = []
        self.announced_first: dict[tuple[int, int], int] = {}

    def append(self, w: "World", event: Event) -> None:
        """What the relay sends: a sequence has one event for ever, and first comes in order."""
        subject, sequence, id = event
        if self.to_lose:
            self.to_lose -= 1
            self.lost.add((subject, sequence))
            w.troubled.add(subject)
            w.tell(f"    the broker acknowledges E{subject}/{sequence} and loses it")
            return
        holder = self.first.get((subject, sequence))
        if holder is None:
            top = self.top[subject]
            if sequence != top + 1 and not any(lost[0] == subject for lost in self.lost):
                raise Violation("order on the topic", f"E{subject}/{sequence} is said after E{subject}/{top}")
            self.first[subject, sequence] = id
            self.top[subject] = max(sequence, top)
        elif holder != id:
            raise Violation("a sequence is said once", f"E{subject}/{sequence} is event {holder} and now event {id}")
        self.logs[subject & 1].append(event)

    def announce(self, subject: int, sequence: int, id: int, risk_class: int) -> None:
        """What risk's relay sends: class changes, on risk's own topic."""
        holder = self.announced_first.setdefault((subject, sequence), id)
        if holder != id:
            raise Violation("a sequence is said once", f"class of E{subject}/{sequence} is {holder} and now {id}")
        self.announced.append((subject, sequence, id, risk_class))


def loses(w: "World", r: int) -> bool:
    if w.broker.to_lose:
        return False
    w.broker.to_lose = 1 + (r & 1)
    w.tell(f"fault: the broker will lose the next {w.broker.to_lose} record(s)")
    return True


def forks(w: "World", r: int) -> bool:
    """Somebody else writes under a sequence that was said."""
    log, foreign = w.broker.logs[r & 1], w.broker.foreign
    if not log or (event := log[(r >> 1) % len(log)]) is None:
        return False
    if event in foreign:  # and whoever it is sends it twice
        forged = event
    else:
        forged = Event(event.subject, event.sequence, w.new_event(event.subject, r >> 8))
        foreign.append(forged)
    log.append(forged)
    w.troubled.add(event.subject)
    w.tell(f"fault: E{event.subject}/{event.sequence} comes from somebody else as event {forged.id}")
    return True


def garbles(w: "World", r: int) -> bool:
    w.broker.logs[r & 1].append(None)
    w.tell(f"fault: a record without identity in partition {r & 1}")
    return True
