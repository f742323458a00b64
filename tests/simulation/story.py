"""A story: at most 40 steps that a seeded scheduler picks, then a quiet phase in which everything comes home."""

from collections.abc import Callable, Sequence
from random import Random
from typing import NamedTuple

from libs.common.delivery import Parked, State
from tests.simulation import announcing, broker, consumer, faults, producer, relay, scoring
from tests.simulation.builds import RIGHT, Build
from tests.simulation.invariants import Violation, check_end, check_nobody_is_blocked

STEPS_AT_MOST = 40
ROUNDS_AT_MOST = 15
TRIES = 8  # of other steps, where the one picked is not possible now


class Said:
    """What an event says. `order` is the sequence it was committed under; 0 for a forgery."""

    __slots__ = ("day", "erases", "fault", "order", "points", "record", "subject")

    def __init__(self, subject: int, record: int, day: int, points: int, erases: bool, fault: str | None) -> None:
        self.subject, self.record, self.day, self.points, self.erases = subject, record, day, points, erases
        self.fault, self.order = fault, 0


class World:
    __slots__ = (
        "broker", "build", "derived", "events", "history", "last_id", "mended", "now", "producer", "risk", "today",
        "troubled",
    )  # fmt: skip

    def __init__(self, build: Build = RIGHT, *, tells: bool = False) -> None:
        self.build = build
        self.broker = broker.Broker()
        self.producer = producer.Producer()
        self.risk = consumer.Risk()
        self.events: dict[int, Said] = {}
        self.last_id = 100
        self.derived: dict[tuple[int, int, int], int] = {}
        self.today, self.now = 0, 0.0
        self.mended = False
        self.troubled: set[int] = set()
        self.history: list[str] | None = [] if tells else None

    def tell(self, line: str) -> None:
        if self.history is not None:
            self.history.append(line)

    def new_id(self) -> int:
        self.last_id += 1
        return self.last_id

    def derived_id(self, subject: int, date: int, facts: tuple[scoring.Fact, ...] | None) -> int:
        """The same for the same cause: the newest fact, on a day."""
        cause = subject, date, facts[-1].event_id if facts else 0
        if cause not in self.derived:
            self.derived[cause] = self.new_id()
        return self.derived[cause]

    def new_event(self, subject: int, r: int, *, faulty: bool = False) -> int:
        record = subject * scoring.RECORDS + r % scoring.RECORDS
        erases = (r >> 4) & 15 == 15
        if erases:
            record = (r >> 8) % (scoring.RECORDS * len(broker.SUBJECTS))
        id = self.new_id()
        fault = faults.KINDS[(r >> 2) & 3] if faulty else None
        self.events[id] = Said(subject, record, self.today, 1 + ((r >> 2) & 3), erases, fault)
        return id

    def described(self, id: int) -> str:
        said = self.events[id]
        what = f"erases record {said.record}" if said.erases else f"record {said.record} has {said.points} point(s)"
        return f"event {id} (E{said.subject}: {what}{f', {said.fault}' if said.fault else ''})"


def time_passes(w: World, r: int) -> bool:
    if r & 1:
        w.now += 60
        w.tell("a minute passes")
    else:
        if w.today >= 6:
            return False
        w.today += 1
        w.now += 86_400
        w.tell(f"day {w.today} begins")
    return True


def release(w: World, r: int) -> bool:
    """A release mends the handler and reads the new version."""
    if w.mended:
        return False
    w.mended = True
    w.tell("a release mends the handler and reads the new version")
    return True


DISPOSITIONS = {State.FORKED: ("drop",), State.FAILED: ("retry", "retry", "drop"), State.WAITING: ("skip",)}


def disposes(w: World, r: int) -> bool:
    """A person decides about one parked row; the live consumer carries it out."""
    db = w.risk.db
    for at in range(len(broker.SUBJECTS)):
        subject = (r + at) % len(broker.SUBJECTS)
        if rows := consumer.open_rows(db, subject):
            row = rows[(r >> 2) % len(rows)]
            choices = DISPOSITIONS[row.state]
            _dispose(w, subject, row, choices[(r >> 5) % len(choices)])
            return True
    return False


