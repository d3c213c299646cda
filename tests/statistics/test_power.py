"""Power against Cohen's tables."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from experiments.statistics import Scores, compare, power_analysis, power_of, seeds_needed


@pytest.mark.parametrize(
    ("effect", "paired", "seeds"),
    [(0.5, False, 64), (0.8, False, 26), (1.0, False, 17), (2.0, False, 6), (0.5, True, 34), (1.0, True, 10)],
)
def test_the_seeds_needed_are_those_of_cohen_s_tables(effect, paired, seeds):
    assert seeds_needed(effect, 1.0, paired=paired) == seeds
    assert seeds_needed(-effect * 7, 7.0, paired=paired) == seeds


@pytest.mark.parametrize(("statistic", "paired", "fewest"), [("mean", False, 3), ("mean", True, 3), ("iqm", True, 6)])
def test_no_difference_is_so_large_that_fewer_seeds_would_do_than_a_comparison_needs(statistic, paired, fewest):
    assert seeds_needed(100.0, 1.0, paired=paired, statistic=statistic) == fewest
    ours, theirs = (Scores.of(start + 0.1 * np.arange(fewest - 1.0) ** 2) for start in (100.0, 0.0))
    assert power_analysis(ours, theirs, statistic=statistic).now == 0.0
    assert compare(ours, theirs, statistic).difference.interval.bounds is None


def test_power_is_that_of_the_noncentral_t():
    edge = stats.t.ppf(0.975, 18)
    expected = stats.nct.sf(edge, 18, 0.9 * np.sqrt(5)) + stats.nct.cdf(-edge, 18, 0.9 * np.sqrt(5))
    assert power_of(0.9, 1.0, 10) == pytest.approx(expected)


def test_power_is_the_share_of_simulated_experiments_that_see_the_difference():
    rng = np.random.default_rng(1)
    ours, theirs = rng.normal(size=(4_000, 6)) + 1.5, rng.normal(size=(4_000, 6))
    seen = (stats.ttest_ind(ours, theirs, axis=1).pvalue < 0.05).mean()
    assert power_of(1.5, 1.0, 6) == pytest.approx(seen, abs=0.025)


def test_the_answer_says_how_uncertain_it_is():
    ours, theirs = Scores.of([5.2, 6.1, 7.4, 5.8, 6.6]), Scores.of([5.0, 5.9, 6.4, 5.1, 6.2])
    found = power_analysis(ours, theirs)
    assert found.fewest < found.seeds < found.most
    assert found.more == found.seeds - 5
    assert found.sentence.startswith(
        f"To see a difference of 0.5 as observed with a chance of 80 % takes {found.seeds}"
    )
    assert power_analysis(ours, theirs, difference=5.0).more == 0


@pytest.mark.parametrize(
    ("ours", "theirs", "words"),
    [
        ([1.0], [1.0, 2.0], "Two seeds with a score"),
        ([], [], "Two seeds with a score"),
        ([1.0, 1.0], [2.0, 2.0], "do not vary"),
        ([1.0, 2.0], [1.0, 2.0], "The difference is 0 or not known"),
        ([1.0, 2.0], [1.0, 2.0 + 1e-6], "more than 10,000"),
    ],
)
def test_where_there_is_no_answer_it_says_why(ours, theirs, words):
    found = power_analysis(Scores.of(ours), Scores.of(theirs))
    assert found.seeds is None
    assert words in found.sentence


@pytest.mark.parametrize("difference", [0.0, float("nan")])
def test_no_difference_needs_no_number_of_seeds(difference):
    assert seeds_needed(difference, 1.0) is None
    assert power_of(difference, 1.0, 5) == 0.0
