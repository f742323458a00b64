"""A fitted model as it stands in a scorecard's file, and the scores it gives."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from services.risk.learning import boosted, choosing, plain, points
from services.risk.learning.arrays import Floats, Json, Mask, Say, Unusable
from services.risk.learning.bands import cut
from services.risk.learning.choosing import Data
from services.risk.learning.features import features_of
from services.risk.learning.measures import auc
from services.risk.learning.read import Table

MIDDLE = 1000
"""The boosted model's score of even odds; its points count like those of the other."""
SLOPES = (0.3, 2.0)
PARTS = ("points", "plain regression", "trees")


@dataclass(frozen=True, slots=True)
class Scored:
    """Per row: points, and the chance of a finding that they stand for."""

    score: Floats
    chance: Floats


def fit_model(data: Data, inputs: Sequence[Json], kind: str, most: int, seed: int, say: Say) -> Json:
    """Choose by time, then learn from all rows. `inputs`: how each of the data's columns is made."""
    names = [spec["feature"] for spec in inputs]
    some = choosing.thinned(data, seed)
    over = choosing.folds(some.day, some.found)
    if not over:
        raise Unusable("too few outcomes of each kind, or too few days, to learn from some and try on later ones")
    setting, tried = choosing.choose_linear(some, over, most, say)
    linear = choosing.fit_linear(data, setting, most)
    if kind == "points":
        model = _points_model(linear, names, data, *_calibrated(tried.log_odds, [some.found[f.try_on] for f in over]))
        used = {term["feature"] for term in model["terms"]}
    else:
        tree_setting, tree_tried = choosing.choose_trees(some, over, seed, say)
        shares, tried = choosing.choose_blend(some, over, [tried, choosing.try_plain(some, over), tree_tried])
        named = ", ".join(f"{share:.0%} {part}" for share, part in zip(shares, PARTS, strict=True))
        say(f"{named}: AUC {tried.auc:.4f} on later rows")
        setting = {"points": setting, "trees": tree_setting}
        intercept, slope = _calibrated(tried.log_odds, [some.found[f.try_on] for f in over])
        model = {
            "kind": kind,
            "shares": shares,
            "linear": points.to_log_odds(linear, names),
            "plain": plain.fit_plain(data.values, data.found),
            "forests": choosing.fit_trees(data, tree_setting, seed) if shares[-1] else [],
            "probability": {"intercept": intercept - slope * MIDDLE * points.POINT, "slope": slope * points.POINT},
        }
        used = set(names)
    return {
        **model,
        "inputs": [spec for spec in inputs if spec["feature"] in used],
        "chosen": {"settings": setting, "auc_on_later_rows": round(tried.auc, 4)},
    }


def _points_model(linear: points.Linear, names: Sequence[str], data: Data, intercept: float, slope: float) -> Json:
    """Calibrated before it is rounded, so that the odds do double in PER_DOUBLING points."""
    told = points.Linear(linear.at, linear.bands, linear.factors * slope, intercept + slope * linear.base)
    terms = points.to_terms(told, names, data.forms)
    # Points begin at 0 for the least band of each feature: the chance is that of the least bands, lifted by points.
    least = sum(factor * bands.weights.min() for bands, factor in zip(told.bands, told.factors, strict=True))
    return {
        "kind": "points",
        "terms": terms,
        "probability": {"intercept": told.base + (float(least) if terms else 0.0), "slope": points.POINT},
    }


def _calibrated(log_odds: Sequence[Floats], found: Sequence[Mask]) -> tuple[float, float]:
    """What was said of later rows, by what came of them: the slope by all of them, the level by the latest."""
    model = LogisticRegression(C=1e4).fit(np.concatenate(log_odds)[:, None], np.concatenate(found))
    slope, intercept = float(np.clip(model.coef_[0, 0], *SLOPES)), float(model.intercept_[0])
    for _ in range(20):  # the chances add up to the findings
        chance = expit(intercept + slope * log_odds[-1])
        intercept += float((found[-1].mean() - chance.mean()) / max((chance * (1 - chance)).mean(), 1e-9))
    return intercept, slope


def score_rows(model: Json, table: Table, past: Table | None) -> Scored:
    """Scores of rows by a model of a scorecard's file. `past`: what each row may know, if it is older."""
    columns = features_of(model["inputs"], table, past)
    values = {spec["feature"]: column for spec, column in zip(model["inputs"], columns, strict=True)}
    score = score_values(model, values, table.count)
    told = model["probability"]
    return Scored(score, np.asarray(expit(told["intercept"] + told["slope"] * score), np.float64))


def score_values(model: Json, values: dict[str, Floats], count: int) -> Floats:
    if model["kind"] == "points":
        return points.score_terms(model["terms"], values, count)
    columns, linear = [values[spec["feature"]] for spec in model["inputs"]], model["linear"]
    matrix = np.column_stack(columns)
    trees = [boosted.score_trees(forest, matrix) for forest in model["forests"]]
    log_odds = choosing.blended(
        model["shares"],
        [
            linear["base"] + points.score_terms(linear["terms"], values, count),
            plain.score_plain(model["plain"], columns),
            np.mean(trees, axis=0) if trees else np.zeros(count),
        ],
    )
    return np.asarray(log_odds / points.POINT + MIDDLE, np.float64)


def single_auc(values: Floats, found: Mask) -> float:
    """How well one feature alone tells the outcome on rows later than those it was banded by."""
    half = int(len(found) * 0.7)
    learn, later = found[:half], found[half:]
    if learn.all() or not learn.any() or later.all() or not later.any():
        return 0.5
    return auc(cut(values[:half], learn, 0).of(values[half:]), later)
