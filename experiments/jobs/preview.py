"""What a launch comes to, before it: cost and time as far as they are known, and what SkyPilot would be asked for.

Time is an estimate from jobs like them that have ended, and says so. A task is shown without a network, and checked by
SkyPilot where asked.
"""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Mapping, Sequence
from statistics import median
from typing import TYPE_CHECKING, Any

from experiments.jobs.events import FREE, NO_COST, UNKNOWN, Cost
from experiments.jobs.launchers.base import DryRunLauncher, JobSpec, SchedulerStatus
from experiments.jobs.launchers.local.capacity import at_once
from experiments.jobs.launchers.local.launcher import LocalLauncher, status_of
from experiments.jobs.launchers.sky.launcher import SkyPilotLauncher
from experiments.jobs.launchers.sky.task import task_yaml
from experiments.jobs.ledger import open_ledger
from experiments.jobs.plan import training_jobs
from experiments.jobs.specs import job_environment, job_specs, told
from experiments.jobs.watch.snapshots import age_in_words
from experiments.jobs.watch.verdicts import steps_asked_for
from experiments.project.errors import LaunchError, LedgerError
from experiments.project.look import counted
from experiments.project.redaction import mask_texts
from experiments.project.trainers.known import reference
from experiments.project.trainers.words import same_key
from experiments.project.workspace import Workspace
from experiments.types import Plan, PlannedJob, Trainer, TrainingJob, TrainingJobConfig

if TYPE_CHECKING:
    from experiments.jobs.ledger.reading import LedgerReader

_LOOKED_AT = 200
_NOT_COMPARED = ("name", "envs", "run")


def estimate(plan: Plan, workspace: Workspace) -> str:
    """Return what a launch costs and how long it takes, as far as that is known."""
    cost = plan_cost(plan)
    try:
        time = time_words(plan, workspace)
    except LedgerError as error:
        time = f"time unknown ({error})"
    return f"{'cost unknown' if cost.usd is None else cost.text}, {time}"


def plan_cost(plan: Plan) -> Cost:
    """Return what a launch of `plan` may cost; nobody is asked, so only limits that its jobs set give a number."""
    if plan.launcher in FREE:
        return NO_COST
    limits = [_limit(job.config) for job in plan.jobs]
    if any(limit is None for limit in limits):
        return UNKNOWN
    usd = sum(limit for limit in limits if limit is not None)
    # A machine that is taken away is replaced, and the limit on the time begins anew.
    return Cost(usd, f"at most ${usd:,.2f} without recoveries (max_hourly_cost x max_runtime_hours)")


def _limit(config: TrainingJobConfig) -> float | None:
    if config.max_hourly_cost is None or config.max_runtime_hours is None:
        return None
    return config.max_hourly_cost * config.max_runtime_hours * config.nodes


def time_words(plan: Plan, workspace: Workspace) -> str:
    """Return how long a plan may take, in words; `time unknown` where no job like its own has succeeded.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    # A dry run shows what this machine would do; one for SkyPilot is planned as the launch would be.
    where = LocalLauncher.name if plan.launcher == DryRunLauncher.name else plan.launcher
    with open_ledger(workspace, read_only=True) as ledger:
        ended = _ended(ledger, where, workspace)
    arms = {job.arm: job for job in plan.jobs}
    likes = {arm: _like(job, plan.experiment, ended) for arm, job in arms.items()}
    each = {arm: median(found.values()) for arm, found in likes.items() if found}
    if not each:
        return "time unknown"
    low, high = age_in_words(min(each.values())), age_in_words(max(each.values()))
    words = f"about {low if low == high else f'{low} to {high}'} a job"
    seconds = [each[job.arm] for job in plan.jobs if job.arm in each]
    if where == LocalLauncher.name and len(seconds) == len(plan.jobs) > 1:
        words += f", {age_in_words(_all_of(seconds, at_once(plan.jobs, workspace.settings)))} in all"
    if len(each) < len(arms):
        words += f", unknown for {len(arms) - len(each)} of {counted(len(arms), 'arm')}"
    return f"{words} (estimate from {counted(len(set().union(*likes.values())), 'ended job')} like them)"


def _ended(ledger: LedgerReader, launcher: str, workspace: Workspace) -> list[tuple[TrainingJob, float]]:
    """Return the newest jobs of a launcher that succeeded, with the seconds that each took."""
    jobs = ledger.newest_jobs(launcher, _LOOKED_AT)
    noted = ledger.outcomes(job.run_name for job in jobs)
    found = []
    for job in jobs:
        status = SchedulerStatus(**noted[job.run_name]) if job.run_name in noted else None
        if status is None and launcher == LocalLauncher.name:
            status = status_of(workspace.runs / job.run_name)
        if status is not None and status.word == "SUCCEEDED" and status.started_at and status.ended_at:
            found.append((job, status.ended_at - status.started_at))
    return found


def _like(job: PlannedJob, experiment: str, ended: Sequence[tuple[TrainingJob, float]]) -> dict[str, float]:
    """Return how long a job would take by each job like it: of the same arm or settings, by their steps per second."""
    found = {}
    total, settings = steps_asked_for(job.config), _settings(job.config)
    if _goes_on(settings, job.config):
        return {}  # how many steps it still has to do is not known
    for other, seconds in ended:
        theirs = _settings(other.config)
        if theirs != settings and (other.experiment, other.arm) != (experiment, job.arm):
            continue
        steps = steps_asked_for(other.config)
        if total and steps and not _goes_on(theirs, other.config):
            found[other.run_name] = seconds * total / steps
        elif theirs == settings and total == steps:
            found[other.run_name] = seconds
    return found


def _settings(config: TrainingJobConfig) -> tuple[str, Mapping[str, str]]:
    """Return what makes a job as fast as it is: resources and the trainer's arguments, but the number of steps."""
    apart = {"wandb_tags", "skip_git_check", "additional_args", "max_runtime_hours"}
    total = (_known(config).steps or "").lstrip("-")
    arguments = {key: text for key, text in config.set_arguments().items() if key != same_key(total)}
    return config.model_dump_json(exclude=apart), arguments


