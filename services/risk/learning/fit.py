"""From a file of inspections with their results to a scorecard."""

import datetime
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from importlib.metadata import version
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from services.risk.domain.scorecard import SCALE
from services.risk.learning import live, misleading, points
from services.risk.learning.arrays import Floats, Json, Say, Unusable
from services.risk.learning.bands import Bands
from services.risk.learning.choosing import Data
from services.risk.learning.columns import Column, Unused, understood
from services.risk.learning.features import learn_features
from services.risk.learning.misleading import Warning
from services.risk.learning.model import fit_model, score_values
from services.risk.learning.read import Table, read_table

ROWS_AT_LEAST, OUTCOMES_AT_LEAST = 200, 20
CLASSES = {"A": 0.0, "B": 0.70, "C": 0.90, "D": 0.97}
"""From which quantile of the scores each class begins: near what other places have published
(policy/risk_distribution.csv); the district's own setting."""
ROWS_FOR_CLASSES = 200_000
FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the caller asks for."""

    train: Path
    outcome: str
    date: str
    entity: str | None = None
    exclude: Sequence[str] = ()
    keep: Sequence[str] = ()
    inspector: Sequence[str] = ()
    monotone: Sequence[tuple[str, int]] = ()
    positive: str | None = None
    model: str = "points"
    indicators: int = points.INDICATORS_AT_MOST
    live: bool = False
    name: str | None = None
    valid_from: datetime.date | None = None
    seed: int = 1


@dataclass(frozen=True, slots=True)
class _Ready:
    """What is learnt from: the file, its columns and their features."""

    table: Table
    inputs: list[Json]
    data: Data
    inspectors: list[str]
    unused: list[Unused]
    warnings: list[Warning]
    in_live_form: bool


def fit(wanted: Wanted, say: Say) -> Json:
    """A scorecard's document. Raises Unusable."""
    with threadpool_limits(1):  # threads wait for each other longer than small matrices and trees take
        return _fit(wanted, say)


def _fit(wanted: Wanted, say: Say) -> Json:
    ready = _prepared(wanted, say)
    model = fit_model(ready.data, ready.inputs, wanted.model, wanted.indicators, wanted.seed, say)
    without = None
    if ready.inspectors:
        say(f"once more without who inspected ({', '.join(ready.inspectors)})")
        inputs, data = _but(ready, ready.inspectors)
        if not inputs:
            raise Unusable(f"{wanted.train}: nothing is left without the columns that tell who inspected")
        without = fit_model(data, inputs, wanted.model, wanted.indicators, wanted.seed, say)
        ready.warnings.append(_by_whom(ready.inspectors, model, without))
    return _document(wanted, ready, model, without)


