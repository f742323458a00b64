"""What was known of an entity before a day: its earlier outcomes, how long ago, in what streaks. Never of the day
itself or later, so that rows of one day do not see each other."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl

from services.risk.learning.arrays import Floats, Ints, Mask

SHIFT = 20  # bits of a day in a key
LEVEL_WEIGHT = 20.0
"""How many average inspections a category's own rate is mixed with."""


@dataclass(frozen=True, slots=True)
class Memory:
    """How an entity's rate is made: mixed with so many average inspections, its own counting half after so long."""

    weight: float = 8.0
    half_life_days: float = 730.0


MEMORIES = [Memory(weight, days) for weight in (3.0, 8.0, 24.0) for days in (365.0, 1460.0)]

FEATURES = {
    "earlier_inspections": 0,
    "earlier_findings": 1,
    "earlier_findings_12m": 1,
    "earlier_findings_36m": 1,
    "earlier_rate": 1,
    "last_found": 1,
    "days_since_last": 0,
    "days_since_finding": -1,
    "days_since_first": 0,
    "clean_streak": -1,
    "finding_streak": 1,
}
"""Each with the direction in which it raises the risk, 0 for none that is certain. `earlier_rate` is the entity's rate
of findings against the average of its day, as its Memory has it."""


@dataclass(frozen=True, slots=True)
class Known:
    """Past outcomes by key and day."""

    key: Ints
    found: Mask
    expiry: dict[int, Ints]
    days: Ints
    found_before: Ints

    @classmethod
    def of(cls, code: Ints, day: Ints, found: Mask, windows: tuple[int, ...] = (12, 36)) -> Self:
        """`code` names the entity, or the level of a category; negative: none. `windows` in months."""
        order = np.lexsort((day, code))
        order = order[code[order] >= 0]
        code, at, hit = code[order], day[order], found[order]
        expiry = {m: code[hit] << SHIFT | add_months(at[hit], m) for m in windows}
        by_day = np.argsort(day, kind="stable")
        return cls(code << SHIFT | at, hit, expiry, day[by_day], np.concatenate([[0], np.cumsum(found[by_day])]))

    def average(self, day: Ints) -> Floats:
        """The share of findings among all before the day; towards a half where there are hardly any."""
        before = np.searchsorted(self.days, day, "left")
        return np.asarray((self.found_before[before] + 1.0) / (before + 2.0), np.float64)


def add_months(day: Ints, months: int) -> Ints:
    """As `domain.add_months` does: the last of the month where the day is not in it."""
    moved = pl.Series(day).cast(pl.Int32).cast(pl.Date).dt.offset_by(f"{months}mo")
    return moved.to_physical().cast(pl.Int64).to_numpy()


def rate_against_average(known: Known, code: Ints, day: Ints, weight: float = LEVEL_WEIGHT) -> Floats:
    """The findings of this code before the day, by those expected of as many average inspections; 1 where unknown."""
    key = np.where(code < 0, 0, code) << SHIFT
    low, at = np.searchsorted(known.key, key, "left"), np.searchsorted(known.key, key | day, "left")
    total = np.concatenate([[0], np.cumsum(known.found)])
    average = known.average(day)
    ratio = ((total[at] - total[low]) + weight * average) / ((at - low + weight) * average)
    return np.where(code < 0, 1.0, ratio)


def count_before(known: Known, code: Ints, day: Ints) -> Ints:
    """How many inspections of each were known before the day."""
    low, at = (np.searchsorted(known.key, key, "left") for key in (code << SHIFT, code << SHIFT | day))
    return at - low


def earlier(known: Known, code: Ints, day: Ints, memory: Memory | None = None) -> dict[str, Floats]:
    """FEATURES of entities on days."""
    start, key = code << SHIFT, code << SHIFT | day
    low, at = np.searchsorted(known.key, start, "left"), np.searchsorted(known.key, key, "left")
    count = at - low
    any_before = count > 0
    total = np.concatenate([[0], np.cumsum(known.found)])
    hits, cleans = known.key[known.found], known.key[~known.found]
    hit_low, hit_at = np.searchsorted(hits, start, "left"), np.searchsorted(hits, key, "left")
    findings = hit_at - hit_low
    last_key = _before(known.key, at)
    last_day_from = np.searchsorted(known.key, last_key, "left")
    last_found = (total[at] - total[last_day_from]) > 0
    last_hit = _before(hits, hit_at)
    clean_at = np.searchsorted(cleans, key, "left")
    last_clean = _before(cleans, clean_at)
    has_clean = clean_at > np.searchsorted(cleans, start, "left")
    clean_streak = np.where(findings > 0, at - np.searchsorted(known.key, last_hit, "right"), count)
    finding_streak = np.where(has_clean, at - np.searchsorted(known.key, last_clean, "right"), count)
    within = {m: findings - (np.searchsorted(e, key, "right") - hit_low) for m, e in known.expiry.items()}
    first_key = known.key[np.minimum(low, len(known.key) - 1)] if len(known.key) else np.zeros_like(key)
    return {
        "earlier_inspections": count.astype(np.float64),
        "earlier_findings": findings.astype(np.float64),
        "earlier_findings_12m": within[12].astype(np.float64),
        "earlier_findings_36m": within[36].astype(np.float64),
        "earlier_rate": entity_rate(known, code, day, memory or Memory()),
        "last_found": np.where(any_before, last_found, np.nan),
        "days_since_last": np.where(any_before, key - last_key, np.nan),
        "days_since_finding": np.where(findings > 0, key - last_hit, np.nan),
        "days_since_first": np.where(any_before, key - first_key, np.nan),
        "clean_streak": np.where(any_before, clean_streak, np.nan),
        "finding_streak": np.where(any_before, finding_streak, np.nan),
    }


def _before(keys: Ints, at: Ints) -> Ints:
    """The key right before each place; nobody asks where there is none."""
    if not len(keys):
        return np.zeros_like(at)
    return keys[np.maximum(at - 1, 0)]


def entity_rate(known: Known, code: Ints, day: Ints, memory: Memory) -> Floats:
    """An entity's findings before the day by those expected, newer ones counting more; 1 where it has no past."""
    low, at = (np.searchsorted(known.key, key, "left") for key in (code << SHIFT, code << SHIFT | day))
    known_day = known.key & ((1 << SHIFT) - 1)
    first = int(known_day.min()) if len(known_day) else 0
    weight = 2.0 ** ((known_day - first) / memory.half_life_days)
    all_of, hits_of = (np.concatenate([[0.0], np.cumsum(w)]) for w in (weight, weight * known.found))
    fade = 2.0 ** (-(day - first) / memory.half_life_days)
    count, hits = (all_of[at] - all_of[low]) * fade, (hits_of[at] - hits_of[low]) * fade
    average = known.average(day)
    # Rounded, for sums over all entities differ in their last digits by who else is in the file.
    rate = (hits + memory.weight * average) / ((count + memory.weight) * average)
    return np.asarray(np.round(rate, 6), np.float64)


def codes(*series: pl.Series) -> list[Ints]:
    """Small numbers for names, the same for the same name in every series; -1 where there is none."""
    joined = pl.concat([one.cast(pl.String).alias("") for one in series])
    numbered = (joined.rank("dense").cast(pl.Int64) - 1).fill_null(-1).to_numpy()
    ends = np.cumsum([len(one) for one in series])[:-1]
    return [np.asarray(part, np.int64) for part in np.split(numbered, ends)]
