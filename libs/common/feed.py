"""A place in a feed: gap-safe over positions that commit out of order. Pure.

Positions are drawn before they commit, so a reader sees 8 before 7. The place of a reader is therefore the highest
position it was given and the gaps below it that may still be filled; it is all in the cursor, nothing is kept here.
The argument is that of `libs.common.relay.progress`: who holds 7 had a transaction id before it drew 7, so that once a
snapshot's xmin has passed a transaction id assigned after the gap was seen, 7 comes never, or is in that snapshot.
What is said of one subject stays in order: the later one waits for the lock of the earlier and draws its position then.
"""

import base64
import binascii
import json
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

MAX_GAPS = 100
"""A place that would have more stays where it is until some are settled: a cursor is bounded."""

MAX_CURSOR = 8_000
SETTLED = 0
"""Instead of a transaction id: what a gap holds can be seen now, and was not given yet."""

_LARGEST = 2**63 - 1


class NoSuchPlace(ValueError):
    """A cursor that no answer has given."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Positions `first` to `last` were not there; `noticed`: a transaction id assigned after that was seen."""

    first: int
    last: int
    noticed: int


@dataclass(frozen=True, slots=True)
class Place:
    """Everything up to `high` was given, except what may still come into `gaps` (ascending, apart, below `high`)."""

    high: int = 0
    gaps: tuple[Gap, ...] = ()

    def written(self) -> str:
        numbers = [self.high, *(n for gap in self.gaps for n in (gap.first, gap.last - gap.first, gap.noticed))]
        return base64.urlsafe_b64encode(json.dumps(numbers, separators=(",", ":")).encode()).decode().rstrip("=")


def read_place(cursor: str) -> Place:
    """The place that `Place.written` wrote. Raises NoSuchPlace for anything else."""
    try:
        numbers = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
        if not isinstance(numbers, list) or not all(type(n) is int and 0 <= n <= _LARGEST for n in numbers):
            raise NoSuchPlace("not a list of whole numbers")
        high, *rest = numbers
        of_three = zip(rest[::3], rest[1::3], rest[2::3], strict=True)
        gaps = tuple(Gap(first, first + more, noticed) for first, more, noticed in of_three)
    except (binascii.Error, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise NoSuchPlace("not a cursor of this feed") from error
    ends = [0, *(gap.last for gap in gaps)]
    if len(gaps) > MAX_GAPS or any(gap.first <= end for gap, end in zip(gaps, ends[:-1], strict=True)):
        raise NoSuchPlace("gaps that overlap, or too many of them")
    if gaps and gaps[-1].last > high:
        raise NoSuchPlace("a gap beyond what was given")
    return Place(high, gaps)


def follow(
    place: Place, seen: Sequence[int], *, xmin: int, later: int, whole: bool
) -> tuple[list[tuple[int, Place]], Place]:
    """Each position that one snapshot showed, with the reader's place once it has it, and the place after them all.

    `seen`, ascending: the positions inside the gaps and above `high`, all there are if `whole`, otherwise the first.
    `xmin` is the snapshot's; `later` a transaction id assigned after it was taken (read only where there is a new gap).
    Not all of `seen` come back where the gaps would be too many: what is left is read again.
    """
    edge = _LARGEST if whole or not seen else seen[-1]  # beyond it nobody has looked
    place = Place(place.high, tuple(part for gap in place.gaps for part in _settled(gap, seen, edge, xmin)))
    given: list[tuple[int, Place]] = []
    for position in seen:
        gaps = [part for gap in place.gaps for part in _without(gap, position)]
        if position > place.high + 1:
            gaps.append(Gap(place.high + 1, position - 1, later))
        if len(gaps) > MAX_GAPS:
            break
        place = Place(max(place.high, position), tuple(gaps))
        given.append((position, place))
    return given, place


def _settled(gap: Gap, seen: Sequence[int], edge: int, xmin: int) -> list[Gap]:
    """What a snapshot leaves of a gap: all of it while its writer may be at work; otherwise just the part that this
    reader has not been given yet, marked as settled."""
    if xmin <= gap.noticed:
        return [gap]
    first, last = bisect_left(seen, gap.first), bisect_right(seen, gap.last)
    left = [*seen[first:last], *([max(gap.first, edge + 1), gap.last] if gap.last > edge else [])]
    return [Gap(left[0], left[-1], SETTLED)] if left else []


def _without(gap: Gap, position: int) -> list[Gap]:
    if not gap.first <= position <= gap.last:
        return [gap]
    below = [] if gap.noticed == SETTLED else [Gap(gap.first, position - 1, gap.noticed)]
    return [part for part in (*below, Gap(position + 1, gap.last, gap.noticed)) if part.first <= part.last]