def _prepared(wanted: Wanted, say: Say) -> _Ready:
    table = read_table(
        wanted.train, wanted.outcome, wanted.date, wanted.entity, positive=wanted.positive, exclude=wanted.exclude
    )
    findings = int(table.found.sum())
    say(f"{table.count:,} rows, {findings:,} with a finding, {day_of(table.day[0])} to {day_of(table.day[-1])}")
    if table.count < ROWS_AT_LEAST or min(findings, table.count - findings) < OUTCOMES_AT_LEAST:
        raise Unusable(
            f"{table.path}: {table.count} rows, {findings} with a finding: at least {ROWS_AT_LEAST} rows and "
            f"{OUTCOMES_AT_LEAST} of each outcome are needed"
        )
    for option, names in (("keep", wanted.keep), ("inspector", wanted.inspector)):
        for name in names:
            if name not in table.frame.columns:
                raise Unusable(f"--{option} {name}: {table.path} has no other column of this name")
    as_numbers = [name for name in table.frame.columns if live.form(name)]
    columns, unused = understood(table, as_numbers=as_numbers)
    in_live_form = wanted.model == "points" and (
        wanted.live or (bool(columns) and all(live.form(one.name) for one in columns))
    )
    if in_live_form:
        unused += [Unused(c.name, "is no indicator that our events state") for c in columns if not live.form(c.name)]
        columns = [one for one in columns if live.form(one.name)]
    inputs, values = learn_features(table, columns, use_history=table.entity is not None)
    by_name = {spec["feature"]: column for spec, column in zip(inputs, values, strict=True)}
    warnings, plain = misleading.leaks(table, columns, by_name)
    dropped = [name for name in plain if name not in wanted.keep]
    unused += [Unused(w.column, w.text) for w in warnings if w.column in dropped]
    warnings += misleading.frozen(table, columns)
    columns = [one for one in columns if one.name not in dropped]
    warnings += misleading.of_the_day(table, columns)
    warnings += [Warning("data", "", note) for note in table.notes]
    for one in unused:
        say(f"not used: {one.name}: {one.reason}")
    at = [
        i for i, spec in enumerate(inputs) if spec["feature"] not in dropped and _sayable(spec, columns, in_live_form)
    ]
    if not at:
        raise Unusable(
            f"{table.path}: no column is left to learn from" + "".join(f"; {one.name} {one.reason}" for one in unused)
        )
    inputs = [_directed(inputs[i], wanted.monotone) for i in at]
    _known(wanted, table, inputs)
    forms = [live.form(spec["feature"]) if in_live_form else None for spec in inputs]
    directions = [int(spec["direction"]) for spec in inputs]
    data = Data([values[i] for i in at], table.found, table.day, directions, forms, [_levels(spec) for spec in inputs])
    return _Ready(table, inputs, data, misleading.inspectors(columns, wanted.inspector), unused, warnings, in_live_form)


def _sayable(spec: Json, columns: Sequence[Column], in_live_form: bool) -> bool:
    """Of the history, the live service knows some; and that only once."""
    if not in_live_form or spec["from"] != "history":
        return True
    return spec["feature"] in live.HISTORY and live.HISTORY_AS not in {one.name for one in columns}


def _directed(spec: Json, monotone: Sequence[tuple[str, int]]) -> Json:
    """As the caller declares, else as the policy does for an indicator, else as is certain by what it is."""
    declared = dict(monotone).get(spec["feature"])
    if declared is not None and spec["from"] == "category":
        raise Unusable(f"--monotone {spec['feature']}: a category has no order")
    direction = declared if declared is not None else live.direction(spec["feature"]) or spec["direction"]
    return {**spec, "direction": direction}


def _known(wanted: Wanted, table: Table, inputs: Sequence[Json]) -> None:
    usable = {spec["feature"] for spec in inputs}
    for name, _ in wanted.monotone:
        if name not in usable:
            raise Unusable(f"--monotone {name}: no usable column of {table.path} is called this")


def _levels(spec: Json) -> Floats | None:
    """What each level of a category is worth."""
    return np.array([*spec["levels"].values(), spec["other"]], np.float64) if spec["from"] == "category" else None


def _but(ready: _Ready, columns: Sequence[str]) -> tuple[list[Json], Data]:
    at = [i for i, spec in enumerate(ready.inputs) if spec["feature"] not in columns]
    data = replace(
        ready.data, values=[ready.data.values[i] for i in at], directions=[ready.data.directions[i] for i in at],
        forms=[ready.data.forms[i] for i in at], levels=[ready.data.levels[i] for i in at],
    )  # fmt: skip
    return [ready.inputs[i] for i in at], data


def _by_whom(columns: Sequence[str], model: Json, without: Json) -> Warning:
    both = [one["chosen"]["auc_on_later_rows"] for one in (model, without)]
    text = (
        f"tells who inspected. With it AUC {both[0]:.3f} on later rows, without {both[1]:.3f}. What it adds is about "
        "inspectors, not enterprises; backtest shows both. To rate enterprises, --exclude it"
    )
    return Warning("inspector", ", ".join(columns), text)


