"""A run that was launched, launched once more: as the next attempt of a job, or going on from a checkpoint.

It is planned from its own record and runs its own code: its recipe need not have its arm any more, nor be as it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from experiments.jobs.checkpoints import Saved, folder_of_checkpoints, going_on, saved_by
from experiments.jobs.handover import has_ended, statuses
from experiments.jobs.ledger import open_ledger
from experiments.jobs.permits import Permit
from experiments.jobs.plan import RecordedJob
from experiments.jobs.preparation import prepare_plan
from experiments.jobs.ran import codes_of
from experiments.jobs.specs import as_launched
from experiments.jobs.submission import code_now, code_of_job, newest_attempt, retry
from experiments.project.errors import UsageError
from experiments.project.look import counted
from experiments.project.provenance import OwnCode, capture, changes_since, file_names
from experiments.project.snapshots import changed_between
from experiments.project.standing import standing
from experiments.project.trainers.known import reference, trainer_of
from experiments.project.trainers.words import same_key
from experiments.project.values import replaced
from experiments.project.workspace import Workspace, cluster_root, visible_root
from experiments.types import CodeOf, LauncherName, Plan, Trainer, TrainingJob, TrainingJobConfig


def retry_job(
    run_name: str, permit: Permit | None, workspace: Workspace, *, code_of: CodeOf = "own"
) -> tuple[TrainingJob, list[str]]:
    """Launch a job that has ended once more.

    Args:
        code_of: `own` for the code that the job ran, `now` for the project as it is.

    Returns:
        The newest attempt, and how its code differs from that of the job that it retries, one sentence each.

    Raises:
        LaunchRefused: Nobody asked for it.
        UsageError: The ledger has no such job, or it has not ended.
        LaunchError: The launcher refused.
    """
    with open_ledger(workspace, read_only=True) as ledger:
        known = ledger.jobs(run_names=[run_name])
        before = newest_attempt(ledger, known[0]) if known else None
        kept = code_of_job(ledger, before) if before is not None else None
    own = code_now(workspace) if code_of == "now" or kept is None else kept
    attempt = retry(run_name, permit, workspace, own=own)
    if before is None or attempt.run_name == before.run_name:
        return attempt, []  # it goes on, or waited to be launched: nothing is retried
    return attempt, _code_notes(before.run_name, kept, own, workspace)


def _code_notes(before: str, kept: OwnCode | None, own: OwnCode, workspace: Workspace) -> list[str]:
    """Return how the code of an attempt differs from that of the one before, as far as anyone knows."""
    if kept is not None and kept.snapshot is not None and own.snapshot is not None:
        names = changed_between(workspace.state, kept.snapshot.id, own.snapshot.id)
        what = f"{counted(len(names), 'file')} {'differs' if len(names) == 1 else 'differ'}: {file_names(names)}"
        return [f"THE CODE IS NOT THAT OF {before}: {what}"] if names else []
    earlier, code = codes_of(workspace, [before])[before], capture(workspace.root)
    notes = []
    if own.snapshot is not None:
        notes.append(f"no snapshot of what {before} ran is kept, so this attempt runs the code that lies here now")
    if (old := earlier.provenance()) is None:
        notes.append(f"{before}: {earlier.words()}; its plan's record is compared")
        old = earlier.planned
    if old is None or not code.tree or not code.tree.sha256:
        return [*notes, "whether the code is that of the earlier attempt is not known"]
    return notes + [
        f"THE CODE IS NOT THAT OF {before}: {change}" for change in changes_since(old, code, workspace.root)
    ]


def resume_plan(
    workspace: Workspace,
    job: TrainingJob,
    *,
    steps: int | None = None,
    from_step: int | None = None,
    arguments: Sequence[str] = (),
    experiment: str | None = None,
    launcher: LauncherName | None = None,
    again: bool = False,
) -> Plan:
    """Return the plan of one new run that goes on where `job` stopped, with the job's own arm, config and command.

    Args:
        workspace: From `place_of`, and the plan is to be launched with it.
        steps: Agent steps of the whole run, those that it has among them; None for what it was asked for.
        from_step: Agent step of the checkpoint to go on from, which makes the run a fork; None for the newest.
        arguments: More arguments for the trainer, each key=value.
        experiment: Name of the experiment; the job's own where None.
        launcher: Where; the job's own where None.
        again: Take the next repeat also where an earlier one is unfinished.

    Raises:
        UsageError: It cannot go on; says why.
    """
    trainer = trainer_to_resume(job)
    total = _said(trainer, "steps", trainer.steps, steps)
    start = _said(trainer, "resume_step", trainer.resume_step, from_step)
    config = extended(workspace, job, job.config, [*arguments, *total], start)
    check_resumable(workspace, job, config, from_step)
    where: LauncherName = launcher or ("skypilot" if job.launcher == "skypilot" else "local")
    return prepare_plan(
        workspace,
        experiment or job.experiment,
        [_going_on(job, config, from_step)],
        launcher=where,
        again=again,
        train_command=_template(job, config),
        has_own_code=True,
    )


def _going_on(job: TrainingJob, config: TrainingJobConfig, from_step: int | None) -> RecordedJob:
    """Return what is planned of a run that goes on; from an earlier checkpoint it is a second run of its seed."""
    if from_step is None:
        return RecordedJob(job.arm, config, job.seed, **standing(job))
    return RecordedJob(job.arm, config, job.seed, replicate=job.replicate, role="fork", parent=job.run_name)


def place_of(workspace: Workspace, job: TrainingJob) -> Workspace:
    """Return the workspace with the places in W&B that the job was launched with."""
    with open_ledger(workspace, read_only=True) as ledger:
        return as_launched(workspace, ledger.spec(job.run_name))


def code_to_resume(workspace: Workspace, job: TrainingJob) -> OwnCode | None:
    """Return what a run goes on with that keeps its own code; None for a run of before there were snapshots."""
    with open_ledger(workspace, read_only=True) as ledger:
        return code_of_job(ledger, job)


def trainer_to_resume(job: TrainingJob) -> Trainer:
    """Return what is known of a job's trainer.

    Raises:
        UsageError: No argument is known by which it goes on from a run.
    """
    trainer = trainer_of(job.config.trainer, job.command)
    if trainer is None or trainer.resume is None:
        who = f"{trainer.name!r}" if trainer is not None else f"another trainer ({' '.join(job.command[:3])} ...)"
        raise UsageError(
            f"run {job.run_name!r} was trained by {who}, and no argument is known by which that goes on from a run. "
            "Name it where the trainer is described, Trainer(resume='--resume', ...), or launch its recipe again with "
            "the argument that your trainer has for it: --additional-args"
        )
    return trainer


def extended(
    workspace: Workspace,
    job: TrainingJob,
    config: TrainingJobConfig,
    arguments: Sequence[str] = (),
    start: Sequence[str] = (),
) -> TrainingJobConfig:
    """Return a config that goes on from a job's run, with `arguments` in the place of its own.

    Args:
        start: Words that say from which of its checkpoints; none for the newest.
    """
    trainer = trainer_to_resume(job)
    step_key = same_key(trainer.resume_step) if trainer.resume_step is not None else None
    kept = (each for each in trainer.read(config.additional_args) if not each.key or each.key != step_key)
    words = [word for each in kept for word in each.words]
    folder = _folder_of(workspace, job)
    newest = next(reversed(saved_by(trainer, folder, job.run_name)), None) if folder is not None else None
    more = going_on(trainer, folder or workspace.runs / job.run_name, job.run_name, newest)
    changed = trainer.with_arguments(words, [*arguments, *start, *more])
    return replaced(config, additional_args=changed)


def _said(trainer: Trainer, field: str, name: str | None, value: int | None) -> tuple[str, ...]:
    """Return the words that set one of a trainer's arguments to a number that was asked for.

    Raises:
        UsageError: It is not known how the trainer is told.
    """
    if value is None:
        return ()
    if name is None:
        raise UsageError(
            f"trainer {trainer.name!r} does not say by which argument it is told {value}. Name it where the trainer is "
            f"described: Trainer({field}='--NAME', ...)"
        )
    return trainer.argument(name, value)


def check_resumable(
    workspace: Workspace, job: TrainingJob, config: TrainingJobConfig, from_step: int | None = None
) -> None:
    """Refuse what cannot go on.

    Args:
        config: Of the run to come.
        from_step: Agent step of the checkpoint that was asked for; None for the newest.

    Raises:
        UsageError: The trainer has no key for it, the job has not ended, there is no checkpoint, or no step is left.
    """
    trainer = trainer_to_resume(job)
    with open_ledger(workspace, read_only=True) as ledger:
        status = statuses([job], ledger, workspace).get(job.run_name)
    if status is None or not has_ended(status):
        word = status.word if status is not None else job.state if job.state != "submitted" else "nobody can be asked"
        raise UsageError(
            f"run {job.run_name!r} has not ended ({word}), so it cannot be resumed yet. End it first: "
            f"experiments cancel {job.run_name}"
        )
    _check_steps(job, config, trainer, _start_of(workspace, job, trainer, from_step))


def _folder_of(workspace: Workspace, job: TrainingJob) -> Path | None:
    """Return a run's folder; None where only the nodes of a cluster see it."""
    if job.launcher != "skypilot":
        return workspace.runs / job.run_name
    root = cluster_root(workspace.settings)
    if root is not None and visible_root(workspace.settings) is None:
        return None
    return (root or workspace.runs) / job.run_name


