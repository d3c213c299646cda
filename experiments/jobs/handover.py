"""Between the ledger and a launcher: what a launcher is told of a job, handing jobs over, and resolving doubt.

Before a launcher hears of a job, the ledger holds the intent; after it answered, its id. A job between the two is in
doubt: only whoever holds its lease may resolve it, by asking the launcher whether it has a job of that name.

The environment that a trainer gets from us is made here alone. Nothing in it is a secret: a key reaches the trainer
because it inherits the environment of whoever launched it, and is never written anywhere.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from experiments.jobs.launchers.base import DryRunLauncher, Found, JobSpec, Launcher, SchedulerStatus, Unknown
from experiments.jobs.launchers.local.launcher import LocalLauncher
from experiments.jobs.leases import tenure
from experiments.jobs.ledger import Ledger, UnreadableJob
from experiments.jobs.plan import with_interpreter
from experiments.jobs.watch.verdicts import verdict
from experiments.project.errors import LaunchError, UsageError
from experiments.project.redaction import mask_texts
from experiments.project.settings import Settings
from experiments.project.workspace import Workspace, node_folder
from experiments.types import TERMINAL_VERDICTS, Plan, PlannedJob, TrainingJob, replaced

GRACE_S = 20.0
"""Seconds between the TERM and the KILL of a cancelled job: time to save a checkpoint."""
UNSET = (
    *("WANDB_RUN_ID", "WANDB_NAME", "WANDB_RUN_NAME", "WANDB_NOTES", "WANDB_DESCRIPTION", "WANDB_TAGS"),
    *("WANDB_RUN_GROUP", "WANDB_JOB_TYPE", "WANDB_JOB_NAME", "WANDB_RESUME", "WANDB_RESUME_FROM", "WANDB_FORK_FROM"),
    *("WANDB_SWEEP_ID", "WANDB_SWEEP_PARAM_PATH", "WANDB_SERVICE", "WANDB_DIR", "WANDB_RUN_DIR"),
    *("EXPERIMENTS_RUN_DIR", "EXPERIMENTS_RUN_NAME", "EXPERIMENTS_READ_ONLY"),
)
"""What a trainer must not inherit: the names of whatever run its launcher was part of (a job may launch others), and a
notebook's own wandb service, which would end with the notebook. What a job has of these is set for it."""

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


@dataclass
class Reconciled:
    """What became of jobs in doubt, by run name.

    Attributes:
        found: The launcher has them.
        absent: The launcher does not have them: they are `planned` again, and launching their plan hands them over.
        unknown: Nobody can tell yet; nothing was changed. With the reason.
    """

    found: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    unknown: dict[str, str] = field(default_factory=dict)


def launcher_for(name: str, workspace: Workspace) -> Launcher:
    """Return the launcher of this name.

    Raises:
        LaunchError: There is none.
    """
    make = LAUNCHERS.get(name)
    if make is None:
        raise LaunchError(f"launcher {name!r} does not exist. Launchers: {', '.join(LAUNCHERS)}.")
    return make(workspace)


def _skypilot(workspace: Workspace) -> Launcher:
    from experiments.jobs.launchers.sky.launcher import SkyPilotLauncher

    return SkyPilotLauncher(workspace)


LAUNCHERS: dict[str, Callable[[Workspace], Launcher]] = {
    LocalLauncher.name: lambda workspace: LocalLauncher(workspace.state),
    "skypilot": _skypilot,
    DryRunLauncher.name: lambda _workspace: DryRunLauncher(),
}
"""How each launcher is made."""


def job_spec(plan: Plan, job: PlannedJob | TrainingJob, workspace: Workspace) -> dict[str, Any]:
    """Return what a launcher is told of a job, as JSON values; the intent keeps it, so that anyone can start it."""
    run_dir = workspace.runs / job.run_name
    command = with_interpreter(job.command, sys.executable) if plan.launcher == LocalLauncher.name else job.command
    hours = job.config.max_runtime_hours
    return {
        "command": list(command),
        "env": job_environment(plan, job, workspace.settings, run_dir),
        "unset": list(UNSET),
        "cwd": str(workspace.root),
        "grace_s": GRACE_S,
        "max_runtime_s": hours * 3600 if hours is not None else None,
    }


