"""The note that scores do not look normal."""

from __future__ import annotations

import math

import numpy as np
import pytest

from experiments.statistics import looks_otherwise, normality_of


@pytest.mark.parametrize("n", [5, 10, 20, 100])
def test_normal_scores_are_doubted_in_about_five_of_a_hundred_cases(n):
    rng, trials = np.random.default_rng(n), 4_000
    doubted = sum(looks_otherwise(normality_of(rng.normal(7.0, 3.0, n))) for _ in range(trials))
    assert doubted / trials == pytest.approx(0.05, abs=0.015)


def test_scores_that_collapse_now_and_then_are_doubted_where_there_are_enough():
    rng = np.random.default_rng(1)
    scores = [np.where(rng.random(20) < 0.3, 0.0, rng.normal(5.0, 0.3, 20)) for _ in range(200)]
    assert sum(looks_otherwise(normality_of(one)) for one in scores) > 190


@pytest.mark.parametrize("values", [[], [1.0] * 4, [2.0] * 8, [1.0, 2.0, math.inf, 3.0, 4.0], [1.0, math.nan] * 4])
def test_scores_that_show_nothing_are_not_doubted(values):
    assert normality_of(np.array(values)) is None
    assert not looks_otherwise(None)


def test_the_order_and_the_unit_of_scores_are_no_matter():
    values = np.random.default_rng(2).exponential(size=12)
    assert normality_of(values) == pytest.approx(normality_of(1e6 + 50 * values[::-1]))
