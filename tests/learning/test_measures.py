"""What a score is worth, by hand where a hand can, and by scikit-learn where it can."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from services.risk.learning.measures import Replay, Windows, auc, brier, draws, intervals, measures

WEEK = np.arange(6, dtype=np.int64)  # one inspection a day


def replay(score: list[float], found: list[int], day: np.ndarray = WEEK) -> Replay:
    return Replay.of(np.array(score, float), day[: len(score)], np.array(found, bool))


def test_the_highest_scores_take_the_earliest_days() -> None:
    # Findings were made on days 2 and 5. Their scores are the highest two, so that they come on days 1 and 0.
    told = replay([0, 0, 8, 0, 0, 9], [0, 0, 1, 0, 0, 1])
    assert told.days_earlier() == ((2 - 1) + (5 - 0)) / 2
    assert told.share_first_half() == 1.0


def test_a_score_that_errs_moves_findings_back() -> None:
    # The finding of day 0 has the lowest score: it comes on the last day. That of day 3 comes first.
    told = replay([0, 5, 5, 9, 5, 5], [1, 0, 0, 1, 0, 0])
    assert told.days_earlier() == ((0 - 5) + (3 - 0)) / 2
    assert told.share_first_half() == 0.5


def test_the_capacity_of_each_day_is_kept() -> None:
    day = np.array([0, 0, 0, 7, 9], np.int64)
    # The finding of day 9 moves into one of three slots of day 0, the one of day 7 into another.
    assert replay([1, 1, 1, 2, 3], [0, 0, 0, 1, 1], day).days_earlier() == (7 + 9) / 2


def test_equal_scores_keep_the_order_that_was() -> None:
    told = replay([1, 1, 1, 1, 1, 1], [0, 1, 0, 0, 1, 1])
    assert told.days_earlier() == 0.0
    assert told.share_first_half() == pytest.approx(1 / 3)


def test_a_window_gains_no_more_however_long_the_period() -> None:
    random = np.random.default_rng(1)
    gains = []
    for days in (120, 1200):
        day = np.sort(random.integers(0, days, 6000)).astype(np.int64)
        found = random.random(6000) < 0.2
        gains.append([told.of(found * 1.0, day, found).days_earlier() for told in (Replay, Windows)])
    (short, short_window), (long, long_window) = gains
    assert long > 8 * short
    assert short_window == pytest.approx(24, abs=1.5)
    assert long_window == pytest.approx(24, abs=1.5)


def test_windows_cover_the_period_from_its_first_to_its_last_day() -> None:
    day = np.arange(145, dtype=np.int64)
    windows = Windows.of(np.zeros(145), day, np.ones(145, bool))
    assert windows.starts[0] == 0
    assert windows.starts[-1] + 60 == 145
    assert set(np.concatenate(windows.rows)) == set(range(145))
    short = Windows.of(np.zeros(10), day[:10], np.ones(10, bool))
    assert (len(short.starts), len(short.rows[0])) == (1, 10)


SCORES = st.lists(st.tuples(st.integers(-5, 5), st.booleans(), st.integers(0, 3)), min_size=2, max_size=60)


@given(SCORES)
def test_auc_is_the_known_one_and_weights_are_repeated_rows(rows: list[tuple[int, bool, int]]) -> None:
    score, found = np.array([r[0] for r in rows], float), np.array([r[1] for r in rows])
    weight, day = np.array([r[2] for r in rows], np.int64), np.arange(len(rows), dtype=np.int64)
    if found.any() and not found.all():
        assert auc(score, found) == pytest.approx(roc_auc_score(found, score))
    again = np.repeat(np.arange(len(rows)), weight)
    if not found[again].any():
        return
    chance = (score + 5) / 10
    weighted = measures(score, chance, day, found)
    repeated = measures(score[again], chance[again], day[again], found[again])
    for name in ("auc", "brier", "share_first_half", "days_earlier"):
        assert weighted[name](weight) == pytest.approx(repeated[name](None), nan_ok=True)


@given(SCORES)
def test_no_order_beats_the_perfect_one(rows: list[tuple[int, bool, int]]) -> None:
    score, found = np.array([r[0] for r in rows], float), np.array([r[1] for r in rows])
    day = np.sort(np.array([r[2] for r in rows], np.int64))
    if found.any():
        perfect = Replay.of(found * 1.0, day, found)
        given_score = Replay.of(score, day, found)
        assert given_score.days_earlier() <= perfect.days_earlier() + 1e-9
        assert given_score.share_first_half() <= perfect.share_first_half()


@settings(max_examples=20)
@given(st.integers(0, 1000))
def test_draws_take_whole_groups(seed: int) -> None:
    groups = np.array([0, 0, 1, 2, 2, 2], np.int64)
    for weight in draws(groups, 5, seed):
        assert weight[0] == weight[1]
        assert weight[3] == weight[4] == weight[5]
        assert weight[0] + weight[2] + weight[3] == 3


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    random = np.random.default_rng(5)
    held = 0
    for _ in range(60):
        found = random.random(300) < 0.3
        score = found + random.normal(0, 1, 300)
        drawn = [auc(score, found, weight) for weight in draws(np.arange(300), 100, 1)]
        low, high = intervals({"auc": drawn})["auc"]
        held += low <= 0.7602 <= high  # the chance that N(1, 1) exceeds N(0, 1)
    assert held >= 51


def test_brier_is_the_mean_square() -> None:
    assert brier(np.array([0.2, 0.9]), np.array([False, True])) == pytest.approx((0.04 + 0.01) / 2)
