"""Where one further run will lie."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from experiments.statistics import Scores, describe, next_run


def test_the_interval_is_that_of_the_textbook_and_wider_than_that_of_the_mean():
    scores = Scores.of([1.0, 2.0, 4.0, 3.0, 5.5])
    found, values = next_run(scores), scores.values
    half = stats.t.ppf(0.975, 4) * values.std(ddof=1) * math.sqrt(1 + 1 / 5)
    assert found.interval.bounds == pytest.approx((values.mean() - half, values.mean() + half))
    mean = describe(scores).interval
    assert found.interval.low < mean.low
    assert found.interval.high > mean.high
    assert found.sentence.startswith("next run 3.1, ")
    assert "95 % Student t prediction interval, n = 5" in found.sentence


def test_the_next_of_normal_runs_lies_within_as_often_as_it_says():
    rng, inside, trials = np.random.default_rng(4), 0, 2_000
    for _ in range(trials):
        *seen, further = rng.standard_normal(5)
        inside += next_run(Scores.of(seen)).interval.contains(further)
    assert inside / trials == pytest.approx(0.95, abs=3 * math.sqrt(0.0475 / trials))


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ([], "0 seeds; it needs 3"),
        ([1.0, 2.0], "2 seeds"),
        ([2.0, 2.0, 2.0], "all 3 seeds have the same score"),
    ],
)
def test_what_has_no_interval_says_why(values, why):
    assert why in next_run(Scores.of(values)).interval.reason


def test_lost_seeds_stand_beside_it():
    found = next_run(Scores.of([1.0, 2.0, math.nan, 4.0]))
    assert found.interval.n == 3
    assert "1 diverged" in found.sentence
