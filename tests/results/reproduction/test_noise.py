"""What is noise is told by the runs of one seed where there are any, else by the seeds of the arm."""

from __future__ import annotations

import math

import numpy as np
import pytest

from experiments.results.reproduction.noise import noise_of


def test_runs_of_one_seed_decide_where_there_are_any_and_the_seeds_stand_beside():
    found = noise_of("m", 1.0, 1.2, seeds=[1.0, 5.0, 9.0], repeats={0: [1.0, 1.1, 1.2], 1: [5.0], 2: [9.0]})
    assert found.spread == pytest.approx(0.1)
    assert found.limit == pytest.approx(4.303 * math.sqrt(2) * 0.1, rel=1e-3)
    assert found.is_within
    assert "ISO 5725-6, pooled over 3 runs of 1 seed" in found.method
    assert found.beside.startswith("seeds differ by up to")


def test_spreads_of_several_seeds_are_pooled():
    found = noise_of("m", 0.0, 9.0, repeats={0: [0.0, 2.0], 1: [10.0, 14.0]})
    assert found.spread == pytest.approx(math.sqrt((2.0 + 8.0) / 2))


def test_where_runs_of_one_seed_are_identical_any_difference_is_one():
    found = noise_of("m", 3.1, 3.1000001, seeds=[1.0, 2.0, 3.0], repeats={0: [3.1, 3.1, 3.1]})
    assert found.limit == 0.0
    assert not found.is_within
    assert noise_of("m", 3.1, 3.1, repeats={0: [3.1, 3.1]}).is_within


def test_without_repeats_the_seeds_decide_and_the_method_says_so():
    found = noise_of("m", 1.0, 2.0, seeds=[1.0, 2.0, 3.0])
    assert found.is_within
    assert "over the arm's 3 seeds; no seed was run twice" in found.method


@pytest.mark.parametrize("seeds", [[], [1.0], [1.0, 9.0]])
def test_two_seeds_or_fewer_are_no_spread_and_nothing_is_within_it(seeds):
    found = noise_of("m", 1.0, 1.0, seeds=seeds)
    assert (found.limit, found.is_within) == (None, False)
    assert "--same-seed 3 measures it" in found.method


def test_a_value_that_is_not_known_is_within_nothing():
    assert not noise_of("m", None, 1.0, seeds=[1.0, 2.0, 3.0]).is_within


def test_the_limit_holds_for_95_of_100_pairs_of_runs():
    rng = np.random.default_rng(0)
    draws = rng.normal(size=(4000, 6))
    within = [noise_of("m", *row[:2], repeats={0: list(row[2:])}).is_within for row in draws]
    assert 0.94 < np.mean(within) < 0.96