def _dispose(w: World, subject: int, row: Parked, disposition: str) -> None:
    new = w.risk.db.copy()
    decided = Parked(row.sequence, row.id, row.state, row.retry_at, disposition)
    new.parked[subject] = tuple(decided if other is row else other for other in new.parked[subject])
    w.risk.db = new
    w.tell(f"an operator decides to {disposition} the parked E{subject}/{row.sequence} (event {row.id}, {row.state})")


def resends(w: World, r: int) -> bool:
    """An operator heals the first gap of a subject, wholly or in part."""
    subject = r % len(broker.SUBJECTS)
    rows = [row for row in consumer.open_rows(w.risk.db, subject) if row.state is State.WAITING]
    mark = w.risk.db.marks.get(subject, consumer.NEW).sequence
    missing = set(range(mark + 1, max((row.sequence for row in rows), default=0)))
    missing -= {row.sequence for row in consumer.open_rows(w.risk.db, subject)}
    if not missing:
        return False
    last = min(missing) if r & 4 else max(missing)
    return bool(producer.resends(w, subject, min(missing), last))


Step = Callable[[World, int], bool]
EVERYTHING = (1 << 26) - 1


class Choice(NamedTuple):
    step: str
    r: int


# Each step with how often it stands in a table. The mask keeps of `r` what still lets the step run without trouble.
USUAL: tuple[tuple[Step, int, int], ...] = (
    (producer.writes, 5, EVERYTHING),
    (producer.writes, 6, EVERYTHING & ~0b11111100),
    (relay.relays, 5, EVERYTHING),
    (relay.relays, 5, 0),
    (consumer.consumes, 5, EVERYTHING),
    (consumer.consumes, 9, 0b11),
    (consumer.assigns, 2, EVERYTHING),
    (announcing.announces, 2, EVERYTHING),
    (producer.producer_starts, 3, 0),
    (producer.producer_reconciles, 3, 0),
    (announcing.risk_starts, 2, 0),
    (announcing.risk_reconciles, 2, 0),
    (consumer.tends, 1, EVERYTHING),
)
# Swarm: each table has some of these. A story with everything in it would hardly get anywhere.
AT_TIMES: tuple[tuple[tuple[Step, int], ...], ...] = (
    ((relay.leader_freezes, 2), (relay.leader_wakes, 2)),
    ((producer.producer_dies, 2),),
    ((producer.producer_is_backed_up, 2), (producer.producer_is_restored, 2)),
    ((producer.producer_prunes, 2), (time_passes, 2)),
    ((producer.writes_trouble, 3), (release, 1), (disposes, 2), (time_passes, 1), (consumer.tends, 1)),
    ((broker.loses, 2), (resends, 3), (disposes, 1), (consumer.tends, 1)),
    ((broker.forks, 4), (producer.writes_trouble, 2), (disposes, 3), (consumer.tends, 1)),
    ((broker.garbles, 1),),
    ((consumer.consumer_dies, 2),),
    ((announcing.risk_is_backed_up, 2), (announcing.risk_is_restored, 2)),
    ((scoring.ticks, 4), (time_passes, 3), (scoring.cuts, 3)),
    ((scoring.cuts, 2),),
    ((producer.writes_slowly, 9), (relay.relays, 3)),
    ((producer.writes_slowly, 5), (producer.writes, 5), (relay.relays, 4)),
)
STEPS: dict[str, Step] = {
    step.__name__: step for step in (*(row[0] for row in USUAL), *(step for some in AT_TIMES for step, _ in some))
}
TABLE_SIZE, TABLES_IN_ALL = 128, 256


