"""What a consumer does with an event that arrives, and with what is parked: every rule once, by name."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.delivery import (
    REMEMBERED_IDS,
    RETRY_SECONDS,
    Decision,
    Mark,
    Parked,
    State,
    Step,
    decide,
    next_step,
    pause_after,
    retry_delay,
)

NOW = 1_000.0
WAITING, FAILED, FORKED, DROPPED, SKIPPED = State.WAITING, State.FAILED, State.FORKED, State.DROPPED, State.SKIPPED


def id_of(sequence: int, other: int = 0) -> UUID:
    """The id of the event at a sequence; `other` makes it a rival's."""
    return UUID(int=sequence * 1000 + other + 1)


def marked(sequence: int) -> Mark:
    """The mark of a subject whose events 1 to `sequence` have been applied."""
    mark = Mark()
    for at in range(1, sequence + 1):
        mark = mark.moved(id_of(at))
    return mark


def parked(sequence: int, state: State = WAITING, *, other: int = 0, retry_at: float = 0.0, decided: str | None = None):
    return Parked(sequence, id_of(sequence, other), state, retry_at, decided)


ARRIVALS = {
    "the first event of a subject is applied": (1, 0, marked(0), [], Decision.APPLY),
    "the next one is applied": (6, 0, marked(5), [], Decision.APPLY),
    "a duplicate is skipped": (5, 0, marked(5), [], Decision.SKIP),
    "an older duplicate is skipped": (2, 0, marked(5), [], Decision.SKIP),
    "the same sequence with another id is a fork": (5, 1, marked(5), [], Decision.FORK),
    "a fork some sequences back is seen": (5, 1, marked(4 + REMEMBERED_IDS), [], Decision.FORK),
    "an id no longer remembered is taken for a duplicate": (5, 1, marked(5 + REMEMBERED_IDS), [], Decision.SKIP),
    "an event after a gap waits": (7, 0, marked(5), [], Decision.WAIT),
    "one that waits already is skipped": (7, 0, marked(5), [parked(7)], Decision.SKIP),
    "a rival of one that waits is a fork": (7, 1, marked(5), [parked(7)], Decision.FORK),
    "a rival of a failed head is a fork": (6, 1, marked(5), [parked(6, FAILED)], Decision.FORK),
    "the failed head itself, sent again, is skipped": (6, 0, marked(5), [parked(6, FAILED)], Decision.SKIP),
    "the follower of a failed head waits": (7, 0, marked(5), [parked(6, FAILED)], Decision.WAIT),
    "the next one behind an open fork waits": (6, 0, marked(5), [parked(3, FORKED, other=1)], Decision.WAIT),
    "a fork sent again is skipped": (3, 1, marked(5), [parked(3, FORKED, other=1)], Decision.SKIP),
    "a dropped event, sent again, is skipped": (6, 0, marked(6), [parked(6, DROPPED)], Decision.SKIP),
    "a dropped fork blocks nobody": (6, 0, marked(5), [parked(3, DROPPED, other=1)], Decision.APPLY),
    "what comes late into a skipped gap is skipped": (6, 0, Mark(7), [parked(6, SKIPPED)], Decision.SKIP),
}


@pytest.mark.parametrize(("sequence", "other", "mark", "rows", "decision"), ARRIVALS.values(), ids=ARRIVALS)
def test_an_event_that_arrives(sequence: int, other: int, mark: Mark, rows: list[Parked], decision: Decision) -> None:
    assert decide(sequence, id_of(sequence, other), mark, rows) is decision


