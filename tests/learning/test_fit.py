"""What fitting promises: monotone where declared, blind to the order of rows and to the future, whole points, trees
kept as numbers."""

from __future__ import annotations

import json
from itertools import chain
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.risk.learning import boosted, live, points
from services.risk.learning.arrays import Json, Unusable
from services.risk.learning.bands import Bands, counted, cut
from services.risk.learning.fit import Wanted, fit
from services.risk.learning.measures import auc
from services.risk.learning.model import score_rows
from services.risk.learning.read import read_table
from tests.learning.conftest import TOLD, silent, written


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.sampled_from([1, -1]), st.floats(0.02, 0.6))
def test_bands_are_monotone_where_that_is_declared(seed: int, direction: int, rate: float) -> None:
    random = np.random.default_rng(seed)
    values = random.normal(0, 1, 600).round(1)
    values[random.random(600) < 0.1] = np.nan
    wave = np.sin(2 * np.nan_to_num(values))
    found = random.random(600) < np.clip(rate * (1 + wave), 0, 1)
    if found.all() or not found.any():
        return
    bands = cut(values, found, direction)
    steps = np.diff(bands.weights[:-1])
    assert (steps * direction >= -1e-12).all()


def test_a_declared_direction_holds_in_the_points(inspections: Path) -> None:
    for sign in (1, -1):
        asked = Wanted(
            train=inspections / "train.csv", **TOLD, exclude=["fine_yuan", "findings_in_register", "inspector"],
            monotone=[("complaints_12m", sign), ("registered_capital", sign)],
        )  # fmt: skip
        for term in fit(asked, silent)["features"]["terms"]:
            if term["feature"] in {"complaints_12m", "registered_capital"}:
                assert (np.diff(term["points"]) * sign >= 0).all(), term["feature"]


def test_policy_declares_the_direction_of_an_indicator(scorecard: Json) -> None:
    by_name = {spec["feature"]: spec["direction"] for spec in scorecard["features"]["inputs"]}
    assert by_name["penalties_3y"] == 1
    assert by_name["kind"] == 1  # a category's rate
    assert live.direction("registered_capital") == -1
    assert live.direction("newly_registered") == -1  # it says for how long


def test_a_scorecard_is_short_and_whole_and_says_what_stands_behind_each_band(scorecard: Json) -> None:
    terms = scorecard["features"]["terms"]
    assert 3 <= len(terms) <= 20
    for term in terms:
        assert all(type(given) is int and given >= 0 for given in [*term["points"], term["missing"]])
        assert min(*term["points"], term["missing"]) == 0 or term["rows"][-1] == 0
        assert sum(term["rows"]) == scorecard["provenance"]["rows"]
        assert sum(term["findings"]) == scorecard["provenance"]["findings"]
    kind = next(term for term in terms if term["feature"] == "kind")
    assert sorted(chain(*kind["levels"])) == ["(other)", "beauty", "catering", "food_manufacture", "food_retail",
                                               "lodging", "training"]  # fmt: skip
    starts = [band["from_score"] for band in scorecard["bands"]]
    assert starts[0] == 0
    assert starts == sorted(set(starts))


def test_fewer_indicators_if_asked(inspections: Path) -> None:
    asked = Wanted(train=inspections / "train.csv", **TOLD, indicators=4, exclude=["fine_yuan", "findings_in_register"])
    assert len(fit(asked, silent)["features"]["terms"]) <= 4


def test_the_order_of_rows_is_nothing(inspections: Path, scorecard: Json, tmp_path: Path) -> None:
    mixed = pl.read_csv(inspections / "train.csv").sample(fraction=1, shuffle=True, seed=3)
    again = fit(Wanted(train=written(tmp_path, mixed), **TOLD, exclude=["fine_yuan", "findings_in_register"]), silent)
    assert again["features"]["terms"] == scorecard["features"]["terms"]
    assert again["bands"] == scorecard["bands"]


def test_scores_do_not_know_the_future(inspections: Path, scorecard: Json, tmp_path: Path) -> None:
    """The outcomes of the second half are shuffled; no score of the first half changes."""
    frame = pl.read_csv(inspections / "test.csv").sort("date", maintain_order=True)
    half = frame.height // 2
    cut_on = frame["date"][half]
    later = (frame["date"] >= cut_on).to_numpy()
    found = frame["found"].to_numpy().copy()
    found[later] = np.random.default_rng(1).permutation(found[later])
    turned = frame.with_columns(found=pl.Series(found))
    tables = [
        read_table(written(tmp_path, one, f"{i}.csv"), "found", "date", "uscc") for i, one in enumerate([frame, turned])
    ]
    scores = [score_rows(scorecard["features"], table, table).score for table in tables]
    np.testing.assert_array_equal(scores[0][~later], scores[1][~later])
    assert (scores[0][later] != scores[1][later]).any()  # the test would see it


def test_points_find_the_order_of_the_truth(inspections: Path, scorecard: Json) -> None:
    test = read_table(inspections / "test.csv", **TOLD)
    truth = pl.read_csv(inspections / "truth.csv")["truth"].to_numpy()
    scored = score_rows(scorecard["features"], test, test)
    assert np.corrcoef(scored.score, np.log(truth / (1 - truth)))[0, 1] > 0.55
    assert auc(scored.score, test.found) > 0.62
    assert scored.chance.mean() == pytest.approx(test.found.mean(), rel=0.25)


