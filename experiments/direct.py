"""Launch training without a recipe, from a script or a prompt: one run, or several that differ in their seed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from experiments.errors import UsageError
from experiments.launch import implicit_permit
from experiments.planning import RecordedJob
from experiments.preparation import launch_plan, prepare_plan
from experiments.types import LauncherName, TrainingJob, TrainingJobConfig
from experiments.workspace import Workspace


def launch_training(
    name: str,
    curriculum: str,
    *,
    gpus: int = 1,
    nodes: int = 1,
    spot: bool = False,
    skip_git_check: bool = False,
    additional_args: Sequence[str] = (),
    wandb_tags: Sequence[str] = (),
    seed: int = 0,
    launcher: LauncherName | None = None,
    workspace: Workspace | None = None,
    **trainer: str | float,
) -> TrainingJob:
    """Launch one training run without a recipe.

    Args:
        name: Name of the experiment; its one arm is called `run`.
        trainer: Further arguments of the trainer: `total_timesteps=200_000` is `trainer.total_timesteps=200000`.
        workspace: Which project; None for the one of the working folder.

    Raises:
        LaunchRefused: Called in a notebook or a thread. Use the launch section, or `with allow_launch():` in a script.
        UsageError: A name or value is wrong; nothing was launched.
    """
    config = _job_config(
        curriculum, gpus, nodes, trainer, spot=spot, skip_git_check=skip_git_check,
        additional_args=additional_args, wandb_tags=wandb_tags,
    )  # fmt: skip
    return _launch_now(name, [RecordedJob("run", config, seed)], launcher, workspace)[0]


def launch_multiple_training_runs(
    name: str,
    curriculum: str,
    *,
    num_runs: int = 1,
    vary_seeds: bool = True,
    gpus: int = 1,
    nodes: int = 1,
    spot: bool = False,
    skip_git_check: bool = False,
    additional_args: Sequence[str] = (),
    wandb_tags: Sequence[str] = (),
    launcher: LauncherName | None = None,
    workspace: Workspace | None = None,
    **trainer: str | float,
) -> list[TrainingJob]:
    """Launch several runs of one configuration; run i gets seed i, or all get seed 0 with `vary_seeds=False`.

    The other arguments and errors are those of `launch_training`.
    """
    if num_runs < 1:
        raise UsageError(f"num_runs {num_runs!r} is less than 1. Give the number of runs to launch.")
    config = _job_config(
        curriculum, gpus, nodes, trainer, spot=spot, skip_git_check=skip_git_check,
        additional_args=additional_args, wandb_tags=wandb_tags,
    )  # fmt: skip
    jobs = [
        RecordedJob("run", config, index) if vary_seeds else RecordedJob(f"run-{index + 1}", config, 0)
        for index in range(num_runs)
    ]
    return _launch_now(name, jobs, launcher, workspace)


def _job_config(
    curriculum: str,
    gpus: int,
    nodes: int,
    trainer: dict[str, str | float],
    *,
    spot: bool,
    skip_git_check: bool,
    additional_args: Sequence[str],
    wandb_tags: Sequence[str],
) -> TrainingJobConfig:
    arguments = (*additional_args, *(f"trainer.{key}={value}" for key, value in trainer.items()))
    return TrainingJobConfig(
        curriculum=curriculum,
        gpus=gpus,
        nodes=nodes,
        spot=spot,
        skip_git_check=skip_git_check,
        additional_args=arguments,
        wandb_tags=tuple(wandb_tags),
    )


def _launch_now(
    name: str, jobs: Sequence[RecordedJob], launcher: LauncherName | None, workspace: Workspace | None
) -> list[TrainingJob]:
    permit = implicit_permit()
    home = workspace or Workspace.find(Path.cwd())
    return launch_plan(prepare_plan(home, name, jobs, launcher=launcher), permit, home)
