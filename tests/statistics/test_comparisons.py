"""Differences, tests and verdicts against scipy and against the table of verdicts."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, stats

from experiments.statistics import Interval, Scores, Summary, compare, compare_arms, holm, verdict_of
from experiments.statistics.differences import difference_of, welch, yuen
from experiments.statistics.improvement import _variance, probability_of_improvement, score_interval
from experiments.statistics.significance import permutation_test, sign_test

A = np.array([12.1, 9.4, 10.8, 13.3, 11.0, 8.7])
B = np.array([14.2, 13.1, 11.9, 15.8, 12.4, 13.0])


def arm(values, name="a", seeds=None, **options):
    return Scores.of(values, arm=name, seeds=seeds, **options)


def test_arms_with_other_seeds_are_compared_by_welch():
    found = difference_of(arm(B), arm(A))
    expected = stats.ttest_ind(B, A, equal_var=False)
    assert (found.p_value, found.test, found.paired) == (pytest.approx(expected.pvalue), "Welch t", False)
    assert found.interval.bounds == pytest.approx(tuple(expected.confidence_interval()))


def test_arms_with_the_same_seeds_are_compared_seed_by_seed():
    found = difference_of(arm(B, "b", range(6)), arm(A, "a", range(6)))
    expected = stats.ttest_rel(B, A)
    assert (found.p_value, found.test, found.paired) == (pytest.approx(expected.pvalue), "paired Student t", True)
    assert found.interval.bounds == pytest.approx(tuple(expected.confidence_interval()))


def test_a_seed_without_a_score_leaves_the_pairs_and_is_named():
    lost = B.copy()
    lost[2] = np.nan
    found = difference_of(arm(lost, "b", range(6)), arm(A, "a", range(6)))
    kept = [0, 1, 3, 4, 5]
    assert found.p_value == pytest.approx(stats.ttest_rel(B[kept], A[kept]).pvalue)
    assert found.notes == ("1 seed without a pair: 2",)


def test_pairing_can_be_refused_and_asked_for():
    ours, theirs = arm(B, "b", range(6)), arm(A, "a", range(6))
    assert not difference_of(ours, theirs, paired=False).paired
    assert difference_of(arm(B), arm(A), paired=True).paired
    apart = difference_of(arm(B, "b", range(10, 16)), theirs, paired=True)
    assert apart.notes == ("not paired: fewer than two seeds have a score in both arms",)


def test_interquartile_means_are_compared_by_yuen():
    found = difference_of(arm(B), arm(A), "iqm")
    expected = stats.ttest_ind(B, A, equal_var=False, trim=0.2)  # 0.2 of 6 cuts one score, as a quarter does
    assert (found.p_value, found.test) == (pytest.approx(expected.pvalue), "Yuen t")
    assert found.value == pytest.approx(stats.trim_mean(B, 0.25) - stats.trim_mean(A, 0.25))


@pytest.mark.parametrize("test", [welch, yuen])
def test_swapping_the_arms_turns_the_difference_round(test):
    low, high, p_value = test(A, B, 0.95)
    assert test(B, A, 0.95) == pytest.approx((-high, -low, p_value))


def test_few_seeds_get_the_exact_permutation_test():
    found = permutation_test([A], [B])
    expected = stats.permutation_test(
        (A, B), lambda x, y, axis: x.mean(axis) - y.mean(axis), n_resamples=np.inf, vectorized=True
    )
    assert found.p_value == pytest.approx(expected.pvalue)
    assert (found.method, found.smallest) == ("exact, 924 splits", pytest.approx(2 / 924))


def test_three_against_three_seeds_can_never_reach_five_percent():
    found = permutation_test([np.array([1.0, 2.0, 3.0])], [np.array([11.0, 12.0, 13.0])])
    assert (found.p_value, found.smallest) == (0.1, 0.1)


def test_paired_seeds_get_the_exact_sign_test():
    found = sign_test([B - A])
    expected = stats.permutation_test(
        (B - A,), np.mean, permutation_type="samples", n_resamples=np.inf, vectorized=True, axis=0
    )
    assert (found.p_value, found.method) == (pytest.approx(expected.pvalue), "exact, 64 sign patterns")


def test_many_seeds_get_random_splits_that_never_give_zero():
    rng = np.random.default_rng(1)
    ours, theirs = rng.normal(size=30) + 5, rng.normal(size=30)
    found = permutation_test([ours], [theirs])
    assert (found.method, found.p_value) == ("10,000 random splits", pytest.approx(1 / 10_001))
    assert permutation_test([ours], [theirs]) == found


def test_holm_adjusts_step_by_step_and_leaves_out_what_was_not_tested():
    assert holm([0.01, None, 0.04, 0.03]) == [pytest.approx(0.03), None, pytest.approx(0.06), pytest.approx(0.06)]
    assert holm([]) == []


def test_the_probability_of_improvement_is_mann_and_whitney_s():
    found = probability_of_improvement(arm(B), arm(A))
    assert found.value == pytest.approx(stats.mannwhitneyu(B, A).statistic / 36)
    worse = probability_of_improvement(arm(B), arm(A), higher_is_better=False)
    assert worse.value == pytest.approx(1 - found.value)
    assert worse.interval.bounds == pytest.approx((1 - found.interval.high, 1 - found.interval.low))


@pytest.mark.parametrize("share", [0.5, 0.84, 0.96, 1.0])
def test_its_interval_ends_where_the_share_is_1_96_standard_errors_away(share):
    sizes = np.array([[5.0, 5.0]])
    low, high = (float(end) for end in score_interval(np.array([share]), sizes, 0.95))

    def beyond(at):
        return abs(at - share) - 1.959964 * float(_variance(np.array([at]), sizes)[0]) ** 0.5

    assert low == pytest.approx(optimize.brentq(beyond, 1e-6, share - 1e-9), abs=1e-4)
    assert high == (1.0 if share == 1 else pytest.approx(optimize.brentq(beyond, share + 1e-9, 1 - 1e-9), abs=1e-4))


def test_equal_shares_have_the_exact_variance_of_mann_and_whitney():
    assert _variance(np.array([0.5]), np.array([[4.0, 7.0]]))[0] == pytest.approx((4 + 7 + 1) / (12 * 4 * 7))


def test_the_share_of_wins_over_tasks_is_their_mean():
    ours, theirs = np.stack([A, B], axis=1), np.stack([B, A], axis=1)
    found = probability_of_improvement(arm(ours), arm(theirs))
    assert found.value == pytest.approx(0.5)
    assert found.interval.low < 0.5 < found.interval.high


@pytest.mark.parametrize(
    ("ends", "p_value", "margin", "higher", "verdict"),
    [
        ((1.0, 3.0), 0.01, None, True, "better"),
        ((1.0, 3.0), 0.01, None, False, "worse"),
        ((-3.0, -1.0), 0.01, None, True, "worse"),
        ((-3.0, -1.0), 0.01, None, False, "better"),
        ((-1.0, 3.0), 0.4, None, True, "undecided"),
        ((1.0, 3.0), 0.08, None, True, "undecided"),
        ((-1.0, 1.0), 0.9, 2.0, True, "equivalent"),
        ((0.5, 1.0), 0.01, 2.0, True, "equivalent"),
        ((-1.0, 3.0), 0.4, 2.0, True, "undecided"),
        (None, None, 2.0, True, "undecided"),
    ],
)
def test_verdicts(ends, p_value, margin, higher, verdict):
    interval = Interval.none("1 seed") if ends is None else Interval(*ends, method="Welch t", n=10)
    found, reason = verdict_of(interval, p_value, margin=margin, higher_is_better=higher, family=3)
    assert found == verdict
    assert reason.endswith(".")


def test_more_arms_make_a_difference_harder_to_claim():
    rng = np.random.default_rng(4)
    base = arm(rng.normal(size=6), "base")
    near = [arm(rng.normal(size=6), f"same {number}") for number in range(8)]
    better = arm(rng.normal(size=6) + 1.6, "better")
    alone, among = compare(better, base), compare_arms([base, *near, better])[-1]
    assert (alone.verdict, among.verdict) == ("better", "undecided")
    assert "after Holm over 9 comparisons" in among.reason


def test_every_arm_is_compared_with_the_chosen_baseline():
    arms = [arm(A, "a"), arm(B, "b"), arm(A + 1, "c")]
    assert [(one.arm, one.baseline) for one in compare_arms(arms, baseline="b")] == [("a", "b"), ("c", "b")]
    assert compare_arms(arms, baseline="nothing") == compare_arms([]) == compare_arms(arms[:1]) == []


def test_runs_shared_by_tasks_are_compared_by_their_mean_over_the_tasks():
    rng = np.random.default_rng(6)
    ours, theirs = rng.normal(size=(6, 3)) + 2, rng.normal(size=(6, 3))
    found = difference_of(arm(ours, shared_runs=True), arm(theirs, shared_runs=True))
    expected = stats.ttest_ind(ours.mean(axis=1), theirs.mean(axis=1), equal_var=False)
    assert found.p_value == pytest.approx(expected.pvalue)
    assert "compare means" in difference_of(arm(ours, shared_runs=True), arm(theirs), "iqm").interval.reason


def test_five_pairs_can_decide_about_an_interquartile_mean():
    found = compare(arm(A[:5] + np.array([5, 6, 5.5, 6.5, 5.2]), "b", range(5)), arm(A[:5], "a", range(5)), "iqm")
    assert (found.difference.test, found.verdict) == ("trimmed t", "better")
    assert found.difference.permutation.smallest == 0.0625
    middle = np.array([5.0, 5.2, 5.5, 6.0, 6.5])
    winsorised = np.array([5.2, 5.2, 5.5, 6.0, 6.0])
    t = middle[1:4].mean() / np.sqrt(4 * winsorised.var(ddof=1) / 6)
    assert found.difference.p_value == pytest.approx(2 * stats.t.sf(t, 2))


def test_a_lower_score_is_the_better_one_for_steps_to_a_threshold():
    assert Summary("steps to threshold", threshold=1.0).lower_score_is_better
    assert not Summary("final").lower_score_is_better
    assert compare(arm(A - 6, "fast"), arm(A, "slow"), higher_is_better=False).verdict == "better"
