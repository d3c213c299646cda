"""Charts of trials: any number of them, any kind of setting, with and without scores, in both themes."""

from __future__ import annotations

import json

import pytest

from experiments.jobs.sweeps.ranges import Choices, Range
from experiments.jobs.sweeps.search import Course, Trial
from experiments.notebooks.charts.trials import best_so_far, parallel_trials, trial_settings
from tests.fakes.stepped import SPACE, search_of

CHARTS = [best_so_far, parallel_trials, trial_settings]


def course(scores, space=None, **rule):
    space = space or SPACE
    search = search_of()
    search = search.model_copy(update={"space": space, "rule": search.rule.model_copy(update=rule)})
    made = []
    for number, score in enumerate(scores):
        values = {
            name: each.values[number % len(each.values)] if isinstance(each, Choices) else each.at((number % 7) / 6)
            for name, each in space.items()
        }
        seeds = {"1000000": score, "1000001": None if score is None else score + 1}
        made.append(Trial(number, values, "key", True, score, seeds))
    return Course(search, tuple(made))


def drawn(chart):
    """Return the rows of a chart's layers, all of them."""
    return [row for rows in chart.to_dict()["datasets"].values() for row in rows]


@pytest.mark.parametrize("chart", CHARTS)
@pytest.mark.parametrize("scores", [[], [1.0], [1.0, 2.0, None], [float(at % 11) for at in range(40)], [None, None]])
@pytest.mark.parametrize("dark", [False, True])
def test_any_number_of_trials_is_a_chart_that_says_what_it_shows(chart, scores, dark):
    made = chart(course(scores), dark=dark)
    assert made.description
    json.dumps(made.to_dict())


@pytest.mark.parametrize("chart", CHARTS)
def test_no_chart_claims_anything_and_each_says_that_scores_have_chosen(chart):
    meta = chart(course([1.0, 2.0])).usermeta
    assert "The scores have chosen among the trials, so no interval is drawn" in meta["caption"]
    assert meta["summary"].endswith("exploratory")


def test_parallel_coordinates_place_a_value_on_its_axis_by_factors_where_the_range_is_log():
    space = {"rate": Range(low=1e-4, high=1.0, log=True), "kind": Choices(values=("a", "b", "c"))}
    rows = [row for row in drawn(parallel_trials(course([1.0, 2.0, 3.0, 4.0], space))) if "trial" in row]
    at = {(row["trial"], row["axis"]): row["at"] for row in rows}
    assert at[("trial-3", "rate")] == pytest.approx(0.5)
    assert [at[(f"trial-{number}", "kind")] for number in range(3)] == [0.0, 0.5, 1.0]
    assert (at[("trial-0", "score")], at[("trial-3", "score")]) == (0.0, 1.0)
    ticks = {row["tick"] for row in drawn(parallel_trials(course([1.0], space))) if "tick" in row}
    assert {"0.0001", "0.01", "1"} <= {tick for tick in ticks if tick}


def test_a_trial_without_a_score_has_a_line_that_ends_before_the_score():
    rows = [row for row in drawn(parallel_trials(course([1.0, None, 3.0]))) if row.get("trial") == "trial-1"]
    assert {row["axis"] for row in rows} == {"rate", "batch"}


def test_each_seed_is_a_point_named_by_its_number_within_the_search():
    rows = drawn(trial_settings(course([1.0, 2.0])))
    said = {row["said"] for row in rows}
    assert "1 (seed 0 of the search)" in said
    assert "2 (seed 1 of the search)" in said
    assert not any("1000000" in str(row) for row in rows)


def test_the_axis_of_a_setting_is_logarithmic_where_its_range_is_and_has_the_values_of_a_list():
    spec = trial_settings(
        course([1.0, 2.0], {"rate": SPACE["rate"], "size": Range(low=1, high=9), "kind": Choices(values=("b", "a"))})
    )
    scales = [panel["layer"][0]["encoding"]["x"] for panel in spec.to_dict()["concat"]]
    assert [scale.get("scale", {}).get("type") for scale in scales] == ["log", "linear", "point"]
    assert scales[2]["sort"] == scales[2]["scale"]["domain"] == ["b", "a"]


@pytest.mark.parametrize(("direction", "best"), [("higher", [2.0, 2.0, 5.0]), ("lower", [2.0, 1.0, 1.0])])
def test_the_best_so_far_never_gets_worse_whichever_way_is_better(direction, best):
    rows = [row for row in drawn(best_so_far(course([2.0, 1.0, 5.0], direction=direction))) if "best" in row]
    assert [row["best"] for row in rows][:3] == best


def test_one_setting_is_enough():
    made = parallel_trials(course([1.0, 2.0], {"rate": SPACE["rate"]}))
    assert {row["axis"] for row in drawn(made)} == {"rate", "score"}
