"""The right build of the protocol, and builds that are wrong in one place. Each wrong one must be caught."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from libs.common.delivery import SETTLED, Decision, Mark, Parked, State, Step, decide, next_step
from libs.common.relay.progress import UNACKNOWLEDGED, Progress, advanced
from libs.common.relay.reconciliation import Plan, Said, plan, unknown


@dataclass(frozen=True, slots=True)
class Build:
    """What the machines run. `broken` says what is wrong, `caught_by` names the invariant that must fail."""

    name: str
    broken: str = ""
    caught_by: str = ""
    decide: Callable[..., Decision] = decide
    next_step: Callable[..., Step | None] = next_step
    advanced: Callable[..., Progress] = advanced
    unknown: Callable[..., list[Any]] = unknown
    plan: Callable[..., Any] = plan
    ids_before_counters: bool = False
    cursor_by_xid: bool = False
    bound_is_xmax: bool = False
    missing_under_limit: bool = False
    effect_apart: bool = False
    position_first: bool = False
    compares_position: bool = True
    trusts_kafka_offset: bool = False
    mark_moves_on_parking: bool = False
    lifts_announced: bool = True
    derives_announcements: bool = False
    cut_in_steps: bool = False
    cut_while_moving: bool = False


def _always_apply(sequence: int, id: int, mark: Mark, parked: Sequence[Parked]) -> Decision:
    return Decision.APPLY


def _fork_ignored(sequence: int, id: int, mark: Mark, parked: Sequence[Parked]) -> Decision:
    decision = decide(sequence, id, mark, parked)
    return Decision.SKIP if decision is Decision.FORK else decision


def _settled_forgotten(sequence: int, id: int, mark: Mark, parked: Sequence[Parked]) -> Decision:
    return decide(sequence, id, mark, [row for row in parked if row.state not in SETTLED])


def _drain_by_arrival(mark: Mark, parked: Sequence[Parked], now: float) -> Step | None:
    """When the next one in order is there, the one that arrived first is taken."""
    step = next_step(mark, parked, now)
    if step is None or step.what != "apply":
        return step
    return Step("apply", next(row for row in parked if row.state in (State.WAITING, State.FAILED)))


def _high_only(
    progress: Progress, seen: Sequence[int], unacknowledged: Iterable[int], xmin: int, later: int
) -> Progress:
    high = max(progress.high, seen[-1]) if seen else progress.high
    return Progress(high, dict.fromkeys(unacknowledged, UNACKNOWLEDGED))


def _unacknowledged_forgotten(
    progress: Progress, seen: Sequence[int], unacknowledged: Iterable[int], xmin: int, later: int
) -> Progress:
    return advanced(progress, seen, (), xmin, later)


def _unacknowledged_for_ever(
    progress: Progress, seen: Sequence[int], unacknowledged: Iterable[int], xmin: int, later: int
) -> Progress:
    unread = set(progress.unacknowledged).difference(seen)
    return advanced(progress, seen, unread.union(unacknowledged), xmin, later)


def _knows_everything(said: Any, rows: Any, counters: Any) -> list[Any]:
    return []


def _forks_are_unknown(said: Sequence[Said], rows: Any, counters: Mapping[Any, int]) -> list[Said]:
    return [one for event in said for one in unknown([event], rows, counters)]


def _lost_rows_renumbered(said: Sequence[Said], rows: Sequence[Any], counters: Mapping[Any, int]) -> Plan:
    """Whatever the topic lacks goes behind what it has, also what it lacks in the middle."""
    right = plan(said, rows, counters)
    told = {event.id for event in said}
    highest = dict(right.counters)
    renumber = dict(right.renumber)
    for row in rows:
        top = max((event.sequence for event in said if event.subject == row.subject), default=0)
        if row.id not in told and row.sequence < top and row.row not in renumber:
            highest[row.subject] = renumber[row.row] = max(highest.get(row.subject, 0), top) + 1
    return Plan(right.adopt, renumber, highest, right.forks)


RIGHT = Build("right")

WRONG = {
    build.name: build
    for build in (
        replace(RIGHT, name="effect-before-position", broken="the effect commits apart from position and marks",
                caught_by="effect exactly once", effect_apart=True),
        replace(RIGHT, name="position-before-effect", broken="position and marks commit before the effect",
                caught_by="order without gaps", position_first=True),
        replace(RIGHT, name="no-marks", broken="every delivered event is applied",
                caught_by="effect exactly once", decide=_always_apply),
        replace(RIGHT, name="fork-ignored", broken="a second event under a known sequence is skipped silently",
                caught_by="a fork is seen", decide=_fork_ignored),
        replace(RIGHT, name="settled-forgotten", broken="a dropped fork that is sent again is a new fork",
                caught_by="a parked key is unique", decide=_settled_forgotten),
        replace(RIGHT, name="parking-in-arrival-order", broken="parked events are drained as they arrived",
                caught_by="order without gaps", next_step=_drain_by_arrival),
        replace(RIGHT, name="mark-moves-on-parking", broken="parking an event moves the mark",
                caught_by="a mark never moves on parking", mark_moves_on_parking=True),
        replace(RIGHT, name="plain-id-cursor", broken="the relay reads what is above the greatest id it has seen",
                caught_by="order on the topic", advanced=_high_only),
        replace(RIGHT, name="xid-cursor", broken="the relay reads by (xid, id) below xmin",
                caught_by="order on the topic", cursor_by_xid=True),
        replace(RIGHT, name="xmax-bound", broken="a missing id expires at the snapshot's own xmax",
                caught_by="order on the topic", bound_is_xmax=True),
        replace(RIGHT, name="missing-under-limit", broken="the read limit also cuts off missing ids",
                caught_by="order on the topic", missing_under_limit=True),
        replace(RIGHT, name="unacknowledged-forgotten", broken="what Kafka did not acknowledge is not sent again",
                caught_by="order on the topic", advanced=_unacknowledged_forgotten),
        replace(RIGHT, name="unacknowledged-for-ever", broken="an unacknowledged id stays when its row has another id",
                caught_by="the relay settles", advanced=_unacknowledged_for_ever),
        replace(RIGHT, name="ids-before-counters", broken="row ids are drawn before the counters are locked",
                caught_by="order on the topic", ids_before_counters=True),
        replace(RIGHT, name="kafka-offset-trusted", broken="an assigned partition is read from Kafka's offset",
                caught_by="nothing is parked without a cause", trusts_kafka_offset=True, compares_position=False),
        replace(RIGHT, name="start-check-skipped", broken="services start on a restored database",
                caught_by="a sequence is said once", unknown=_knows_everything),
        replace(RIGHT, name="forks-refuse-the-start", broken="a fork on the topic counts as proof of a restore",
                caught_by="a reconciled service starts", unknown=_forks_are_unknown),
        replace(RIGHT, name="lost-rows-renumbered", broken="reconciling renumbers what the broker has lost",
                caught_by="order without gaps", plan=_lost_rows_renumbered),
        replace(RIGHT, name="position-not-compared", broken="a batch does not demand to begin at the position",
                caught_by="equality at a cut", compares_position=False),
        replace(RIGHT, name="announced-not-lifted", broken="reconciling leaves announced_class as restored",
                caught_by="the class announced", lifts_announced=False),
        replace(RIGHT, name="announcements-derived", broken="an announcement's id derives from its cause",
                caught_by="the class announced", derives_announcements=True),
        replace(RIGHT, name="cut-while-the-date-moves", broken="a cut is read while an assessment date moves",
                caught_by="equality at a cut", cut_while_moving=True),
        replace(RIGHT, name="cut-in-steps", broken="positions and rows of a cut are read in two snapshots",
                caught_by="equality at a cut", cut_in_steps=True),
    )
}  # fmt: skip
BUILDS = {RIGHT.name: RIGHT} | WRONG