def _start_of(workspace: Workspace, job: TrainingJob, trainer: Trainer, from_step: int | None) -> int | None:
    """Return the step that a run goes on from; None where it is not known.

    Raises:
        UsageError: It has no checkpoint, or none of the step that was asked for.
    """
    folder = _folder_of(workspace, job)
    place = folder_of_checkpoints(trainer, folder, job.run_name) if folder is not None else None
    if folder is None or place is None:
        return from_step
    found: list[Saved] = saved_by(trainer, folder, job.run_name)
    steps = [each.step for each in found if each.step is not None]
    if not found:
        raise UsageError(
            f"run {job.run_name!r} has no checkpoint in {workspace.shown(place)!r}, so there is nothing to go on from. "
            f"Start it anew: experiments retry {job.run_name}"
        )
    if from_step is not None and from_step not in steps:
        raise UsageError(
            f"run {job.run_name!r} has no checkpoint at agent-step {from_step:,}. It has: "
            f"{', '.join(f'{step:,}' for step in steps)}. Name one of these: --from {steps[0] if steps else 'STEP'}"
        )
    return from_step if from_step is not None else steps[-1] if steps else None


def _check_steps(job: TrainingJob, config: TrainingJobConfig, trainer: Trainer, at: int | None) -> None:
    total = _total(job, config, trainer)
    if at is not None and total is not None and total <= at:
        raise UsageError(
            f"run {job.run_name!r} has a checkpoint at agent-step {at:,}, and {total:,} are asked for in all, so no "
            f"step is left. Give a higher total: experiments resume {job.run_name} --steps {2 * max(at, total)}"
        )


def _total(job: TrainingJob, config: TrainingJobConfig, trainer: Trainer) -> int | None:
    """Return the steps of a whole run as its command line says them; None where it does not."""
    from experiments.trainer.config import TrainerConfig

    if trainer.steps is None:
        return None
    words = trainer.command if isinstance(job.config.trainer, Trainer) else _template(job, config)
    said = {each.key: each.value for each in trainer.read([*words, *config.additional_args])}
    given = said.get(same_key(trainer.steps))
    if given is None:
        return TrainerConfig().total_timesteps if trainer.name == reference().name else None
    try:
        return int(given)
    except ValueError:
        return None  # written in another way, such as 1e6: the trainer reads it, and says so where nothing is left


def _template(job: TrainingJob, config: TrainingJobConfig) -> tuple[str, ...]:
    """Return the command line that the job was started with, without its name and what `config` says in its place.

    A job that says its trainer has the template there, and this is not asked for.
    """
    count = len(job.config.additional_args)
    words = job.command[: len(job.command) - count] if count else job.command
    said = {argument.partition("=")[0] for argument in config.additional_args}
    return tuple(
        word.replace(job.run_name, "{run}") for word in words if "=" not in word or word.partition("=")[0] not in said
    )