def _known(config: TrainingJobConfig) -> Trainer:
    return config.trainer if isinstance(config.trainer, Trainer) else reference()


def _goes_on(settings: tuple[str, Mapping[str, str]], config: TrainingJobConfig) -> bool:
    """Tell whether a job goes on from another's checkpoint."""
    resume = _known(config).resume
    return resume is not None and same_key(resume) in settings[1]


def _all_of(seconds: Sequence[float], at_once: int) -> float:
    return max(math.fsum(seconds) / at_once, *seconds)


def waiting_words(plan: Plan, workspace: Workspace) -> str:
    """Return how many jobs of a plan this machine runs at once; empty where that is all."""
    if plan.launcher != LocalLauncher.name or (fits := at_once(plan.jobs, workspace.settings)) >= len(plan.jobs):
        return ""
    why = "max_parallel" if fits == workspace.settings.max_parallel else "what this machine has; max_parallel sets it"
    return f"{counted(fits, 'job')} at once; the rest wait ({why})"


def environment_words(plan: Plan, workspace: Workspace) -> list[str]:
    """Return what is set for the trainer of a plan's first job, `NAME=value`, on top of what it inherits."""
    job = plan.jobs[0]
    added = job_environment(plan, job, workspace.settings, workspace.runs / job.run_name)
    return mask_texts([f"{name}={shlex.quote(value)}" for name, value in added.items()])


def trainer_notes(plan: Plan) -> list[str]:
    """Return what the trainers of a plan say that one should know before a launch."""
    trainers = (job.config.trainer for job in plan.jobs)
    notes = (trainer.note for trainer in trainers if isinstance(trainer, Trainer))
    return [note for note in dict.fromkeys(notes) if note]


def task_preview(plan: Plan, workspace: Workspace) -> str:
    """Return the SkyPilot task of the plan's first job as YAML, without secrets; needs no network and no SkyPilot.

    Raises:
        UsageError: A job of the plan cannot be a task; the message says what it lacks.
    """
    return task_yaml(_tasks(plan, workspace)[0][1])


def check_with_skypilot(plan: Plan, workspace: Workspace) -> int:
    """Have SkyPilot check the plan's tasks and find machines for them; return how many different ones there were.

    Jobs that differ only in their name, seed and arguments are one task to it.

    Raises:
        UsageError: A job cannot be a task.
        LaunchError: SkyPilot refuses a task, or cannot be asked.
    """
    launcher = SkyPilotLauncher(workspace)
    different: dict[str, JobSpec] = {}
    for job, task in _tasks(plan, workspace):
        compared = {name: value for name, value in task.items() if name not in _NOT_COMPARED}
        different.setdefault(json.dumps(compared, sort_keys=True), job)
    for job in different.values():
        try:
            launcher.check(job)
        except LaunchError as error:
            raise LaunchError(f"SkyPilot refuses job {job.run_name!r}: {error}") from error
    return len(different)


def _tasks(plan: Plan, workspace: Workspace) -> list[tuple[JobSpec, dict[str, Any]]]:
    launcher = SkyPilotLauncher(workspace)
    with open_ledger(workspace, read_only=True) as ledger:
        ledger_id = ledger.id
    specs = job_specs(plan, plan.jobs, workspace)
    jobs = [told(job, specs[job.run_name], ledger_id, workspace) for job in training_jobs(plan)]
    return [(job, launcher.task(job)) for job in jobs]
