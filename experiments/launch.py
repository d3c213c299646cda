"""Launch training, cancel and retry it: what a script calls.

`submission` launches the jobs of a plan, `permits` says who may. Here are those that no recipe plans: one run, or
several that differ in their seed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from experiments.jobs.handover import Reconciled, launcher_for, reconcile, statuses
from experiments.jobs.permits import Permit, allow_launch, command_permit, implicit_permit, notebook_permit, read_only
from experiments.jobs.plan import RecordedJob
from experiments.jobs.preparation import launch_plan, prepare_plan
from experiments.jobs.submission import cancel, newest_attempt, next_repeat, retry, start_next, submit
from experiments.project.errors import UsageError, reasons
from experiments.project.trainers.known import reference, trainer_named
from experiments.project.workspace import Workspace
from experiments.types import LauncherName, Trainer, TrainingJob, TrainingJobConfig

__all__ = [
    "Permit",
    "Reconciled",
    "allow_launch",
    "cancel",
    "command_permit",
    "implicit_permit",
    "launch_multiple_training_runs",
    "launch_training",
    "launcher_for",
    "newest_attempt",
    "next_repeat",
    "notebook_permit",
    "read_only",
    "reconcile",
    "retry",
    "start_next",
    "statuses",
    "submit",
]


def launch_training(
    name: str,
    curriculum: str,
    *,
    gpus: int = 1,
    nodes: int = 1,
    spot: bool = False,
    skip_git_check: bool = False,
    additional_args: str | Sequence[str] = (),
    wandb_tags: str | Sequence[str] = (),
    seed: int = 0,
    launcher: LauncherName | None = None,
    trainer: Trainer | str | None = None,
    workspace: Workspace | None = None,
    permit: Permit | None = None,
    **arguments: str | float | None,
) -> TrainingJob:
    """Launch one training run without a recipe.

    Args:
        name: Name of the experiment; its one arm is called `run`.
        additional_args: Arguments for the trainer as its command line has them: `trainer.gamma=0.9`.
        wandb_tags: W&B tags of the run; none where empty.
        trainer: What trains, or its name; the project's own where None.
        arguments: Further arguments of the trainer, in its style: `total_timesteps=200_000` is
            `trainer.total_timesteps=200000` to the reference trainer; one that is None was not given.
        workspace: Which project; None for the one of the working folder.
        permit: Leave of a person who works on a page: `page_permit()` of `experiments.notebooks.training`, in a cell
            that only a click runs. A script that is run with python needs none.

    Raises:
        LaunchRefused: Called in a notebook or a thread without a permit. A notebook that is run as a script launches
            inside `with allow_launch():`.
        UsageError: A name or value is wrong; nothing was launched.

    Example:
        >>> from experiments import launch_training
        >>> job = launch_training("probe", "arena/basic", total_timesteps=50_000, launcher="dry-run")
        >>> job.seed, job.config.additional_args
        (0, ('trainer.total_timesteps=50000',))
    """
    home = workspace or Workspace.find(Path.cwd())
    config = _job_config(
        home, trainer, arguments, additional_args, wandb_tags,
        curriculum=curriculum, gpus=gpus, nodes=nodes, spot=spot, skip_git_check=skip_git_check,
    )  # fmt: skip
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise UsageError(f"seed {seed!r} is not a seed. Give a whole number from 0 on.")
    return _launch_now(name, [RecordedJob("run", config, seed)], launcher, home, permit)[0]


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
    additional_args: str | Sequence[str] = (),
    wandb_tags: str | Sequence[str] = (),
    launcher: LauncherName | None = None,
    trainer: Trainer | str | None = None,
    workspace: Workspace | None = None,
    permit: Permit | None = None,
    **arguments: str | float | None,
) -> list[TrainingJob]:
    """Launch several runs of one configuration; run i gets seed i, or all get seed 0 with `vary_seeds=False`.

    Of several runs of seed 0 the first is its own, and the others are replicates: they show the noise floor and count
    as no seeds. The other arguments and errors are those of `launch_training`.

    Example:
        >>> from experiments import launch_multiple_training_runs
        >>> jobs = launch_multiple_training_runs("probe", "arena/basic", num_runs=3, launcher="dry-run")
        >>> [job.seed for job in jobs]
        [0, 1, 2]
    """
    if isinstance(num_runs, bool) or not isinstance(num_runs, int) or num_runs < 1:
        raise UsageError(f"num_runs {num_runs!r} is not a number from 1 on. Give the number of runs to launch.")
    home = workspace or Workspace.find(Path.cwd())
    config = _job_config(
        home, trainer, arguments, additional_args, wandb_tags,
        curriculum=curriculum, gpus=gpus, nodes=nodes, spot=spot, skip_git_check=skip_git_check,
    )  # fmt: skip
    jobs = [RecordedJob("run", config, index) for index in range(num_runs if vary_seeds else 1)]
    same_seed = 1 if vary_seeds else num_runs
    return _launch_now(name, jobs, launcher, home, permit, same_seed=same_seed)


def _job_config(
    home: Workspace,
    trainer: Trainer | str | None,
    arguments: Mapping[str, str | float | None],
    additional_args: str | Sequence[str],
    wandb_tags: str | Sequence[str],
    **options: str | int,
) -> TrainingJobConfig:
    of = trainer if trainer is not None else home.settings.trainer
    known = trainer_named(of, home.settings.trainers) if isinstance(of, str) else of
    if known is None or known == reference():
        words = [f"trainer.{key}={value}" for key, value in arguments.items() if value is not None]
    else:
        words = list(known.arguments(arguments))
    given = {"additional_args": (*_texts(additional_args), *words), "wandb_tags": _texts(wandb_tags), "trainer": known}
    try:
        return TrainingJobConfig.model_validate(options | given)
    except ValidationError as error:
        raise UsageError(f"this run is refused: {reasons(error)}. Choose another value.") from None


def _texts(given: str | Sequence[str]) -> tuple[str, ...]:
    """Return one text or several as several; a text alone is not the list of its letters."""
    return (given,) if isinstance(given, str) else tuple(given)


def _launch_now(
    name: str,
    jobs: Sequence[RecordedJob],
    launcher: LauncherName | None,
    home: Workspace,
    permit: Permit | None,
    *,
    same_seed: int = 1,
) -> list[TrainingJob]:
    permit = permit or implicit_permit()
    return launch_plan(prepare_plan(home, name, jobs, same_seed=same_seed, launcher=launcher), permit, home)
