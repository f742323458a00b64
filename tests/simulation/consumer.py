"""The consuming service (risk): its database, two members of the group, decisions, parking and draining."""

from typing import TYPE_CHECKING

from libs.common.delivery import SETTLED, Decision, Mark, Parked, State, Step, retry_delay
from tests.simulation import scoring
from tests.simulation.broker import PARTITIONS, SUBJECTS, Event
from tests.simulation.faults import HANGS, SOON, UNREADABLE
from tests.simulation.invariants import Violation, check_marks

if TYPE_CHECKING:
    from tests.simulation.story import World

NEW = Mark()
BATCHES = (99, 1, 2, 3)
DIES_BEFORE_COMMIT, DIES_AFTER_COMMIT, LOSES_DATABASE = 13, 14, 15


class Failed(Exception):
    """The event fails; `by_itself` is false if it looks like trouble of the database."""

    def __init__(self, by_itself: bool) -> None:
        self.by_itself = by_itself


class Database:
    """As with the producer, a committed version is never changed. `effects` and `done` are what tests look at:
    the events that took effect, and how far each subject came by effects, drops and skips."""

    __slots__ = (
        "announced", "counters", "dates", "dead", "done", "effects", "facts", "marks", "moving", "outbox", "parked",
        "positions", "rows", "sent",
    )  # fmt: skip

    def __init__(self) -> None:
        self.positions = [0, 0]
        self.marks: dict[int, Mark] = {}
        self.parked: dict[int, tuple[Parked, ...]] = {}
        self.dead: frozenset[tuple[int, int]] = frozenset()
        self.effects: dict[int, tuple[int, ...]] = {}
        self.done: dict[int, int] = {}
        self.facts: dict[int, tuple[scoring.Fact, ...]] = {}
        self.rows: dict[int, scoring.Row] = {}
        self.dates = [0, 0]
        self.moving = [False, False]
        self.announced: dict[int, int] = {}
        self.outbox: list[scoring.Announcement] = []
        self.counters: dict[int, int] = {}
        self.sent = 0

    def copy(self) -> "Database":
        new = Database.__new__(Database)
        new.positions, new.marks, new.parked = self.positions[:], self.marks.copy(), self.parked.copy()
        new.effects, new.done, new.facts = self.effects.copy(), self.done.copy(), self.facts.copy()
        new.rows, new.announced, new.dead = self.rows.copy(), self.announced.copy(), self.dead
        new.dates, new.moving = self.dates[:], self.moving[:]
        new.outbox, new.counters, new.sent = self.outbox[:], self.counters.copy(), self.sent
        return new


class Hand:
    """What one member holds of one partition: where it reads next, and fetched batches (from, below)."""

    __slots__ = ("batches", "offset", "owed")

    def __init__(self, offset: int) -> None:
        self.offset = offset
        self.batches: list[tuple[int, int]] = []
        self.owed: tuple[tuple[int, int], Database] | None = None


class Risk:
    __slots__ = ("backup", "cut_begun", "db", "hands", "owner", "refused", "up")

    def __init__(self) -> None:
        self.db = self.backup = Database()
        self.hands: list[list[Hand | None]] = [[Hand(0), None], [None, Hand(0)]]
        self.owner: list[int | None] = [0, 1]
        self.up, self.refused = True, False
        self.cut_begun: Database | None = None


def assigns(w: "World", r: int) -> bool:
    """A partition goes to a member; the former owner may not have noticed and keeps what it fetched."""
    risk = w.risk
    p, member = r & 1, (r >> 1) & 1
    if not risk.up or risk.owner[p] == member:
        return False
    offset = w.broker.committed[p] if w.build.trusts_kafka_offset else risk.db.positions[p]
    risk.owner[p] = member
    risk.hands[member][p] = Hand(offset)
    w.tell(f"partition {p} is assigned to consumer {member}, which reads from offset {offset}")
    return True


def consumes(w: "World", r: int) -> bool:
    """A member fetches, takes a batch in one transaction, then drains; r = 0 does it all without trouble."""
    risk = w.risk
    p, member = r & 1, (r >> 1) & 1
    hand = risk.hands[member][p]
    if hand is None:
        member ^= 1
        hand = risk.hands[member][p]
        if hand is None:
            return False
    if not hand.batches and hand.owed is None:
        end = len(w.broker.logs[p])
        if risk.owner[p] != member or hand.offset >= end:
            return False
        until = min(end, hand.offset + BATCHES[(r >> 7) & 3])
        hand.batches.append((hand.offset, until))
        hand.offset = until
        if r & 4:
            w.tell(f"consumer {member} fetches offsets {hand.batches[0]} of partition {p}")
            return True
    _takes(w, member, p, hand, (r >> 3) & 15, drains=not r & 512)
    while hand.batches and not r & 1024 and risk.hands[member][p] is hand:
        _takes(w, member, p, hand, 0, drains=not r & 512)
    return True


