"""Rows are compared exactly, in the order of steps, without what a clock says."""

from __future__ import annotations

import pandas as pd

from experiments.results.reproduction.rows import compare_final, compare_rows, is_time
from experiments.runs.store import Origin

NAN = float("nan")


def rows(nan_steps=None, **columns):
    frame = pd.DataFrame(columns)
    return frame, Origin("offline", len(frame), len(frame), complete=True, as_of=0.0, nan_steps=nan_steps or {})


def test_times_and_speeds_may_differ_and_nothing_else():
    one = rows(_step=[1, 2], _runtime=[1.0, 2.0], _timestamp=[1.0, 2.0], loss=[0.5, 0.25], **{"overview/sps": [9.0, 9]})
    other = rows(
        _step=[1, 2], _runtime=[3.0, 4.0], _timestamp=[5.0, 6.0], loss=[0.5, 0.25], **{"overview/sps": [1.0, 2]}
    )
    found = compare_rows(one, other)
    assert (found.first, found.differing_rows, found.rows, found.metrics) == (None, 0, 2, 1)
    assert not is_time("metric/agent_step")
    assert not is_time("overview/reward")


def test_the_first_difference_is_the_first_in_steps_with_both_values_to_the_last_bit():
    one = rows(_step=[1, 2, 3], a=[1.0, 0.1 + 0.2, 5.0], b=[1.0, 2.0, 3.0])
    other = rows(_step=[1, 2, 3], a=[1.0, 0.3, 5.0], b=[1.0, 2.0, 4.0])
    found = compare_rows(one, other)
    assert found.first.words == "at step 2 in a: 0.30000000000000004 and 0.3"
    assert found.differing_rows == 2


def test_a_row_that_one_run_lacks_is_the_difference():
    found = compare_rows(rows(_step=[1, 2], a=[1.0, 2.0]), rows(_step=[1], a=[1.0]))
    assert found.first.words == "at step 2: a row and no such row"
    assert not found.ends_alike


def test_a_column_that_one_run_lacks_differs_where_the_other_first_has_it():
    found = compare_rows(rows(_step=[1, 2], a=[1.0, 2.0], b=[NAN, 7.0]), rows(_step=[1, 2], a=[1.0, 2.0]))
    assert found.first.words == "at step 2 in b: 7.0 and not logged"


def test_nan_is_the_same_as_nan_and_not_as_nothing_logged():
    held = {"a": (2,)}
    one = rows(held, _step=[1, 2], a=[1.0, NAN])
    assert compare_rows(one, rows(held, _step=[1, 2], a=[1.0, NAN])).first is None
    found = compare_rows(one, rows(_step=[1, 2], a=[1.0, NAN]))
    assert found.first.words == "at step 2 in a: nan and not logged"


def test_several_rows_of_one_step_are_told_apart_by_their_order():
    one = rows(_step=[1, 1, 2], a=[1.0, 2.0, 3.0])
    assert compare_rows(one, rows(_step=[1, 1, 2], a=[1.0, 2.0, 3.0])).first is None
    assert compare_rows(one, rows(_step=[1, 1, 2], a=[2.0, 1.0, 3.0])).first.words == "at step 1 in a: 1.0 and 2.0"


def test_texts_and_numbers_of_different_kinds_are_compared():
    one = rows(_step=[1, 2], a=["x", "y"], b=[1.0, 2.0])
    other = rows(_step=[1, 2], a=["x", "y"], b=["1.0", "z"])
    assert compare_rows(one, rows(_step=[1, 2], a=["x", "y"], b=[1.0, 2.0])).first is None
    assert compare_rows(one, other).first.column == "b"


def test_runs_without_a_row_have_nothing_that_differs():
    assert compare_rows(rows(_step=[]), rows(_step=[])).first is None


def test_final_metrics_that_no_row_has_count_as_well():
    assert compare_final({"a": 1.0, "_runtime": 5}, {"a": 1.0, "_runtime": 6}) is None
    assert compare_final({"a": NAN}, {"a": NAN}) is None
    found = compare_final({"a": 1.0, "best": 3.0}, {"a": 1.0})
    assert found.words == "in the final metrics in best: 3.0 and –"  # noqa: RUF001 - as pages show what is missing
