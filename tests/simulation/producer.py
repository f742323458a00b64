"""The producing service: its database, concurrent writers, the start check, restoring and reconciling."""

from typing import TYPE_CHECKING, NamedTuple

from libs.common.relay.progress import Progress
from libs.common.relay.reconciliation import Said
from tests.simulation.invariants import Violation
from tests.simulation.relay import Relay

if TYPE_CHECKING:
    from tests.simulation.story import World

TOUCHED = ((0,), (1,), (2,), (0, 1), (0, 2), (0, 0), (1, 2), (2, 2))
RETENTION_DAYS = 1


class OutboxRow(NamedTuple):
    row: int
    subject: int
    sequence: int
    id: int
    xid: int
    adopted: bool


class Database:
    """A committed version is never changed: a transaction copies, changes and swaps. So a backup is a reference."""

    __slots__ = ("counters", "cursor", "facts", "progress", "rows")

    def __init__(self) -> None:
        self.rows: dict[int, OutboxRow] = {}
        self.counters: dict[int, int] = {}
        self.progress = Progress()
        self.cursor = (0, 0)
        self.facts: set[int] = set()

    def copy(self) -> "Database":
        new = Database.__new__(Database)
        new.rows, new.counters, new.facts = self.rows.copy(), self.counters.copy(), self.facts.copy()
        new.progress, new.cursor = self.progress, self.cursor
        return new


class Writer:
    """An open transaction: xid first, then counters (with their locks), then row ids, then the commit."""

    __slots__ = ("events", "holds", "rows", "sequences", "subjects", "xid")

    def __init__(self, xid: int, subjects: tuple[int, ...], events: list[int]) -> None:
        self.xid, self.subjects, self.events = xid, subjects, events
        self.holds: list[int] = []
        self.rows: list[int] = []
        self.sequences: list[int] = []


class Producer:
    __slots__ = (
        "backup", "completed", "db", "frozen", "leader", "locks", "next_row", "next_xid", "refused", "running", "up",
        "writers",
    )  # fmt: skip

    def __init__(self) -> None:
        self.db = Database()
        self.next_row = self.next_xid = 1
        self.completed = 0
        self.running: set[int] = set()
        self.writers: list[Writer | None] = [None, None, None, None]
        self.locks: dict[int, int] = {}
        self.leader: Relay | None = None
        self.frozen: Relay | None = None
        self.up, self.refused = True, False
        self.backup: tuple[Database, int, int, int] = (self.db, 1, 1, 0)

    def begin(self) -> int:
        xid = self.next_xid
        self.next_xid += 1
        self.running.add(xid)
        return xid

    def end(self, xid: int) -> None:
        self.running.discard(xid)
        self.completed = max(xid, self.completed)

    def draw_row(self) -> int:
        row = self.next_row
        self.next_row += 1
        return row


def writes(w: "World", r: int, *, faulty: bool = False) -> bool:
    """One of four writers begins, or goes on: r = 0 goes all the way to the commit."""
    p = w.producer
    if not p.up:
        return False
    n, r = r & 3, r >> 2
    writer = p.writers[n]
    begins = writer is None
    if writer is None:
        subjects = TOUCHED[(r >> 6) & 7]
        events = [w.new_event(subject, (r >> 9) + 37 * k, faulty=faulty) for k, subject in enumerate(subjects)]
        writer = p.writers[n] = Writer(p.begin(), subjects, events)
        if w.history is not None:
            w.tell(f"writer {n} begins transaction {writer.xid}: " + ", ".join(w.described(id) for id in events))
        if r & 1:
            return True
        r >>= 1
    return _goes_on(w, n, writer, r) or begins


def writes_trouble(w: "World", r: int) -> bool:
    """As above, but a new event will not take effect at once in the consumer."""
    return writes(w, r, faulty=True)


def writes_slowly(w: "World", r: int) -> bool:
    """As above, one stage at a time: open transactions pile up."""
    return writes(w, r | 0b11100)


