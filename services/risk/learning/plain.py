"""A plain logistic regression on the features as they are: where signs are weak and many, few models err less."""

from collections.abc import Sequence

import numpy as np
from sklearn.linear_model import LogisticRegression

from services.risk.learning.arrays import Floats, Json, Mask

PENALTY = 0.01
EDGES = (0.01, 0.99)
ROWS_AT_MOST = 200_000


def fit_plain(values: Sequence[Floats], found: Mask) -> Json:
    """Each feature within its usual range, on one scale; missing values are average and may speak for themselves."""
    step = max(1, len(found) // ROWS_AT_MOST)
    columns = [_scaled(column[::step]) for column in values]
    design = np.column_stack([part for told, column in zip(columns, values, strict=True)
                              for part in _parts(told, column[::step])])  # fmt: skip
    model = LogisticRegression(C=PENALTY, max_iter=300, tol=1e-3).fit(design, found[::step])
    factors = model.coef_[0].reshape(-1, 2)
    for told, (slope, missing) in zip(columns, factors, strict=True):
        told.update(slope=float(slope), missing=float(missing))
    return {"base": float(model.intercept_[0]), "columns": columns}


def score_plain(told: Json, values: Sequence[Floats]) -> Floats:
    """Log odds."""
    total = np.full(len(values[0]), told["base"])
    for column, given in zip(told["columns"], values, strict=True):
        along, absent = _parts(column, given)
        total += column["slope"] * along + column["missing"] * absent
    return total


def _scaled(column: Floats) -> Json:
    known = column[~np.isnan(column)]
    if not len(known):
        return {"low": 0.0, "high": 0.0, "mean": 0.0, "scale": 1.0}
    low, high = np.quantile(known, EDGES)
    within = np.clip(known, low, high)
    return {"low": float(low), "high": float(high), "mean": float(within.mean()), "scale": float(within.std() or 1.0)}


def _parts(told: Json, column: Floats) -> tuple[Floats, Floats]:
    absent = np.isnan(column)
    within = np.clip(np.where(absent, told["mean"], column), told["low"], told["high"])
    return np.asarray((within - told["mean"]) / told["scale"], np.float64), absent.astype(np.float64)