_PLACES = {
    "wandb_entity": "WANDB_ENTITY",
    "wandb_project": "WANDB_PROJECT",
    "wandb_group": "WANDB_RUN_GROUP",
}


def as_launched(workspace: Workspace, spec: Mapping[str, Any] | None) -> Workspace:
    """Return the workspace with the places in W&B that a job was launched with: its recipe may have named its own.

    Args:
        spec: What the launcher was told of the job; None where none ever was.
    """
    if spec is None:
        return workspace
    places = {place: spec["env"].get(name) for place, name in _PLACES.items() if spec["env"].get(name)}
    return replace(workspace, settings=replaced(workspace.settings, **places))


def told(job: TrainingJob, spec: Mapping[str, Any], ledger_id: str, workspace: Workspace) -> JobSpec:
    """Return what a launcher is told of a job, from the values that `job_spec` returned."""
    return JobSpec(
        run_name=job.run_name,
        command=tuple(spec["command"]),
        run_dir=workspace.runs / job.run_name,
        config=job.config,
        env=spec["env"],
        experiment=job.experiment,
        plan_key=job.plan_key,
        ledger_id=ledger_id,
    )


def _batches(names: Mapping[str, Any], size: int) -> Iterator[list[str]]:
    rest = iter(names)
    while batch := list(islice(rest, size)):
        yield batch


def reconcile(ledger: Ledger, workspace: Workspace, *, plan_key: str | None = None) -> Reconciled:
    """Resolve the jobs that a launcher may or may not have, because whoever handed them over was killed.

    Nothing is launched by this.

    Args:
        ledger: Where they are recorded.
        workspace: Whose launchers to ask.
        plan_key: Only the jobs of this plan.

    Raises:
        LedgerError: The ledger cannot be written.
    """
    result = Reconciled()
    for job in ledger.rows(plan_key=plan_key, state="submitting"):
        with tenure() as owner:
            if holder := ledger.take_lease(job.run_name, owner):
                result.unknown[job.run_name] = f"it is being handed over by {holder}"
                continue
            conclusion: dict[str, Any] = {}
            try:
                conclusion = _resolve(ledger, job.run_name, workspace, result)
            finally:
                ledger.conclude(owner, **conclusion)
    return result


def _resolve(ledger: Ledger, name: str, workspace: Workspace, result: Reconciled) -> dict[str, Any]:
    """Return what to conclude of one job in doubt, whose lease is held."""
    [job] = ledger.rows(run_names=[name])
    if job.state != "submitting":
        return {}
    try:
        answer = launcher_for(job.launcher, workspace).find(name, job.target)
    except LaunchError as error:
        answer = Unknown(str(error))
    if isinstance(answer, Unknown):
        result.unknown[name] = answer.reason
        return {}
    if isinstance(answer, Found):
        result.found.append(name)
        return {"accepted": {name: answer.id}}
    result.absent.append(name)
    return {"returned": [name]}


def hand_over(
    ledger: Ledger,
    launcher: Launcher,
    specs: Mapping[str, dict[str, Any]],
    workspace: Workspace,
) -> dict[str, str]:
    """Hand jobs to the launcher, in batches that it can afford to be in doubt about; return the failed ones."""
    jobs = {job.run_name: job for job in ledger.jobs(run_names=specs)}
    failed: dict[str, str] = {}
    for names in _batches(specs, launcher.batch):
        accepted: dict[str, str] = {}
        refused: dict[str, str] = {}
        tried: set[str] = set()
        with tenure() as owner:
            try:
                mine = ledger.intend({name: specs[name] for name in names}, launcher.target(), owner)
                for name in mine:
                    tried.add(name)
                    try:
                        accepted[name] = launcher.submit(told(jobs[name], specs[name], ledger.id, workspace))
                    except LaunchError as error:
                        refused[name] = str(error)
                    except Exception as error:  # noqa: BLE001 - whether the job exists is now in doubt; the rest goes on
                        failed[name] = f"{type(error).__name__}: {error}"
            finally:
                # Also on Ctrl-C: what was not tried is planned again, what was interrupted stays in doubt.
                untried = [name for name in names if name not in tried]
                ledger.conclude(owner, accepted=accepted, refused=refused, returned=untried)
        failed |= refused
    return failed


