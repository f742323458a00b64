"""A reader's place in the feed: nothing is lost and nothing repeated, in whatever order transactions end."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.feed import MAX_GAPS, Gap, NoSuchPlace, Place, follow, read_place


@dataclass
class World:
    """PostgreSQL as far as it matters: transaction ids, a sequence, and what is committed."""

    next_xid: int = 1
    next_position: int = 1
    running: dict[int, list[int]] = field(default_factory=dict)
    committed: list[int] = field(default_factory=list)

    def begin(self) -> None:
        self.running[self.next_xid] = []
        self.next_xid += 1

    def draw(self, xid: int, count: int) -> None:
        self.running[xid] += range(self.next_position, self.next_position + count)
        self.next_position += count

    def end(self, xid: int, commit: bool) -> None:
        positions = self.running.pop(xid)
        if commit:
            self.committed += positions

    def read(self, place: Place, limit: int) -> tuple[list[tuple[int, Place]], Place]:
        xmin = min(self.running, default=self.next_xid)
        open_positions = {p for gap in place.gaps for p in range(gap.first, gap.last + 1)}
        seen = sorted(p for p in self.committed if p > place.high or p in open_positions)[:limit]
        later, self.next_xid = self.next_xid, self.next_xid + 1
        return follow(place, seen, xmin=xmin, later=later, whole=len(seen) < limit)


def step(world: World, dice: random.Random) -> None:
    what = dice.random()
    if what < 0.3 or not world.running:
        world.begin()
    elif what < 0.65:
        world.draw(dice.choice(list(world.running)), dice.randint(1, 4))
    else:
        world.end(dice.choice(list(world.running)), commit=dice.random() < 0.7)


@given(st.integers(), st.integers(1, 9))
def test_each_committed_position_is_given_once_whoever_reconnects_wherever(seed: int, limit: int) -> None:
    dice, world, place, got = random.Random(seed), World(), Place(), []
    for _ in range(120):
        step(world, dice)
        if dice.random() < 0.4:
            given_now, end = world.read(place, limit)
            keep = dice.randint(0, len(given_now))  # the connection may break after any of them
            got += [position for position, _ in given_now[:keep]]
            place = end if keep == len(given_now) else given_now[keep - 1][1] if keep else place
            place = read_place(place.written())
            assert len(place.gaps) <= MAX_GAPS
    for xid in list(world.running):
        world.end(xid, commit=True)
    for _ in range(len(world.committed) + 2):
        given_now, place = world.read(place, limit)
        got += [position for position, _ in given_now]
    assert sorted(got) == sorted(world.committed)
    assert len(set(got)) == len(got)


def test_a_reader_of_highest_positions_alone_would_lose_what_commits_late() -> None:
    """What the gaps are for: the same story, with and without them."""
    world, place = World(), Place()
    world.begin()
    world.begin()
    world.draw(1, 1)
    world.draw(2, 1)
    world.end(2, commit=True)
    first, place = world.read(place, 10)
    assert [position for position, _ in first] == [2]
    world.end(1, commit=True)
    assert [position for position, _ in world.read(Place(high=place.high), 10)[0]] == []
    assert [position for position, _ in world.read(place, 10)[0]] == [1]


def test_more_gaps_than_a_cursor_holds_make_the_reader_wait() -> None:
    world, place = World(), Place()
    world.begin()
    world.begin()
    for _ in range(2 * MAX_GAPS):
        world.draw(1, 1)
        world.draw(2, 1)
    world.end(2, commit=True)
    first, place = world.read(place, 1_000)
    assert len(first) == len(place.gaps) == MAX_GAPS
    assert world.read(place, 1_000)[0] == []
    world.end(1, commit=True)
    got = [position for position, _ in first]
    while some := world.read(place, 7)[0]:
        got += [position for position, _ in some]
        place = some[-1][1]
    assert sorted(got) == list(range(1, 4 * MAX_GAPS + 1))


@pytest.mark.parametrize("cursor", ["", "x", "%00", "W10", "WyJhIl0", "bm9uZQ", "Wy0xXQ", "WzEsMiwzXQ", "WzEsMiwzLDRd"])
def test_a_cursor_that_no_answer_gave_is_refused(cursor: str) -> None:
    with pytest.raises(NoSuchPlace):
        read_place(cursor)


def test_a_cursor_is_short_and_read_back_as_it_was() -> None:
    place = Place(10**12, tuple(Gap(10**11 + n, 10**11 + n, 10**9) for n in range(0, 2 * MAX_GAPS, 2)))
    assert read_place(place.written()) == place
    assert len(place.written()) < 8_000
