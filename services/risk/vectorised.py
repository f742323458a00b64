"""`domain.assess` for many enterprises at once, on integer columns: equal to it exactly. The facts are packed ones that
hold (`packed.merged`)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from functools import lru_cache
from itertools import groupby
from typing import Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.risk import packed
from services.risk.domain import (
    INDUSTRY,
    NOTHING,
    PRODUCED,
    Band,
    RiskClass,
    Rule,
    Scorecard,
    Sector,
    Step,
)
from services.risk.packed import NOT_COMPARABLE, Facts

NO_STEP = np.iinfo(np.int32).max  # next_step_on: never
RULES_AT_MOST = 63  # reasons and missing are bits of an int64

Int8s: TypeAlias = NDArray[np.int8]
Int16s: TypeAlias = NDArray[np.int16]
Int32s: TypeAlias = NDArray[np.int32]
Int64s: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]

EPOCH = date(1970, 1, 1).toordinal()
TABLED = np.arange(date(1980, 1, 1).toordinal() - EPOCH, date(2060, 1, 1).toordinal() - EPOCH, dtype=np.int32)


def days(day: date) -> int:
    """Days since 1970-01-01, as every date is held here."""
    return day.toordinal() - EPOCH


@dataclass(frozen=True, slots=True)
class FactColumns:
    """Facts that hold, as columns of one length, in any order. `enterprise`: 0 to n - 1; `indicator`: by
    `indicator_codes`."""

    enterprise: Int32s
    indicator: Int16s
    legal_date: Int32s
    value: Int64s

    def take(self, which: NDArray[np.intp]) -> Self:
        return type(self)(*(getattr(self, column.name).take(which) for column in fields(self)))

    def of(self, code: int) -> slice:
        """Where the facts of an indicator lie, once they are sorted by it."""
        first, end = np.searchsorted(self.indicator, np.array([code, code + 1], np.int16))
        return slice(first, end)


@dataclass(frozen=True, slots=True)
class Scores:
    """One row per enterprise. `reasons` and `missing`: bit i is rule i of all (`rule_names`)."""

    score: Int32s
    risk_class: Int8s
    next_step_on: Int32s
    reasons: Int64s
    missing: Int64s


def indicator_codes(scorecard: Scorecard) -> dict[str, int]:
    """Small integers for the scorecard's indicators, by name; no other is read."""
    names = {rule.indicator for rule in scorecard.all_rules} | ({INDUSTRY} if scorecard.sectors else set())
    return {name: code for code, name in enumerate(sorted(names))}


def rule_names(scorecard: Scorecard, bits: int) -> tuple[str, ...]:
    """The rules whose bits are set: the reason codes of an enterprise."""
    return tuple(rule.name for i, rule in enumerate(scorecard.all_rules) if bits >> i & 1)


def columns(facts: Facts, scorecard: Scorecard) -> FactColumns:
    """Packed facts that hold, as the columns that this scorecard reads."""
    codes = indicator_codes(scorecard)
    by_hash = sorted((packed.code(name), number) for name, number in codes.items())
    hashes = np.array([hash for hash, _ in by_hash], np.uint32)
    numbers = np.array([number for _, number in by_hash], np.int16)
    given = facts.packed["indicator"]
    at = np.minimum(np.searchsorted(hashes, given), len(hashes) - 1)
    rated = np.flatnonzero(hashes[at] == given)
    return FactColumns(
        enterprise=facts.enterprise.take(rated),
        indicator=numbers.take(at.take(rated)),
        legal_date=facts.packed["legal_date"].take(rated),
        value=facts.packed["value"].take(rated),
    )


def score(facts: FactColumns, on: Int32s, scorecard: Scorecard) -> Scores:
    """Score live facts (`live`); `on[i]` is the assessment date of enterprise i in days, `len(on)` their number.

    The score is the general one; the class is the highest of the general one and those of the enterprise's sectors.
    """
    if len(scorecard.all_rules) > RULES_AT_MOST:
        raise ValueError(f"{scorecard.name}: more than {RULES_AT_MOST} rules")
    facts = facts.take(np.argsort(facts.indicator, kind="stable"))
    codes = indicator_codes(scorecard)
    scores = _judged(facts, on, codes, scorecard.rules, scorecard.bands, 0)
    first_bit = len(scorecard.rules)
    for sector in scorecard.sectors:
        inside = _covered(facts, sector, codes[INDUSTRY], len(on))
        mine = facts.take(np.flatnonzero(inside.take(facts.enterprise)))
        part = _judged(mine, on, codes, sector.rules, sector.bands, first_bit)
        np.maximum(scores.risk_class, part.risk_class, out=scores.risk_class, where=inside)
        np.minimum(scores.next_step_on, part.next_step_on, out=scores.next_step_on, where=inside)
        np.bitwise_or(scores.reasons, part.reasons, out=scores.reasons, where=inside)
        np.bitwise_or(scores.missing, part.missing, out=scores.missing, where=inside)
        first_bit += len(sector.rules)
    return scores


