"""Settings are chosen by what they give on later days."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from services.risk.learning.choosing import Data, Tried, choose_blend, folds


@settings(max_examples=60)
@given(st.integers(0, 10_000), st.integers(250, 900), st.integers(2, 400), st.floats(0.03, 0.9))
def test_what_is_learnt_from_is_older_than_what_it_is_tried_on(seed: int, rows: int, days: int, rate: float) -> None:
    random = np.random.default_rng(seed)
    day, found = np.sort(random.integers(0, days, rows)), random.random(rows) < rate
    for fold in folds(day, found):
        assert day[fold.learn].max() < day[fold.try_on].min()  # no day is on both sides
        assert len(fold.learn) + len(fold.try_on) <= rows
        for part in (fold.learn, fold.try_on):
            assert min(found[part].sum(), (~found[part]).sum()) >= 5


def test_few_findings_are_tried_on_all_later_rows_together() -> None:
    day, found = np.arange(2000), np.arange(2000) % 100 == 0
    (one,) = folds(day, found)
    assert (one.learn[-1], one.try_on[0], one.try_on[-1]) == (1099, 1100, 1999)
    assert not folds(day, day < 20)  # all findings came first: nothing to try on


def test_parts_are_mixed_evenly_unless_one_orders_later_rows_better() -> None:
    random = np.random.default_rng(1)
    found = random.random(4000) < 0.2
    data = Data([], found, np.arange(4000), [], [], [])
    fold = folds(data.day, found)[0]
    hit = found[fold.try_on]
    good, noise = (Tried((random.normal(0, 1, len(hit)) + shift * hit,), 0.0) for shift in (1.0, 0.0))
    same, _ = choose_blend(data, [fold], [good, good, good])
    assert max(same) <= 0.5
    best, tried = choose_blend(data, [fold], [noise, good, noise])
    assert best == (0.0, 1.0, 0.0)
    assert tried.auc > 0.7
