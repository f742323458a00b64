"""Bands of a number: where to cut, and how much each band speaks for a finding. Monotone where that is declared."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.special import expit
from sklearn.isotonic import IsotonicRegression
from sklearn.tree import DecisionTreeClassifier

from services.risk.learning.arrays import Floats, Ints, Mask

BANDS_AT_MOST = 6
ROWS_AT_LEAST, SHARE_AT_LEAST = 40, 0.02
ROWS_TO_CUT_BY = 200_000
CAPS = (1, 2, 3, 5)
TRACE = 0.01
EVENLY = (0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95)
CHANCE = 8.0  # a cut parts the rates by a chi-squared of at least this
SMOOTHING = 10.0  # average rows that each band is mixed with


@dataclass(frozen=True, slots=True)
class Bands:
    """`cuts`: a band is from one cut (included) to the next. `weights`: log odds against the average, band by band, the
    last for missing values."""

    cuts: Floats
    weights: Floats

    def place(self, values: Floats) -> Ints:
        """The band of each value; the last for missing ones."""
        place = np.searchsorted(self.cuts, values, side="right")
        return np.where(np.isnan(values), len(self.cuts) + 1, place)

    @property
    def labels(self) -> list[str]:
        """What each band is called."""
        if not len(self.cuts):
            return ["any", "missing"]
        named = [f"{cut:,.10g}" for cut in self.cuts]
        between = [f"from {low} to below {high}" for low, high in pairwise(named)]
        return [f"below {named[0]}", *between, f"from {named[-1]}", "missing"]

    def of(self, values: Floats) -> Floats:
        return np.asarray(self.weights[self.place(values)], np.float64)


def cut(values: Floats, found: Mask, direction: int, *, form: str | None = None, levels: Floats | None = None) -> Bands:
    """Bands, by a small tree that cuts where the rate of findings changes most, or even ones.

    `form`: as a rule of the live service can say it, so at whole numbers, with nothing for what is missing (live.Form).
    `levels`: the values that a category has for its levels; a cut lies between two of them, so that no band is empty.
    """
    if form == "count":
        return counted(values, found)
    known = ~np.isnan(values)
    cuts = _cuts(values[known], found[known], direction, form is not None) if known.any() else np.zeros(0)
    cuts = cuts if levels is None else _between(cuts, levels)
    blank = Bands(cuts, np.zeros(len(cuts) + 2))
    free = Bands(cuts, weights(blank.place(values), found, len(cuts) + 2, direction))
    line = even(values, found, direction, form is not None, levels)
    # A cut that was searched for costs more freedom than the one slope of a line.
    cost = np.log(len(found)) * len(free.cuts) - 1
    chosen = free if _gained(free, values, found) - _gained(line, values, found) > cost else line
    if form is not None:
        chosen.weights[-1] = chosen.weights[:-1].min()
    return chosen


def even(values: Floats, found: Mask, direction: int, whole: bool, levels: Floats | None = None) -> Bands:
    """Bands of like size whose weights lie on a line: where signs are weak, a line errs less than free weights."""
    known = ~np.isnan(values)
    given = values[known]
    if len(given) < 2 * ROWS_AT_LEAST or found[known].all() or not found[known].any():
        return Bands(np.zeros(0), np.zeros(2))
    at = np.unique(np.quantile(given, EVENLY))
    cuts = _rounded(at[(at > given.min()) & (at <= given.max())], whole)
    cuts = cuts if levels is None else _between(cuts, levels)
    place = np.searchsorted(cuts, given, side="right")
    rows = np.bincount(place, minlength=len(cuts) + 1)
    inner = np.clip(given, *np.quantile(given, [0.02, 0.98]))
    middle = np.bincount(place, inner, minlength=len(cuts) + 1) / np.maximum(rows, 1)
    spread = middle[place].std()
    if spread < 1e-12:
        return Bands(np.zeros(0), np.zeros(2))
    middle = (middle - middle[place].mean()) / spread
    _, slope = _line(middle, rows, np.bincount(place, found[known], minlength=len(cuts) + 1))
    if slope * direction < 0:
        slope = 0.0
    missing = weights((~known).astype(np.int64), found, 2, 0)[1]
    return Bands(cuts, np.array([*(slope * middle), missing]))


def _gained(bands: Bands, values: Floats, found: Mask) -> float:
    """Log likelihood."""
    average = found.mean()
    logits = np.log(average / (1 - average)) + bands.weights
    place = bands.place(values)
    rows, hits = (np.bincount(place, by, minlength=len(logits)) for by in (None, found))
    return float((hits * logits - rows * np.logaddexp(0, logits)).sum())


def counted(values: Floats, found: Mask) -> Bands:
    """So much for each, up to a cap. Nothing where fewer is worse."""
    count = np.nan_to_num(values, nan=0.0)
    best = Bands(np.zeros(0), np.zeros(2))
    most, average = _gained(best, count, found), np.log(found.mean() / (1 - found.mean()))
    for cap in CAPS:
        capped = np.minimum(np.floor(count), cap).astype(np.int64)
        if not (capped >= cap).any() or (capped == capped[0]).all():
            continue
        steps = np.arange(cap + 1.0)
        rows, hits = np.bincount(capped, minlength=cap + 1), np.bincount(capped, found, minlength=cap + 1)
        base, each = _line(steps, rows, hits)
        told = Bands(steps[1:], np.array([*(base + each * steps - average), 0.0]))
        if each > 0 and (gained := _gained(told, np.floor(count), found)) > most:
            best, most = Bands(steps[1:], np.array([*(each * steps), 0.0])), gained
    return best


def _line(at: Floats, rows: Ints, hits: Floats | Ints) -> tuple[float, float]:
    """Base and slope of a logistic regression on these few places; a trace of a penalty keeps it finite."""
    design = np.column_stack([np.ones(len(at)), at])
    average = hits.sum() / rows.sum()
    told = np.array([np.log(average / (1 - average)), 0.0])
    for _ in range(25):
        chance = expit(design @ told)
        pull = design.T @ (hits - rows * chance) - np.array([0.0, TRACE * told[1]])
        bend = (design * (rows * chance * (1 - chance))[:, None]).T @ design + np.diag([1e-9, TRACE])
        told = told + np.clip(np.linalg.solve(bend, pull), -2, 2)
    return float(told[0]), float(told[1])


def weights(place: Ints, found: Mask, count: int, direction: int) -> Floats:
    """Log odds of each band against the average, drawn towards it where rows are few."""
    rows = np.bincount(place, minlength=count)
    hits = np.bincount(place, found, minlength=count)
    average = found.mean()
    odds = np.log((hits + SMOOTHING * average) / (rows - hits + SMOOTHING * (1 - average)))
    told = odds - np.log(average / (1 - average))
    if direction and count > 2:
        place, known = np.arange(count - 1), np.maximum(rows[:-1], 1e-9)
        smooth = IsotonicRegression(increasing=direction > 0).fit(place, told[:-1], known)
        told[:-1] = smooth.predict(place)
    return np.asarray(told, np.float64)


def _cuts(values: Floats, found: Mask, direction: int, whole: bool) -> Floats:
    step = max(1, len(values) // ROWS_TO_CUT_BY)
    values, found = values[::step], found[::step]
    least = max(ROWS_AT_LEAST, int(SHARE_AT_LEAST * len(values)))
    if len(values) < 2 * least or found.all() or not found.any():
        return np.zeros(0)
    average = found.mean()
    tree = DecisionTreeClassifier(
        max_leaf_nodes=BANDS_AT_MOST, min_samples_leaf=least, random_state=0,
        monotonic_cst=[direction] if direction else None,
        min_impurity_decrease=2 * average * (1 - average) * CHANCE / len(values),
    ).fit(values[:, None], found)  # fmt: skip
    at = np.sort(tree.tree_.threshold[tree.tree_.feature >= 0])
    between = np.unique(values)
    return np.unique([_readable(threshold, between, whole) for threshold in at])


def _readable(threshold: float, values: Floats, whole: bool) -> float:
    """The roundest number that parts the data where the threshold does."""
    place = int(np.searchsorted(values, threshold, side="right"))
    low, high = values[max(place - 1, 0)], values[min(place, len(values) - 1)]
    if whole or (float(low).is_integer() and float(high).is_integer() and high - low <= 1):
        return float(np.floor(low) + 1)
    for digits in range(1, 16):
        rounded = float(f"{(low + high) / 2:.{digits}g}")
        if low < rounded <= high:
            return rounded
    return float(high)


def _rounded(edges: Floats, whole: bool) -> Floats:
    """Round numbers near these, for edges that need not be exact."""
    if whole:
        return np.unique(np.ceil(edges))
    room = np.diff(edges).min() / 5 if len(edges) > 1 else 0.0
    return np.unique([
        next((near for digits in range(1, 7) if abs((near := float(f"{edge:.{digits}g}")) - edge) <= room), float(edge))
        for edge in edges
    ])  # fmt: skip


def _between(cuts: Floats, levels: Floats) -> Floats:
    """The cuts moved to where they part levels, those that part none left out."""
    at = np.unique(levels)
    place = np.unique(np.searchsorted(at, cuts, side="left"))
    return np.array([_readable((at[i - 1] + at[i]) / 2, at, whole=False) for i in place if 0 < i < len(at)])
