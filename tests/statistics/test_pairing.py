"""Where seeds do not go together, pairing them costs power, and is said to."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from experiments.statistics import Scores, pair_correlation
from experiments.statistics.differences import difference_of


def arms(correlation, n, seed=1):
    rng = np.random.default_rng(seed)
    common = rng.standard_normal(n) * math.sqrt(correlation)
    return [
        Scores.of(common + math.sqrt(1 - correlation) * rng.standard_normal(n), arm=name, seeds=range(n))
        for name in ("b", "a")
    ]


def test_correlation_and_interval_are_those_of_scipy():
    ours, theirs = arms(0.7, 12)
    found, expected = pair_correlation(ours, theirs), stats.pearsonr(ours.values, theirs.values)
    assert found.value == pytest.approx(expected.statistic)
    assert found.interval.bounds == pytest.approx(tuple(expected.confidence_interval(0.95)))


@pytest.mark.parametrize("seed", range(12))
def test_pairing_costs_where_its_interval_is_wider_than_that_of_the_arms(seed):
    ours, theirs = arms(0.3, 6, seed)
    paired = difference_of(ours, theirs).interval
    values = ours.values, theirs.values
    # Of the arms with one spread, which is what `pays_from` takes for granted.
    half = stats.t.ppf(0.975, 10) * math.sqrt(sum(arm.var(ddof=1) for arm in values) / 6)
    assert pair_correlation(ours, theirs).costs == (paired.high - paired.low > 2 * half)


def test_the_sentence_says_what_pairing_did_and_from_where_it_pays():
    n = 5
    left = Scores.of([1.0, 2.0, 3.0, 4.0, 5.0], seeds=range(n))
    right = Scores.of([2.0, 5.0, 1.0, 4.0, 3.0], seeds=range(n))
    assert pair_correlation(left, right).sentence == (
        "The pairs correlate by 0.1 [-0.86, 0.9] (n = 5): pairing cost power here; with 5 it pays from 0.31."
    )
    assert pair_correlation(left, Scores.of(left.values + 0.1 * right.values, seeds=range(n))).sentence.endswith(
        "pairing gained power here."
    )


def test_pairs_that_go_together_exactly_are_no_error():
    scores = Scores.of([1.0, 2.0, 3.0, 4.0, 5.0], seeds=range(5))
    found = pair_correlation(scores, scores)
    assert (found.value, found.costs) == (pytest.approx(1.0), False)


def test_what_is_not_known_says_why():
    scores = Scores.of([1.0, 2.0, 3.0, 4.0], seeds=range(4))
    assert pair_correlation(scores, scores).interval.reason == "4 pairs of seeds; it needs 5"
    assert "0 pairs" in pair_correlation(scores, Scores.of([1.0, 2.0, 3.0])).sentence
    assert "same score" in pair_correlation(scores, Scores.of([1.0] * 4, seeds=range(4))).sentence
    assert "1 pair of seeds" in pair_correlation(scores, Scores.of([1.0, 2.0], seeds=[3, 9])).sentence