def statuses(
    jobs: Sequence[TrainingJob | UnreadableJob], ledger: Ledger, workspace: Workspace
) -> dict[str, SchedulerStatus]:
    """Return the scheduler's word on each job that a launcher has; a job whose launcher cannot be asked is absent."""
    found = {name: SchedulerStatus(**values) for name, values in ledger.outcomes(job.run_name for job in jobs).items()}
    asked: dict[str, dict[str, str]] = {}
    for job in jobs:
        if job.launcher_id is not None and job.run_name not in found:
            asked.setdefault(job.launcher, {})[job.run_name] = job.launcher_id
    for name, ids in asked.items():
        try:
            found |= launcher_for(name, workspace).poll(ids)
        except LaunchError:
            continue
    return found


def has_ended(status: SchedulerStatus) -> bool:
    """Say whether a scheduler's word means that the job will not run on."""
    return verdict(status.word, None, exit_code=status.exit_code)[0] in TERMINAL_VERDICTS


def job_environment(plan: Plan, job: PlannedJob | TrainingJob, settings: Settings, run_dir: Path) -> dict[str, str]:
    """Return what is set for the trainer of `job` on top of the launcher's own environment; nothing of it is empty.

    W&B takes an empty variable for a value, and refuses most of them: what a job does not have is not set.

    Args:
        plan: Launcher, mode and tags.
        job: The job.
        settings: W&B's names, and where clusters keep runs.
        run_dir: The run's folder on this machine.

    Raises:
        UsageError: A tag holds a comma, which W&B takes for two tags, or a secret.
    """
    tags = tuple(dict.fromkeys((*plan.tags, *job.config.wandb_tags)))
    if wrong := [tag for tag in tags if "," in tag or not tag.strip()]:
        raise UsageError(f"W&B tag {wrong[0]!r} is empty or holds a comma. Give two tags instead.")
    if wrong := [shown for tag, shown in zip(tags, mask_texts(tags), strict=True) if shown != tag]:
        raise UsageError(f"W&B tag {wrong[0]!r} holds a secret, and tags are shown. Take another word.")
    folder = node_folder(plan.launcher, settings, job.run_name, run_dir)
    environment = {
        "WANDB_RUN_ID": job.run_name,
        "WANDB_NAME": job.run_name,
        "WANDB_RUN_GROUP": settings.wandb_group or plan.experiment,
        "WANDB_MODE": plan.wandb_mode,
        "WANDB_PROJECT": settings.wandb_project,
        "WANDB_ENTITY": settings.wandb_entity,
        "WANDB_TAGS": ",".join(tags),
        "WANDB_RESUME": "allow",
        "WANDB_DIR": folder,
        "EXPERIMENTS_RUN_DIR": folder,
        # The default of 15 s would make a live page look dead.
        "WANDB_X_TRANSACTION_LOG_FLUSH_INTERVAL": "1",
        "PYTHONUNBUFFERED": "1",
    }
    if plan.launcher == "local":
        # Several jobs share the machine: each with a pool of one thread per core would only slow the others down.
        environment |= {name: os.environ.get(name) or "1" for name in _THREADS}
    return {name: value for name, value in environment.items() if value}


def tracker_of(plan: Plan, settings: Settings) -> str:
    """Return where the plan's runs are read: `offline`, or `entity/project`; no entity is the key's own default."""
    if plan.wandb_mode == "offline":
        return "offline"
    return f"{settings.wandb_entity or ''}/{settings.wandb_project}"
