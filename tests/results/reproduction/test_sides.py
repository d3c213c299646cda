"""Runs of any trainer are compared by what that says of itself: where it saves, what it logs, and with which code."""

from __future__ import annotations

import json
from dataclasses import replace

import pandas as pd
import pytest

from experiments.jobs.ran import Ran
from experiments.project.environment.differences import Conditions
from experiments.project.provenance import CodeRecord
from experiments.project.trainers.known import metta
from experiments.project.trainers.value import Checkpoints, Metrics
from experiments.results.reproduction.comparing import compare_runs
from experiments.results.reproduction.sides import Side, of_same_code, saved_files
from experiments.runs.store import Origin, RunInfo
from experiments.types import Trainer, TrainingJob, TrainingJobConfig

TRAINER = Trainer(
    command=("python", "train.py", "{seed}"),
    metrics=Metrics(primary="score", direction="higher", speed=("throughput",)),
)


class Logged:
    """A store in which each run has one row."""

    def __init__(self, rows):
        self.rows = rows

    def find(self, query):
        return [RunInfo(name, "finished", summary=self.rows[name]) for name in query.names if name in self.rows]

    def history(self, run, keys=None):
        del keys
        rows = [{"_step": 1, **self.rows[run]}] if self.rows[run] else []
        frame = pd.DataFrame(rows, columns=None if rows else ["_step"])
        return frame, Origin("fake", len(rows), len(rows), complete=True, as_of=0.0)


def job(run, seed=0, trainer=TRAINER, **more):
    config = TrainingJobConfig(curriculum="arena", trainer=trainer)
    return TrainingJob(run_name=run, experiment="e", arm="a", seed=seed, config=config, launcher="local", **more)


def code(sha):
    return Ran(None, CodeRecord(sha256=sha) if sha else None)


def side(tmp_path, one, rows, arm=()):
    return Side(one, tmp_path, Logged(rows), tmp_path, code("1"), Conditions(), {}, arm=tuple(arm))


@pytest.fixture
def compared(tmp_path):
    def compare(rows, arm=()):
        original = side(tmp_path, job("one"), rows, arm)
        return compare_runs(original, replace(original, job=job("two")))

    return compare


def test_what_a_trainer_names_as_its_speed_is_no_difference_and_its_own_score_is_what_noise_is_told_of(compared):
    rows = {"one": {"score": 1.0, "throughput": 9.0}, "two": {"score": 1.0, "throughput": 7.0}}
    assert compared(rows).verdict == "identical"
    arm = [job(f"s{seed}", seed) for seed in range(3)]
    rows["two"]["score"] = 1.1
    found = compared(rows | {f"s{seed}": {"score": 1.0 + seed} for seed in range(3)}, arm)
    assert (found.verdict, found.noise.metric) == ("within noise", "score")


def test_runs_that_left_nothing_are_not_called_identical(compared):
    found = compared({"one": {}, "two": {}})
    assert found.verdict == "not known"
    assert "there is nothing to compare" in found.sentence


def test_a_seed_that_was_retried_is_one_seed_of_the_noise_and_of_two_attempts_the_first(compared):
    arm = [job("s0", 0), job("again", 0, attempt=2, retry_of="s0"), job("s1", 1)]
    rows = {"one": {"score": 1.0}, "two": {"score": 1.1}, "s0": {"score": 0.0}, "again": {"score": 0.0}}
    found = compared(rows | {"s1": {"score": 5.0}}, arm)
    assert found.noise.beside == ""
    assert "pooled over 2 runs of 1 seed" in found.noise.method
    more = rows | {"s1": {"score": 5.0}, "s2": {"score": 9.0}}
    beside = [compared(more | {"again": {"score": at}}, [*arm, job("s2", 2)]).noise.beside for at in (0.0, 100.0)]
    assert beside[0] == beside[1]
    assert beside[0].startswith("seeds differ by up to ")


def test_what_is_known_to_have_run_other_code_tells_nothing_of_the_noise():
    jobs = [job(name) for name in ("same", "other", "unknown")]
    codes = {"same": code("1"), "other": code("2"), "unknown": code(None)}
    assert [each.run_name for each in of_same_code(code("1"), codes, jobs)] == ["same", "unknown"]
    assert len(of_same_code(code(None), codes, jobs)) == 3


def test_checkpoints_are_looked_for_where_the_trainer_saves_them(tmp_path):
    assert saved_files(job("r", trainer=metta()), tmp_path) == {}
    (tmp_path / "r" / "checkpoints").mkdir(parents=True)
    (tmp_path / "r" / "checkpoints" / "r:v3.mpt").write_bytes(b"x")
    assert list(saved_files(job("r", trainer=metta()), tmp_path)) == ["{run}:v3.mpt"]


def test_a_relative_folder_is_one_of_where_the_trainer_worked(tmp_path):
    trainer = Trainer(command=("x",), checkpoints=Checkpoints(folder="saved", pattern="step_{step}.pt"))
    for folder in ("left/saved", "elsewhere/saved"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "step_5.pt").write_text(folder)
    assert saved_files(job("r", trainer=trainer), tmp_path)["step_5.pt"].read_text() == "left/saved"
    (tmp_path / "job.json").write_text(json.dumps({"cwd": str(tmp_path / "elsewhere")}))
    assert saved_files(job("r", trainer=trainer), tmp_path)["step_5.pt"].read_text() == "elsewhere/saved"
