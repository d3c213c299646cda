"""The room's own formulas give scipy's numbers, and say nothing where scipy's would be of no spread.

`scipy.stats` itself is not used: it takes half a second and 40 MB to load in every notebook, and its functions take 20
to 70 times as long as ours (Wilson's, which knows no arrays, thousands of times).
"""

from __future__ import annotations

import itertools
import subprocess
import sys
import warnings

import numpy as np
import pytest
from scipy import stats

from experiments.statistics import Scores, compare, interval
from experiments.statistics.aggregates import iqm
from experiments.statistics.differences import share_of_wins, trimmed_t, welch, yuen
from experiments.statistics.intervals import order_ranks, order_statistics, student_t, wilson
from experiments.statistics.significance import permutation_test, sign_test

RNG = np.random.default_rng(20_261_129)
SAMPLES = {
    "two": np.array([1.0, 2.0]),
    "three": np.array([0.3, 0.1, 0.2]),
    "ties": np.array([1.0, 1.0, 2.0, 2.0, 2.0, 3.0]),
    "coin": np.array([0.0, 1.0, 1.0, 0.0, 1.0]),
    "four": RNG.normal(size=4),  # a quarter of 4 to 7 scores is one
    "seven": RNG.normal(size=7) + 1,
    "eight": RNG.lognormal(size=8),  # and of 8 two
    "nine": 1e6 + RNG.normal(size=9),
    "small": 1e-9 * RNG.normal(size=6),
    "large": 1e12 * RNG.lognormal(size=11),
    "many": RNG.standard_t(2, size=40),
}
PAIRS = list(itertools.permutations(SAMPLES, 2))
EXACT = [
    pair
    for pair in PAIRS
    if len(SAMPLES[pair[0]]) + len(SAMPLES[pair[1]]) <= 13 and {"small", "large", "nine"}.isdisjoint(pair)
]
LEVELS = [0.8, 0.95, 0.99]


def close(found, expected, scale=1.0):
    return found == pytest.approx(expected, rel=1e-9, abs=1e-9 * scale)


def spread(*samples):
    return float(np.ptp(np.concatenate(samples)))


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", SAMPLES)
def test_student_s_interval_is_scipy_s(name, level):
    scores = SAMPLES[name]
    expected = stats.ttest_1samp(scores, 0.0).confidence_interval(level)
    assert close([float(end) for end in student_t(scores, level)], list(expected), spread(scores))


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_welch_s_interval_and_p_value_are_scipy_s(first, second):
    ours, theirs = SAMPLES[first], SAMPLES[second]
    expected = stats.ttest_ind(ours, theirs, equal_var=False)
    for level in LEVELS:
        low, high, p_value = welch(ours, theirs, level)
        assert close((low, high), tuple(expected.confidence_interval(level)), spread(ours, theirs))
        assert close(p_value, expected.pvalue)


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_yuen_s_interval_and_p_value_are_scipy_s(first, second):
    ours, theirs = SAMPLES[first], SAMPLES[second]
    expected = stats.ttest_ind(ours, theirs, equal_var=False, trim=0.25)
    for level in LEVELS:
        low, high, p_value = yuen(ours, theirs, level)
        assert close((low, high), tuple(expected.confidence_interval(level)), spread(ours, theirs))
        assert close(p_value, expected.pvalue)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_trimmed_t_of_pairs_is_yuen_s_against_an_arm_that_hardly_varies(name):
    # scipy trims only two samples: against a great many scores with next to no variance there is one sample left.
    scores = SAMPLES[name]
    still = 1e-9 * spread(scores) * np.linspace(-1, 1, 4_001)
    expected = stats.ttest_ind(scores, still, equal_var=False, trim=0.25).pvalue
    assert trimmed_t(scores) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("n", [1, 2, 5, 10, 101])
def test_wilson_s_intervals_are_scipy_s_from_no_run_to_all(n, level):
    low, high = wilson(np.arange(n + 1) / n, n, level)
    expected = [stats.binomtest(hits, n).proportion_ci(level, "wilson") for hits in range(n + 1)]
    assert close(low, [one.low for one in expected])
    assert close(high, [one.high for one in expected])


