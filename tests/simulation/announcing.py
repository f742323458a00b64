"""Risk as a producer: class changes on its own topic, and what a restore of its database asks for."""

from typing import TYPE_CHECKING

from libs.common.relay.reconciliation import Said
from tests.simulation.broker import PARTITIONS
from tests.simulation.scoring import Announcement, rescore

if TYPE_CHECKING:
    from tests.simulation.story import World


def announces(w: "World", r: int) -> bool:
    """Risk's own relay; with r odd it is killed before it has noted what it sent."""
    db = w.risk.db
    if not w.risk.up or db.sent == len(db.outbox):
        return False
    for row in db.outbox[db.sent :]:
        if not row.adopted:
            w.broker.announce(row.subject, row.sequence, row.id, row.risk_class)
            if w.history is not None:
                w.tell(f"risk announces E{row.subject} in class {row.risk_class} (sequence {row.sequence})")
    if not r & 1:
        new = db.copy()
        new.sent = len(db.outbox)
        w.risk.db = new
    return True


def risk_is_backed_up(w: "World", r: int) -> bool:
    w.risk.backup = w.risk.db
    w.tell("risk's database is backed up")
    return True


def risk_is_restored(w: "World", r: int) -> bool:
    """The service is stopped; a zombie member elsewhere, with a batch in hand, is not."""
    risk = w.risk
    if risk.backup is risk.db:
        return False
    for p in PARTITIONS:
        if (owner := risk.owner[p]) is not None:
            risk.hands[owner][p] = None
        risk.owner[p] = None
    risk.db, risk.up, risk.refused, risk.cut_begun = risk.backup, False, False, None
    w.tell(f"risk's database is restored from its backup: positions {risk.db.positions}")
    return True


def risk_starts(w: "World", r: int) -> bool:
    risk = w.risk
    if risk.up or risk.refused:
        return False
    foreign = w.build.unknown(_said(w), {row[1:4] for row in risk.db.outbox}, risk.db.counters)
    risk.up, risk.refused = not foreign, bool(foreign)
    w.tell(f"risk {f'refuses to start: {len(foreign)} unknown announcements' if foreign else 'starts'}")
    return True


def _said(w: "World") -> list[Said]:
    return [Said(subject, sequence, id, False) for subject, sequence, id, _ in w.broker.announced]


def risk_reconciles(w: "World", r: int) -> bool:
    """`reconcile` for risk: also lifts announced_class to what was said last, and announces the difference."""
    risk = w.risk
    if not risk.refused:
        return False
    new = risk.db.copy()
    plan = w.build.plan(_said(w), new.outbox, new.counters)
    new.outbox = [row._replace(sequence=plan.renumber.get(row.row, row.sequence)) for row in new.outbox]
    classes = {id: risk_class for _, _, id, risk_class in w.broker.announced}
    for event in plan.adopt:
        row = (w.new_id(), event.subject, event.sequence, event.id)
        new.outbox.append(Announcement(*row, classes[event.id], True))
    new.counters.update(plan.counters)
    if w.build.lifts_announced:
        last = {row.subject: row for row in sorted(new.outbox, key=lambda row: row.sequence)}
        new.announced = {subject: row.risk_class for subject, row in last.items()}
        for subject in last:
            rescore(w, new, subject, new.dates[subject & 1])
    risk.db, risk.refused = new, False
    if w.history is not None:
        w.tell(f"an operator reconciles risk: adopts {len(plan.adopt)}, renumbers {dict(plan.renumber)}")
    return True
