"""Settings by time-ordered validation: learn from what came first, try it on what came next, three times over."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from services.risk.learning import boosted, plain, points
from services.risk.learning.arrays import Floats, Ints, Json, Mask, Say
from services.risk.learning.measures import auc

BLOCKS = ((0.55, 0.70), (0.70, 0.85), (0.85, 1.0))
ONE_BLOCK = ((0.55, 1.0),)
OUTCOMES_AT_LEAST = 5
ROWS_TO_CHOOSE_BY = 60_000
ROWS_FOR_THREADS = 200_000
RATE = 0.08
BAGS, ROWS_TO_BAG = 5, 300_000
SKIPPED = (0.0, 0.25, 0.5)
"""Shares of the oldest rows not learnt from (they still count as history, of which they themselves have none)."""
STRENGTHS = (0.2, 2.0, 20.0)
BLENDS = [(a / 4, b / 4, (4 - a - b) / 4) for a in range(5) for b in range(5 - a)]
"""Shares of the points, the plain regression and the trees in the boosted model's log odds."""
UNEVEN = 0.002
"""AUC that one part alone must gain over an even mix, for parts err apart; a mix in between must gain less."""
MATTERS = 0.0005
"""A more complex setting must gain this much AUC."""


@dataclass(frozen=True, slots=True)
class Data:
    """Features as columns, in the order of the dates."""

    values: list[Floats]
    found: Mask
    day: Ints
    directions: list[int]
    forms: Sequence[str | None]
    levels: Sequence[Floats | None]

    def take(self, at: Ints | slice) -> "Data":
        values = [column[at] for column in self.values]
        return Data(values, self.found[at], self.day[at], self.directions, self.forms, self.levels)


@dataclass(frozen=True, slots=True)
class Fold:
    learn: Ints
    try_on: Ints


@dataclass(frozen=True, slots=True)
class Tried:
    """What a setting gave on rows later than those it had learnt from: log odds, and its AUC over the folds."""

    log_odds: tuple[Floats, ...]
    auc: float


def folds(day: Ints, found: Mask) -> list[Fold]:
    """Blocks of days, none of them split. Those with hardly any outcomes of one kind are left out; if that leaves
    none, all the later rows are one."""
    return _blocks(day, found, BLOCKS) or _blocks(day, found, ONE_BLOCK)


def _blocks(day: Ints, found: Mask, blocks: Sequence[tuple[float, float]]) -> list[Fold]:
    made = []
    for share, end in blocks:
        first, last = day[int(share * len(day))], day[min(int(end * len(day)), len(day) - 1)]
        rows = np.flatnonzero((day >= first) & ((day <= last) if end == 1.0 else (day < last)))
        before = np.flatnonzero(day < first)
        if all(min(found[at].sum(), (~found[at]).sum()) >= OUTCOMES_AT_LEAST for at in (before, rows)):
            made.append(Fold(before, rows))
    return made


def thinned(data: Data, seed: int) -> Data:
    """As many rows as are needed to choose settings, in their order."""
    if len(data.found) <= ROWS_TO_CHOOSE_BY:
        return data
    at = np.random.default_rng(seed).choice(len(data.found), ROWS_TO_CHOOSE_BY, replace=False)
    return data.take(np.sort(at))


def choose_linear(data: Data, over: Sequence[Fold], most: int, say: Say) -> tuple[Json, Tried]:
    """Strength of the penalty, then whether to skip the oldest rows."""
    tried: list[tuple[Json, Tried]] = []
    for skip in SKIPPED:
        parts = [_skipped(data.take(fold.learn), skip) for fold in over]
        bands = [points.banded(part.values, part.found, part.directions, part.forms, part.levels) for part in parts]
        for strength in STRENGTHS if not tried else [_best(tried)[0]["strength"]]:
            told = [
                points.fit_linear(part.values, part.found, cuts, strength=strength, most=most).log_odds(
                    data.take(fold.try_on).values
                )
                for part, cuts, fold in zip(parts, bands, over, strict=True)
            ]
            tried.append(({"skip": skip, "strength": strength}, _judged(data, over, told)))
            say(f"points, {strength:g} strong, oldest {skip:.0%} skipped: AUC {tried[-1][1].auc:.4f} on later rows")
    chosen, outcome = _best(tried)
    say(f"points: {chosen['strength']:g} strong, oldest {chosen['skip']:.0%} skipped, is taken")
    return chosen, outcome


def fit_linear(data: Data, setting: Json, most: int) -> points.Linear:
    part = _skipped(data, setting["skip"])
    bands = points.banded(part.values, part.found, part.directions, part.forms, part.levels)
    return points.fit_linear(part.values, part.found, bands, strength=setting["strength"], most=most)


