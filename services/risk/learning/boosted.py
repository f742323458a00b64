"""The accurate model: boosted trees by scikit-learn, kept as plain numbers. Nothing of scikit-learn is needed to score,
and reading a scorecard runs no code of its author."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from services.risk.learning.arrays import Floats, Json, Mask

ROUNDS_AT_MOST = 240
ROUNDS_STEP = 10
CHUNK = 20_000


@dataclass(frozen=True, slots=True)
class Setting:
    """How deep and how careful."""

    leaves: int
    rate: float
    rows_of_a_leaf: int
    columns: float = 0.5
    penalty: float = 5.0


def fit_trees(
    values: Floats, found: Mask, directions: Sequence[int], setting: Setting, rounds: int, seed: int
) -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(
        max_iter=rounds, learning_rate=setting.rate, max_leaf_nodes=setting.leaves,
        min_samples_leaf=setting.rows_of_a_leaf, l2_regularization=setting.penalty, max_features=setting.columns,
        monotonic_cst=list(directions), early_stopping=False, random_state=seed,
    ).fit(values, found)  # fmt: skip


def staged(model: HistGradientBoostingClassifier, values: Floats) -> list[Floats]:
    """Log odds after every ROUNDS_STEP rounds."""
    told = model._staged_raw_predict(values)
    return [raw[:, 0].copy() for i, raw in enumerate(told, 1) if i % ROUNDS_STEP == 0]


def to_trees(model: HistGradientBoostingClassifier) -> Json:
    """The trees as numbers: per node the feature (-1: a leaf), the threshold or the leaf's value, where missing values
    go, and the two places to go on."""
    trees = []
    for (predictor,) in model._predictors:
        nodes = predictor.nodes
        leaf = nodes["is_leaf"].astype(bool)
        threshold = np.nan_to_num(nodes["num_threshold"])  # infinite where only missing values part; JSON has no word
        trees.append({
            "feature": np.where(leaf, -1, nodes["feature_idx"]).tolist(),
            "value": np.where(leaf, nodes["value"], threshold).tolist(),
            "missing_left": nodes["missing_go_to_left"].astype(int).tolist(),
            "left": nodes["left"].tolist(),
            "right": nodes["right"].tolist(),
        })  # fmt: skip
    return {"base": float(model._baseline_prediction.ravel()[0]), "trees": trees}


def score_trees(told: Json, values: Floats) -> Floats:
    """Log odds of each row, as scikit-learn gives them."""
    total = np.full(len(values), told["base"])
    forest = [_arrays(tree) for tree in told["trees"]]
    for first in range(0, len(values), CHUNK):
        part = values[first : first + CHUNK]
        rows = np.arange(len(part))
        for feature, value, missing_left, left, right in forest:
            node = np.zeros(len(part), np.int64)
            while (inner := feature[node] >= 0).any():
                given = part[rows, np.maximum(feature[node], 0)]
                to_left = np.where(np.isnan(given), missing_left[node], given <= value[node])
                node = np.where(inner, np.where(to_left, left[node], right[node]), node)
            total[first : first + CHUNK] += value[node]
    return total


def _arrays(tree: Json) -> tuple[np.ndarray, ...]:
    return (
        np.array(tree["feature"], np.int64), np.array(tree["value"], np.float64),
        np.array(tree["missing_left"], np.bool_), np.array(tree["left"], np.int64), np.array(tree["right"], np.int64),
    )  # fmt: skip
