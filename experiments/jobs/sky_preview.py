"""What a launch on SkyPilot would ask for: shown before it, without a network, and checked by SkyPilot where asked."""

from __future__ import annotations

import json
from typing import Any

from experiments.jobs.handover import job_spec, told
from experiments.jobs.launchers.base import JobSpec
from experiments.jobs.launchers.sky.launcher import SkyPilotLauncher
from experiments.jobs.launchers.sky.task import task_yaml
from experiments.jobs.ledger import open_ledger
from experiments.jobs.plan import training_jobs
from experiments.project.errors import LaunchError
from experiments.project.workspace import Workspace
from experiments.types import Plan

_NOT_COMPARED = ("name", "envs", "run")


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
    jobs = [told(job, job_spec(plan, job, workspace), ledger_id, workspace) for job in training_jobs(plan)]
    return [(job, launcher.task(job)) for job in jobs]