def _skipped(data: Data, share: float) -> Data:
    """Without the oldest rows, unless hardly any outcome would be left."""
    first = np.searchsorted(data.day, data.day[int(share * len(data.day))])  # no day is split
    part = data.take(slice(int(first), None))
    return part if min(part.found.sum(), (~part.found).sum()) >= OUTCOMES_AT_LEAST else data


def choose_trees(data: Data, over: Sequence[Fold], seed: int, say: Say) -> tuple[Json, Tried]:
    """How deep and how many rounds, then whether to skip the oldest rows."""
    tried: list[tuple[Json, Tried]] = []
    for skip in SKIPPED:
        for setting in tree_settings(len(data.found)):
            if skip and setting.leaves != _best(tried)[0]["leaves"]:
                continue
            stages = [_stages(data, fold, setting, skip, seed) for fold in over]
            by_rounds = [_judged(data, over, [stage[i] for stage in stages]) for i in range(len(stages[0]))]
            best = max(range(len(by_rounds)), key=lambda i: by_rounds[i].auc)
            chosen = {"leaves": setting.leaves, "rate": setting.rate, "rows_of_a_leaf": setting.rows_of_a_leaf,
                      "rounds": (best + 1) * boosted.ROUNDS_STEP, "skip": skip}  # fmt: skip
            tried.append((chosen, by_rounds[best]))
            say(f"trees of {setting.leaves} leaves, {chosen['rounds']} rounds, oldest {skip:.0%} skipped: "
                f"AUC {by_rounds[best].auc:.4f} on later rows")  # fmt: skip
    taken, outcome = _best(tried)
    say(f"trees of {taken['leaves']} leaves, {taken['rounds']} rounds, oldest {taken['skip']:.0%} skipped, are taken")
    return taken, outcome


def tree_settings(count: int) -> list[boosted.Setting]:
    rows = int(np.clip(count // 200, 20, 200))
    return [boosted.Setting(leaves, RATE, rows) for leaves in ((3, 6, 12) if count < 50_000 else (6, 12, 31))]


def fit_trees(data: Data, setting: Json, seed: int) -> list[Json]:
    """Several, each from its own draw of columns, for they err apart; one where rows are many."""
    part = _skipped(data, setting["skip"])
    matrix = np.column_stack(part.values)
    deep = boosted.Setting(setting["leaves"], setting["rate"], setting["rows_of_a_leaf"])
    bags = BAGS if len(part.found) <= ROWS_TO_BAG else 1
    with threadpool_limits(os.cpu_count() if len(part.found) > ROWS_FOR_THREADS else 1):
        return [
            boosted.to_trees(
                boosted.fit_trees(matrix, part.found, part.directions, deep, setting["rounds"], seed + bag)
            )
            for bag in range(bags)
        ]


def try_plain(data: Data, over: Sequence[Fold]) -> Tried:
    """The plain regression has no setting."""
    told = []
    for fold in over:
        learn, rows = data.take(fold.learn), data.take(fold.try_on)
        told.append(plain.score_plain(plain.fit_plain(learn.values, learn.found), rows.values))
    return _judged(data, over, told)


def choose_blend(data: Data, over: Sequence[Fold], parts: Sequence[Tried]) -> tuple[tuple[float, ...], Tried]:
    """What each part weighs: what orders later rows best, of near equals the more even mix."""
    by_fold = list(zip(*(part.log_odds for part in parts), strict=True))
    tried = [(shares, _judged(data, over, [blended(shares, told) for told in by_fold])) for shares in BLENDS]
    return max(tried, key=lambda one: one[1].auc - UNEVEN * 1.5 * sum((share - 1 / 3) ** 2 for share in one[0]))


def blended(shares: Sequence[float], log_odds: Sequence[Floats]) -> Floats:
    return np.asarray(np.sum([share * told for share, told in zip(shares, log_odds, strict=True)], axis=0), np.float64)


def _stages(data: Data, fold: Fold, setting: boosted.Setting, skip: float, seed: int) -> list[Floats]:
    learn, rows = _skipped(data.take(fold.learn), skip), data.take(fold.try_on)
    model = boosted.fit_trees(
        np.column_stack(learn.values), learn.found, learn.directions, setting, boosted.ROUNDS_AT_MOST, seed
    )
    return boosted.staged(model, np.column_stack(rows.values))


def _judged(data: Data, over: Sequence[Fold], log_odds: Sequence[Floats]) -> Tried:
    """Each fold by itself, for levels may drift between them; weighted by its findings."""
    found = [data.found[fold.try_on] for fold in over]
    each = [auc(told, hit) for told, hit in zip(log_odds, found, strict=True)]
    return Tried(tuple(log_odds), float(np.average(each, weights=[hit.sum() for hit in found])))


def _best(tried: Sequence[tuple[Json, Tried]]) -> tuple[Json, Tried]:
    """The first that none beats by more than what matters: settings come simplest first."""
    top = max(outcome.auc for _, outcome in tried)
    return next(one for one in tried if one[1].auc >= top - MATTERS)
