"""A policy replayed: by hand, and what is no policy."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from services.risk.learning.arrays import Json, Unusable
from services.risk.learning.backtest import Asked
from services.risk.learning.counterfactual import counterfactual, read_policy
from tests.learning.conftest import silent, written

RATIOS = {"A": 0.0, "B": 0.5, "C": 1.0, "D": 1.0}


def card() -> Json:
    """One point a point of x; the classes begin at 0, 10, 20 and 30."""
    term = {"feature": "x", "cuts": [10.0, 20.0, 30.0], "points": [0, 10, 20, 30], "missing": 0}
    return {
        "name": "by-hand",
        "bands": [{"risk_class": letter, "from_score": 10 * i} for i, letter in enumerate("ABCD")],
        "features": {
            "kind": "points", "terms": [term], "inputs": [{"feature": "x", "from": "number", "direction": 1}],
            "probability": {"intercept": -2.0, "slope": 0.1},
        },
        "provenance": {"warnings": [], "rows": 10, "findings": 3, "last": "2020-01-01"},
    }  # fmt: skip


def test_by_hand(tmp_path: Path) -> None:
    rows = pl.DataFrame({
        "shop": ["a", "a", "b", "b", "c", "d"], "x": [5, 5, 15, 15, 25, 35], "bad": [0, 1, 1, 0, 0, 1],
        "on": [f"2024-03-0{n}" for n in range(1, 7)],
    })  # fmt: skip
    asked = Asked(test=written(tmp_path, rows), outcome="bad", date="on", entity="shop", draws=50)
    told = counterfactual(card(), RATIOS, asked, silent)
    assert (told["n"], told["positives"]) == (6, 3)
    assert told["violations_found"] == 0.5 + 1  # b's by lot, d's for sure; a's is missed
    assert told["violations_missed"] == 1.5
    assert told["visits_spent"] == 0 + 1 + 1 + 1
    assert told["visits_spared_good"] == 0  # c alone is good in the whole period, and is visited
    assert told["found_by_lot"] == pytest.approx(3 * 3 / 6)
    assert [one["visits_made"] for one in told["classes"]] == [2, 2, 1, 1]
    rowwise = counterfactual(card(), RATIOS, Asked(test=asked.test, outcome="bad", date="on", draws=50), silent)
    assert rowwise["visits_spared_good"] == 1 + 0.5  # without entities each visit stands for itself
    low, high = told["intervals"]["violations_found"]
    assert low <= 1.5 <= high


def test_all_visits_find_all_and_none_find_none(tmp_path: Path) -> None:
    rows = pl.DataFrame({"x": list(range(40)), "bad": [n % 3 == 0 for n in range(40)], "on": ["2024-03-01"] * 40})
    asked = Asked(test=written(tmp_path, rows), outcome="bad", date="on", draws=5)
    everything = counterfactual(card(), dict.fromkeys("ABCD", 1.0), asked, silent)
    nothing = counterfactual(card(), dict.fromkeys("ABCD", 0.0), asked, silent)
    assert (everything["share_found"], everything["visits_spared"]) == (1.0, 0.0)
    assert (nothing["share_found"], nothing["visits_spent"]) == (0.0, 0.0)


def test_a_policy_is_csv_or_json(tmp_path: Path) -> None:
    (tmp_path / "policy.csv").write_text("risk_class,ratio\nA,0\nB,0.5\nC,1\nD,1\n")
    (tmp_path / "policy.json").write_text('{"A": 0, "B": 0.5, "C": 1, "D": 1}')
    assert read_policy(tmp_path / "policy.csv") == read_policy(tmp_path / "policy.json") == RATIOS


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("class,share\nA,1\n", "has the columns risk_class and ratio"),
        ("risk_class,ratio\nA,0\nB,0.5\nC,1\n", "no ratio for class D"),
        ("risk_class,ratio\nA,0\nA,0.5\n", "each once"),
        ("risk_class,ratio\nE,0\n", "the classes are A, B, C and D"),
        ("risk_class,ratio\nA,2\n", "class A: a ratio is from 0 to 1"),
        ("risk_class,ratio\nA,many\n", "class A: 'many' is no ratio"),
        ("[1, 2]", "a policy is an object"),
        ("{", "neither CSV nor JSON"),
        ("\udcff\udcfe", "neither CSV nor JSON"),
    ],
)
def test_what_is_no_policy_is_told(tmp_path: Path, content: str, says: str) -> None:
    (tmp_path / "policy.csv").write_text(content, errors="surrogateescape")
    with pytest.raises(Unusable, match=says):
        read_policy(tmp_path / "policy.csv")
