"""A statistic along a curve: its interval at every step is the one of that step's scores."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.statistics import align, band, interval
from experiments.statistics.values import Options
from tests.statistics.samples import curve, learning


@pytest.mark.parametrize("statistic", ["mean", "median", "iqm"])
def test_a_band_is_the_interval_of_each_step_s_scores(statistic):
    curves = learning("a", 5.0, seeds=6)
    found = band(curves, statistic)
    scores = align(curves).values
    for step in (0, 50, 100):
        expected = interval(scores[:, step], statistic, Options(resamples=2_000))
        assert (found.low[step], found.high[step]) == pytest.approx(expected.bounds)
    assert found.method.startswith("pointwise 95 % ")
    assert set(found.alive) == {6}


def test_the_band_goes_on_with_the_seeds_that_are_left_and_says_so():
    curves = learning("a", 5.0)
    curves[3] = curve(curves[3].values[:50], curves[3].steps[:50], arm="a", seed=3, outcome="failed")
    found = band(curves)
    assert (found.alive[0], found.alive[-1], str(found.count)) == (5, 4, "4 of 5 finished")
    assert found.notes == ("1 run of 5 ends early; beyond it only the others are counted",)
    assert np.isfinite(found.low).all()


def test_there_is_no_band_where_too_few_seeds_are_left():
    curves = learning("a", 5.0)
    curves[0] = curve(curves[0].values[:50], curves[0].steps[:50], arm="a")
    found = band(curves, "iqm")
    assert np.isfinite(found.low[:50]).all()
    assert np.isnan(found.low[50:]).all()
    assert np.isfinite(found.value).all()
    assert "no band at some steps: 4 seeds; an interval of the interquartile mean needs 5" in found.notes
    assert band(curves[:1]).method == "no interval: 1 seed"


def test_steps_at_which_all_seeds_agree_have_no_band():
    curves = [curve([0.0, 1.0 + seed], seed=seed) for seed in range(3)]
    found = band(curves)
    assert (np.isnan(found.low).tolist(), found.value.tolist()) == ([True, False], [0.0, 2.0])
    assert found.notes == ("no band at 1 step where all seeds have the same value",)