def _tables() -> list[list[tuple[Step, int]]]:
    rng = Random("tables")
    tables = []
    for _ in range(TABLES_IN_ALL):
        entries = [(step, mask) for step, weight, mask in USUAL for _ in range(weight)]
        for some in rng.sample(AT_TIMES, rng.choice((1, 2, 2, 3, 3, 4, 5))):
            entries += [(step, EVERYTHING) for step, weight in some for _ in range(weight)]
        rng.shuffle(entries)
        tables.append((entries * (TABLE_SIZE // len(entries) + 1))[:TABLE_SIZE])
    return tables


TABLES = _tables()


def tell(seed: int, build: Build = RIGHT) -> tuple[list[Choice], Violation | None]:
    """The story of a seed: what was chosen, and what went wrong."""
    w = World(build)
    told: list[tuple[Step, int]] = []
    bits = Random(seed).getrandbits(32 * STEPS_AT_MOST + 8)
    table, bits = TABLES[bits & TABLES_IN_ALL - 1], bits >> 8
    words = memoryview(bits.to_bytes(4 * STEPS_AT_MOST, "little")).cast("I")
    failed = None
    try:
        for word in words:
            at, r = word & (TABLE_SIZE - 1), word >> 7
            for _ in range(TRIES):
                step, mask = table[at]
                told.append((step, r & mask))
                if step(w, r & mask):
                    break
                told.pop()
                at = at + 1 & TABLE_SIZE - 1
        quiet(w)
    except Violation as violation:
        failed = violation
    return [Choice(step.__name__, r) for step, r in told], failed


def replay(choices: Sequence[Choice], build: Build, *, tells: bool = False) -> tuple[World, Violation | None]:
    """The same choices again; a step that is not possible now is passed over."""
    w = World(build, tells=tells)
    try:
        for name, r in choices:
            STEPS[name](w, r)
        quiet(w)
    except Violation as violation:
        return w, violation
    return w, None


def quiet(w: World) -> None:
    """Faults end, both services are restarted, all comes in, people settle what is parked; then all must hold."""
    w.tell("-- all becomes quiet")
    w.broker.to_lose = 0
    relay.leader_wakes(w, 0)
    for p in broker.PARTITIONS:
        for member in (0, 1):
            hand = w.risk.hands[member][p]
            if hand is not None and (hand.batches or hand.owed) and w.risk.owner[p] != member:
                consumer.consumes(w, p | member << 1)
                w.risk.hands[member][p] = None
    for _ in w.producer.writers:
        for n, writer in enumerate(w.producer.writers):
            if writer is not None:
                producer.writes(w, n)
    producer.producer_dies(w, 0)
    _starts(w, lambda: w.producer.up, producer.producer_starts, producer.producer_reconciles)
    # One more event of each subject: only a follower shows that a record was lost at the broker.
    for subjects in (3, 2):
        producer.writes(w, subjects << 8)
    _starts(w, lambda: w.risk.up, announcing.risk_starts, announcing.risk_reconciles)
    _comes_in(w)
    check_nobody_is_blocked(w)
    for _ in range(ROUNDS_AT_MOST):
        if not _settles(w):
            break
        _comes_in(w)
    producer.check_settled(w)
    check_end(w)
    scoring.check_cut(w, w.risk.db, w.risk.db)


def _starts(w: World, is_up: Callable[[], bool], starts: Step, reconciles: Step) -> None:
    for _ in range(3):
        if is_up():
            return
        starts(w, 0)
        reconciles(w, 0)
    raise Violation("a reconciled service starts", f"{starts.__name__} is refused again and again")


def _comes_in(w: World) -> None:
    """The relay sends all, the consumers take all, due retries are made, dates arrive, classes are announced."""
    for _ in range(ROUNDS_AT_MOST):
        if not relay.relays(w, 0):
            break
    else:
        raise Violation("the relay settles", f"it has not come to rest: {dict(w.producer.db.progress.missing)}")
    w.now += 1000
    for p in broker.PARTITIONS:
        if w.risk.owner[p] is None:
            consumer.assigns(w, p)
        member = w.risk.owner[p] or 0
        for _ in range(ROUNDS_AT_MOST):
            if not consumer.consumes(w, p | member << 1):
                break
        consumer.tends(w, p)
        for _ in range(ROUNDS_AT_MOST):
            if not scoring.ticks(w, p):
                break
    announcing.announces(w, 0)


def _settles(w: World) -> bool:
    """What an operator does about each parked subject: drops forks, retries or drops what failed, heals gaps."""
    settled = False
    for subject in broker.SUBJECTS:
        rows = consumer.open_rows(w.risk.db, subject)
        if not rows:
            continue
        settled, row = True, min(rows, key=lambda row: (row.state is not State.FORKED, row.sequence))
        mark = w.risk.db.marks.get(subject, consumer.NEW).sequence
        if row.state is State.FORKED:
            _dispose(w, subject, row, "drop")
        elif row.state is State.FAILED:
            release(w, 0)
            hopeless = w.events[row.id].fault in (faults.NEVER, faults.HANGS)
            _dispose(w, subject, row, "drop" if hopeless else "retry")
        elif not producer.resends(w, subject, mark + 1, row.sequence - 1):
            _dispose(w, subject, row, "skip")
    return settled