def _takes(w: "World", member: int, p: int, hand: Hand, outcome: int, *, drains: bool) -> None:
    risk = w.risk
    if hand.owed is not None:
        _pays(w, p, hand)
        return
    start, end = hand.batches[0]
    if w.build.compares_position and risk.db.positions[p] != start:
        hand.offset = risk.db.positions[p]
        w.tell(f"consumer {member} is refused: partition {p} stands at {hand.offset}, its batch began at {start}")
        hand.batches.clear()
        return
    if w.history is not None:
        w.tell(f"consumer {member} takes offsets {start} to {end - 1} of partition {p}")
    if outcome in (DIES_BEFORE_COMMIT, LOSES_DATABASE):
        if outcome == DIES_BEFORE_COMMIT:
            w.tell("  it is killed before the commit")
            _loses_hands(w, member)
        else:
            w.tell("  the database is out of reach: it will be taken again")
        return
    new = risk.db.copy()
    try:
        _run(w, new, p, start, end)
    except Failed as failure:
        if end - start > 1:
            middle = (start + end) // 2 if failure.by_itself else start + 1
            hand.batches[0:1] = [(start, middle), (middle, end)]
            w.tell(f"  it fails {'by itself' if failure.by_itself else 'five times'}: taken in two parts")
            return
        new = risk.db.copy()
        _run(w, new, p, start, end, fails=True)
    hand.batches.pop(0)
    if w.build.effect_apart or w.build.position_first:
        _commits_half(w, new, hand, p, (start, end))
        if not outcome & 1:
            _pays(w, p, hand)
        return
    check_marks(new, p)
    risk.db = new
    if risk.owner[p] == member:
        w.broker.committed[p] = end
    if outcome == DIES_AFTER_COMMIT:
        w.tell("  it is killed after the commit")
        _loses_hands(w, member)
    elif drains and new.parked:
        drain(w, p)


def _commits_half(w: "World", new: Database, hand: Hand, p: int, batch: tuple[int, int]) -> None:
    """Only for two of the wrong builds: the effect and its bookkeeping in two transactions."""
    old = w.risk.db
    if w.build.effect_apart:
        hand.owed, half = (batch, new), new.copy()
        half.positions, half.marks, half.parked, half.dead = old.positions, old.marks, old.parked, old.dead
    else:
        hand.owed, half = (batch, old), old.copy()
        half.positions, half.marks, half.parked, half.dead = new.positions, new.marks, new.parked, new.dead
    w.risk.db = half
    w.tell(f"  the {'effect' if w.build.effect_apart else 'position'} is committed, the rest not yet")


def _pays(w: "World", p: int, hand: Hand) -> None:
    assert hand.owed is not None
    (start, end), owed = hand.owed
    hand.owed, new = None, w.risk.db.copy()
    for subject in SUBJECTS[p::2]:
        new.marks[subject] = owed.marks.get(subject, NEW)
        new.parked[subject] = owed.parked.get(subject, ())
    if w.build.effect_apart:
        new.positions[p], new.dead = end, owed.dead
    else:
        position = new.positions[p]
        try:
            _run(w, new, p, start, end)
        except Failed:
            w.tell("  the effect fails, and nobody will come back to it")
            return
        new.positions[p], new.dead = position, w.risk.db.dead
    w.risk.db = new
    w.tell("  the rest is committed")


def _run(w: "World", db: Database, p: int, start: int, end: int, *, fails: bool = False) -> None:
    """The batch transaction. `fails`: the single event of this batch is parked as failed where it would be applied."""
    touched: set[int] = set()
    log = w.broker.logs[p]
    for offset in range(start, end):
        event = log[offset]
        if event is None:
            db.dead |= {(p, offset)}
            continue
        subject, sequence, id = event
        mark = db.marks.get(subject, NEW)
        decision = w.build.decide(sequence, id, mark, db.parked.get(subject, ()))
        if w.history is not None:
            w.tell(f"  E{subject}/{sequence}: {'fails' if fails and decision is Decision.APPLY else decision}")
        if decision is Decision.SKIP:
            continue
        if decision is Decision.APPLY:
            unreadable = w.events[id].fault == UNREADABLE and not w.mended
            if not fails and not unreadable:
                _applies(w, db, subject, sequence, id, touched)
                db.marks[subject] = mark.moved(id)
                continue
            _parks(w, db, event, State.FAILED)
        else:
            _parks(w, db, event, State.WAITING if decision is Decision.WAIT else State.FORKED)
    for subject in touched:
        scoring.rescore(w, db, subject, db.dates[subject & 1])
    db.positions[p] = end


