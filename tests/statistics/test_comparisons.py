"""Differences, tests and verdicts against scipy and against the table of verdicts."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, stats

from experiments.statistics import (
    Interval,
    Scores,
    SeedScore,
    Summary,
    compare,
    compare_arms,
    holm,
    methods_sentence,
    summarise,
    verdict_of,
)
from experiments.statistics.comparisons import claim_of, still_out
from experiments.statistics.differences import (
    _variance,
    difference_of,
    probability_of_improvement,
    score_interval,
    welch,
    yuen,
)
from experiments.statistics.significance import permutation_test, shift_interval, sign_test
from experiments.statistics.values import SeedCount
from tests.statistics.samples import curve, learning

A = np.array([12.1, 9.4, 10.8, 13.3, 11.0, 8.7])
B = np.array([14.2, 13.1, 11.9, 15.8, 12.4, 13.0])
VERDICT_WORDS = ("better", "worse", "p =", "confirmed")


def arm(values, name="a", seeds=None, **options):
    return Scores.of(values, arm=name, seeds=seeds, **options)


def _gap(first, second, axis):
    return first.mean(axis) - second.mean(axis)


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
    found = permutation_test(A, B)
    expected = stats.permutation_test(
        (A, B), lambda x, y, axis: x.mean(axis) - y.mean(axis), n_resamples=np.inf, vectorized=True
    )
    assert found.p_value == pytest.approx(expected.pvalue)
    assert (found.method, found.smallest) == ("exact, 924 splits", pytest.approx(2 / 924))


def test_three_against_three_seeds_can_never_reach_five_percent():
    found = permutation_test(np.array([1.0, 2.0, 3.0]), np.array([11.0, 12.0, 13.0]))
    assert (found.p_value, found.smallest) == (0.1, 0.1)


def test_paired_seeds_get_the_exact_sign_test():
    found = sign_test(B - A)
    expected = stats.permutation_test(
        (B - A,), np.mean, permutation_type="samples", n_resamples=np.inf, vectorized=True, axis=0
    )
    assert (found.p_value, found.method) == (pytest.approx(expected.pvalue), "exact, 64 sign patterns")


def test_many_seeds_get_random_splits_that_never_give_zero():
    rng = np.random.default_rng(1)
    ours, theirs = rng.normal(size=30) + 5, rng.normal(size=30)
    found = permutation_test(ours, theirs)
    assert (found.method, found.p_value) == ("10,000 random splits", pytest.approx(1 / 10_001))
    assert permutation_test(ours, theirs) == found


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
    sizes = (5, 5)
    low, high = (float(end) for end in score_interval(np.array(share), sizes, 0.95))

    def beyond(at):
        return abs(at - share) - 1.959964 * float(_variance(np.array(at), sizes)) ** 0.5

    assert low == pytest.approx(optimize.brentq(beyond, 1e-6, share - 1e-9), abs=1e-4)
    assert high == (1.0 if share == 1 else pytest.approx(optimize.brentq(beyond, share + 1e-9, 1 - 1e-9), abs=1e-4))


def test_equal_shares_have_the_exact_variance_of_mann_and_whitney():
    assert _variance(np.array(0.5), (4, 7)) == pytest.approx((4 + 7 + 1) / (12 * 4 * 7))


@pytest.mark.parametrize(
    ("ends", "p_value", "higher", "verdict"),
    [
        ((1.0, 3.0), 0.01, True, "better"),
        ((1.0, 3.0), 0.01, False, "worse"),
        ((-3.0, -1.0), 0.01, True, "worse"),
        ((-3.0, -1.0), 0.01, False, "better"),
        ((-1.0, 3.0), 0.4, True, "undecided"),
        ((1.0, 3.0), 0.08, True, "undecided"),
        (None, None, True, "undecided"),
    ],
)
def test_verdicts(ends, p_value, higher, verdict):
    interval = Interval.none("1 seed") if ends is None else Interval(*ends, method="Welch t", n=10)
    found, reason = verdict_of(interval, p_value, higher_is_better=higher, family=3)
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


def test_six_pairs_can_decide_about_an_interquartile_mean():
    found = compare(arm(A + np.array([5, 6, 5.5, 6.5, 5.2, 7]), "b", range(6)), arm(A, "a", range(6)), "iqm")
    assert (found.difference.test, found.verdict) == ("trimmed t", "better")
    assert found.difference.permutation.smallest == 0.03125
    middle = np.array([5.2, 5.5, 6.0, 6.5])
    winsorised = np.array([5.2, 5.2, 5.5, 6.0, 6.5, 6.5])
    t = middle.mean() / np.sqrt(5 * winsorised.var(ddof=1) / 12)
    assert found.difference.p_value == pytest.approx(2 * stats.t.sf(t, 3))


@pytest.mark.parametrize(("level", "tail"), [(0.95, 0.025), (0.9, 0.05)])
def test_a_shift_is_inside_where_a_permutation_test_with_it_taken_off_does_not_exclude_it(level, tail):
    low, high, _ = shift_interval(A[:3], B, level)
    for shift, inside in ((low - 0.01, False), (low + 0.01, True), (high - 0.01, True), (high + 0.01, False)):
        tails = [
            stats.permutation_test(
                (A[:3] - shift, B), _gap, n_resamples=np.inf, vectorized=True, alternative=side
            ).pvalue
            for side in ("less", "greater")
        ]
        assert (min(tails) > tail) == inside


def test_the_p_value_of_a_shift_is_that_of_an_exact_permutation_test_and_the_same_the_other_way_round():
    low, high, p_value = shift_interval(B[:4] + 2, A, 0.95)
    assert shift_interval(A, B[:4] + 2, 0.95) == pytest.approx((-high, -low, p_value))
    tail = stats.permutation_test((B[:4] + 2, A), _gap, n_resamples=np.inf, vectorized=True, alternative="greater")
    assert p_value == pytest.approx(2 * tail.pvalue)


def test_uneven_arms_are_compared_by_the_wider_of_two_intervals_and_the_larger_of_two_p_values():
    found, expected = difference_of(arm(B), arm(A[:3])), stats.ttest_ind(B, A[:3], equal_var=False)
    low, high, p_value = shift_interval(B, A[:3], 0.95)
    ends = expected.confidence_interval()
    assert found.test == "Welch t with permutation"
    assert found.interval.bounds == pytest.approx((min(low, ends.low), max(high, ends.high)))
    assert found.p_value == pytest.approx(max(p_value, expected.pvalue))


@pytest.mark.parametrize(
    ("ours", "theirs", "said"),
    [
        ([1, 1, 1], [0, 1, 0, 1, 1, 0, 1, 0, 1, 0], "all 3 seeds of a have the same score, so nothing is known"),
        ([0, 1, 0, 1, 1], [3, 3, 3, 3], "all 4 seeds of b have the same score, so nothing is known"),
        ([2, 2, 2], [1, 1, 1], "all 3 seeds of a have the same score, so nothing is known"),
        ([0.9, 0.91, 0.9], [0.1, 0.9, 0.1, 0.9, 0.9, 0.1, 0.9, 0.1, 0.9, 0.1], "contains 0"),
        ([5, 6], [1, 2, 3, 4], "2 seeds in an arm; it needs 3"),
    ],
)
def test_nothing_is_claimed_of_an_arm_without_spread_or_with_too_few_seeds(ours, theirs, said):
    found = compare(arm(ours, "a"), arm(theirs, "b"))
    assert found.verdict == "undecided"
    assert said in found.reason
    assert (found.difference.p_value is None) == (found.difference.interval.bounds is None)


def test_an_interquartile_mean_whose_middle_seeds_are_all_alike_decides_nothing():
    found = compare(arm([0, 5, 5, 5, 5, 9], "a"), arm(A, "b"), "iqm")
    assert "the middle 4 of 6 seeds of a have the same score" in found.reason


@pytest.mark.parametrize(
    ("ours", "said"),
    [
        (  # 1.5, but for what rounding leaves of it
            [2.5, 3.5 + 1e-13, 4.5 - 1e-13],
            "all 3 pairs of seeds differ by the same 1.5, which says nothing of how much differences vary",
        ),
        (
            [2.5, 3.5, 4.5],
            "all 3 pairs of seeds differ by the same 1.5, which says nothing of how much differences vary",
        ),
        ([2.5, 3.6], "2 pairs of seeds; a comparison needs 3"),
    ],
)
def test_equal_differences_and_too_few_pairs_are_called_what_they_are(ours, said):
    seeds = range(len(ours))
    found = compare(arm(ours, "a", seeds), arm([1, 2, 3][: len(ours)], "b", seeds))
    assert (found.verdict, found.p_adjusted) == ("undecided", None)
    assert found.reason == f"No interval of the difference: {said}."


def test_a_claim_on_few_seeds_says_what_it_rests_on_and_no_claim_says_nothing():
    claimed = compare(arm(B + 9, "b"), arm(A, "a"))
    assert "excludes 0" in claimed.reason
    assert "which 6 seeds cannot show" in claimed.reason
    assert "up to a quarter of cases (simulated)" in claimed.reason
    assert "simulated" not in compare(arm(A + 0.1, "b"), arm(A, "a")).reason
    many = np.linspace(0, 1, 20)
    assert "simulated" not in compare(arm(many + 3, "b"), arm(many, "a")).reason


def test_a_lower_score_is_the_better_one_for_steps_to_a_threshold():
    assert Summary("steps to threshold", threshold=1.0).lower_score_is_better
    assert not Summary("final").lower_score_is_better
    assert compare(arm(A - 6, "fast"), arm(A, "slow"), higher_is_better=False).verdict == "better"


def scores(arm, level, outcomes):
    runs = [
        SeedScore(seed, level * (1 + 0.1 * seed) if outcome == "finished" else None, outcome, reason=f"{outcome} at 3")
        for seed, outcome in enumerate(outcomes)
    ]
    return Scores(arm, tuple(runs), metric="loss/x")


def arms(*outcomes):
    return scores("a", 1.0, ["finished"] * 3), scores("b", 2.0, ["finished"] * 3 + list(outcomes))


@pytest.mark.parametrize("outcome", ["unfinished", "unread"])
def test_while_seeds_are_out_a_comparison_is_interim_without_p_or_verdict_word(outcome):
    found = compare(*reversed(arms(*[outcome] * 7)))
    assert (found.verdict, found.p_adjusted, found.difference.p_value, found.difference.test) == (
        "interim",
        None,
        None,
        "",
    )
    assert found.difference.permutation.p_value is None
    assert found.difference.interval.bounds is found.improvement.interval.bounds is None
    assert not any(word in found.sentence for word in VERDICT_WORDS)
    assert "interim: 3 of 10 seeds of b and 3 of 3 of a have ended; 7 of b" in found.sentence
    assert compare(*reversed(arms())).verdict == "better"


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        ("failed", "2 failed"),
        ("machine failed", "2 lost with the machine"),
        ("cancelled", "2 cancelled"),
        ("diverged", "2 diverged"),
        ("no value", "2 without a value of loss/x"),
        ("unscored", "2 without a score"),
    ],
)
def test_where_seeds_were_lost_a_comparison_is_undecided_and_says_how_many(outcome, words):
    found = compare(*reversed(arms(outcome, outcome)))
    assert (found.verdict, found.p_adjusted, found.claim.standing) == ("undecided", None, "lost")
    assert found.difference.interval.bounds is None
    became = "have no score: unscored at 3" if outcome == "unscored" else "were lost"  # a shorter run is not lost
    assert found.reason == f"2 of 5 seeds of b {became}."
    assert words in found.sentence
    assert "over the seeds with a score" in found.sentence
    assert not any(word in found.sentence for word in VERDICT_WORDS)


def test_a_lost_seed_that_was_given_a_score_is_not_lost_to_a_claim():
    base, other = arms("failed")
    assert claim_of(base, other).standing == "lost"
    filled = other.filled(0.0)
    assert claim_of(base, filled).is_final
    assert filled.runs[3].reason == "failed at 3, counted as 0"
    assert filled.count.failed == 1


def test_seeds_that_are_out_come_before_those_that_were_lost():
    assert claim_of(*arms("failed", "unfinished")).standing == "interim"


def test_a_metric_that_no_run_has_is_said_and_not_called_a_loss():
    nothing = [scores(arm, 1.0, ["no value"] * 5) for arm in "ab"]
    assert claim_of(*nothing).reason == "no seed of a and b has a value of loss/x"
    assert nothing[0].count.sentence == "5 of 5 finished, 5 without a value of loss/x"


def test_what_is_still_out_is_named_of_few_arms_and_counted_of_many():
    counts = [(name, SeedCount(finished=3, failed=1, unfinished=out)) for name, out in (("a", 1), ("b", 0))]
    assert still_out(counts) == "4 of 5 seeds of a and 4 of 4 of b have ended; 1 of a is still out"
    assert still_out([(str(arm), SeedCount(3, unfinished=2)) for arm in range(6)]) == (
        "18 of 30 seeds of 6 arms have ended; 12 of 6 arms are still out"
    )
    assert still_out(counts[1:]) == ""


def test_an_arm_that_is_out_still_counts_for_holm():
    rng = np.random.default_rng(0)
    final = [Scores.of(rng.normal(level, 1.0, 8), arm=arm) for arm, level in (("a", 0.0), ("b", 1.5), ("c", 1.5))]
    out = scores("c", 2.0, ["finished"] * 3 + ["unfinished"])
    whole, interim = compare_arms(final), compare_arms([*final[:2], out])
    assert [one.family for one in interim] == [2, 2]
    assert interim[0].p_adjusted >= whole[0].p_adjusted
    assert interim[1].p_adjusted is None


def test_the_methods_sentence_says_interim_first_and_what_was_lost():
    curves = [*learning("a", 5.0), *learning("b", 6.0, seeds=3), *learning("b", 6.0, seeds=5, outcome="unfinished")[3:]]
    found = list(summarise(curves).values())
    text = methods_sentence(found, compare_arms(found))
    assert text.startswith("Interim: 5 of 5 seeds of a and 3 of 5 of b have ended; 2 of b are still out.")
    assert "Compared with a, seed by seed." in text
    assert "p-value" not in text
    curves = [*learning("a", 5.0), *learning("b", 6.0, seeds=4), learning("b", 6.0, outcome="failed")[4]]
    found = list(summarise(curves).values())
    assert "Undecided: b against a: 1 of 5 seeds of b was lost." in methods_sentence(found, compare_arms(found))


def test_another_attempt_that_stands_for_a_seed_is_said_in_the_methods():
    lost = curve([1.0], arm="b", seed=0, outcome="machine failed")
    found = list(summarise([*learning("a", 5.0), lost, *learning("b", 6.0)]).values())
    assert "Attempts: seed 0 of b: attempt 2, after the machine failed." in methods_sentence(found)
    assert compare(found[1], found[0]).claim.is_final


def test_of_seeds_that_a_search_chose_by_nothing_is_called_better_however_far_they_lie_apart():
    choosing = range(1_000_000, 1_000_006)
    low, high = arm(A, "trial-0", choosing), arm(A + 100, "trial-1", choosing)
    assert claim_of(low, high).standing == "chosen"
    [found] = compare_arms([low, high])
    assert (found.verdict, found.p_adjusted, found.difference.interval.bounds) == ("undecided", None, None)
    assert "which chose by their scores" in found.reason
    assert not [word for word in VERDICT_WORDS if word in methods_sentence([low, high], [found])]
    assert claim_of(arm(A, "a", range(6)), arm(A + 100, "b", range(6))).is_final
