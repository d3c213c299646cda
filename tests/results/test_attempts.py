"""Of several attempts at a seed the one is meant that every page counts."""

from __future__ import annotations

import pytest

from experiments.jobs.watch.snapshots import Snapshot
from experiments.project.workspace import Workspace
from experiments.results import attempts
from experiments.results.attempts import standing_attempts
from experiments.types import JobStatus, TrainingJob, TrainingJobConfig

CONFIG = TrainingJobConfig(curriculum="arena")


def job(run, seed=0, attempt=1, arm="a", **more):
    fields = {"experiment": "e", "config": CONFIG, "launcher": "local", "plan_key": "k", "state": "submitted"}
    return TrainingJob(run_name=run, arm=arm, seed=seed, attempt=attempt, **fields, **more)


@pytest.fixture
def standing(tmp_path, monkeypatch):
    """Return a function that says which of some jobs stand, where these ended in some ways."""
    (tmp_path / "pyproject.toml").write_text("[tool.experiments]\n")

    def named(jobs, **ends):
        statuses = tuple(
            JobStatus(run_name=run, verdict=verdict, scheduler=word) for run, (verdict, word) in ends.items()
        )
        monkeypatch.setattr(attempts, "poll_once", lambda *_, **__: Snapshot(jobs=statuses))
        return [one.run_name for one in standing_attempts(Workspace.find(tmp_path), jobs)]

    return named


FINE, DIED, LOST = ("succeeded", "SUCCEEDED"), ("failed", "FAILED"), ("failed", "FAILED_SETUP")


def test_the_first_attempt_that_finished_stands_and_no_later_one(standing):
    tried = [job("first"), job("again", attempt=2), job("other", seed=1)]
    assert standing(tried, first=FINE, again=FINE) == ["first", "other"]


def test_a_later_attempt_stands_where_the_machine_failed(standing):
    tried = [job("again", attempt=2), job("first"), job("third", attempt=3)]
    assert standing(tried, first=LOST, again=FINE, third=FINE) == ["again"]


def test_of_a_seed_that_is_lost_the_newest_is_meant(standing):
    assert standing([job("first"), job("again", attempt=2)], first=DIED, again=FINE) == ["again"]


def test_another_plan_arm_or_replicate_is_no_other_attempt(standing):
    alone = [job("a"), job("b", arm="b"), job("r", role="replicate", replicate=1), job("c", seed=2)]
    assert standing(alone) == ["a", "b", "r", "c"]
