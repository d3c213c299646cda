"""Profiles are shares of runs, with bands that stay between 0 and 1."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.statistics import Scores, Summary, performance_profiles, reached_by, summarise
from experiments.statistics.profiles import effective_size
from tests.statistics.samples import curve


def test_a_profile_is_the_share_of_runs_beyond_each_threshold():
    found = performance_profiles([Scores.of([1.0, 2.0, 2.0, 4.0])], thresholds=[0.0, 1.0, 2.0, 3.0, 4.0])[0]
    assert found.share.tolist() == [1.0, 0.75, 0.25, 0.25, 0.0]
    assert (found.low[0] < 1, found.high[0], found.low[-1]) == (True, 1.0, 0.0)
    assert found.method == "pointwise Wilson 95 % band, n = 4"


def test_arms_share_their_thresholds():
    first, second = performance_profiles([Scores.of([0.0, 1.0]), Scores.of([5.0, 9.0])], points=10)
    assert first.thresholds.tolist() == second.thresholds.tolist() == list(range(10))


def test_tasks_weigh_the_same_and_tell_more_where_they_differ():
    alike = Scores.of(np.tile(np.arange(6.0)[:, None], (1, 2)))
    apart = Scores.of(np.arange(6.0)[:, None] + np.array([0.0, 10.0]))
    even, uneven = (performance_profiles([one], thresholds=[2.5, 6.0])[0] for one in (alike, apart))
    assert (even.share[0], uneven.share[1]) == (0.5, 0.5)
    assert uneven.high[1] - uneven.low[1] < even.high[0] - even.low[0]


def test_tasks_that_differ_by_chance_alone_are_pooled():
    assert effective_size(np.array([[0.4], [0.6]]), np.array([10.0, 10.0])).tolist() == [20.0]
    assert effective_size(np.array([[0.0], [1.0]]), np.array([10.0, 10.0])) > 100


def test_few_seeds_on_several_tasks_have_a_profile_without_a_band():
    found = performance_profiles([Scores.of(np.ones((3, 4)))])[0]
    assert (found.method, np.isnan(found.low).all()) == ("no band: 3 seeds; it needs 5", True)
    shared = performance_profiles([Scores.of(np.eye(6), shared_runs=True)])[0]
    assert "the same runs" in shared.method


def test_sample_efficiency_is_the_share_of_runs_that_are_there():
    curves = [curve(np.arange(101.0) + lift, seed=seed) for seed, lift in enumerate((0, 10, 20, -90))]
    scores = summarise(curves, Summary("steps to threshold", threshold=50.0))[""]
    found = reached_by(scores, steps=[0, 300, 400, 500, 1000])
    assert found.share.tolist() == [0.0, 0.25, 0.5, 0.75, 0.75]
    assert found.what == "share of runs that are there (steps to at least 50.0)"
    assert reached_by(scores).thresholds[-1] == pytest.approx(500.0)
