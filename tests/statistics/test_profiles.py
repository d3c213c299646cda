"""Profiles are shares of runs, with bands that stay between 0 and 1."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.statistics import Scores, Summary, performance_profiles, reached_by, summarise
from tests.statistics.samples import curve


def test_a_profile_is_the_share_of_runs_beyond_each_threshold():
    found = performance_profiles([Scores.of([1.0, 2.0, 2.0, 4.0])], thresholds=[0.0, 1.0, 2.0, 3.0, 4.0])[0]
    assert found.share.tolist() == [1.0, 0.75, 0.25, 0.25, 0.0]
    assert (found.low[0] < 1, found.high[0], found.low[-1]) == (True, 1.0, 0.0)
    assert found.method == "pointwise Wilson 95 % band, n = 4"


def test_arms_share_their_thresholds():
    first, second = performance_profiles([Scores.of([0.0, 1.0]), Scores.of([5.0, 9.0])], points=10)
    assert first.thresholds.tolist() == second.thresholds.tolist() == list(range(10))


def test_sample_efficiency_is_the_share_of_runs_that_are_there():
    curves = [curve(np.arange(101.0) + lift, seed=seed) for seed, lift in enumerate((0, 10, 20, -90))]
    scores = summarise(curves, Summary("steps to threshold", threshold=50.0))[""]
    found = reached_by(scores, steps=[0, 300, 400, 500, 1000])
    assert found.share.tolist() == [0.0, 0.25, 0.5, 0.75, 0.75]
    assert found.what == "share of runs that are there (steps to at least 50.0)"
    assert reached_by(scores).thresholds[-1] == pytest.approx(500.0)