def test_trees_are_kept_as_numbers_and_score_as_the_library_does() -> None:
    random = np.random.default_rng(2)
    values = random.normal(0, 1, (800, 5))
    values[random.random(values.shape) < 0.2] = np.nan
    values[:, 4] = np.where(np.isnan(values[:, 4]), np.nan, 1.0)  # there or not there: an infinite threshold
    gone = np.isnan(values[:, 4])
    found = random.random(800) < 1 / (1 + np.exp(2 - np.nan_to_num(values[:, 0] * values[:, 1]) - gone))
    model = boosted.fit_trees(values, found, [0, 1, 0, -1, 0], boosted.Setting(6, 0.1, 20), 30, 1)
    kept = json.loads(json.dumps(boosted.to_trees(model), allow_nan=False))
    np.testing.assert_allclose(boosted.score_trees(kept, values), model.decision_function(values), atol=1e-9)


def test_boosted_finds_what_no_sum_of_points_can(tmp_path: Path) -> None:
    random = np.random.default_rng(4)
    x, y = random.normal(0, 1, (2, 2500))
    chance = np.where(x * y > 0, 0.45, 0.05)
    frame = pl.DataFrame({"x": x, "y": y, "bad": random.random(2500) < chance,
                          "on": pl.Series(np.arange(2500) // 5 + 18_000).cast(pl.Int32).cast(pl.Date)})  # fmt: skip
    path = written(tmp_path, frame, "given.parquet")
    kinds = {}
    for model in ("points", "boosted"):
        document = fit(Wanted(train=path, outcome="bad", date="on", model=model), silent)
        kinds[model] = document["features"]["chosen"]["auc_on_later_rows"]
    assert kinds["points"] < 0.6
    assert kinds["boosted"] > 0.75
    assert document["rules"] == []  # and the live service cannot load it
    assert [one["feature"] for one in document["features"]["not_loadable"]] == ["boosted"]


def test_few_findings_and_numbers_out_of_all_measure_are_learnt_from(tmp_path: Path) -> None:
    """One finding in 220: no block of later rows has five, all of them together have."""
    random = np.random.default_rng(5)
    x = random.normal(0, 1, 5000)
    frame = pl.DataFrame({"x": x * 1e300, "y": x * 1e-300, "bad": np.arange(5000) % 220 == 0,
                          "on": pl.Series(np.arange(5000) // 5 + 18_000).cast(pl.Int32).cast(pl.Date)})  # fmt: skip
    document = fit(Wanted(train=written(tmp_path, frame), outcome="bad", date="on", model="boosted"), silent)
    assert {spec["feature"] for spec in document["features"]["inputs"]} == {"x", "y"}


def test_a_count_earns_the_same_for_each_up_to_its_cap() -> None:
    random = np.random.default_rng(3)
    count = random.integers(0, 6, 5000).astype(float)
    found = random.random(5000) < 1 / (1 + np.exp(2 - 0.5 * np.minimum(count, 3)))
    bands = counted(count, found)
    assert len(set(np.diff(bands.weights[:-1]).round(12))) == 1
    assert bands.cuts.tolist() == [1.0, 2.0, 3.0]
    fewer = counted(count, ~found)
    assert not fewer.weights.any()  # rules cannot say that fewer is worse


def test_points_are_read_back_as_they_were_written() -> None:
    model = points.Linear((0,), (Bands(np.array([1.0]), np.array([0.0, 1.0, 0.5])),), np.array([np.log(2)]), -2.0)
    [term] = points.to_terms(model, ["x"], [None])
    assert (term["points"], term["missing"]) == ([0, 50], 25)  # the odds double in 50 points
    scores = points.score_terms([term], {"x": np.array([0.0, 1.0, 7.0, np.nan])}, 4)
    assert scores.tolist() == [0, 50, 50, 25]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"monotone": [("kind", 1)]}, "--monotone kind: a category has no order"),
        ({"monotone": [("none_such", 1)]}, "--monotone none_such: no usable column"),
        ({"exclude": ["x", "kind"]}, "no column is left to learn from"),
    ],
)
def test_what_cannot_be_learnt_is_told(tmp_path: Path, change: dict, says: str) -> None:
    random = np.random.default_rng(4)
    frame = pl.DataFrame({"x": random.normal(0, 1, 600), "kind": ["a", "b", "c"] * 200, "bad": random.random(600) < 0.3,
                          "on": pl.Series(np.arange(600) + 18_000).cast(pl.Int32).cast(pl.Date)})  # fmt: skip
    path = written(tmp_path, frame, "given.parquet")
    with pytest.raises(Unusable, match=says):
        fit(Wanted(train=path, outcome="bad", date="on", **change), silent)
    with pytest.raises(Unusable, match="150 rows"):
        fit(Wanted(train=written(tmp_path, frame.head(150), "few.parquet"), outcome="bad", date="on"), silent)
