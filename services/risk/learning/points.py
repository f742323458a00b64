"""The readable model: a logistic regression on bands, said in whole points. At most about 20 indicators."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from sklearn.linear_model import LogisticRegression

from services.risk.learning.arrays import Floats, Ints, Json, Mask
from services.risk.learning.bands import Bands, cut

INDICATORS_AT_MOST = 20
PER_DOUBLING = 50
"""Points by which the odds of a finding double."""
POINT = np.log(2) / PER_DOUBLING
ROWS_TO_CHOOSE_BY, ROWS_TO_BAND_BY = 40_000, 150_000
EFFECT_AT_LEAST = 0.01  # standard deviation of a feature's log odds


@dataclass(frozen=True, slots=True)
class Linear:
    """Log odds = `base` + the sum over features of `factor` * the weight of the band. `at`: the features used."""

    at: tuple[int, ...]
    bands: tuple[Bands, ...]
    factors: Floats
    base: float

    def log_odds(self, values: Sequence[Floats]) -> Floats:
        total = np.full(len(values[0]), self.base)
        for at, bands, factor in zip(self.at, self.bands, self.factors, strict=True):
            total += factor * bands.of(values[at])
        return total


def banded(
    values: Sequence[Floats], found: Mask, directions: Sequence[int], forms: Sequence[str | None],
    levels: Sequence[Floats | None],
) -> list[Bands]:  # fmt: skip
    """The bands of each feature."""
    step = max(1, len(found) // ROWS_TO_BAND_BY)
    return [
        cut(column[::step], found[::step], direction, form=form, levels=rates)
        for column, direction, form, rates in zip(values, directions, forms, levels, strict=True)
    ]


def fit_linear(
    values: Sequence[Floats], found: Mask, bands: Sequence[Bands], *, strength: float, most: int = INDICATORS_AT_MOST
) -> Linear:
    """`strength` is the inverse of the penalty, for one row in a thousand. A band's weight already says which way it
    speaks; a feature that would turn it round, because another one says the same, is left out."""
    step = max(1, len(found) // ROWS_TO_CHOOSE_BY)
    some = np.column_stack([one.of(column[::step]) for one, column in zip(bands, values, strict=True)])
    at = _chosen(some, found[::step], strength, most)
    design = np.column_stack([bands[i].of(values[i]) for i in at]) if at else np.zeros((len(found), 0))
    factors, base = _logistic(design, found, strength)
    return Linear(tuple(at), tuple(bands[i] for i in at), np.maximum(factors, 0.0), base)


def _chosen(design: Floats, found: Mask, strength: float, most: int) -> list[int]:
    """Leave out what turns round or says next to nothing, the worst third of it at a time; then the weakest."""
    spread = design.std(axis=0)
    at = [int(i) for i in np.argsort(-spread, kind="stable")[: 3 * most] if spread[i] > 1e-6]
    while at:
        factors, _ = _logistic(design[:, at], found, strength)
        effect = factors * spread[at]
        weak = np.argsort(effect, kind="stable")
        too_many = max(int((effect < EFFECT_AT_LEAST).sum()), len(at) - most)
        if not too_many:
            break
        leave = set(weak[: -(-too_many // 3)].tolist())
        at = [one for i, one in enumerate(at) if i not in leave]
    return sorted(at)


def _logistic(design: Floats, found: Mask, strength: float) -> tuple[Floats, float]:
    if not design.shape[1]:
        return np.zeros(0), float(np.log(found.mean() / (1 - found.mean())))
    penalty = strength * 1000 / len(found)
    model = LogisticRegression(C=penalty, max_iter=300, tol=1e-3).fit(design, found)
    return np.asarray(model.coef_[0], np.float64), float(model.intercept_[0])


def to_terms(model: Linear, names: Sequence[str], forms: Sequence[str | None]) -> list[Json]:
    """Each feature with its whole points, band by band, the least of them 0. What rounds to nothing is left out."""
    terms: list[Json] = []
    for at, bands, factor in zip(model.at, model.bands, model.factors, strict=True):
        given = factor * bands.weights
        points = np.round((given - given.min()) / POINT).astype(int)
        if forms[at] == "count":  # each earns the same, also after rounding
            points = np.array([*(round(given[1] / POINT) * np.arange(len(bands.cuts) + 1)), 0])
        if points.any():
            *by_band, missing = points.tolist()
            cuts = bands.cuts.tolist()
            if forms[at] != "count":  # bands that earn the same are one
                apart = [i for i, (one, after) in enumerate(pairwise(by_band)) if one != after]
                cuts, by_band = [cuts[i] for i in apart], [by_band[0], *(by_band[i + 1] for i in apart)]
            terms.append({"feature": names[at], "cuts": cuts, "points": by_band, "missing": missing,
                          "form": forms[at]})  # fmt: skip
    return terms


def to_log_odds(model: Linear, names: Sequence[str]) -> Json:
    """The same without rounding, for the boosted model to mix in."""
    terms = [
        {"feature": names[at], "cuts": bands.cuts.tolist(), "points": (factor * bands.weights[:-1]).tolist(),
         "missing": float(factor * bands.weights[-1])}
        for at, bands, factor in zip(model.at, model.bands, model.factors, strict=True)
    ]  # fmt: skip
    return {"base": model.base, "terms": terms}


def score_terms(terms: Sequence[Json], values: dict[str, Floats], count: int) -> Floats:
    """The sum of the points of each row."""
    total = np.zeros(count)
    for term in terms:
        bands = Bands(np.array(term["cuts"], np.float64), np.array([*term["points"], term["missing"]], np.float64))
        total += bands.of(values[term["feature"]])
    return total


def place_of(term: Json, values: Floats) -> Ints:
    return Bands(np.array(term["cuts"], np.float64), np.zeros(0)).place(values)
