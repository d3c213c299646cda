"""Whatever comes in, what comes out is a value that says what is wrong: never an exception, never a silent NaN."""

from __future__ import annotations

import math

import numpy as np
import pytest

from experiments.statistics import (
    STATISTICS,
    Curve,
    Scores,
    Summary,
    band,
    compare_arms,
    describe,
    interval,
    methods_sentence,
    performance_profiles,
    power_analysis,
    reached_by,
    summarise,
)
from tests.statistics.samples import curve, learning

NAN, INF = math.nan, math.inf
SCORES = {
    "none": [],
    "one": [1.0],
    "two": [1.0, 2.0],
    "all lost": [NAN, NAN, NAN],
    "infinite": [INF, -INF, 1.0, 2.0, 3.0],
    "equal": [0.1 + 0.2, 0.3, 0.3, 0.3, 0.3],
    "zero": [0.0] * 6,
    "huge": [1e300, -1e300, 1e200, 1.0, 2.0],
    "large": [1e149, -1e149, 3e148, 1.0, 2.0],
    "tiny": [5e-324, 0.0, 1e-320, 0.0, 0.0],
    "text": ["a", None, "3", b"", 4],
    "usual": [1.0, 2.0, 3.5, 1.5, 2.5, 3.0],
    "table": [[1.0, 2.0], [3.0, NAN], [2.0, 2.0]],
    "empty column": [[1.0, NAN], [3.0, NAN], [2.0, NAN]],
    "wide": np.arange(24.0).reshape(6, 4),
    "empty table": np.empty((0, 3)),
    "empty rows": [[], []],
    "rows of two kinds": [[1.0, 2.0], 3.0, 4.0],
}


def is_sound(value):
    """No NaN where a number is promised."""
    return value is None or not math.isnan(value)


@pytest.mark.parametrize("statistic", STATISTICS)
@pytest.mark.parametrize("name", SCORES)
def test_every_statistic_of_any_scores_is_a_number_or_a_reason(name, statistic):
    found = describe(Scores.of(SCORES[name]), statistic)
    assert is_sound(found.value)
    assert (found.interval.bounds is None) == bool(found.interval.reason)
    assert found.interval.bounds is None or all(map(is_sound, found.interval.bounds))
    assert found.sentence
    assert interval(np.asarray(SCORES[name], dtype=object).ravel(), statistic).words


@pytest.mark.parametrize("statistic", ["mean", "iqm"])
@pytest.mark.parametrize("second", ["none", "one", "equal", "usual", "table", "wide"])
@pytest.mark.parametrize("first", SCORES)
def test_every_comparison_has_a_verdict_and_a_reason(first, second, statistic):
    arms = [Scores.of(SCORES[second], arm="base"), Scores.of(SCORES[first], arm="other")]
    found = compare_arms(arms, statistic)[0]
    assert found.reason
    assert is_sound(found.difference.value)
    assert is_sound(found.p_adjusted)
    assert is_sound(found.improvement.value)
    assert (found.difference.permutation.p_value is None) == bool(found.difference.permutation.reason)
    assert found.difference.interval.bounds is not None or found.verdict == "undecided"
    assert methods_sentence(arms, [found])
    assert power_analysis(*arms).sentence
    assert [profile.problem or profile.method for profile in performance_profiles(arms)]


CURVES = {
    "none": [],
    "empty": [curve([])],
    "one point": [curve([1.0])],
    "same step": [curve([1.0, 2.0], steps=[5, 5])],
    "only NaN": [curve([NAN, NAN], seed=seed) for seed in range(3)],
    "NaN steps": [curve([1.0, 2.0], steps=[NAN, INF])],
    "text": [Curve(["a", 1], ["b", "2"])],
    "other lengths": [curve([1.0, 2.0, 3.0], steps=[0.0])],
    "all failed": learning("a", 1.0, outcome="failed"),
    "equal": [curve([1.0] * 20, seed=seed) for seed in range(4)],
    "units": [curve([1.0, 2.0]), curve([1.0, 2.0], seed=1, unit="updates")],
    "duplicates": [curve([1.0, 2.0]), curve([1.0, 3.0]), curve([4.0])],
    "apart": [curve([1.0, 2.0]), curve([1.0, 2.0], steps=[100, 200], seed=1)],
}


@pytest.mark.parametrize("statistic", STATISTICS)
@pytest.mark.parametrize("name", CURVES)
def test_every_band_of_any_curves_has_a_method_or_a_problem(name, statistic):
    found = band(CURVES[name], statistic)
    assert found.method
    assert len(found.grid) == len(found.value) == len(found.low) == len(found.high) == len(found.alive)
    assert (len(found.grid) == 0) == bool(found.problem)
    assert not np.isnan(found.value[found.alive > 0]).any()
    assert methods_sentence([found])


@pytest.mark.parametrize(
    "summary", [Summary(), Summary("area"), Summary("best"), Summary("steps to threshold"), Summary(window=NAN)]
)
@pytest.mark.parametrize("at", [None, 10.0, NAN, "own end"])
@pytest.mark.parametrize("name", CURVES)
def test_every_summary_of_any_curves_counts_every_run(name, at, summary):
    for scores in summarise(CURVES[name], summary, at=at).values():
        assert scores.count.total + scores.duplicates == len(CURVES[name])
        assert all(is_sound(run.value) and (run.value is not None or run.reason) for run in scores.runs)
        assert describe(scores, "median").sentence
        assert reached_by(scores).method
