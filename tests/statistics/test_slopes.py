"""Slopes at the end of training with their interval over seeds, and runs that lost what they had learned."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from experiments.statistics import Curve, collapsed, end_slope, interval, shared_settings, troubles
from tests.statistics.samples import curve, learning

STEPS = np.linspace(0.0, 100_000.0, 201)


def rising(slopes, noise=0.0, **options):
    """Curves that rise by so much per 100k steps, one a seed."""
    rng = np.random.default_rng(2)
    return [
        Curve(STEPS, slope * STEPS / 100_000 + noise * rng.standard_normal(len(STEPS)), seed=seed, **options)
        for seed, slope in enumerate(slopes)
    ]


def test_the_slope_is_the_mean_over_seeds_with_student_s_interval():
    slopes = [0.5, 1.0, 0.7, 1.2, 0.6]
    found = end_slope(rising(slopes))
    assert found.value == pytest.approx(0.8)
    assert found.per == 100_000
    assert found.interval.bounds == pytest.approx(interval(slopes).bounds)
    assert found.sentence == (
        "still rising: 0.8 [0.438, 1.16] per 100k agent steps (n = 5), over the last 10 % of the steps"
    )


def test_each_slope_is_that_of_least_squares():
    noisy = rising([1.0], noise=0.3)[0]
    late = noisy.steps >= 80_000
    expected = stats.linregress(noisy.steps[late], noisy.values[late]).slope
    assert end_slope([noisy], 0.2).value == pytest.approx(100_000 * expected)


def test_curves_that_have_levelled_off_are_not_called_rising():
    assert end_slope(learning("a", 1.0, seeds=5)).sentence.startswith("not known to rise or fall: ")
    assert end_slope(rising([-0.5, -1.0, -0.7])).sentence.startswith("still falling: ")


def test_runs_that_end_early_or_failed_have_no_slope_and_are_counted():
    curves = rising([0.5, 1.0, 0.7])
    short = Curve(STEPS[:150], STEPS[:150], seed=7)
    failed = Curve(STEPS, 50 * STEPS, seed=8, outcome="failed")
    found = end_slope([*curves, short, failed])
    assert found.interval.n == 3
    assert found.words.endswith("(n = 3; 1 finished run without a slope)")
    assert "1 failed" in found.count.sentence


def test_a_run_that_is_no_seed_has_no_part_in_the_slope():
    curves = rising([0.5, 1.0, 0.7])
    again = rising([9.0], role="replicate", replicate=1)
    assert end_slope([*curves, *again]).value == end_slope(curves).value


def test_what_has_no_slope_says_why():
    assert end_slope([]).sentence == "slope at the end not known: no run has finished"
    assert "no finished run has 3 values there" in end_slope([curve([1.0, 2.0])]).sentence
    other = Curve(STEPS, STEPS, seed=5, unit="epochs")
    assert "different step units" in end_slope([*rising([1.0]), other]).sentence
    assert "no interval: 1 seed" in end_slope(rising([1.0])).sentence


def level(*levels, noise=0.02, seed=0, **options):
    """A curve that stays at each of some levels for equally long."""
    rng = np.random.default_rng(seed)
    values = np.repeat(levels, 200 // len(levels)) + noise * rng.standard_normal(200 // len(levels) * len(levels))
    return curve(values, seed=seed, **options)


@pytest.mark.parametrize(
    ("levels", "higher", "fell"),
    [
        ((0, 0.5, 1, 1, 0.1), True, (1.0, 0.1)),
        ((0, 0.5, 1, 1, 0.9), True, None),
        ((1, 1, 1, 1, 0.1), True, (1.0, 0.1)),
        ((-200, -50, -20, -20, -180), True, (-20.0, -180.0)),
        ((-200, -50, -20, -20, -60), True, None),
        ((5, 2, 1, 1, 4.5), False, (1.0, 4.5)),
        ((5, 2, 1, 1, 1.5), False, None),
    ],
)
def test_a_run_collapses_that_ends_below_half_of_what_it_had_learned(levels, higher, fell):
    found = collapsed(level(*levels), higher_is_better=higher)
    assert (found is None) == (fell is None)
    if fell:
        assert found == pytest.approx(fell, abs=0.05)


def test_a_curve_that_wavers_or_never_learned_does_not_collapse():
    flat = [collapsed(level(0.0, 0.0, 0.0, noise=1.0, seed=seed)) for seed in range(50)]
    wild = [collapsed(level(0.0, 1.0, 1.0, noise=2.0, seed=seed)) for seed in range(50)]
    assert [*flat, *wild] == [None] * 100


def test_one_lucky_value_is_no_best_level():
    values = np.full(200, 0.1)
    values[100] = 50.0
    assert collapsed(curve(values)) is None


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 0.0]])
def test_a_curve_of_hardly_any_value_does_not_collapse(values):
    assert collapsed(curve(values)) is None


def test_troubles_are_told_by_seed():
    fine, fell = level(0, 1, 1, 1, 1, seed=1), level(0, 1, 1, 1, 0, seed=2, arm="b")
    lost = Curve(np.array([0.0, 10.0, 20.0]), np.array([1.0, 2.0, np.nan]), seed=3)
    going = level(0, 1, 1, 1, 0, seed=4, outcome="unfinished")
    assert "seed 4 collapsed so far: from" in troubles([going])[0].words
    found = troubles([fine, fell, lost])
    assert [(one.curve.seed, one.kind) for one in found] == [(2, "collapsed"), (3, "diverged")]
    assert found[0].words.startswith("seed 2 of b collapsed: from 1")
    assert found[1].words == "seed 3 diverged, after 10 agent steps"


def test_settings_are_shared_that_all_troubled_runs_have_and_not_all_others():
    troubled = [{"lr": 0.1, "batch": 256, "seed": 1, "env": "a"}, {"lr": 0.1, "batch": 256, "seed": 2, "env": "a"}]
    others = [{"lr": 0.01, "batch": 256, "seed": 3, "env": "a"}, {"lr": 0.1, "batch": 256, "seed": 4, "env": "a"}]
    assert shared_settings(troubled, others) == {"lr": (0.1, 1)}
    assert shared_settings([], others) == {}
    assert shared_settings(troubled, []) == {}
