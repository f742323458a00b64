"""How well a score orders inspections: AUC, Brier, and what would have been found how much earlier.

Every measure takes whole-number weights, so that a bootstrap draw is a vector of them. Equal scores keep the order in
which the inspections were made."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from services.risk.learning.arrays import Floats, Ints, Json, Mask

WINDOW_DAYS, WINDOW_STEP = 60, 30
CONFIDENCE = 0.95


def auc(score: Floats, found: Mask, weight: Floats | Ints | None = None) -> float:
    """The chance that a row with a finding scores higher than one without; equal scores count half."""
    order = np.argsort(score, kind="stable")
    return _auc_of_sorted(score[order], found[order], np.ones(len(order)) if weight is None else weight[order])


def _auc_of_sorted(score: Floats, found: Mask, weight: Floats | Ints) -> float:
    positive, negative = weight * found, weight * ~found
    starts = np.flatnonzero(np.concatenate([[True], np.diff(score) != 0]))
    up, down = np.add.reduceat(positive, starts), np.add.reduceat(negative, starts)
    below = np.cumsum(down) - down
    pairs = up.sum() * down.sum()
    return float((up * (below + down / 2)).sum() / pairs) if pairs else float("nan")


def brier(chance: Floats, found: Mask, weight: Ints | None = None) -> float:
    return float(np.average((chance - found) ** 2, weights=weight))


@dataclass(frozen=True, slots=True)
class Replay:
    """The calendar of the days on which inspections were made, its slots given to the highest scores first."""

    day: Ints
    found: Mask
    calendar: Ints
    order: Ints

    @classmethod
    def of(cls, score: Floats, day: Ints, found: Mask) -> Self:
        calendar = np.argsort(day, kind="stable")
        return cls(day, found, calendar, calendar[np.argsort(-score[calendar], kind="stable")])

    def gained(self, weight: Ints | None = None) -> tuple[float, float]:
        """Days by which findings come earlier, summed, and the number of findings."""
        slots, rows = self._drawn(weight)
        hit = self.found[rows]
        return float((self.day[rows][hit] - self.day[slots][hit]).sum()), float(hit.sum())

    def days_earlier(self, weight: Ints | None = None) -> float:
        gain, findings = self.gained(weight)
        return gain / findings if findings else float("nan")

    def share_first_half(self, weight: Ints | None = None) -> float:
        _, rows = self._drawn(weight)
        hit = self.found[rows]
        return float(hit[: len(hit) // 2].sum() / hit.sum()) if hit.any() else float("nan")

    def _drawn(self, weight: Ints | None) -> tuple[Ints, Ints]:
        if weight is None:
            return self.calendar, self.order
        return np.repeat(self.calendar, weight[self.calendar]), np.repeat(self.order, weight[self.order])


@dataclass(frozen=True, slots=True)
class Windows:
    """The same within windows of 60 days, 30 apart, the last of which ends with the period. What can be gained does
    not grow with the period."""

    starts: Ints
    rows: tuple[Ints, ...]
    replays: tuple[Replay, ...]

    @classmethod
    def of(cls, score: Floats, day: Ints, found: Mask) -> Self:
        first, last = int(day.min()), int(day.max())
        room = max(last - first + 1 - WINDOW_DAYS, 0)
        starts = np.unique(np.round(np.linspace(0, room, 1 + -(-room // WINDOW_STEP))).astype(np.int64)) + first
        rows = tuple(np.flatnonzero((day >= start) & (day < start + WINDOW_DAYS)) for start in starts)
        return cls(starts, rows, tuple(Replay.of(score[at], day[at], found[at]) for at in rows))

    def days_earlier(self, weight: Ints | None = None) -> float:
        each = [r.gained(None if weight is None else weight[at]) for at, r in zip(self.rows, self.replays, strict=True)]
        findings = sum(count for _, count in each)
        return sum(gain for gain, _ in each) / findings if findings else float("nan")

    def share_first_half(self, weight: Ints | None = None) -> float:
        """Averaged over the windows by their findings."""
        each = [
            (r.share_first_half(w), r.gained(w)[1])
            for at, r in zip(self.rows, self.replays, strict=True)
            for w in [None if weight is None else weight[at]]
        ]
        findings = sum(count for _, count in each)
        return sum(share * count for share, count in each if count) / findings if findings else float("nan")


Measure = Callable[[Ints | None], float]


def measures(score: Floats, chance: Floats, day: Ints, found: Mask) -> dict[str, Measure]:
    """Each measure by its name in a report; those of windows begin with "windows."."""
    replay, windows = Replay.of(score, day, found), Windows.of(score, day, found)
    by_score = np.argsort(score, kind="stable")
    sorted_score, sorted_found, ones = score[by_score], found[by_score], np.ones(len(score))
    return {
        "auc": lambda w: _auc_of_sorted(sorted_score, sorted_found, ones if w is None else w[by_score]),
        "brier": lambda w: brier(chance, found, w),
        "share_first_half": replay.share_first_half,
        "days_earlier": replay.days_earlier,
        "windows.share_first_half": windows.share_first_half,
        "windows.days_earlier": windows.days_earlier,
    }


def draws(groups: Ints, times: int, seed: int) -> list[Ints]:
    """Bootstrap weights of the rows: whole groups (all rows of an entity) are drawn with replacement."""
    random = np.random.default_rng(seed)
    count = int(groups.max()) + 1
    return [random.multinomial(count, np.full(count, 1 / count))[groups] for _ in range(times)]


def intervals(found_in_draws: Mapping[str, Sequence[float]]) -> Json:
    """The middle 95 % of each measure over the draws; null where it could not be had."""
    tail = (1 - CONFIDENCE) / 2 * 100
    told: Json = {}
    for name, values in found_in_draws.items():
        known = [value for value in values if np.isfinite(value)]
        told[name] = [float(edge) for edge in np.percentile(known, [tail, 100 - tail])] if known else None
    return told
