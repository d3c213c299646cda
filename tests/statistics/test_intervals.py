"""Intervals of one arm against scipy, hand calculations and the table of what is chosen when."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from experiments.statistics import Options, bounds, interval, methods
from experiments.statistics.aggregates import iqm, optimality_gap
from experiments.statistics.draws import counts_of, resampled_iqm
from experiments.statistics.intervals import choose, interval_over_tasks
from experiments.statistics.resampling import _resampled, over_tasks

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
    tail = bounds.widened_tail(0.95, 24, math.sqrt(25 / 24))
    expected = stats.bootstrap(
        (scores,), np.mean, confidence_level=1 - 2 * tail, n_resamples=100_000, rng=np.random.default_rng(1)
    ).confidence_interval
    found = interval(scores, "mean", Options(bootstrap=True, resamples=100_000))
    assert found.method == "BCa bootstrap"
    assert found.bounds == pytest.approx(tuple(expected), rel=0.01)


def test_a_bootstrap_of_the_interquartile_mean_sorts_nothing_and_is_still_right():
    rows = np.sort(np.random.default_rng(5).normal(size=(3, 9)), axis=1)
    counts = counts_of((9,), 300, 0)
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


def test_aggregates_over_tasks_are_those_of_agarwal_et_al():
    table = np.array([[0.1, 0.9, 1.4], [0.3, 0.7, 1.2], [0.2, 0.8, 0.4], [0.6, 1.0, 1.1]])  # (runs, tasks)
    strata = list(table.T)
    assert over_tasks(strata, "mean") == pytest.approx(table.mean())
    assert over_tasks(strata, "median") == pytest.approx(0.85)  # of the task means 0.3, 0.85, 1.025
    assert over_tasks(strata, "iqm") == pytest.approx(stats.trim_mean(table, 0.25, axis=None))
    assert over_tasks(strata, "iqm") == pytest.approx((0.4 + 0.6 + 0.7 + 0.8 + 0.9 + 1.0) / 6)
    assert over_tasks(strata, "optimality gap") == pytest.approx(1 - np.minimum(table, 1.0).mean())


def test_one_task_gives_the_statistic_of_its_seeds():
    assert over_tasks([SCORES], "median") == np.median(SCORES)
    assert iqm(SCORES) == pytest.approx(np.sort(SCORES)[2:6].mean())
    assert optimality_gap(np.array([0.0, 0.5, 2.0])) == pytest.approx(0.5)


def test_a_stratified_bootstrap_draws_inside_each_task():
    rng = np.random.default_rng(8)
    strata = [np.sort(rng.normal(size=size)) + task for task, size in enumerate((6, 7, 5))]
    counts = counts_of((6, 7, 5), 4_000, 0)
    assert all(
        (part.sum(axis=0) == len(one)).all() for one, part in zip(strata, np.split(counts, (6, 13)), strict=True)
    )
    slow = [iqm(np.concatenate([rng.choice(part, len(part)) for part in strata])) for _ in range(4_000)]
    drawn = _resampled(strata, "iqm", 1.0, counts)
    assert (drawn.mean(), drawn.std()) == (
        pytest.approx(np.mean(slow), abs=0.02),
        pytest.approx(np.std(slow), rel=0.05),
    )


def test_tasks_of_unequal_size_weigh_the_same_in_a_mean():
    strata = [np.array([0.0, 1.0, 2.0]), np.array([4.0, 4.0, 5.0, 5.0, 4.5])]
    found = interval_over_tasks(strata, "mean")
    assert (found.low + found.high) / 2 == pytest.approx((1.0 + 4.5) / 2)
    assert found.method == "Welch-Satterthwaite t over 2 tasks"


def test_runs_that_were_scored_on_every_task_are_resampled_whole():
    seeds = np.random.default_rng(2).normal(size=(10, 1))
    table = np.tile(seeds, (1, 4)) + np.linspace(0, 0.01, 4)  # four tasks tell no more than one
    shared = interval_over_tasks(list(table.T), "iqm", table=table)
    apart = interval_over_tasks(list(table.T), "iqm")
    assert shared.method == "bootstrap over seeds over 4 tasks"
    assert shared.high - shared.low > 1.5 * (apart.high - apart.low)


def test_the_median_over_tasks_has_no_interval_and_says_why():
    strata = [np.arange(30.0), np.arange(30.0) + 1]
    assert "found to cover" in interval_over_tasks(strata, "median").reason


def test_wilson_s_interval_is_scipy_s():
    low, high = bounds.wilson(np.array([0.3]), 10, 0.95)
    expected = stats.binomtest(3, 10).proportion_ci(method="wilson")
    assert (low[0], high[0]) == pytest.approx((expected.low, expected.high))
