from __future__ import annotations

import threading

import pytest

from experiments import allow_launch, launch_multiple_training_runs, launch_training
from experiments.project.errors import LaunchRefused, UsageError
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


def test_runs_that_share_a_seed_are_replicates_of_one_arm(tmp_path):
    with allow_launch():
        jobs = launch_multiple_training_runs(
            "probe", "arena/basic", num_runs=2, vary_seeds=False, workspace=workspace_at(tmp_path)
        )
    assert [(job.arm, job.seed, job.replicate, job.counts) for job in jobs] == [
        ("run", 0, 0, True),
        ("run", 0, 1, False),
    ]


def test_one_text_is_one_tag_and_one_argument_and_what_is_none_was_not_given(tmp_path):
    with allow_launch():
        job = launch_training(
            "probe", "arena/basic", wandb_tags="mine", additional_args="trainer.gamma=0.9",
            workspace=workspace_at(tmp_path), total_timesteps=None,
        )  # fmt: skip
    assert job.config.wandb_tags == ("mine",)
    assert job.config.additional_args == ("trainer.gamma=0.9",)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"curriculum": ""}, "curriculum ''"),
        ({"gpus": -1}, "gpus -1"),
        ({"seed": -1}, "seed -1 is not a seed"),
        ({"seed": True}, "seed True is not a seed"),
        ({"additional_args": "a=\0"}, r"'a=\x00' holds a NUL"),
        ({"wandb_tags": [""]}, "W&B tag '' is empty"),
    ],
)
def test_a_value_that_is_none_of_a_run_is_refused_before_anything_is_launched(tmp_path, given, says):
    workspace = workspace_at(tmp_path)
    with pytest.raises(UsageError) as told, allow_launch():
        launch_training(**{"name": "probe", "curriculum": "arena/basic", "workspace": workspace, **given})
    assert says in str(told.value)
    assert list(workspace.runs.iterdir()) == []


@pytest.mark.parametrize("number", [0, -1, "3", True, 1.5])
def test_a_number_of_runs_that_is_none_is_refused(tmp_path, number):
    with pytest.raises(UsageError, match=r"num_runs .* is not a number from 1 on"), allow_launch():
        launch_multiple_training_runs("probe", "arena/basic", num_runs=number, workspace=workspace_at(tmp_path))


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
