"""From columns to the numbers that a model sees, and how each is made again for rows never seen."""

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import polars as pl

from services.risk.learning import history
from services.risk.learning.arrays import Floats, Ints, Json, Mask, Unusable
from services.risk.learning.columns import LEVELS_AT_MOST, ROWS_OF_A_LEVEL, Column
from services.risk.learning.measures import auc
from services.risk.learning.read import Table, dates, numbers, words

MISSING = "(missing)"
ROWS_TO_JUDGE_BY = 200_000


def learn_features(table: Table, columns: Sequence[Column], *, use_history: bool) -> tuple[list[Json], list[Floats]]:
    """How each feature is made (a row of the scorecard's file), and its values in these rows.

    A category is its rate of findings against the average. In these rows the rate is the one known before each row's
    day, so that no row is explained by its own outcome; for later rows it is the one known at the end.
    """
    made = [_learn(table, column) for column in columns]
    if use_history:
        memory = _best_memory(table)
        made += [
            ({"feature": name, "from": "history", "direction": history.FEATURES[name], **asdict(memory)}, values)
            for name, values in _history(table, table, memory).items()
        ]
    return [spec for spec, _ in made], [values for _, values in made]


def _learn(table: Table, column: Column) -> tuple[Json, Floats]:
    series = table.frame[column.name]
    if column.kind != "category":
        values = numbers(series) if column.kind == "number" else _days_before(series, table.day)
        return {"feature": column.name, "from": column.kind, "direction": 0, "given": _share(~np.isnan(values))}, values
    text = words(series).fill_null(MISSING)
    sizes = text.value_counts(name="rows").filter(pl.col("rows") >= ROWS_OF_A_LEVEL).sort(
        ["rows", text.name], descending=[True, False]
    )  # fmt: skip
    levels = sizes[text.name].to_list()[:LEVELS_AT_MOST]
    code = _level_codes(text, levels)
    known = history.Known.of(code, table.day, table.found, windows=())
    after = np.full(len(levels) + 1, int(table.day[-1]) + 1)
    at_end = history.rate_against_average(known, np.arange(len(levels) + 1), after)
    spec = {
        "feature": column.name, "from": "category", "direction": 1, "given": _share(code < len(levels)),
        "levels": {level: round(float(at_end[i]), 4) for i, level in enumerate(levels)},
        "other": round(float(at_end[-1]), 4),
    }  # fmt: skip
    return spec, history.rate_against_average(known, code, table.day)


def features_of(specs: Sequence[Json], table: Table, past: Table | None) -> list[Floats]:
    """The features of rows to be scored. `past` has the outcomes that may be known; each row sees those before it."""
    memories = [history.Memory(spec["weight"], spec["half_life_days"]) for spec in specs if spec["from"] == "history"]
    told = _history(table, past, memories[0]) if memories else {}
    return [told[spec["feature"]] if spec["from"] == "history" else _apply(spec, table) for spec in specs]


def _column(spec: Json, table: Table) -> pl.Series:
    if spec["feature"] not in table.frame.columns:
        raise Unusable(f"{table.path}: there is no column {spec['feature']}, which the scorecard needs")
    return table.frame.get_column(spec["feature"])


def _apply(spec: Json, table: Table) -> Floats:
    series = _column(spec, table)
    if spec["from"] == "number":
        return numbers(series)
    if spec["from"] == "date":
        return _days_before(series, table.day)
    levels = list(spec["levels"])
    rates = np.array([*spec["levels"].values(), spec["other"]], np.float64)
    return np.asarray(rates[_level_codes(words(series).fill_null(MISSING), levels)], np.float64)


def given(spec: Json, table: Table) -> float:
    """The share of rows in which the column says something that the scorecard can use."""
    if spec["from"] == "category":
        levels = list(spec["levels"])
        return _share(_level_codes(words(_column(spec, table)).fill_null(MISSING), levels) < len(levels))
    return _share(~np.isnan(_apply(spec, table)))


def _share(rows: Mask) -> float:
    return round(float(rows.mean()), 4)


def _level_codes(text: pl.Series, levels: Sequence[str]) -> Ints:
    """The place of each row's level among the levels, their number for any other."""
    places = {level: place for place, level in enumerate(levels)}
    code = text.replace_strict(places, default=len(levels), return_dtype=pl.Int64)
    return np.asarray(code.to_numpy(), np.int64)


def _days_before(series: pl.Series, day: Ints) -> Floats:
    when = dates(series).to_physical().cast(pl.Float64).to_numpy()
    return np.asarray(day - when, np.float64)


def _best_memory(table: Table) -> history.Memory:
    """The memory whose rate orders the outcomes of those with a past best."""
    assert table.entity is not None
    (code,) = history.codes(table.entity)
    known = history.Known.of(code, table.day, table.found, windows=())
    again = np.flatnonzero(history.count_before(known, code, table.day) > 0)[-ROWS_TO_JUDGE_BY:]
    if not len(again) or table.found[again].all() or not table.found[again].any():
        return history.Memory()
    return max(
        history.MEMORIES,
        key=lambda one: auc(history.entity_rate(known, code[again], table.day[again], one), table.found[again]),
    )


def _history(table: Table, past: Table | None, memory: history.Memory) -> dict[str, Floats]:
    if table.entity is None:
        raise Unusable(f"{table.path}: the scorecard asks for each entity's history: name its column with --entity")
    if past is None or past.entity is None:
        nobody = np.zeros(0, np.int64)
        (asked,) = history.codes(table.entity)
        return history.earlier(history.Known.of(nobody, nobody, nobody.astype(bool)), asked, table.day, memory)
    asked, code = history.codes(table.entity, past.entity)
    return history.earlier(history.Known.of(code, past.day, past.found), asked, table.day, memory)