def _covered(facts: FactColumns, sector: Sector, code: int, count: int) -> Mask:
    """Which enterprises the sector covers. `facts` are sorted by indicator."""
    here = facts.of(code)
    enterprise, value = facts.enterprise[here], facts.value[here]
    inside = np.zeros(count, np.bool_)
    for low, below in sector.industries:
        inside[enterprise[_in_band(value, low, below)]] = True
    return inside


def _judged(
    facts: FactColumns, on: Int32s, codes: Mapping[str, int], rules: Sequence[Rule], bands: Sequence[Band],
    first_bit: int,
) -> Scores:  # fmt: skip
    """What one set of rules and bands makes of facts that are sorted by indicator."""
    count = len(on)
    total, floor = np.zeros(count, np.int32), np.zeros(count, np.int8)
    next_step_on = np.full(count, NO_STEP, np.int32)
    reasons, missing = np.zeros(count, np.int64), np.zeros(count, np.int64)
    for bit, rule in enumerate(rules, first_bit):
        here = facts.of(codes[rule.indicator])
        enterprise, value = facts.enterprise[here], facts.value[here]
        missing |= _is_missing(rule, enterprise, value, count).astype(np.int64) << bit
        if not enterprise.size:
            continue
        points = np.zeros(count, np.int32)
        for band, steps in groupby(rule.steps, key=lambda step: step.band):
            chosen = np.flatnonzero(_in_band(value, *band))
            mine = enterprise[chosen]
            earned = _earned(tuple(steps), facts.legal_date[here][chosen], on[mine])
            np.add.at(points, mine, earned.points)
            np.maximum.at(floor, mine, earned.at_least)
            np.minimum.at(next_step_on, mine, earned.ends_on)
            reasons[mine[earned.counts]] |= 1 << bit
        total += np.minimum(points, np.int32(rule.cap))
    starts = np.array([band.from_score for band in bands])
    by_score = (np.searchsorted(starts, total, side="right") - 1).astype(np.int8)
    return Scores(total, np.maximum(by_score, floor), next_step_on, reasons, missing)


def add_months(day: Int32s, months: int) -> Int32s:
    """`domain.add_months` on days since 1970-01-01."""
    if day.size < len(TABLED) // 100 or not (TABLED[0] <= day.min() and day.max() <= TABLED[-1]):
        return _add_months(day, months)
    moved: Int32s = _tabled(months).take(day - TABLED[0])
    return moved


@lru_cache(maxsize=64)
def _tabled(months: int) -> Int32s:
    """`add_months` of each day that facts have as a rule: many facts fall on few days."""
    return _add_months(TABLED, months)


def _add_months(day: Int32s, months: int) -> Int32s:
    dates = day.astype("datetime64[D]")
    month = dates.astype("datetime64[M]")
    of_month = dates - month.astype("datetime64[D]")
    there = (month + months).astype("datetime64[D]")
    last = (month + (months + 1)).astype("datetime64[D]") - 1
    moved: Int32s = np.minimum(there + of_month, last).astype(np.int64).astype(np.int32)
    return moved


@dataclass(frozen=True, slots=True)
class _Earned:
    """What each fact earns: its points, least class and the day its step ends; `counts`: it is a reason."""

    points: Int32s
    at_least: Int8s
    ends_on: Int32s
    counts: Mask


def _earned(steps: Sequence[Step], legal_date: Int32s, on: Int32s) -> _Earned:
    """The steps of one band, youngest first, applied oldest first so that the youngest that still holds is left."""
    size = len(legal_date)
    earned = _Earned(
        np.zeros(size, np.int32), np.zeros(size, np.int8), np.full(size, NO_STEP, np.int32), np.zeros(size, np.bool_)
    )
    for step in reversed(steps):
        ends_on = np.int32(NO_STEP) if step.within_months is None else add_months(legal_date, step.within_months)
        young = on < ends_on
        np.copyto(earned.points, np.int32(step.points), where=young)
        np.copyto(earned.at_least, np.int8(step.at_least or RiskClass.A), where=young)
        np.copyto(earned.ends_on, ends_on, where=young)
        np.copyto(earned.counts, step.earns != NOTHING, where=young)
    return earned


def _in_band(value: Int64s, low: float, below: float) -> Mask:
    """Bounds stay integers here; NOT_COMPARABLE is the least int64, below every bound a scorecard may have."""
    inside: Mask = value != NOT_COMPARABLE
    if low != float("-inf"):
        inside &= value >= low
    if below != float("inf"):
        inside &= value < below
    return inside


def _is_missing(rule: Rule, enterprise: Int32s, value: Int64s, count: int) -> Mask:
    missing = np.full(count, rule.required or rule.indicator not in PRODUCED)
    missing[enterprise] = False
    missing[enterprise[value == NOT_COMPARABLE]] = True
    return missing