@pytest.mark.parametrize("n", [6, 7, 10, 15, 20, 41])
def test_the_interval_of_a_median_lies_in_scipy_s_and_equals_it_at_the_levels_that_ranks_cover(n):
    """Scipy takes whole ranks, which cover up to 99 % for 95; ours goes as far inward as covers 95."""
    scores = np.sort(np.random.default_rng(n).normal(size=n))
    # Quantile tests of scipy have one-sided ends: two of 2.5 % are its interval of 95 %.
    wide = stats.quantile_test(scores, q=float(np.median(scores)), p=0.5).confidence_interval(0.95)
    low, high = (float(end) for end in order_statistics(scores, 0.95))
    assert wide.low <= low < high <= wide.high
    rank, _, _ = order_ranks(n, 0.95)
    covered = float(1 - 2 * stats.binom.cdf(rank - 1, n, 0.5))
    whole = stats.quantile_test(scores, q=float(np.median(scores)), p=0.5).confidence_interval(covered - 1e-12)
    assert close([float(end) for end in order_statistics(scores, covered - 1e-12)], [whole.low, whole.high])


@pytest.mark.parametrize("statistic", [np.mean, iqm])
@pytest.mark.parametrize(("first", "second"), EXACT)
def test_exact_permutation_tests_are_scipy_s_with_ties_too(first, second, statistic):
    def gap(ours, theirs, axis):
        ours, theirs = np.moveaxis(ours, axis, -1), np.moveaxis(theirs, axis, -1)
        return of(ours) - of(theirs)

    def of(scores):
        return statistic(scores) if statistic is iqm else scores.mean(axis=-1)

    ours, theirs = SAMPLES[first], SAMPLES[second]
    expected = stats.permutation_test((ours, theirs), gap, n_resamples=np.inf, vectorized=True)
    found = permutation_test(ours, theirs, of)
    if len(ours) == len(theirs):
        assert close(found.p_value, expected.pvalue)
        return
    # scipy doubles the smaller tail; ours counts both, which is not the same where the arms differ in size.
    gaps = np.abs(expected.null_distribution)
    assert close(found.p_value, float(np.mean(gaps >= abs(expected.statistic) - 1e-9)))
    assert expected.pvalue / 2 - 1e-9 <= found.p_value <= 1


@pytest.mark.parametrize("name", [name for name in SAMPLES if len(SAMPLES[name]) <= 11])
def test_exact_sign_tests_are_scipy_s(name):
    scores = SAMPLES[name] - (0.5 * SAMPLES[name].mean() if name != "coin" else 0.0)
    expected = stats.permutation_test(
        (scores,), np.mean, permutation_type="samples", n_resamples=np.inf, vectorized=True, axis=0
    )
    assert close(sign_test(scores).p_value, expected.pvalue)


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_shares_of_wins_and_interquartile_means_are_scipy_s(first, second):
    ours, theirs = SAMPLES[first], SAMPLES[second]
    expected = stats.mannwhitneyu(ours, theirs).statistic / (len(ours) * len(theirs))
    assert close(share_of_wins(ours, theirs), expected)
    assert close(float(iqm(ours)), stats.trim_mean(ours, 0.25), spread(ours))


def test_where_scipy_is_certain_of_scores_without_spread_there_is_no_interval():
    same = np.full(4, 0.1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert stats.ttest_1samp(same, 0.0).pvalue < 1e-6
    assert interval(same).bounds is None
    assert compare(Scores.of(same), Scores.of(same + 1)).verdict == "undecided"


def test_a_comparison_is_made_without_loading_scipy_s_tests():
    code = """
import sys
from experiments.statistics import *
arms = [Scores.of([1.0, 2, 3, 4, 5, 6], arm="a"), Scores.of([2.0, 3, 1, 5, 4, 2], arm="b")]
for statistic in ("mean", "iqm"):
    compare_arms(arms, statistic)
[describe(arms[0], statistic) for statistic in STATISTICS], performance_profiles(arms), power_analysis(*arms)
print(sorted({"scipy.stats", "pandas"} & set(sys.modules)))
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
