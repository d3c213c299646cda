from __future__ import annotations

import pytest

from experiments.notebooks.charts import CurveOptions, learning_curves, read_runs
from experiments.notebooks.charts.layers import marks_on
from experiments.runs.offline.store import OfflineStore
from experiments.types import JobRef
from tests.fakes import wandb_files as fake

JOBS = [JobRef(run="r", arm="base"), JobRef(run="other", arm="base", seed=1)]


@pytest.fixture
def store(tmp_path):
    """Run `r` logged agent-steps 0 to 400 in two starts, the second from 200; `other` was started once."""
    for name, stamp, first in (
        ("r", "20260101_120000", 0),
        ("r", "20260102_120000", 2),
        ("other", "20260101_120000", 0),
    ):
        writer = fake.offline_run(tmp_path, name, stamp=stamp).write(fake.run(name, started_at=1.7e9 + first))
        writer.step = first
        writer.log(*({"metric/agent_step": step * 100, "overview/reward": step} for step in range(first, 5)))
    return OfflineStore(tmp_path)


@pytest.mark.parametrize(("axis", "x"), [("steps", 200.0), ("wall time", 2.0 / 3600)])
def test_a_recovery_is_marked_where_it_was_in_the_unit_of_the_axis(store, axis, x):
    by_step = read_runs(JOBS, "overview/reward", store=store)
    runs = read_runs(JOBS, "overview/reward", store=store, axis=axis)
    [mark] = marks_on(runs, by_step, JOBS, store)
    assert (mark.run, mark.x) == ("r", pytest.approx(x))
    assert "3 rows after it were logged again" in mark.text


def test_the_mark_is_one_thin_rule_with_its_sentence_and_the_curve_stays_one_line(store):
    runs = read_runs(JOBS, "overview/reward", store=store)
    chart = learning_curves(runs, CurveOptions(), marks=marks_on(runs, runs, JOBS, store)).to_dict()
    kinds = [layer["mark"]["type"] for layer in chart["layer"]]
    assert kinds.count("rule") == 1
    [rule] = [layer for layer in chart["layer"] if layer["mark"]["type"] == "rule"]
    assert [tip["field"] for tip in rule["encoding"]["tooltip"]] == ["run", "what"]
    assert [run.curve.steps.tolist() for run in runs] == [[0, 100, 200, 300, 400]] * 2


def test_a_recovery_before_the_first_value_is_marked_where_it_was(tmp_path):
    for stamp, first in (("20260101_120000", 0), ("20260102_120000", 1)):
        writer = fake.offline_run(tmp_path, "r", stamp=stamp).write(fake.run("r", started_at=1.7e9 + first))
        writer.step = first
        rewards = ({"overview/reward": step} if step > 2 else {} for step in range(first, 5))
        writer.log(*({"metric/agent_step": first + at} | row for at, row in enumerate(rewards)))
    store = OfflineStore(tmp_path)
    runs = read_runs(JOBS[:1], "overview/reward", store=store)
    assert [mark.x for mark in marks_on(runs, runs, JOBS[:1], store)] == [1.0]
    assert runs[0].curve.steps[0] == 3.0