def _goes_on(w: "World", n: int, writer: Writer, r: int) -> bool:
    stages = (_draws_rows, _locks_counters) if w.build.ids_before_counters else (_locks_counters, _draws_rows)
    moved, held = False, len(writer.holds)
    for stage in stages:
        done = stage(w, n, writer)
        if done is None:
            return moved or len(writer.holds) > held
        if done:
            moved = True
            if r & 1:
                return True
            r >>= 1
    _ends(w, n, writer, commits=(r & 7) != 7)
    return True


def _locks_counters(w: "World", n: int, writer: Writer) -> bool | None:
    """True when it did something, False when it was done before, None when another writer holds a counter."""
    p = w.producer
    if writer.sequences:
        return False
    for subject in sorted(set(writer.subjects)):
        if subject in writer.holds:
            continue
        if subject in p.locks:
            return None
        p.locks[subject] = n
        writer.holds.append(subject)
    counters = dict(p.db.counters)
    for subject in writer.subjects:
        counters[subject] = sequence = counters.get(subject, 0) + 1
        writer.sequences.append(sequence)
    if w.history is not None:
        said = ", ".join(f"E{s}/{q}" for s, q in zip(writer.subjects, writer.sequences, strict=True))
        w.tell(f"writer {n} holds the counters: {said}")
    return True


def _draws_rows(w: "World", n: int, writer: Writer) -> bool:
    if writer.rows:
        return False
    writer.rows = [w.producer.draw_row() for _ in writer.subjects]
    if w.history is not None:
        w.tell(f"writer {n} draws outbox row(s) {', '.join(map(str, writer.rows))}")
    return True


def _ends(w: "World", n: int, writer: Writer, *, commits: bool) -> None:
    p = w.producer
    if commits:
        new = p.db.copy()
        entries = zip(writer.rows, writer.subjects, writer.sequences, writer.events, strict=True)
        for row, subject, sequence, id in entries:
            new.rows[row] = OutboxRow(row, subject, sequence, id, writer.xid, False)
            new.counters[subject] = sequence
            new.facts.add(id)
            w.events[id].order = sequence
            if w.events[id].fault is not None:
                w.troubled.add(subject)
        p.db = new
    if w.history is not None:
        w.tell(f"writer {n} {'commits' if commits else 'rolls back'}")
    _leaves(w, n, writer)


def _leaves(w: "World", n: int, writer: Writer) -> None:
    p = w.producer
    for subject in writer.holds:
        del p.locks[subject]
    p.writers[n] = None
    p.end(writer.xid)


def producer_dies(w: "World", r: int) -> bool:
    """kill -9: open transactions roll back, what was sent and not noted will be sent again."""
    p = w.producer
    if not p.up:
        return False
    p.up, p.leader = False, None
    for n, writer in enumerate(p.writers):
        if writer is not None:
            _leaves(w, n, writer)
    w.tell("the producer is killed")
    return True


def producer_starts(w: "World", r: int) -> bool:
    p = w.producer
    if p.up or p.refused:
        return False
    db = p.db
    foreign = w.build.unknown(_said(w), {row[1:4] for row in db.rows.values()}, db.counters)
    p.up, p.refused = not foreign, bool(foreign)
    if w.history is not None:
        refusal = f"refuses to start: unknown {', '.join(f'E{e.subject}/{e.sequence}' for e in foreign)}"
        w.tell(f"the producer {refusal if foreign else 'starts'}")
    return True


def _said(w: "World") -> list[Said]:
    forgotten = w.today - RETENTION_DAYS
    return [
        Said(event.subject, event.sequence, event.id, w.events[event.id].day < forgotten)
        for log in w.broker.logs
        for event in log
        if event is not None
    ]


