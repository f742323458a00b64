"""What must hold: raised where it is cheap to see, and checked at the end of every story."""

from typing import TYPE_CHECKING

from libs.common.delivery import REMEMBERED_IDS, SETTLED, State

if TYPE_CHECKING:
    from tests.simulation.consumer import Database
    from tests.simulation.story import World


class Violation(Exception):
    def __init__(self, rule: str, detail: str) -> None:
        super().__init__(f"{rule}: {detail}")
        self.rule, self.detail = rule, detail


def check_marks(db: "Database", p: int) -> None:
    """A mark is how far a subject came by effects, drops and skips. So it never moves on parking."""
    for subject, mark in db.marks.items():
        if subject & 1 == p and mark.sequence != db.done.get(subject, 0):
            raise Violation(
                "a mark never moves on parking", f"E{subject}: mark {mark.sequence}, done {db.done.get(subject, 0)}"
            )


def check_nobody_is_blocked(w: "World") -> None:
    """All is quiet, and no person has settled anything yet: only subjects with trouble of their own may be behind."""
    db, broker = w.risk.db, w.broker
    for p, log in enumerate(broker.logs):
        if db.positions[p] != len(log):
            raise Violation("partitions move on", f"partition {p} stands at {db.positions[p]} of {len(log)}")
    for subject, top in enumerate(broker.top):
        still = [row for row in db.parked.get(subject, ()) if row.state not in SETTLED]
        if still and subject not in w.troubled:
            raise Violation("nothing is parked without a cause", f"E{subject}/{still[0].sequence} is {still[0].state}")
        if not still and db.done.get(subject, 0) != top:
            raise Violation("no event is lost", f"E{subject} is done to {db.done.get(subject, 0)} of {top}")


def check_end(w: "World") -> None:
    """People have settled what was parked: everything that was said took effect once and in order, or was given up."""
    db, broker = w.risk.db, w.broker
    for subject, top in enumerate(broker.top):
        parked = db.parked.get(subject, ())
        if still := [row for row in parked if row.state not in SETTLED]:
            raise Violation("a parked subject comes home", f"E{subject}/{still[0].sequence} stays {still[0].state}")
        given_up = {(row.sequence, row.id) for row in parked}
        due = [
            id
            for sequence in range(1, top + 1)
            if (id := broker.first.get((subject, sequence))) is not None
            and (sequence, id) not in given_up
            and (sequence, 0) not in given_up
        ]
        if (took := list(db.effects.get(subject, ()))) != due:
            raise Violation("effect exactly once", f"E{subject}: {took} took effect, due were {due}")
    garbage = [(p, at) for p, log in enumerate(broker.logs) for at, event in enumerate(log) if event is None]
    if sorted(db.dead) != garbage:
        raise Violation("unreadable records are kept", f"{sorted(db.dead)}, not {garbage}")
    _check_forks_were_seen(w, db)
    _check_announced(w, db)


def _check_forks_were_seen(w: "World", db: "Database") -> None:
    """A fork is parked for a person, unless the ids of its sequence are forgotten by then."""
    for subject, sequence, id in w.broker.foreign:
        parked = db.parked.get(subject, ())
        forgotten = w.broker.top[subject] - sequence >= REMEMBERED_IDS or any(r.state is State.SKIPPED for r in parked)
        if not forgotten and not any(row.id == id for row in parked):
            raise Violation("a fork is seen", f"E{subject}/{sequence} (event {id}) was passed over in silence")


def _check_announced(w: "World", db: "Database") -> None:
    last: dict[int, tuple[int, int]] = {}
    for subject, sequence, _, risk_class in w.broker.announced:
        last[subject] = max(last.get(subject, (0, 0)), (sequence, risk_class))
    for subject, row in db.rows.items():
        said = last.get(subject, (0, 0))[1]
        if said != row.risk_class:
            raise Violation("the class announced", f"E{subject}: the topic says {said}, the cut {row.risk_class}")
