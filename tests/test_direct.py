from __future__ import annotations

import threading

import pytest

from experiments import allow_launch, launch_multiple_training_runs, launch_training
from experiments.errors import LaunchRefused, UsageError
from tests.fakes.launching import workspace_at


def test_a_single_run_is_launched_without_a_recipe(tmp_path):
    with allow_launch():
        job = launch_training("probe", "arena/basic", workspace=workspace_at(tmp_path), total_timesteps=1000)
    assert (job.experiment, job.arm, job.seed, job.state) == ("probe", "run", 0, "submitted")
    assert job.config.additional_args == ("trainer.total_timesteps=1000",)


def test_each_of_several_runs_gets_its_own_seed_and_no_shared_arguments(tmp_path):
    arguments = ["trainer.gamma=0.9"]
    with allow_launch():
        jobs = launch_multiple_training_runs(
            "probe", "arena/basic", num_runs=3, additional_args=arguments, workspace=workspace_at(tmp_path)
        )
    assert [job.seed for job in jobs] == [0, 1, 2]
    assert arguments == ["trainer.gamma=0.9"]
    assert {job.config.additional_args for job in jobs} == {("trainer.gamma=0.9",)}


def test_runs_that_share_a_seed_are_told_apart_by_their_label(tmp_path):
    with allow_launch():
        jobs = launch_multiple_training_runs(
            "probe", "arena/basic", num_runs=2, vary_seeds=False, workspace=workspace_at(tmp_path)
        )
    assert [(job.arm, job.seed) for job in jobs] == [("run-1", 0), ("run-2", 0)]


def test_no_run_at_all_is_refused(tmp_path):
    with pytest.raises(UsageError, match="num_runs 0"), allow_launch():
        launch_multiple_training_runs("probe", "arena/basic", num_runs=0, workspace=workspace_at(tmp_path))


def test_a_thread_that_nobody_allowed_launches_nothing(tmp_path):
    caught = []

    def launch():
        try:
            launch_training("probe", "arena/basic", workspace=workspace_at(tmp_path))
        except LaunchRefused as error:
            caught.append(error)

    thread = threading.Thread(target=launch)
    thread.start()
    thread.join()
    assert len(caught) == 1