def producer_reconciles(w: "World", r: int) -> bool:
    """`reconcile`: adopt what only the topic knows, renumber what was never said, raise the counters."""
    p = w.producer
    if not p.refused:
        return False
    new = p.db.copy()
    plan = w.build.plan(_said(w), list(new.rows.values()), new.counters)
    for row, sequence in sorted(plan.renumber.items()):
        moved = new.rows.pop(row)
        fresh = p.draw_row()
        new.rows[fresh] = moved._replace(row=fresh, sequence=sequence)
    for event in plan.adopt:
        row = p.draw_row()
        new.rows[row] = OutboxRow(row, event.subject, event.sequence, event.id, p.next_xid, True)
        new.facts.add(event.id)
    new.counters.update(plan.counters)
    p.end(p.begin())
    p.db, p.refused = new, False
    if w.history is not None:
        adopted = ", ".join(f"E{event.subject}/{event.sequence}" for event in plan.adopt)
        w.tell(
            f"an operator reconciles the producer: adopts {adopted or 'nothing'}; renumbers {dict(plan.renumber)};"
            f" counters {dict(plan.counters)}; forks {len(plan.forks)}"
        )
    return True


def producer_prunes(w: "World", r: int) -> bool:
    """Outbox rows past retention go, if the relay is done with them."""
    p = w.producer
    progress, limit = p.db.progress, w.today - RETENTION_DAYS
    old = [
        row.row
        for row in p.db.rows.values()
        if w.events[row.id].day < limit and row.row <= progress.high and row.row not in progress.missing
    ]
    if not old:
        return False
    new = p.db.copy()
    for row in old:
        del new.rows[row]
    p.db = new
    w.tell(f"outbox rows past retention are deleted: {old}")
    return True


def producer_is_backed_up(w: "World", r: int) -> bool:
    p = w.producer
    p.backup = (p.db, p.next_row, p.next_xid, p.completed)
    w.tell("the producer's database is backed up")
    return True


def producer_is_restored(w: "World", r: int) -> bool:
    """Every process of the service is stopped first, a frozen one too: it could still say what never happened."""
    p = w.producer
    if p.backup[0] is p.db:
        return False
    producer_dies(w, 0)
    p.frozen, p.refused = None, False
    # Transaction ids given out to transactions that were open at the backup are not given out again.
    p.db, p.next_row, p.next_xid, _ = p.backup
    p.completed = p.next_xid - 1
    w.tell("the producer's database is restored from its backup")
    return True


def resends(w: "World", subject: int, first: int, last: int) -> list[int]:
    """`resend`: the rows get new ids, so that the relay sends them again; the sequences that the outbox still has."""
    p = w.producer
    rows = sorted(
        (row for row in p.db.rows.values() if row.subject == subject and first <= row.sequence <= last),
        key=lambda row: row.sequence,
    )
    if rows:
        new = p.db.copy()
        for row in rows:
            del new.rows[row.row]
            fresh = p.draw_row()
            new.rows[fresh] = row._replace(row=fresh, adopted=False)
        p.end(p.begin())
        p.db = new
        w.tell(f"an operator resends E{subject}/{first} to {last}: {len(rows)} row(s)")
    return [row.sequence for row in rows]


def check_settled(w: "World") -> None:
    """Everything that the database holds was said under its sequence, and everything said is held."""
    p = w.producer
    first, lost = w.broker.first, w.broker.lost
    for row in p.db.rows.values():
        key = row.subject, row.sequence
        if not row.adopted and first.get(key) != row.id and key not in lost:
            raise Violation("no event is lost", f"E{row.subject}/{row.sequence} (row {row.row}) was never said")
    said = set(first.values())
    if not said <= p.db.facts:
        raise Violation("rows and events agree", f"said and not in the database: {sorted(said - p.db.facts)}")
    for id in p.db.facts - said:
        if w.events[id].order and not any(w.events[id].subject == subject for subject, _ in lost):
            raise Violation("rows and events agree", f"in the database and never said: {w.described(id)}")
