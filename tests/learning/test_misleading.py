"""What would mislead is seen where it is, and not where it is not."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.special import expit

from services.risk.learning import misleading
from services.risk.learning.arrays import Json
from services.risk.learning.backtest import Asked, backtest
from services.risk.learning.columns import understood
from services.risk.learning.features import learn_features
from services.risk.learning.fit import Wanted, fit
from services.risk.learning.model import Scored
from services.risk.learning.read import Table
from tests.learning.conftest import TOLD, silent

ROWS, SHOPS = 4000, 500
FIRST = 18_000


@pytest.fixture(scope="module")
def world() -> Table:
    """A lasting quality, a count that grows, one read off at the end, marks of the outcome, the weather."""
    random = np.random.default_rng(8)
    day = np.sort(random.integers(0, 900, ROWS))
    who, quality = random.integers(0, SHOPS, ROWS), random.normal(0, 1, SHOPS)
    size = np.round(random.gamma(3, 20, SHOPS))
    found = random.random(ROWS) < expit(-1.5 + quality[who] + 0.01 * (size[who] - 60))
    ever = np.bincount(who, found, minlength=SHOPS)
    so_far = [int(found[:i][who[:i] == who[i]].sum()) for i in range(ROWS)]
    frame = pl.DataFrame({
        "size": size[who], "findings_ever": ever[who] + random.integers(0, 2, SHOPS)[who], "findings_so_far": so_far,
        "fine": np.where(found, random.gamma(2, 500, ROWS), 0.0), "result": np.where(found, "fail", "pass"),
        "days_spent": np.round(random.normal(0, 1, ROWS) + 1.6 * found, 2),
        "passed_clean": (~found & (random.random(ROWS) < 0.4)).astype(int),
        "closed": pl.Series(np.where(found | (random.random(ROWS) < 0.9), np.nan, 1.0)).fill_nan(None),
        "temperature": random.normal(15, 8, 900)[day].round(1), "honest": random.normal(0, 1, ROWS),
    })  # fmt: skip
    shops = pl.Series("shop", [f"s{n}" for n in who])
    return Table(Path("world"), frame, found, day + FIRST, shops, ())


def test_columns_that_know_the_outcome_are_named(world: Table) -> None:
    columns, _ = understood(world)
    specs, values = learn_features(world, columns, use_history=False)
    by_name = {spec["feature"]: column for spec, column in zip(specs, values, strict=True)}
    warnings, plain = misleading.leaks(world, columns, by_name)
    assert {"fine", "result", "passed_clean"} <= set(plain)
    told = {one.column: one for one in warnings}
    assert told["closed"].kind in {"leak", "leak_suspected"}
    assert "never with a finding" in told["passed_clean"].text
    assert told["days_spent"].kind == "leak_suspected"
    assert "hardly anything known beforehand does (AUC 0.8" in told["days_spent"].text
    assert not {"size", "findings_so_far", "temperature", "honest"} & set(told)


def test_what_was_frozen_after_the_fact_is_told_from_what_lasts_and_from_what_grows(world: Table) -> None:
    columns, _ = understood(world)
    assert [one.column for one in misleading.frozen(world, columns)] == ["findings_ever"]


def test_what_tells_the_day_and_not_the_enterprise(world: Table) -> None:
    columns, _ = understood(world)
    assert [one.column for one in misleading.of_the_day(world, columns)] == ["temperature"]


@pytest.mark.parametrize("name", ["Inspector_Assigned", "inspectorName", "sanitarian", "inspected_by", "检查员"])
def test_who_inspected_is_known_by_name_or_as_told(name: str) -> None:
    columns = [misleading.Column(one, "category") for one in (name, "inspection_type", "squad")]
    assert misleading.inspectors(columns, []) == [name]
    assert misleading.inspectors(columns, ["squad"]) == [name, "squad"]


def test_groups_that_the_score_treats_differently() -> None:
    random = np.random.default_rng(3)
    group = np.repeat(["a", "b", "c"], [3000, 3000, 300])
    chance = np.full(6300, 0.2)
    found = random.random(6300) < np.where(group == "c", 0.45, 0.2)
    table = Table(Path("g"), pl.DataFrame({"street": group}), found, np.arange(6300) + FIRST, None, ())
    told, warnings = misleading.groups(table, Scored(chance + random.normal(0, 0.01, 6300), chance), [])
    assert [one["value"] for one in told] == ["a", "b", "c"] or {one["value"] for one in told} == {"a", "b", "c"}
    assert [one.text.partition(":")[0] for one in warnings] == ["'c'"]
    assert "rated too low" in warnings[0].text
    fair = Table(Path("g"), table.frame, random.random(6300) < 0.2, table.day, None, ())
    assert not misleading.groups(fair, Scored(chance, chance), [])[1]


def test_fit_leaves_out_what_leaks_unless_told_to_keep_it(inspections: Path) -> None:
    train = inspections / "train.csv"
    document = fit(Wanted(train=train, **TOLD, exclude=["inspector"]), silent)
    kinds = {(one["kind"], one["column"]) for one in document["provenance"]["warnings"]}
    assert {("leak", "fine_yuan"), ("leak", "findings_in_register"), ("frozen", "findings_in_register")} <= kinds
    unused = {one["column"] for one in document["provenance"]["unused"]}
    assert {"inspection_id", "fine_yuan", "findings_in_register"} <= unused
    kept = fit(Wanted(train=train, **TOLD, exclude=["inspector"], keep=["fine_yuan"]), silent)
    assert kept["features"]["chosen"]["auc_on_later_rows"] > 0.99


def test_a_score_of_who_inspected_is_shown_with_and_without(inspections: Path, scorecard: Json) -> None:
    warning = next(one for one in scorecard["provenance"]["warnings"] if one["kind"] == "inspector")
    assert warning["column"] == "inspector"
    assert "inspector" not in {spec["feature"] for spec in scorecard["features"]["without_inspector"]["inputs"]}
    asked = Asked(test=inspections / "test.csv", **TOLD, history=inspections / "train.csv", draws=10)
    report = backtest(scorecard, asked, silent)
    assert report["auc"] != report["without_inspector"]["auc"]
    assert any(one["kind"] == "inspector" for one in report["warnings"])


def test_a_test_that_is_none_is_told(inspections: Path, scorecard: Json) -> None:
    report = backtest(scorecard, Asked(test=inspections / "train.csv", **TOLD, draws=2), silent)
    texts = [one["text"] for one in report["warnings"]]
    last = date.fromisoformat(scorecard["provenance"]["last"])
    assert f"the test begins before the learning ends ({last}): it is no test" in texts
    assert "without --history an entity's past begins with this file" in texts
