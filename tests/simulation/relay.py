"""The relay: it reads the outbox, sends, and writes its progress; one leads, a deposed one may still hold a batch."""

from typing import TYPE_CHECKING

from libs.common.relay.progress import Progress
from tests.simulation.broker import PARTITIONS, Event

if TYPE_CHECKING:
    from tests.simulation.producer import OutboxRow
    from tests.simulation.story import World

READS_AT_MOST = (9, 1, 2, 3)


class Relay:
    """A relay process with at most one read batch in hand."""

    __slots__ = ("bound", "failed", "progress", "rows", "sent", "xmin")

    def __init__(self) -> None:
        self.rows: list[OutboxRow] | None = None
        self.failed: list[int] = []
        self.sent = False
        self.progress = Progress()
        self.xmin = self.bound = 0


def relays(w: "World", r: int) -> bool:
    """The leader reads, sends and writes its progress; r = 0 does all three without trouble."""
    p = w.producer
    if not p.up:
        return False
    relay = p.leader or Relay()
    if relay.rows is None:
        if not _reads(w, relay, READS_AT_MOST[(r >> 8) & 3]):
            return False
        p.leader = relay
        if r & 1:
            return True
    if not relay.sent:
        _sends(w, relay, (r >> 2) & 7, (r >> 5) & 7)
        if r & 2:
            return True
    _writes_progress(w, relay)
    return True


def _reads(w: "World", relay: Relay, limit: int) -> bool:
    p = w.producer
    db = p.db
    relay.progress = progress = db.progress
    xmax = p.completed + 1
    relay.xmin = xmin = min(p.running | {xmax})
    if w.build.cursor_by_xid:
        rows = sorted((r for r in db.rows.values() if (r.xid, r.row) > db.cursor and r.xid < xmin), key=_by_xid)[:limit]
    else:
        high, missing = progress.high, progress.missing
        if high == p.next_row - 1 and not missing:
            return False
        rows = [db.rows[row] for row in sorted(missing) if row in db.rows]
        new = [db.rows[row] for row in range(high + 1, p.next_row) if row in db.rows]
        rows = (rows + new)[:limit] if w.build.missing_under_limit else rows + new[:limit]
    if not rows and not progress.missing:
        return False
    if w.build.bound_is_xmax:
        later = xmax
    else:
        later = p.begin()
        p.end(later)
    relay.bound = later
    relay.rows, relay.sent, relay.failed = rows, False, []
    if w.history is not None:
        w.tell(
            f"the relay reads row(s) {', '.join(f'{r.row} (E{r.subject}/{r.sequence})' for r in rows) or 'none'}"
            f" above {progress.high}, missing {dict(progress.missing)}; xmin {xmin}, bound {later}"
        )
    return True


def _by_xid(row: "OutboxRow") -> tuple[int, int]:
    return row.xid, row.row


def _sends(w: "World", relay: Relay, *outcomes: int) -> None:
    """One batch in flight per partition. Outcome 5: it never arrives; 6: no acknowledgement does; 7: half arrives."""
    assert relay.rows is not None
    relay.sent = True
    for partition in PARTITIONS:
        rows = [row for row in relay.rows if row.subject & 1 == partition and not row.adopted]
        if not rows:
            continue
        outcome = outcomes[partition]
        arrive = 0 if outcome == 5 else len(rows) // 2 if outcome == 7 else len(rows)
        acknowledged = 0 if outcome == 6 else arrive
        if w.history is not None:
            w.tell(
                f"  to partition {partition}: {', '.join(f'E{row.subject}/{row.sequence}' for row in rows)}"
                + (f"; {arrive} arrive, {acknowledged} acknowledged" if outcome >= 5 else "")
            )
        for row in rows[:arrive]:
            w.broker.append(w, Event(row.subject, row.sequence, row.id))
        relay.failed += [row.row for row in rows[acknowledged:]]


def _writes_progress(w: "World", relay: Relay) -> None:
    p = w.producer
    assert relay.rows is not None
    rows, relay.rows = relay.rows, None
    if relay is not p.leader:
        w.tell("  a deposed leader cannot write its progress")
        return
    new = p.db.copy()
    if w.build.cursor_by_xid:
        if rows and not relay.failed:
            new.cursor = _by_xid(rows[-1])
    else:
        seen = [row.row for row in rows]
        new.progress = w.build.advanced(relay.progress, seen, relay.failed, relay.xmin, relay.bound)
    p.db = new
    if w.history is not None:
        w.tell(f"  progress: high {new.progress.high}, missing {dict(new.progress.missing)}")


def leader_freezes(w: "World", r: int) -> bool:
    p = w.producer
    if p.leader is None or p.leader.rows is None or p.frozen is not None:
        return False
    p.frozen, p.leader = p.leader, None
    w.tell("the leading relay freezes with its batch; its session ends and another leads")
    return True


def leader_wakes(w: "World", r: int) -> bool:
    p = w.producer
    relay, p.frozen = p.frozen, None
    if relay is None:
        return False
    w.tell("the deposed relay wakes")
    if not relay.sent:
        _sends(w, relay, 0, 0)
    _writes_progress(w, relay)
    return True
