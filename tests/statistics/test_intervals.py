"""Intervals of one arm against scipy, hand calculations and the table of what is chosen when."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from experiments.statistics import Options, interval, intervals, methods
from experiments.statistics.aggregates import counts_of, iqm, optimality_gap, resampled_iqm
from experiments.statistics.intervals import choose

SCORES = np.array([12.1, 9.4, 10.8, 13.3, 11.0, 8.7, 12.9, 10.2])


def test_the_interval_of_a_mean_is_student_s():
    found = interval(SCORES)
    expected = stats.t.interval(0.95, len(SCORES) - 1, SCORES.mean(), stats.sem(SCORES))
    assert found.bounds == pytest.approx(expected)
    assert (found.method, found.n, found.level) == ("Student t", 8, 0.95)
    assert found.assumption == "assumes roughly symmetric scores"


def test_two_seeds_have_a_wide_interval_and_one_has_none():
    assert interval([1.0, 2.0]).bounds == pytest.approx((-4.8531, 7.8531), abs=1e-4)
    assert interval([1.0]).words == "no interval: 1 seed"
    assert interval([]).words == "no interval: no seed has a score"


def test_the_median_of_ten_lies_between_interpolated_order_statistics():
    # Ranks 2 and 9 cover 97.85 %, 3 and 8 cover 89.06 %: 0.3244 of the way in coverage is 0.6577 of a rank.
    found = interval(np.arange(1.0, 11.0), "median")
    assert found.bounds == pytest.approx((2.6577, 8.3423), abs=1e-4)
    assert found.assumption == methods.ANY_SHAPE


def test_the_range_of_five_seeds_covers_the_median_with_93_75_percent():
    found = interval([3.0, 1.0, 5.0, 4.0, 2.0], "median")
    assert (found.bounds, found.level) == ((1.0, 5.0), 0.9375)
    assert interval([1.0, 2.0, 3.0, 4.0], "median").bounds is None


def test_bca_is_scipy_s_at_the_widened_level():
    scores = np.random.default_rng(3).lognormal(size=25)
    tail = intervals.widened_tail(0.95, 24, math.sqrt(25 / 24))
    expected = stats.bootstrap(
        (scores,), np.mean, confidence_level=1 - 2 * tail, n_resamples=100_000, rng=np.random.default_rng(1)
    ).confidence_interval
    found = interval(scores, "mean", Options(bootstrap=True, resamples=100_000))
    assert found.method == "BCa bootstrap"
    assert found.bounds == pytest.approx(tuple(expected), rel=0.01)


def test_a_bootstrap_of_the_interquartile_mean_sorts_nothing_and_is_still_right():
    rows = np.sort(np.random.default_rng(5).normal(size=(3, 9)), axis=1)
    counts = counts_of(9, 300, 0)
    slow = [[iqm(np.repeat(row, drawn)) for drawn in counts.T] for row in rows]
    np.testing.assert_allclose(resampled_iqm(rows, counts), slow)


@pytest.mark.parametrize(
    ("statistic", "n", "chosen"),
    [
        ("mean", 2, methods.STUDENT),
        ("mean", 100, methods.STUDENT),
        ("median", 5, methods.ORDER),
        ("iqm", 4, None),
        ("iqm", 5, methods.BCA),
        ("optimality gap", 19, None),
        ("optimality gap", 20, methods.BCA),
    ],
)
def test_what_is_chosen_depends_on_statistic_and_seeds(statistic, n, chosen):
    found = choose(n, statistic, Options(), reached=True)
    assert (found if isinstance(found, str) else found.method) == (found if chosen is None else chosen)


def test_a_gap_that_no_seed_closes_is_as_certain_as_the_mean():
    gap, mean = interval(SCORES, "optimality gap", Options(target=20.0)), interval(SCORES)
    assert gap.bounds == pytest.approx((20 - mean.high, 20 - mean.low))


def test_a_bootstrap_of_a_mean_waits_for_twenty_seeds():
    few, many = (interval(np.arange(float(n)), "mean", Options(bootstrap=True)) for n in (19, 20))
    assert (few.method, many.method) == ("Student t", "BCa bootstrap")


def test_an_interval_is_the_same_byte_for_byte():
    assert interval(SCORES, "iqm") == interval(SCORES[::-1], "iqm")
    assert interval(SCORES, "iqm") == interval(SCORES, "iqm")


def test_statistics_are_those_of_agarwal_et_al():
    assert iqm(SCORES) == pytest.approx(stats.trim_mean(SCORES, 0.25))
    assert iqm(SCORES) == pytest.approx(np.sort(SCORES)[2:6].mean())
    assert optimality_gap(np.array([0.0, 0.5, 2.0])) == pytest.approx(0.5)


def test_wilson_s_interval_is_scipy_s():
    low, high = intervals.wilson(np.array([0.3]), 10, 0.95)
    expected = stats.binomtest(3, 10).proportion_ci(method="wilson")
    assert (low[0], high[0]) == pytest.approx((expected.low, expected.high))
