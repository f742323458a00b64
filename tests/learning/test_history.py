"""The history of an entity: what was known before a day, never of the day itself or later."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.risk.domain.assessment import add_months
from services.risk.learning import history
from services.risk.learning.history import Known, codes, earlier, rate_against_average

ROWS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 1500), st.booleans()), min_size=1, max_size=40)


def arrays(rows: list[tuple[int, int, bool]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    code, day, found = (np.array(column) for column in zip(*rows, strict=True))
    return code.astype(np.int64), day.astype(np.int64) + 18_000, found.astype(bool)


def told(rows: list[tuple[int, int, bool]]) -> dict[str, np.ndarray]:
    code, day, found = arrays(rows)
    return earlier(Known.of(code, day, found), code, day)


def test_one_shop_by_hand() -> None:
    of = told([(7, 0, True), (7, 100, False), (7, 100, True), (7, 400, False), (7, 500, False), (8, 450, True)])
    assert of["earlier_inspections"].tolist() == [0, 1, 1, 3, 4, 0]
    assert of["earlier_findings"].tolist() == [0, 1, 1, 2, 2, 0]
    assert of["earlier_findings_12m"].tolist() == [0, 1, 1, 1, 0, 0]
    assert of["days_since_last"][1:5].tolist() == [100, 100, 300, 100]
    assert of["last_found"][1:5].tolist() == [1, 1, 1, 0]  # on day 100 something was found
    assert of["days_since_finding"][1:5].tolist() == [100, 100, 300, 400]
    assert of["days_since_first"][1:5].tolist() == [100, 100, 400, 500]
    assert of["clean_streak"][1:5].tolist() == [0, 0, 0, 1]
    assert np.isnan([of[name][0] for name in ("last_found", "days_since_last", "clean_streak")]).all()
    assert set(of) == set(history.FEATURES)


def test_rows_of_one_day_do_not_see_each_other() -> None:
    of = told([(1, 10, True), (1, 10, False), (1, 10, True)])
    assert of["earlier_inspections"].tolist() == [0, 0, 0]


@given(ROWS, st.integers(0, 1500), st.randoms())
def test_a_shuffled_future_changes_nothing(rows: list[tuple[int, int, bool]], today: int, random: Random) -> None:
    later = [(code, day, random.random() < 0.5) if day >= today else (code, day, hit) for code, day, hit in rows]
    more = [(code, day + today + 1, True) for code, day, _ in rows]
    before, after, longer = told(rows), told(later), told([*later, *more])
    asked = np.array([day <= today for _, day, _ in rows])
    for name in history.FEATURES:
        np.testing.assert_allclose(before[name][asked], after[name][asked], atol=2e-6, err_msg=name)
        np.testing.assert_allclose(before[name][asked], longer[name][: len(rows)][asked], atol=2e-6, err_msg=name)


@given(ROWS, st.integers(0, 1500))
def test_a_category_does_not_know_the_future_either(rows: list[tuple[int, int, bool]], today: int) -> None:
    code, day, found = arrays(rows)
    turned = np.where(day >= today + 18_000, ~found, found)
    rates = [rate_against_average(Known.of(code, day, hit), code, day) for hit in (found, turned)]
    asked = day <= today + 18_000
    np.testing.assert_array_equal(rates[0][asked], rates[1][asked])


@given(ROWS, st.permutations(range(40)))
def test_the_order_of_rows_is_nothing(rows: list[tuple[int, int, bool]], places: list[int]) -> None:
    order = [place for place in places if place < len(rows)]
    straight, mixed = told(rows), told([rows[i] for i in order])
    for name, values in straight.items():
        np.testing.assert_allclose(values[order], mixed[name], atol=2e-6, err_msg=name)


@given(st.integers(0, 2000), st.integers(0, 1400))
def test_a_finding_counts_as_long_as_a_step_of_a_rule_holds(day: int, later: int) -> None:
    found_on = date(2015, 1, 1) + timedelta(days=day)
    on = found_on + timedelta(days=later)
    start = (found_on - date(1970, 1, 1)).days
    known = Known.of(np.zeros(1, np.int64), np.array([start]), np.ones(1, bool))
    of = earlier(known, np.zeros(1, np.int64), np.array([start + later]))
    for months, name in ((12, "earlier_findings_12m"), (36, "earlier_findings_36m")):
        assert of[name][0] == (later > 0 and on < add_months(found_on, months))


def test_a_rate_is_against_the_average_of_its_day() -> None:
    code, day = np.array([0] * 50 + [1] * 50), np.tile(np.arange(50), 2) + 100
    found = np.concatenate([np.ones(50, bool), np.zeros(50, bool)])
    high, low, unknown = rate_against_average(Known.of(code, day, found), np.array([0, 1, 2]), np.full(3, 1000))
    assert high == pytest.approx((50 + 20 * 0.5) / (70 * 0.5))
    assert low == pytest.approx((20 * 0.5) / (70 * 0.5))
    assert unknown == 1.0


def test_names_have_the_same_number_in_every_file() -> None:
    first, second = codes(pl.Series(["b", None, "a"]), pl.Series(["a", "c"]))
    assert first[1] == -1
    assert first[2] == second[0]
    assert len({first[0], first[2], second[1]}) == 3


def test_a_hundred_thousand_entities_are_counted_as_a_database_would() -> None:
    random = np.random.default_rng(2)
    rows = 250_000
    names = pl.Series([f"e{n}" for n in random.integers(0, 100_000, rows)])
    day, found = np.sort(random.integers(15_000, 17_000, rows)), random.random(rows) < 0.2
    (code,) = history.codes(names)
    told = history.earlier(history.Known.of(code, day, found), code, day)
    by_day = pl.DataFrame({"name": names, "day": day, "found": found}).group_by("name", "day").agg(
        rows=pl.len(), hits=pl.col("found").sum()
    ).sort("name", "day").with_columns(
        rows_before=pl.col("rows").cum_sum().over("name") - pl.col("rows"),
        hits_before=pl.col("hits").cum_sum().over("name") - pl.col("hits"),
    )  # fmt: skip
    asked = pl.DataFrame({"name": names, "day": day}).join(
        by_day, on=["name", "day"], how="left", maintain_order="left"
    )
    np.testing.assert_array_equal(told["earlier_inspections"], asked["rows_before"].to_numpy())
    np.testing.assert_array_equal(told["earlier_findings"], asked["hits_before"].to_numpy())
