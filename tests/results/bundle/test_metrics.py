"""Rows come back from a bundle as they went in, to the last bit."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from experiments.project.errors import StoreError
from experiments.results.bundle.metrics import INFO, ROWS, BundledRuns, info_values, rows_text
from experiments.results.reproduction.rows import compare_rows
from experiments.runs.store import Origin, RunInfo, RunQuery


def origin(rows, **more):
    return Origin("offline", rows, rows, complete=True, as_of=0.0, **more)


@pytest.fixture
def runs(tmp_path):
    (tmp_path / "r").mkdir()
    return tmp_path


def test_rows_come_back_exactly_with_nan_and_what_was_not_logged_apart(runs):
    frame = pd.DataFrame(
        {"_step": [1, 2, 3], "a": [0.1 + 0.2, math.nan, math.nan], "word": ["x", None, "y"], "n": [1.0, 2.0, 1e300]}
    )
    before = frame, origin(3, nan_steps={"a": (2,)})
    (runs / "r" / ROWS).write_bytes(rows_text(*before))
    after = BundledRuns(runs).history("r")
    assert after[1].nan_steps == {"a": (2,)}
    assert compare_rows(before, after).first is None
    assert after[0]["a"][0] == 0.1 + 0.2


def test_a_run_without_rows_and_one_that_is_not_there(runs):
    (runs / "r" / ROWS).write_bytes(b"")
    assert len(BundledRuns(runs).history("r")[0]) == 0
    with pytest.raises(StoreError, match="cannot be read"):
        BundledRuns(runs).history("other")
    assert BundledRuns(runs).find(RunQuery(names=["other"])) == []


def test_what_is_known_of_a_run_comes_back_without_who_ran_it(runs):
    import json

    info = RunInfo("r", "finished", user="ada", config={"a": {"b": 1}}, summary={"x": 1.5}, exit_code=0)
    values = info_values(info)
    assert "user" not in values
    (runs / "r" / INFO).write_text(json.dumps(values))
    [found] = BundledRuns(runs).find(RunQuery(names=["r"]))
    assert (found.state, found.config, found.summary) == ("finished", {"a": {"b": 1}}, {"x": 1.5})
