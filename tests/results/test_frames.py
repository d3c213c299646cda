"""An experiment's metrics as one tidy frame."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from experiments.launch import allow_launch, submit
from experiments.notebooks.charts import curve_chart
from experiments.project.errors import StoreError, UsageError
from experiments.results.frames import metrics_frame
from experiments.runs.offline.store import OfflineStore
from experiments.runs.store import Origin, RunInfo
from experiments.statistics import curves_of, summarise
from experiments.types import JobRef
from tests.fakes.launching import plan_in, wait_for_end, workspace_at
from tests.fakes.studies import Study
from tests.fakes.wandb_files import exit_record, offline_run, run

REWARD, STEP, LOSS = "overview/reward", "metric/agent_step", "losses/value_loss"
KINDS = {"run": "object", "arm": "object", "seed": "int64", "step": "float64"}


@pytest.fixture
def project(tmp_path):
    """Two arms of two seeds, launched; the last of them has not begun to log."""
    workspace = workspace_at(tmp_path)
    with allow_launch() as permit:
        jobs = submit(plan_in(workspace, seeds=range(2), arms=("a", "b")), permit, workspace)
    wait_for_end(workspace, [job.run_name for job in jobs])
    for number, job in enumerate(jobs[:3]):
        log = offline_run(workspace.runs, job.run_name)
        log.write(run(job.run_name))
        log.log({STEP: 100, REWARD: float(number)}, {STEP: 200, LOSS: 0.5}, {STEP: 300, REWARD: 9.0, LOSS: 0.25})
        log.write(exit_record(0))
    return workspace, jobs


def test_an_experiment_is_one_frame(project):
    workspace, jobs = project
    frame = metrics_frame("exp", [REWARD, LOSS], workspace=workspace)
    assert frame.dtypes.astype(str).to_dict() == {**KINDS, REWARD: "float64", LOSS: "float64"}
    assert frame["run"].drop_duplicates().tolist() == [job.run_name for job in jobs[:3]]
    assert frame[["arm", "seed", "step"]].to_numpy().tolist() == [
        [job.arm, job.seed, step] for job in jobs[:3] for step in (100.0, 200.0, 300.0)
    ]
    assert frame[REWARD].isna().tolist() == [False, True, False] * 3
    assert frame.groupby("arm")[REWARD].max().to_dict() == {"a": 9.0, "b": 9.0}


def test_what_has_not_begun_to_log_is_named(project):
    workspace, jobs = project
    frame = metrics_frame("exp", workspace=workspace)
    assert frame.attrs["without"] == {jobs[3].run_name: [REWARD]}
    assert frame.attrs["origin"].startswith("6 rows of 3 of 4 runs, complete")


def test_runs_and_jobs_are_taken_in_the_order_given(project):
    workspace, jobs = project
    frame = metrics_frame([jobs[2], jobs[0].run_name, jobs[1].ref()], workspace=workspace)
    assert frame["run"].drop_duplicates().tolist() == [jobs[number].run_name for number in (2, 0, 1)]
    assert len(metrics_frame(jobs[0].run_name, workspace=workspace)) == 2


def test_no_row_yet_is_the_same_columns_of_the_same_kinds(project):
    workspace, jobs = project
    frame = metrics_frame(jobs[3], [REWARD], workspace=workspace)
    assert frame.empty
    assert frame.dtypes.astype(str).to_dict() == {**KINDS, REWARD: "float64"}
    assert frame.attrs["axis"] == ""


def test_nothing_that_has_begun_to_log_is_not_called_complete(project):
    workspace, jobs = project
    assert metrics_frame(jobs[3], workspace=workspace).attrs["origin"] == (
        "0 rows of 0 of 1 run, none of which has begun to log"
    )


@pytest.mark.parametrize("name", ["run", "arm", "seed", "step"])
def test_a_metric_named_like_a_column_is_refused(project, name):
    workspace, _ = project
    with pytest.raises(UsageError, match=f"metric '{name}' has the name of a column"):
        metrics_frame("exp", [REWARD, name], workspace=workspace)


def test_a_name_that_is_neither_is_refused_with_the_nearest(project):
    workspace, _ = project
    with pytest.raises(StoreError, match=r"runs or experiments 'expp', 'nope' are not known.*Nearest: 'exp'") as told:
        metrics_frame(["exp", "expp", "nope"], workspace=workspace)
    assert "experiments runs" in str(told.value)


def test_a_mistyped_metric_does_not_look_like_no_data(project):
    workspace, jobs = project
    with pytest.raises(UsageError, match=r"'overview/rewrd' was logged by none of 3 runs\. Nearest: 'overview/reward'"):
        metrics_frame(jobs[:3], [REWARD, "overview/rewrd"], workspace=workspace)
    # What has not ended may still log it.
    frame = metrics_frame(jobs, "overview/rewrd", workspace=workspace)
    assert frame.attrs["without"] == {job.run_name: ["overview/rewrd"] for job in jobs}


def test_a_metric_that_one_run_lacks_is_nan_there_and_named(tmp_path):
    for name, row in {"a": {STEP: 1, REWARD: 1.0}, "b": {STEP: 1, LOSS: 2.0}}.items():
        log = offline_run(tmp_path, name)
        log.write(run(name))
        log.log(row)
    frame = metrics_frame(["a", "b"], [REWARD, LOSS], store=OfflineStore(tmp_path))
    assert np.isnan(frame[LOSS].iloc[0])
    assert frame.attrs["without"] == {"a": [LOSS], "b": [REWARD]}


def test_a_run_without_agent_steps_has_wandbs_own_and_says_so(tmp_path):
    log = offline_run(tmp_path, "other")
    log.write(run("other"))
    log.log({"loss": 3.0}, {"loss": 2.0})
    frame = metrics_frame("other", "loss", store=OfflineStore(tmp_path))
    assert frame["step"].tolist() == [0.0, 1.0]
    assert frame.attrs["axis"] == "W&B steps"
    assert "Over W&B steps: no metric/agent_step was logged with it" in frame.attrs["origin"]


def test_a_row_without_agent_steps_has_those_of_the_row_before(tmp_path):
    log = offline_run(tmp_path, "r")
    log.write(run("r"))
    log.log({"early": 1.0}, {STEP: 500}, {REWARD: 2.0, "early": 2.0})
    frame = metrics_frame("r", [REWARD, "early"], store=OfflineStore(tmp_path))
    assert frame["step"].isna().tolist() == [True, False]
    assert frame["step"].iloc[1] == 500.0


class SampledStore:
    """A server that sends a few rows of many."""

    name = "server"

    def find(self, query):
        return [RunInfo(name=name, state="finished", summary={REWARD: 2.0}) for name in query.names]

    def history(self, run, keys=None):
        frame = pd.DataFrame({"_step": [0, 9], STEP: [0.0, 900.0], REWARD: [1.0, 2.0]})
        return frame, Origin("server", rows=2, total=1000, complete=False, as_of=0.0)


def test_sampled_rows_are_said_to_be_sampled():
    frame = metrics_frame(["a", "b"], REWARD, store=SampledStore())
    assert frame.attrs["origin"] == "4 rows of 2 of 2 runs, sampled: 4 of 2,000 rows of 2 runs"


def test_a_reference_to_a_run_that_nobody_has_any_more_is_named(tmp_path):
    frame = metrics_frame(JobRef(run="gone", arm="base", seed=1), store=OfflineStore(tmp_path))
    assert frame.empty
    assert frame.attrs["without"] == {"gone": [REWARD]}


def test_a_frame_says_which_runs_are_no_seeds_and_no_statistic_of_it_counts_them(tmp_path):
    made = Study(tmp_path)
    for seed in range(3):
        made.add("a", seed, [float(seed)] * 3)
    made.add("a", 1, [99.0] * 3, role="replicate", replicate=2)
    frame = metrics_frame(made.jobs, REWARD, store=made.store)
    assert frame.attrs["roles"] == {made.jobs[3].run: ("replicate", 2)}
    assert "1 replicate does not count as a seed" in frame.attrs["origin"]
    assert frame["run"].nunique() == 4
    scores = summarise(curves_of(frame, REWARD))["a"]
    assert (scores.by_seed, scores.count.sentence) == (
        {0: 0.0, 1: 1.0, 2: 2.0},
        "3 of 3 finished, 1 replicate not counted",
    )
    assert "1 replicate not counted" in curve_chart(frame, REWARD).usermeta["summary"]
