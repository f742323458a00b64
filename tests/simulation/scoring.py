"""Risk in small: facts by the real fold, a score that steps down with age, the ticker, and the reader of a cut."""

from typing import TYPE_CHECKING, NamedTuple

from services.risk.domain.facts import ERASURE, Fact, live_facts
from tests.simulation.broker import PARTITIONS, SUBJECTS
from tests.simulation.invariants import Violation

if TYPE_CHECKING:
    from tests.simulation.consumer import Database
    from tests.simulation.story import Said, World

RECORDS = 3  # per subject
FRESH_DAYS = 2  # a fact counts in full for so long, then half
NEVER = 1 << 30


class Row(NamedTuple):
    """What risk serves of one subject, and the day on which age alone changes it."""

    risk_class: int
    next_step_on: int

    def __str__(self) -> str:
        step = "no step to come" if self.next_step_on == NEVER else f"a step on day {self.next_step_on}"
        return f"class {self.risk_class}, {step}"


class Announcement(NamedTuple):
    """A row of risk's own outbox: a class change."""

    row: int
    subject: int
    sequence: int
    id: int
    risk_class: int
    adopted: bool


UNKNOWN = Row(0, NEVER)


def adds_fact(db: "Database", said: "Said", subject: int, sequence: int, id: int) -> int:
    """Add what an event states; the subject whose state it concerns (an erasure may come from anyone)."""
    owner = said.record // RECORDS
    indicator = ERASURE if said.erases else "points"
    fact = Fact("producer", subject, sequence, 0, indicator, said.day, said.points, said.record, id)  # type: ignore[arg-type]
    db.facts[owner] = (*db.facts.get(owner, ()), fact)
    return owner


def assessed(facts: list[tuple[int, int]], date: int) -> Row:
    """(day, points) of the facts that hold, judged on a date."""
    score, next_step_on = 0, NEVER
    for day, points in facts:
        older_on = day + FRESH_DAYS
        if date < older_on:
            score += points
            next_step_on = min(next_step_on, older_on)
        else:
            score += points >> 1
    return Row(score // 3, next_step_on)


def rescore(w: "World", db: "Database", subject: int, date: int) -> None:
    """Write the row as of `date`, and announce the class if it is another than was announced last.

    The announcement has an id of its own: derived from its cause, it would be taken for the one that was said for the
    same cause before a restore, in another state.
    """
    facts = live_facts(db.facts.get(subject, ()))
    db.rows[subject] = row = assessed([(fact.legal_date, fact.value) for fact in facts], date)  # type: ignore[misc]
    if row.risk_class != db.announced.get(subject, 0):
        db.announced[subject] = row.risk_class
        id = w.derived_id(subject, date, db.facts.get(subject)) if w.build.derives_announcements else w.new_id()
        if w.build.derives_announcements and any(said.id == id for said in db.outbox):
            return
        db.counters[subject] = sequence = db.counters.get(subject, 0) + 1
        db.outbox.append(Announcement(w.new_id(), subject, sequence, id, row.risk_class, False))
        if w.history is not None:
            w.tell(f"    E{subject} is now in class {row.risk_class} as of day {date}")


def ticks(w: "World", r: int) -> bool:
    """The ticker moves a partition's assessment date by a day: marks it moving, scores what is due, writes the date."""
    risk, p = w.risk, r & 1
    if not risk.up:
        return False
    if not risk.db.moving[p]:
        if risk.db.dates[p] >= w.today:
            return False
        new = risk.db.copy()
        new.moving[p] = True
        risk.db = new
        w.tell(f"the ticker begins to move partition {p} to day {new.dates[p] + 1}")
        if r & 2:
            return True
    tomorrow = risk.db.dates[p] + 1
    for subject in SUBJECTS[p::2]:
        if risk.db.rows.get(subject, UNKNOWN).next_step_on <= tomorrow:
            new = risk.db.copy()
            w.tell(f"  the ticker scores E{subject} again")
            rescore(w, new, subject, tomorrow)
            risk.db = new
            if r & 4:
                return True
    new = risk.db.copy()
    new.dates[p], new.moving[p] = tomorrow, False
    risk.db = new
    w.tell(f"the ticker has moved partition {p} to day {tomorrow}")
    return True


def cuts(w: "World", r: int) -> bool:
    """Somebody reads a cut and compares it with a replay of the topic."""
    risk = w.risk
    if w.build.cut_in_steps and risk.cut_begun is None and not any(risk.db.moving):
        risk.cut_begun = risk.db
        w.tell("a reader of a cut reads positions, dates and parked keys")
        return True
    keys = risk.cut_begun or risk.db
    if any(keys.moving) and not w.build.cut_while_moving:
        return False
    risk.cut_begun = None
    w.tell(f"a cut is read at positions {keys.positions}, days {keys.dates}")
    check_cut(w, keys, risk.db)
    return True


def check_cut(w: "World", keys: "Database", shown: "Database") -> None:
    """Rows and announced classes equal a replay of the topic below the positions, without parked and settled keys.

    The replay has its own small fold, so that the real one is checked too. The first event under a sequence counts.
    """
    left_out = {(subject, row.sequence, row.id) for subject, rows in keys.parked.items() for row in rows}
    first, events = w.broker.first, w.events
    newest: dict[int, tuple[int, int, int]] = {}
    erased: set[int] = set()
    for p in PARTITIONS:
        for event in w.broker.logs[p][: keys.positions[p]]:
            if event is None or first[event[:2]] != event.id:
                continue
            subject, sequence, id = event
            if left_out and (event in left_out or (subject, sequence, 0) in left_out):
                continue
            said = events[id]
            if said.erases:
                erased.add(said.record)
            elif said.record not in newest or newest[said.record][0] < sequence:
                newest[said.record] = (sequence, said.day, said.points)
    for subject in SUBJECTS:
        records = range(subject * RECORDS, (subject + 1) * RECORDS)
        facts = [newest[record][1:] for record in records if record in newest and record not in erased]
        row, expected = shown.rows.get(subject, UNKNOWN), assessed(facts, keys.dates[subject & 1])
        if row != expected:
            raise Violation("equality at a cut", f"E{subject} shows {row}, a replay gives {expected}")
        if (announced := shown.announced.get(subject, 0)) != row.risk_class:
            raise Violation("the class announced", f"E{subject}: {announced}, not {row.risk_class}")