STEPS = {
    "nothing parked, nothing to do": (marked(5), [], None),
    "a waiting head is applied": (marked(5), [parked(6), parked(7)], ("apply", 6)),
    "behind a gap nothing is due": (marked(5), [parked(7)], None),
    "a failed head whose time has come is tried again": (marked(5), [parked(6, FAILED, retry_at=NOW)], ("apply", 6)),
    "a failed head is left alone until then": (marked(5), [parked(6, FAILED, retry_at=NOW + 1), parked(7)], None),
    "a person may have it tried at once": (
        marked(5), [parked(6, FAILED, retry_at=NOW + 300, decided="retry")], ("apply", 6)),
    "a failed head is dropped": (marked(5), [parked(6, FAILED, decided="drop"), parked(7)], ("drop", 6)),
    "a row further back is not dropped before its turn": (marked(5), [parked(7, decided="drop")], None),
    "a gap is skipped": (marked(5), [parked(8, decided="skip")], ("skip", 8)),
    "where there is no gap, nothing is skipped": (
        marked(5), [parked(6, FAILED, retry_at=NOW + 9, decided="skip")], None),
    "a fork holds up its whole subject": (marked(5), [parked(3, FORKED, other=1), parked(6)], None),
    "a fork is not retried": (marked(5), [parked(6, FORKED, other=1, decided="retry")], None),
    "a fork is dropped, wherever it stands": (
        marked(5), [parked(3, FORKED, other=1, decided="drop"), parked(6)], ("drop", 3)),
    "a fork keeps a gap from being skipped": (
        marked(5), [parked(3, FORKED, other=1), parked(8, decided="skip")], None),
    "what is settled is passed over": (marked(6), [parked(6, DROPPED), parked(7)], ("apply", 7)),
}  # fmt: skip


@pytest.mark.parametrize(("mark", "rows", "expected"), STEPS.values(), ids=STEPS)
def test_the_next_step_of_a_parked_subject(mark: Mark, rows: list[Parked], expected: tuple[str, int] | None) -> None:
    step = next_step(mark, rows, NOW)
    assert (step and (step.what, step.row.sequence)) == expected


ARRIVAL_ORDERS = st.integers(1, 24).flatmap(
    lambda count: st.tuples(
        st.permutations(range(1, count + 1)),
        st.lists(st.integers(1, count), max_size=12),
        st.sets(st.integers(1, count)),
    )
)


@given(ARRIVAL_ORDERS)
def test_in_whatever_order_and_however_often_events_arrive_each_is_applied_once_in_order(
    orders: tuple[list[int], list[int], set[int]],
) -> None:
    """The whole of a subject's life around the two decisions; `fail_once` are handlers that fail the first time."""
    once_each, again, fail_once = orders
    mark, rows, applied, failing = Mark(), dict[int, Parked](), list[int](), set(fail_once)

    def succeeds(sequence: int) -> bool:
        if sequence in failing:
            failing.discard(sequence)
            return False
        applied.append(sequence)
        return True

    for sequence in [*once_each, *again]:
        decision = decide(sequence, id_of(sequence), mark, list(rows.values()))
        assert decision is not Decision.FORK
        if decision is Decision.WAIT:
            rows[sequence] = parked(sequence)
        elif decision is Decision.APPLY:
            if succeeds(sequence):
                mark = mark.moved(id_of(sequence))
            else:
                rows[sequence] = parked(sequence, FAILED)
        while (step := next_step(mark, sorted(rows.values(), key=lambda row: row.sequence), NOW)) is not None:
            assert step.what == "apply"
            if not succeeds(step.row.sequence):
                rows[step.row.sequence] = parked(step.row.sequence, FAILED)
                continue
            del rows[step.row.sequence]
            mark = mark.moved(step.row.id)

    assert applied == sorted(once_each)
    assert mark.sequence == len(once_each)
    assert not rows


@given(st.integers(0, 40), st.integers(1, 45))
def test_a_mark_remembers_the_ids_of_its_last_eight_sequences(sequence: int, asked: int) -> None:
    remembered = sequence - REMEMBERED_IDS < asked <= sequence
    assert marked(sequence).id_at(asked) == (id_of(asked) if remembered else None)


def test_retries_come_at_growing_distances_and_never_end() -> None:
    delays = [retry_delay(attempts) for attempts in range(1, 20)]
    assert delays == sorted(delays)
    assert delays[0] == 1
    assert set(delays[len(RETRY_SECONDS) :]) == {300}


def test_a_drop_comes_before_what_it_unblocks() -> None:
    rows = [parked(3, FORKED, other=1, decided="drop"), parked(6, decided="retry")]
    assert next_step(marked(5), rows, NOW) == Step("drop", rows[0])


@pytest.mark.parametrize(
    ("took", "pause"),
    [
        pytest.param(0.01, 0.04, id="quick: the pace is kept"),
        pytest.param(0.04, 0.08, id="slow: twice as long, and the next batch is larger"),
        pytest.param(1.5, 0.2, id="very slow: never longer than that"),
    ],
)
def test_a_busy_machine_pauses_longer(took: float, pause: float) -> None:
    assert pause_after(took, 0.05, 0.2) == pytest.approx(pause)
