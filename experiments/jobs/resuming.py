"""Let a run go on from its newest checkpoint, from its own record: its recipe need not have its arm any more."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from experiments.jobs.handover import as_launched, has_ended, statuses
from experiments.jobs.ledger import open_ledger
from experiments.jobs.plan import RESUME_KEY, TRAINER, RecordedJob, with_arguments
from experiments.jobs.preparation import prepare_plan
from experiments.jobs.watch.verdicts import TOTAL_KEY
from experiments.project.errors import UsageError
from experiments.project.run_root import cluster_root, visible_root
from experiments.project.workspace import Workspace
from experiments.types import LauncherName, Plan, TrainingJob, TrainingJobConfig, replaced


def resume_plan(
    workspace: Workspace,
    job: TrainingJob,
    *,
    steps: int | None = None,
    arguments: Sequence[str] = (),
    experiment: str | None = None,
    launcher: LauncherName | None = None,
    again: bool = False,
) -> Plan:
    """Return the plan of one new run that goes on where `job` stopped, with the job's own arm, config and command.

    Args:
        workspace: From `place_of`, and the plan is to be launched with it.
        steps: Agent steps of the whole run, those that it has among them; None for what it was asked for.
        arguments: More arguments for the trainer, each key=value.
        experiment: Name of the experiment; the job's own where None.
        launcher: Where; the job's own where None.
        again: Take the next repeat also where an earlier one is unfinished.

    Raises:
        UsageError: It cannot go on; says why.
    """
    total = [f"{TOTAL_KEY}={steps}"] if steps is not None else []
    config = extended(job.config, job.run_name, [*arguments, *total])
    check_resumable(workspace, job, config)
    where: LauncherName = launcher or ("skypilot" if job.launcher == "skypilot" else "local")
    return prepare_plan(
        workspace,
        experiment or job.experiment,
        [RecordedJob(job.arm, config, job.seed)],
        launcher=where,
        again=again,
        train_command=_template(job, config),
    )


def place_of(workspace: Workspace, job: TrainingJob) -> Workspace:
    """Return the workspace with the places in W&B that the job was launched with."""
    with open_ledger(workspace, read_only=True) as ledger:
        return as_launched(workspace, ledger.spec(job.run_name))


def extended(config: TrainingJobConfig, run_name: str, arguments: Sequence[str] = ()) -> TrainingJobConfig:
    """Return a config that goes on from a run's newest checkpoint, with `arguments` in the place of its own."""
    changed = with_arguments(config.additional_args, [*arguments, f"{RESUME_KEY}={run_name}"])
    return replaced(config, additional_args=changed)


def check_resumable(workspace: Workspace, job: TrainingJob, config: TrainingJobConfig) -> None:
    """Refuse what cannot go on.

    Args:
        config: Of the run to come.

    Raises:
        UsageError: The trainer has no key for it, the job has not ended, there is no checkpoint, or no step is left.
    """
    if TRAINER not in job.command:
        raise UsageError(
            f"run {job.run_name!r} was trained by another trainer ({' '.join(job.command[:3])} ...), and no key is "
            "known by which that goes on from a run. Launch its recipe again with the argument that your trainer has "
            "for it: --additional-args key=value"
        )
    with open_ledger(workspace, read_only=True) as ledger:
        status = statuses([job], ledger, workspace).get(job.run_name)
    if status is None or not has_ended(status):
        word = status.word if status is not None else job.state if job.state != "submitted" else "nobody can be asked"
        raise UsageError(
            f"run {job.run_name!r} has not ended ({word}), so it cannot be resumed yet. End it first: "
            f"experiments cancel {job.run_name}"
        )
    _check_steps(job, config, _newest_step(workspace, job))


def _newest_step(workspace: Workspace, job: TrainingJob) -> int | None:
    """Return the agent step of the newest checkpoint; None where only the nodes of a cluster see it.

    Raises:
        UsageError: There is none.
    """
    from experiments.trainer.checkpoint import saved

    folder = workspace.runs / job.run_name
    if job.launcher == "skypilot":
        root = cluster_root(workspace.settings)
        if root is not None and visible_root(workspace.settings) is None:
            return None
        folder = (root or workspace.runs) / job.run_name
    found = saved(folder / "checkpoints")
    if not found:
        raise UsageError(
            f"run {job.run_name!r} has no checkpoint in {workspace.shown(folder / 'checkpoints')!r}, so there is "
            f"nothing to go on from. Start it anew: experiments retry {job.run_name}"
        )
    return int(Path(found[-1]).stem.removeprefix("step_"))


def _check_steps(job: TrainingJob, config: TrainingJobConfig, at: int | None) -> None:
    from experiments.trainer.config import TrainerConfig

    words = [*_template(job, config), *config.additional_args]
    given = next((word.partition("=")[2] for word in reversed(words) if word.startswith(f"{TOTAL_KEY}=")), None)
    try:
        total = int(given) if given is not None else TrainerConfig().total_timesteps
    except ValueError:
        return  # written in another way, such as 1e6: the trainer reads it, and says so where nothing is left
    if at is not None and total <= at:
        raise UsageError(
            f"run {job.run_name!r} has a checkpoint at agent-step {at:,}, and {total:,} are asked for in all, so no "
            f"step is left. Give a higher total: experiments resume {job.run_name} --steps {2 * max(at, total)}"
        )


def _template(job: TrainingJob, config: TrainingJobConfig) -> tuple[str, ...]:
    """Return the command line that the job was started with, without its name and what `config` says in its place."""
    count = len(job.config.additional_args)
    words = job.command[: len(job.command) - count] if count else job.command
    said = {argument.partition("=")[0] for argument in config.additional_args}
    return tuple(
        word.replace(job.run_name, "{run}") for word in words if "=" not in word or word.partition("=")[0] not in said
    )
