"""Curves are cleaned without losing track of anything, and never drawn beyond their own ends."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from experiments.statistics import align, common_grid, curves_of, outcome_of, smoothed_for_display, standing_curves
from tests.statistics.samples import curve


def test_steps_come_out_in_order_and_the_last_of_several_values_stays():
    found = curve([1.0, 3.0, 2.0, 9.0], steps=[0, 20, 10, 20])
    assert (found.steps.tolist(), found.values.tolist()) == ([0, 10, 20], [1, 2, 9])


def test_a_curve_that_ends_in_nan_has_diverged_and_one_with_a_gap_has_not():
    diverged, gap = curve([1.0, 2.0, np.nan]), curve([1.0, np.inf, 3.0])
    assert (diverged.outcome, diverged.lost, diverged.values.tolist()) == ("diverged", 1, [1, 2])
    assert (gap.outcome, gap.lost, gap.steps.tolist()) == ("finished", 1, [0, 20])
    assert curve([1.0, np.nan], outcome="failed").outcome == "failed"


def test_no_curve_is_extrapolated_and_the_seeds_that_are_left_are_counted():
    long, short, late = curve([0.0, 10.0, 20.0], seed=0), curve([1.0, 1.0], seed=1), curve([5.0], steps=[20], seed=2)
    found = align([long, short, late], grid=[0, 5, 10, 15, 20])
    nan = np.nan
    expected = [[0, 5, 10, 15, 20], [1, 1, 1, nan, nan], [nan, nan, nan, nan, 5]]
    np.testing.assert_array_equal(found.values, expected)
    assert found.alive.tolist() == [2, 2, 2, 1, 2]
    assert found.notes == ("1 run of 3 ends early; beyond it only the others are counted",)


def test_shared_steps_are_kept_and_others_are_laid_on_even_ones():
    assert common_grid([curve([1, 2, 3]), curve([1, 2])]).tolist() == [0, 10, 20]
    mixed = common_grid([curve([1, 2, 3]), curve([1, 2], steps=[5, 50])], points=6)
    assert mixed.tolist() == [0, 10, 20, 30, 40, 50]
    assert common_grid([]).size == 0


def test_curves_of_different_step_units_are_not_laid_on_one_axis():
    found = align([curve([1, 2]), curve([1, 2], seed=1, unit="updates")])
    assert found.problem == "the curves have different step units: agent steps, updates"
    assert (found.grid.size, found.count.total) == (0, 2)


def test_a_retry_stands_for_the_run_that_failed():
    failed, retry = curve([1.0], outcome="failed"), curve([1.0, 2.0, 3.0])
    found = align([retry, failed])
    assert [one.outcome for one in found.curves] == ["finished"]
    assert found.count.sentence == "1 of 1 finished, 1 duplicate left aside"


def test_curves_come_from_the_table_of_histories():
    table = pd.DataFrame(
        {
            "run": ["x", "x", "y", "x", "z"],
            "arm": ["a", "a", "b", "a", "b"],
            "seed": [0, 0, 1, 0, 2],
            "step": [0.0, 10.0, 0.0, 20.0, 0.0],
            "reward": [1.0, np.nan, np.inf, 3.0, np.nan],
        }
    )
    first, second, third = curves_of(table, "reward", outcomes={"z": "failed"})
    assert (first.values.tolist(), first.lost, first.outcome) == ([1, 3], 0, "finished")
    assert (second.arm, second.outcome, second.lost) == ("b", "diverged", 1)
    assert (third.run, third.outcome, len(third.steps)) == ("z", "failed", 0)
    assert curves_of(table, "not logged") == []


@pytest.mark.parametrize(
    ("verdict", "outcome"),
    [
        ("succeeded", "finished"),
        ("failed", "failed"),
        ("cancelled", "cancelled"),
        ("running", "unfinished"),
        ("unknown", "unfinished"),
    ],
)
def test_a_job_s_verdict_says_what_became_of_its_seed(verdict, outcome):
    assert outcome_of(verdict) == outcome


@pytest.mark.parametrize(
    ("outcomes", "stands", "replaced", "aside"),
    [
        (["finished"], 1, 0, 0),
        (["machine failed", "finished"], 2, 1, 0),
        (["machine failed", "machine failed", "finished"], 3, 2, 0),
        (["machine failed", "unfinished"], 2, 1, 0),
        (["machine failed", "failed", "finished"], 2, 1, 1),
        (["failed", "finished"], 1, 0, 1),
        (["cancelled", "finished"], 1, 0, 1),
        (["diverged", "finished"], 1, 0, 1),
        (["unfinished", "finished"], 1, 0, 1),
        (["finished", "failed"], 1, 0, 1),
        (["finished", "finished"], 1, 0, 1),
    ],
)
def test_another_attempt_takes_a_seeds_place_only_where_the_machine_failed(outcomes, stands, replaced, aside):
    attempts = [curve([1.0, 2.0], arm="b", seed=3, outcome=outcome) for outcome in outcomes]
    [found] = standing_curves(attempts)
    assert (found.curve, found.attempt, found.replaced, found.aside) == (attempts[stands - 1], stands, replaced, aside)
    if replaced:
        assert found.note == f"seed 3 of b: attempt {stands}, after the machine failed"
    elif outcomes[0] in ("failed", "cancelled", "diverged"):
        assert "a later attempt does not take its place" in found.note
    else:
        assert found.note == ""


def test_a_curve_that_goes_on_has_not_diverged_yet_and_one_without_values_has_none():
    assert curve([1.0, math.nan], outcome="unfinished").outcome == "unfinished"
    assert curve([1.0, math.nan]).outcome == "diverged"
    assert curve([]).outcome == "no value"
    assert curve([], outcome="failed").outcome == "failed"


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


def test_of_several_that_finished_only_one_that_got_further_takes_an_earlier_ones_place():
    """A seed whose score is not liked could else be drawn again until it is."""
    first, again, longer = curve([1.0, 2.0]), curve([1.0, 9.0]), curve([1.0, 2.0, 3.0])
    assert [one.curve for one in standing_curves([first, again])] == [first]
    assert [one.curve for one in standing_curves([first, longer])] == [longer]


def test_a_seed_that_was_asked_for_just_the_same_once_more_stands_as_it_was_however_far_it_got():
    """Many trainers end a little after their last step, and some before it where nothing is learned any more."""
    first, further = curve([1.0, 2.0], asked="x"), curve([1.0, 9.0, 9.0], asked="x")
    assert [one.curve for one in standing_curves([first, further])] == [first]
    on = curve([1.0, 9.0, 9.0], asked="x, and go on")
    assert [one.curve for one in standing_curves([first, on])] == [on]