def _parks(w: "World", db: Database, event: Event, state: State) -> None:
    subject, sequence, id = event
    parked = db.parked.get(subject, ())
    if any(row.sequence == sequence and row.id == id for row in parked):
        raise Violation("a parked key is unique", f"E{subject}/{sequence} (event {id}) would be parked twice")
    retry_at = w.now + retry_delay(1) if state is State.FAILED else 0.0
    db.parked[subject] = (*parked, Parked(sequence, id, state, retry_at))
    if w.build.mark_moves_on_parking and state is State.FAILED:
        db.marks[subject] = db.marks.get(subject, NEW).moved(id)


def _applies(w: "World", db: Database, subject: int, sequence: int, id: int, touched: set[int]) -> None:
    """The effect. It must come once, and right after what was done before it."""
    said = w.events[id]
    if said.fault is not None and not (said.fault in (SOON, UNREADABLE) and w.mended):
        raise Failed(by_itself=said.fault != HANGS)
    done = db.done.get(subject, 0)
    if sequence <= done:
        raise Violation("effect exactly once", f"E{subject}/{sequence} takes effect when E{subject}/{done} is done")
    if sequence > done + 1:
        raise Violation("order without gaps", f"E{subject}/{sequence} takes effect right after E{subject}/{done}")
    effects = db.effects.get(subject, ())
    if effects and w.events[effects[-1]].order > said.order:
        raise Violation("order without gaps", f"{w.described(id)} takes effect after {w.described(effects[-1])}")
    db.done[subject] = sequence
    db.effects[subject] = (*effects, id)
    touched.add(scoring.adds_fact(db, said, subject, sequence, id))


def tends(w: "World", r: int) -> bool:
    """The owner's housekeeping: what people decided, heads that are due, waiting rows that come next."""
    p = r & 1
    return w.risk.up and w.risk.owner[p] is not None and drain(w, p)


def drain(w: "World", p: int) -> bool:
    """Every step due, each in a transaction of its own under the position's lock."""
    before = w.risk.db
    for subject in before.parked:
        if subject & 1 == p:
            while _one_step(w, subject):
                pass
    return w.risk.db is not before


def _one_step(w: "World", subject: int) -> bool:
    """False when nothing is left to do now."""
    db = w.risk.db
    mark, parked = db.marks.get(subject, NEW), db.parked[subject]
    step = w.build.next_step(mark, parked, w.now)
    if step is None:
        return False
    new = db.copy()
    row = step.row
    if w.history is not None:
        w.tell(f"  parked E{subject}/{row.sequence} (event {row.id}): {step.what}")
    try:
        _carries_out(w, new, subject, mark, step)
    except Failed:
        again = Parked(row.sequence, row.id, State.FAILED, w.now + retry_delay(2))
        new = db.copy()
        new.parked[subject] = tuple(again if other is row else other for other in parked)
        w.risk.db = new
        w.tell("    it fails again")
        return False
    check_marks(new, subject & 1)
    w.risk.db = new
    return True


def _carries_out(w: "World", db: Database, subject: int, mark: Mark, step: Step) -> None:
    row, parked = step.row, db.parked[subject]
    if step.what == "apply":
        touched: set[int] = set()
        _applies(w, db, subject, row.sequence, row.id, touched)
        for owner in touched:
            scoring.rescore(w, db, owner, db.dates[owner & 1])
        db.parked[subject] = tuple(other for other in parked if other is not row)
        db.marks[subject] = mark.moved(row.id)
    elif step.what == "drop":
        dropped = Parked(row.sequence, row.id, State.DROPPED)
        db.parked[subject] = tuple(dropped if other is row else other for other in parked)
        if row.state is not State.FORKED and row.sequence == mark.sequence + 1:
            db.marks[subject] = mark.moved(row.id)
            db.done[subject] = row.sequence
    else:
        _skips(db, subject, mark, row)


def _skips(db: Database, subject: int, mark: Mark, row: Parked) -> None:
    """The gap below `row` is given up: nobody's events (id 0) are noted as skipped, parked ones in between dropped."""
    below = range(mark.sequence + 1, row.sequence)
    kept = [
        Parked(other.sequence, other.id, State.DROPPED) if other.sequence in below
        else Parked(other.sequence, other.id, other.state, other.retry_at) if other is row
        else other
        for other in db.parked[subject]
    ]  # fmt: skip
    db.parked[subject] = (*kept, *(Parked(sequence, 0, State.SKIPPED) for sequence in below))
    db.marks[subject] = Mark(row.sequence - 1, ())
    db.done[subject] = row.sequence - 1


def _loses_hands(w: "World", member: int) -> None:
    risk = w.risk
    risk.hands[member] = [None, None]
    for p in PARTITIONS:
        if risk.owner[p] == member:
            risk.owner[p] = None


def consumer_dies(w: "World", r: int) -> bool:
    member = r & 1
    if w.risk.hands[member] == [None, None]:
        return False
    w.tell(f"consumer {member} is killed")
    _loses_hands(w, member)
    return True


def open_rows(db: Database, subject: int) -> list[Parked]:
    return [row for row in db.parked.get(subject, ()) if row.state not in SETTLED]
