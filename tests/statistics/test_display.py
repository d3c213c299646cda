"""The moving average for the eye: debiased, aware of steps, and like the slow sum that defines it."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.statistics import smoothed_for_display


def slow(steps, values, half_life):
    found = []
    for at in range(len(steps)):
        weights = 0.5 ** ((steps[at] - steps[: at + 1]) / half_life)
        found.append((weights * values[: at + 1]).sum() / weights.sum())
    return np.array(found)


@pytest.mark.parametrize("half_life", [0.5, 30.0, 1e4])
def test_it_is_the_weighted_mean_of_what_came_before(half_life):
    rng = np.random.default_rng(0)
    steps, values = np.cumsum(rng.exponential(40, size=300)), rng.normal(size=300) + 3
    np.testing.assert_allclose(smoothed_for_display(steps, values, half_life), slow(steps, values, half_life))


def test_the_start_is_not_drawn_towards_zero():
    np.testing.assert_allclose(smoothed_for_display([0, 1, 2], [5.0, 5.0, 5.0], 100.0), [5.0, 5.0, 5.0])


def test_how_often_a_value_was_logged_does_not_change_its_age():
    sparse = smoothed_for_display([0, 100], [0.0, 1.0], 10.0)
    assert sparse[1] == pytest.approx(1 / (1 + 0.5**10))


def test_values_that_are_no_numbers_have_no_weight():
    found = smoothed_for_display([0, 10, 20, 30], [np.nan, 2.0, np.inf, 4.0], 10.0)
    assert np.isnan(found[0])
    np.testing.assert_allclose(found[1:], [2.0, 2.0, (4 + 0.25 * 2) / 1.25])


@pytest.mark.parametrize(("steps", "values"), [([], []), ([1], [np.nan]), ([1, 2, 3], [1.0])])
def test_nothing_to_smooth_is_not_an_error(steps, values):
    assert len(smoothed_for_display(steps, values, 10.0)) == min(len(steps), len(values))


def test_no_smoothing_returns_the_values():
    assert smoothed_for_display([0, 1], [1.0, 7.0], 0.0).tolist() == [1.0, 7.0]
