"""What an experiment has spent, by what is recorded of its runs."""

from __future__ import annotations

import pytest

from experiments.jobs.watch.stopping import overspent
from experiments.types import JobStatus, StopWhen, Trainer, TrainingJob, TrainingJobConfig

HOUR = 3600.0
NOW = 100 * HOUR


def run_of(name, began, ended=None, verdict="running"):
    return JobStatus(run_name=name, experiment="exp", verdict=verdict, started_at=began, ended_at=ended)


def row_of(name, **config):
    return TrainingJob(
        run_name=name,
        experiment="exp",
        plan_key="k",
        arm="base",
        seed=0,
        command=("python", "train.py"),
        config=TrainingJobConfig(curriculum="arena", **config),
        state="submitted",
        launcher="local",
        target="local",
        tracker="offline",
        created_at=0.0,
    )


JOBS = [
    run_of("a", NOW - 10 * HOUR, NOW - 8 * HOUR, "succeeded"),
    run_of("b", NOW - 3 * HOUR),
    run_of("waits", None, verdict="pending"),
    run_of("lost", NOW - 50 * HOUR, None, "failed"),
    run_of("jumped", NOW + HOUR, NOW, "succeeded"),
]


def test_hours_are_summed_over_runs_and_what_nobody_saw_end_counts_none():
    assert overspent(JOBS, {}, StopWhen(hours=5.01), NOW) == ""
    assert overspent(JOBS, {}, StopWhen(hours=5), NOW) == "its experiment's runs took 5 hours together, of 5"
    assert overspent(JOBS, {}, StopWhen(), NOW) == ""
    assert overspent([], {}, StopWhen(hours=0.1), NOW) == ""


@pytest.mark.parametrize(
    ("config", "hours"),
    [
        ({"gpus": 1}, 3),
        ({"gpus": 2, "nodes": 2}, 12),
        ({"gpus": 0}, 0),
        ({"gpus": 1, "accelerator": "H100"}, 3),
        ({"gpus": 1, "accelerator": "H100:4", "nodes": 2}, 24),
        ({"trainer": Trainer(name="t", command="python t.py", uses_gpus=False)}, 0),
    ],
)
def test_an_hour_counts_once_for_each_gpu_of_all_nodes(config, hours):
    rows = {"b": row_of("b", **config)}
    limit = StopWhen(gpu_hours=max(hours, 0.001))
    said = f"its experiment's runs took {hours} GPU hours together, of {hours}" if hours else ""
    assert overspent(JOBS, rows, limit, NOW) == said
    assert overspent(JOBS, rows, StopWhen(gpu_hours=hours + 0.001), NOW) == ""
