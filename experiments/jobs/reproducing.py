"""Runs done once more to see whether they come back: which there are of a run, and the plan of another.

A reproduction is a job of its own, with the command, seed and config of its original. It begins where that began: one
that went on from a checkpoint goes on from the same one, which is as much its input as its code is, and which is not
itself made again here.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from experiments.jobs.checkpoints import saved_by
from experiments.jobs.handover import has_ended, statuses
from experiments.jobs.ledger import open_ledger
from experiments.jobs.once_more import place_of
from experiments.jobs.plan import RecordedJob
from experiments.jobs.preparation import prepare_plan
from experiments.jobs.watch.verdicts import verdict
from experiments.project.errors import ExperimentsError, UsageError
from experiments.project.trainers.known import trainer_of
from experiments.project.values import replaced
from experiments.project.workspace import Workspace, visible_root
from experiments.runs.offline.places import read_attempts
from experiments.types import LauncherName, Plan, TrainingJob


@dataclass(frozen=True)
class Beginning:
    """The checkpoint of another run that a run goes on from.

    Attributes:
        run: Name of the other run.
        step: Agent step of the checkpoint; None where the run does not say.
        file: The checkpoint; None where it is not to be had.
        problem: Why not, with what would help; empty where it is there.
    """

    run: str
    step: int | None = None
    file: Path | None = None
    problem: str = ""


def reproductions(workspace: Workspace, runs: Sequence[str]) -> dict[str, TrainingJob]:
    """Return the newest reproduction of each of some runs that has one; one that was cancelled is none.

    Nor is one that no launcher has, because whoever launched it was killed or it was refused: a launch completes it.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    wanted = set(runs)
    with open_ledger(workspace, read_only=True) as ledger:
        found = [job for job in ledger.jobs(role="reproduction") if job.parent in wanted]
        known = statuses(found, ledger, workspace)
    newest: dict[str, TrainingJob] = {}
    for job in sorted(found, key=lambda each: each.created_at):
        word = known[job.run_name].word if job.run_name in known else None
        if job.parent is not None and job.state == "submitted" and verdict(word, None)[0] != "cancelled":
            newest[job.parent] = job
    return newest


def refuse_unended(workspace: Workspace, jobs: Sequence[TrainingJob]) -> None:
    """Refuse to reproduce what has not ended: there is nothing yet to compare with.

    Raises:
        UsageError: Names the first.
    """
    with open_ledger(workspace, read_only=True) as ledger:
        known = statuses(jobs, ledger, workspace)
    for job in jobs:
        if job.run_name in known and not has_ended(known[job.run_name]):
            raise UsageError(
                f"run {job.run_name!r} has not ended ({known[job.run_name].word}), so there is nothing to compare a "
                f"reproduction with. Wait for it: experiments logs -f {job.run_name}"
            )


def reproduction_plan(workspace: Workspace, job: TrainingJob) -> Plan:
    """Return the plan that runs a job once more as its reproduction.

    Args:
        workspace: The project that it is to run in, with the places in W&B that it is to log to.

    Raises:
        ExperimentsError: It went on from a file that is not here.
    """
    if (place := path_begun_from(job)) is not None and not place.exists():
        raise ExperimentsError(
            f"{job.run_name!r} cannot be reproduced: it went on from {str(place)!r}, which is not here. Put that "
            "checkpoint there and run the command again."
        )
    where: LauncherName = "skypilot" if job.launcher == "skypilot" else "local"
    recorded = RecordedJob(
        job.arm, job.config, job.seed, replicate=job.replicate, role="reproduction", parent=job.run_name
    )
    return prepare_plan(
        workspace, job.experiment, [recorded], launcher=where, train_command=_template(job), has_own_code=True
    )


def logging_as(workspace: Workspace, source: Workspace, job: TrainingJob) -> Workspace:
    """Return a workspace that logs to the places in W&B that a job of another was launched with."""
    there = place_of(source, job).settings
    named = {"wandb_entity": there.wandb_entity, "wandb_project": there.wandb_project}
    return Workspace(
        workspace.root, workspace.state, replaced(workspace.settings, **named, wandb_group=there.wandb_group)
    )


def beginning_of(source: Workspace, job: TrainingJob) -> Beginning | None:
    """Return the checkpoint that a run went on from; None for one that began at the beginning."""
    trainer = trainer_of(job.config.trainer, job.command)
    if trainer is None or trainer.resume is None or trainer.resume_value != "{run}":
        return None
    if (parent := job.config.get_arg_value(trainer.resume)) is None:
        return None
    starts = read_attempts(folder_of(source, job.run_name))
    step = starts[0].step if starts else None
    asked = job.config.get_arg_value(trainer.resume_step) if trainer.resume_step is not None else None
    files = {str(each.step): each.path for each in saved_by(trainer, folder_of(source, parent), parent)}
    if not files:
        return Beginning(parent, step, problem=f"{parent}, from whose checkpoint it went on, has none any more")
    # Unless it is told which, the trainer takes the newest there is, so a later one would be another beginning.
    taken = asked if asked is not None else list(files)[-1]
    if taken not in files or (step is not None and taken != str(step)):
        has = f"its checkpoints are of agent-steps {', '.join(files)} now"
        return Beginning(parent, step, problem=f"it went on from agent-step {asked or step} of {parent}, and {has}")
    return Beginning(parent, int(taken), files[taken])


def path_begun_from(job: TrainingJob) -> Path | None:
    """Return what a run went on from whose trainer is told a path of it; None where it is told a run, or nothing.

    In a bundle words stand for the folders of the machine that wrote it, and nothing is there under such a path.
    """
    trainer = trainer_of(job.config.trainer, job.command)
    if trainer is None or trainer.resume is None or trainer.resume_value == "{run}":
        return None
    said = job.config.get_arg_value(trainer.resume) or ""
    # A relative path leads into the snapshot, or to what the trainer makes itself.
    return Path(said) if said.startswith(("/", "{")) else None


def bring_beginning(workspace: Workspace, run: str, beginning: Beginning | None) -> None:
    """Put the checkpoint that a run went on from where its reproduction looks for it.

    Raises:
        ExperimentsError: It is not to be had.
    """
    if beginning is None:
        return
    if beginning.file is None:
        raise ExperimentsError(f"{run!r} cannot be reproduced: {beginning.problem}.")
    file = workspace.runs / beginning.run / "checkpoints" / beginning.file.name
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary = file.with_name(f".{file.name}.tmp")
        shutil.copyfile(beginning.file, temporary)
        temporary.replace(file)


def folder_of(workspace: Workspace, run: str) -> Path:
    """Return a run's folder: on the cluster's disk where that is seen from here and has it."""
    root = visible_root(workspace.settings)
    return root / run if root is not None and (root / run).is_dir() else workspace.runs / run


def _template(job: TrainingJob) -> tuple[str, ...]:
    """Return the command line that a job was started with, without its name and what its config adds to it."""
    count = len(job.config.additional_args)
    words = job.command[: len(job.command) - count] if count else job.command
    return tuple(word.replace(job.run_name, "{run}") for word in words)
