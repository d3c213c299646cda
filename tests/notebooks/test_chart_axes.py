"""Charts say what they are drawn over, and never mix two counters."""

from __future__ import annotations

import pytest

from experiments.notebooks.charts import curve_chart, learning_curves, read_runs
from experiments.notebooks.charts.curves import CurveOptions
from experiments.results.frames import metrics_frame
from experiments.results.scores import scored_runs
from experiments.runs.offline.store import OfflineStore
from experiments.statistics import curves_of
from experiments.types import JobRef, JobStatus
from tests.fakes.wandb_files import exit_record, offline_run, run

AGENTS, LOSS = "metric/agent_step", "loss"


def jobs_in(folder, **rows):
    """Write one run an arm from its rows, and return their jobs."""
    for arm, of_arm in rows.items():
        offline_run(folder, arm).write(run(arm)).log(*of_arm).write(exit_record())
    return [JobRef(run=arm, arm=arm, seed=0) for arm in rows]


OURS = [{LOSS: 1.0, AGENTS: 500 * n, "global_step": 50 * n} for n in range(4)]
OWN = [{LOSS: 2.0, "global_step": 50 * n} for n in range(4)]
BARE = [{LOSS: 3.0}] * 4
OTHER = [{"score": 3.0}] * 4


def x_title(spec):
    return next(layer["encoding"]["x"]["axis"]["title"] for layer in spec["layer"] if "x" in layer.get("encoding", {}))


@pytest.mark.parametrize(
    ("rows", "unit", "steps", "said"),
    [
        ({"a": OURS}, "agent steps", [0, 500, 1000, 1500], ""),
        ({"a": OWN}, "global_step", [0, 50, 100, 150], "Over global_step: no metric/agent_step was logged with it."),
        ({"a": BARE}, "W&B steps", [0, 1, 2, 3], "Over W&B steps: no metric/agent_step was logged with it."),
        (
            {"a": OURS, "b": OWN},
            "global_step",
            [0, 50, 100, 150],
            "Over global_step, which all have: metric/agent_step was logged by 1 of 2 runs only.",
        ),
        (
            {"a": OURS, "b": BARE, "c": OTHER},
            "W&B steps",
            [0, 1, 2, 3],
            "Over W&B steps, which all have: metric/agent_step was logged by 1 of 2 runs only.",
        ),
        ({"a": OURS, "c": OTHER}, "agent steps", [0, 500, 1000, 1500], ""),
    ],
)
def test_curves_are_over_the_best_counter_that_all_have_and_say_which(tmp_path, rows, unit, steps, said):
    jobs, store = jobs_in(tmp_path, **rows), OfflineStore(tmp_path)
    runs = read_runs(jobs, LOSS, store=store)
    assert {one.curve.unit for one in runs} == {unit}
    assert [one.curve.steps.tolist() for one in runs] == [[] if rows[one.run] is OTHER else steps for one in runs]
    spec = learning_curves(runs, CurveOptions(metric=LOSS)).to_dict()
    assert x_title(spec) == unit
    caption = spec["usermeta"]["caption"]
    assert (said in caption) if said else ("Over " not in caption)


@pytest.mark.parametrize(
    ("rows", "unit", "steps"),
    [
        ({"a": OURS}, "agent steps", [0, 500, 1000, 1500]),
        ({"a": BARE}, "W&B steps", [0, 1, 2, 3]),
        ({"a": OURS, "b": OWN}, "global_step", [0, 50, 100, 150] * 2),
    ],
)
def test_a_table_of_histories_says_what_its_steps_are(tmp_path, rows, unit, steps):
    jobs_in(tmp_path, **rows)
    table = metrics_frame(list(rows), LOSS, store=OfflineStore(tmp_path))
    assert (table.attrs["axis"], table["step"].tolist()) == (unit, steps)
    assert (f"Over {unit}" in table.attrs["origin"]) == (unit != "agent steps")
    assert {curve.unit for curve in curves_of(table, LOSS)} == {unit}
    assert x_title(curve_chart(table, LOSS).to_dict()) == unit


def test_a_metric_that_some_runs_never_logged_is_said_to_be_so(tmp_path):
    jobs_in(tmp_path, a=OURS, c=OTHER)
    table = metrics_frame(["a", "c"], LOSS, store=OfflineStore(tmp_path))
    assert table.attrs["without"] == {"c": [LOSS]}
    assert "loss was not logged by 1 run (c)" in curve_chart(table, LOSS).to_dict()["usermeta"]["caption"]


def test_scores_of_several_arms_are_taken_over_one_counter(tmp_path):
    jobs = jobs_in(tmp_path, a=OURS, b=BARE)
    scores = scored_runs(jobs, LOSS, OfflineStore(tmp_path)).scores
    assert [arm.runs[0].value for arm in scores.values()] == [1.0, 3.0]


@pytest.mark.parametrize(
    ("code", "said"),
    [(0, "No run has a value of loss, and all have ended."), (None, "No values of loss yet."), (1, "all have ended")],
)
def test_a_metric_of_runs_that_ended_is_not_waited_for(tmp_path, code, said):
    writer = offline_run(tmp_path, "a").write(run("a")).log(*OTHER)
    if code is not None:
        writer.write(exit_record(code))
    verdict = {0: "succeeded", 1: "failed", None: "running"}[code]
    statuses = {"a": JobStatus(run_name="a", verdict=verdict)}
    runs = read_runs([JobRef(run="a", arm="a", seed=0)], LOSS, store=OfflineStore(tmp_path), statuses=statuses)
    text = learning_curves(runs, CurveOptions(metric=LOSS)).to_dict()["description"]
    assert said in text
    assert ("loss was not logged" in text) == (code is not None)
