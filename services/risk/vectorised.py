"""`domain.live_facts` and `domain.assess` for many enterprises at once, on integer columns: equal to them exactly."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from itertools import groupby
from typing import Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.risk.domain import ERASURE, NOTHING, PRODUCED, Fact, RiskClass, Rule, Scorecard, Step

NOT_COMPARABLE = np.iinfo(np.int64).min  # the value None
NO_STEP = np.iinfo(np.int32).max  # next_step_on: never
ERASED, UNRATED = -1, -2  # indicator codes: a tombstone; an indicator that the scorecard does not know
RULES_AT_MOST = 63  # reasons and missing are bits of an int64

Int8s: TypeAlias = NDArray[np.int8]
Int16s: TypeAlias = NDArray[np.int16]
Int32s: TypeAlias = NDArray[np.int32]
Int64s: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]

EPOCH = date(1970, 1, 1).toordinal()


def days(day: date) -> int:
    """Days since 1970-01-01, as every date is held here."""
    return day.toordinal() - EPOCH


@dataclass(frozen=True, slots=True)
class FactColumns:
    """Facts as columns of one length, in any order. `enterprise`: 0 to n - 1. `record` numbers the record ids and
    `owner` the (source, subject) pairs, in any way that is unique within these columns.
    """

    enterprise: Int32s
    indicator: Int16s
    legal_date: Int32s
    value: Int64s
    record: Int64s
    owner: Int64s
    sequence: Int64s

    def take(self, which: Mask | NDArray[np.intp]) -> Self:
        return type(self)(*(getattr(self, column.name)[which] for column in fields(self)))


@dataclass(frozen=True, slots=True)
class Scores:
    """One row per enterprise. `reasons` and `missing`: bit i is the scorecard's rule i (`rule_names`)."""

    score: Int32s
    risk_class: Int8s
    next_step_on: Int32s
    reasons: Int64s
    missing: Int64s


def indicator_codes(scorecard: Scorecard) -> dict[str, int]:
    """Small integers for the scorecard's indicators, by name, and for the tombstone; anything else is UNRATED."""
    names = sorted({rule.indicator for rule in scorecard.rules})
    return {**{name: code for code, name in enumerate(names)}, ERASURE: ERASED}


def rule_names(scorecard: Scorecard, bits: int) -> tuple[str, ...]:
    """The rules whose bits are set: the reason codes of an enterprise."""
    return tuple(rule.name for i, rule in enumerate(scorecard.rules) if bits >> i & 1)


def columns(facts: Iterable[Fact], scorecard: Scorecard, numbers: Mapping[str, int]) -> FactColumns:
    """Facts as columns; `numbers` gives each subject its enterprise number, the same one for every fact of it."""
    codes, records, owners = indicator_codes(scorecard), dict[str, int](), dict[tuple[str, str], int]()
    given = list(set(facts))
    return FactColumns(
        enterprise=np.array([numbers[fact.subject] for fact in given], np.int32),
        indicator=np.array([codes.get(fact.indicator, UNRATED) for fact in given], np.int16),
        legal_date=np.array([fact.legal_date.toordinal() for fact in given], np.int32) - np.int32(EPOCH),
        value=np.array([NOT_COMPARABLE if fact.value is None else fact.value for fact in given], np.int64),
        record=np.array([records.setdefault(fact.record_id, len(records)) for fact in given], np.int64),
        owner=np.array([owners.setdefault((fact.source, fact.subject), len(owners)) for fact in given], np.int64),
        sequence=np.array([fact.sequence for fact in given], np.int64),
    )


def live(facts: FactColumns) -> FactColumns:
    """The facts that hold (`domain.live_facts`): no erased record, and of a record only its greatest sequence."""
    if not facts.record.size:
        return facts
    order = np.lexsort((facts.sequence, facts.owner, facts.record))
    record, owner, sequence = facts.record[order], facts.owner[order], facts.sequence[order]
    tombstone = facts.indicator[order] == ERASED
    starts = np.concatenate(([True], record[1:] != record[:-1]))
    number = np.cumsum(starts) - 1
    erased = np.logical_or.reduceat(tombstone, np.flatnonzero(starts))[number]
    last = np.concatenate(((record[1:] != record[:-1]) | (owner[1:] != owner[:-1]), [True]))
    newest = sequence[last][np.concatenate(([0], np.cumsum(last)[:-1]))]
    return facts.take(order[~erased & (sequence == newest)])


def score(facts: FactColumns, on: Int32s, scorecard: Scorecard) -> Scores:
    """Score live facts (`live`); `on[i]` is the assessment date of enterprise i in days, `len(on)` their number."""
    if len(scorecard.rules) > RULES_AT_MOST:
        raise ValueError(f"{scorecard.name}: more than {RULES_AT_MOST} rules")
    count = len(on)
    total, floor = np.zeros(count, np.int32), np.zeros(count, np.int8)
    next_step_on = np.full(count, NO_STEP, np.int32)
    reasons, missing = np.zeros(count, np.int64), np.zeros(count, np.int64)
    facts = facts.take(np.argsort(facts.indicator, kind="stable"))
    codes = indicator_codes(scorecard)
    for i, rule in enumerate(scorecard.rules):
        first, end = np.searchsorted(facts.indicator, [codes[rule.indicator], codes[rule.indicator] + 1])
        enterprise, value = facts.enterprise[first:end], facts.value[first:end]
        missing |= _is_missing(rule, enterprise, value, count).astype(np.int64) << i
        if first == end:
            continue
        points = np.zeros(count, np.int32)
        for band, steps in groupby(rule.steps, key=lambda step: step.band):
            chosen = np.flatnonzero(_in_band(value, *band))
            mine = enterprise[chosen]
            earned = _earned(tuple(steps), facts.legal_date[first:end][chosen], on[mine])
            np.add.at(points, mine, earned.points)
            np.maximum.at(floor, mine, earned.at_least)
            np.minimum.at(next_step_on, mine, earned.ends_on)
            reasons[mine[earned.counts]] |= 1 << i
        total += np.minimum(points, np.int32(rule.cap))
    starts = np.array([band.from_score for band in scorecard.bands])
    by_score = (np.searchsorted(starts, total, side="right") - 1).astype(np.int8)
    return Scores(total, np.maximum(by_score, floor), next_step_on, reasons, missing)


def add_months(day: Int32s, months: int) -> Int32s:
    """`domain.add_months` on days since 1970-01-01."""
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