def _document(wanted: Wanted, ready: _Ready, model: Json, without: Json | None) -> Json:
    values = {spec["feature"]: column for spec, column in zip(ready.inputs, ready.data.values, strict=True)}
    table = ready.table
    last = day_of(table.day[-1])
    source = (
        f"district's own setting: learnt from {table.count} inspections, {day_of(table.day[0])} to {last} (provenance)"
    )
    if model["kind"] == "points":
        rules, unsayable = live.rules(model["terms"], source)
        for term in model["terms"]:
            _annotate(term, values[term["feature"]], ready)
    else:
        rules, unsayable = [], [{"feature": "boosted", "reason": "trees cannot be said in rules; fit --model points"}]
    if not rules and not unsayable:
        unsayable = [
            {"feature": wanted.outcome, "reason": "no column tells anything about it, so that there is no rule"}
        ]
    document: Json = {
        "name": wanted.name or f"learnt-{last}",
        "valid_from": (wanted.valid_from or last + timedelta(days=1)).isoformat(),
        "rules": rules,
        "bands": _classes(_scores(model, values, table.count), source),
        "sectors": [],
    }
    if rules:
        unsayable = live.unfit(document)
        document["rules"] = [] if unsayable else rules
    document["features"] = {"format": FORMAT, **model, "without_inspector": without, "not_loadable": unsayable}
    document["provenance"] = _provenance(wanted, ready)
    return document


def _scores(model: Json, values: dict[str, Floats], count: int) -> Floats:
    """Of rows evenly drawn, as many as quantiles need."""
    step = max(1, count // ROWS_FOR_CLASSES)
    some = {name: column[::step] for name, column in values.items()}
    return score_values(model, some, -(-count // step))


def _classes(score: Floats, source: str) -> list[Json]:
    """Where each class begins, each at least a point above the one before."""
    bands: list[Json] = []
    for letter, share in CLASSES.items():
        start = int(np.ceil(np.quantile(score, share))) if share else 0
        start = max(start, bands[-1]["from_score"] + 1) if bands else 0
        bands.append({"risk_class": letter, "from_score": min(start, SCALE), "source": source, "confidence": "setting"})
    return bands


def _annotate(term: Json, values: Floats, ready: _Ready) -> None:
    """Beside the points of each band, how many rows and findings it had; for a category, which levels are in it."""
    bands = Bands(np.array(term["cuts"], np.float64), np.zeros(0))
    place, count = bands.place(values), len(term["cuts"]) + 2
    term["rows"] = np.bincount(place, minlength=count).tolist()
    term["findings"] = np.bincount(place, ready.table.found, minlength=count).astype(int).tolist()
    spec = next(one for one in ready.inputs if one["feature"] == term["feature"])
    if spec["from"] == "category":
        rates = _levels(spec)
        assert rates is not None
        at = bands.place(rates)
        names = [*spec["levels"], "(other)"]
        term["levels"] = [[name for name, where in zip(names, at, strict=True) if where == i] for i in range(count - 1)]


def _provenance(wanted: Wanted, ready: _Ready) -> Json:
    table = ready.table
    with wanted.train.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {
        "file": wanted.train.name,
        "sha256": digest,
        "rows": table.count,
        "findings": int(table.found.sum()),
        "first": day_of(table.day[0]).isoformat(),
        "last": day_of(table.day[-1]).isoformat(),
        "outcome": wanted.outcome,
        "positive": wanted.positive,
        "date": wanted.date,
        "entity": wanted.entity,
        "excluded": list(wanted.exclude),
        "seed": wanted.seed,
        "scikit_learn": version("scikit-learn"),
        "unused": [{"column": one.name, "reason": one.reason} for one in ready.unused],
        "warnings": [one.told() for one in ready.warnings],
    }


def day_of(days: int) -> date:
    return date(1970, 1, 1) + timedelta(days=int(days))
