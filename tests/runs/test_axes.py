"""Which counter a run's metrics are drawn over."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from experiments.runs.axes import axes_of, axis_note, common_axis, logged_over, own_axis

AGENTS = "metric/agent_step"
NAN = float("nan")


def frame(**columns):
    return pd.DataFrame({"_step": np.arange(4), **{key.replace("__", "/"): held for key, held in columns.items()}})


@pytest.mark.parametrize(
    ("columns", "axes"),
    [
        ({"loss": [1.0] * 4}, ("_step",)),
        ({"loss": [1.0] * 4, "global_step": [0, 10, 20, 30]}, ("global_step", "_step")),
        (
            {"loss": [1.0] * 4, "global_step": [0, 1, 2, 3], "metric__agent_step": [0, 9, 18, 27]},
            (AGENTS, "global_step", "_step"),
        ),
        # Never logged with it, but in rows of its own before each.
        ({"loss": [NAN, 1.0, NAN, 2.0], "global_step": [5, NAN, 9, NAN]}, ("global_step", "_step")),
        ({"loss": [NAN, NAN, NAN, 1.0], "global_step": [5, 7, 9, NAN]}, ("global_step", "_step")),
        ({"loss": [NAN, NAN, NAN, 1.0], "global_step": [5, NAN, NAN, NAN]}, ("global_step", "_step")),
        ({"loss": [NAN, NAN, 1.0, 2.0], "global_step": [5, 7, NAN, NAN]}, ("global_step", "_step")),
        # A counter that does not move beside it is none, nor one that most rows lack, nor a text.
        ({"loss": [NAN, 1.0, 2.0, 3.0], "global_step": [5, NAN, NAN, NAN]}, ("_step",)),
        ({"loss": [1.0, 2.0, 3.0, NAN], "global_step": [NAN, NAN, 7, 8]}, ("_step",)),
        ({"loss": [1.0] * 4, "global_step": ["a", "b", "c", "d"]}, ("_step",)),
        # All NaN is what a reader of an absent column once got.
        ({"loss": [1.0] * 4, "metric__agent_step": [NAN] * 4}, ("_step",)),
        ({"loss": [NAN] * 4}, ()),
        ({}, ()),
    ],
)
def test_the_best_counter_that_the_rows_have_comes_first(columns, axes):
    assert axes_of(frame(**columns), "loss") == axes


def test_several_metrics_share_what_all_have():
    both = frame(loss=[1.0] * 4, metric__agent_step=[0, 1, 2, 3], score=[NAN, NAN, 5.0, 6.0])
    assert axes_of(both, "loss", "score", "never") == (AGENTS, "_step")
    assert axes_of(both.assign(**{AGENTS: [0, NAN, NAN, NAN]}), "loss", "score") == ("_step",)


def test_runs_that_are_drawn_together_take_the_best_counter_of_all():
    ours, own, rows, nothing = (AGENTS, "global_step", "_step"), ("global_step", "_step"), ("_step",), ()
    assert common_axis([ours, ours, nothing]) == AGENTS
    assert common_axis([ours, own, nothing]) == "global_step"
    assert common_axis([ours, own, rows]) == "_step"
    assert common_axis([nothing]) == AGENTS


def test_the_note_says_what_is_drawn_over_and_why():
    ours, own, rows = (AGENTS, "_step"), ("global_step", "_step"), ("_step",)
    assert axis_note([ours, ours, ()]) == ""
    assert axis_note([own, own]) == f"Over global_step: no {AGENTS} was logged with it"
    assert axis_note([rows]) == f"Over W&B steps: no {AGENTS} was logged with it"
    assert axis_note([ours, rows, ours]) == f"Over W&B steps, which all have: {AGENTS} was logged by 2 of 3 runs only"
    assert axis_note([own, rows]) == "Over W&B steps, which all have: global_step was logged by 1 of 2 runs only"


def test_rows_have_the_step_that_was_counted_last_before_them():
    mixed = frame(loss=[NAN, 1.0, NAN, 2.0], global_step=[5, NAN, 9, NAN])
    steps, values = logged_over(mixed, "loss", "global_step")
    assert (steps.tolist(), values.tolist()) == ([5.0, 9.0], [1.0, 2.0])
    assert [len(part) for part in logged_over(mixed, "never", "_step")] == [0, 0]
    assert own_axis(mixed) == "global_step"
    assert own_axis(frame(loss=[1.0] * 4)) == "_step"
