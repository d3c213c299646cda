"""From what was recorded to a plan of this project, and from the plan to jobs with a record of their code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext

from experiments.errors import LaunchError
from experiments.launch import Permit, launcher_for, next_repeat, submit
from experiments.ledger_reading import LedgerReader
from experiments.ledger_schema import FILE as LEDGER_FILE
from experiments.planning import Placement, RecordedJob, make_plan
from experiments.provenance import Provenance, capture, changes_since, refuse_if_unreproducible
from experiments.run_root import storage_notes
from experiments.types import LauncherName, Plan, TrainingJob
from experiments.workspace import Workspace


def prepare_plan(
    workspace: Workspace,
    experiment: str,
    recorded: Sequence[RecordedJob],
    *,
    seeds: Sequence[int] | None = None,
    launcher: LauncherName | None = None,
    repeat: int | None = None,
    again: bool = False,
) -> Plan:
    """Return the plan that a launch of `recorded` would start; nothing is written but the ledger's own file.

    Args:
        launcher: Where; None for the setting.
        repeat: Which repetition of the same jobs; None for the newest that has unfinished jobs, else the next.
        again: Take the next repeat also where jobs of the newest are unfinished.

    Raises:
        UsageError: A name, label or seed is wrong, or the plan is above the settings' limits.
    """
    settings = workspace.settings
    where = launcher or settings.launcher
    with workspace.ledger(read_only=(workspace.state / LEDGER_FILE).exists()) as ledger:
        placement = Placement(
            user=settings.user_name(),
            ledger_id=ledger.id,
            launcher=where,
            target=launcher_for(where, workspace).target(),
            train_command=settings.train_command,
            wandb_mode=workspace.wandb_mode(),
        )

        def planned(number: int) -> Plan:
            return make_plan(experiment, recorded, placement, seeds=seeds, repeat=number, max_jobs=settings.max_jobs)

        if repeat is None:
            repeat = next_repeat(planned, ledger, workspace, again=again)
        return planned(repeat)


def launch_notes(plan: Plan, code: Provenance, workspace: Workspace, ledger: LedgerReader | None = None) -> list[str]:
    """Return what one should know of the code before a launch of `plan`.

    That is what nobody else could get again, and what changed since a part of the plan was launched before.

    Args:
        ledger: The workspace's, where the caller has it open.

    Raises:
        LaunchError: SkyPilot would run code that cannot be had again, and nobody said `--skip-git-check`; nothing
            of the runs would be left once their nodes are gone; or another job has the name of a run.
    """
    skip = all(job.config.skip_git_check for job in plan.jobs)
    notes = refuse_if_unreproducible(code, plan.launcher, skip_git_check=skip) + storage_notes(plan, workspace.settings)
    if workspace.settings.max_cost is not None and plan.launcher == "skypilot":
        notes.append(f"max_cost is {workspace.settings.max_cost:g} USD, but what this plan costs is not known")
    with nullcontext(ledger) if ledger else workspace.ledger(read_only=True) as opened:
        before = opened.provenance(plan.key)
        taken = [job for job in opened.jobs(run_names=[job.run_name for job in plan.jobs]) if job.plan_key != plan.key]
    if taken:
        raise LaunchError(
            f"run name {taken[0].run_name!r} is that of another job, of experiment {taken[0].experiment!r}. Name the "
            "experiment or the arm differently."
        )
    if before:
        changes = changes_since(Provenance.model_validate(before), code, workspace.root)
        notes += [f"changed since this repeat was first launched: {change}" for change in changes]
    return notes


def launch_plan(
    plan: Plan,
    permit: Permit | None,
    workspace: Workspace,
    *,
    code: Provenance | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[TrainingJob]:
    """Launch what is not launched yet of `plan`, with a record of the code that it runs.

    Args:
        code: From `provenance.capture`; None to capture it now.

    Raises:
        LaunchRefused: Nobody asked for a launch.
        LaunchError: Some jobs were not launched, or SkyPilot would run code that cannot be had again.
        LedgerError: It cannot be recorded, so nothing (more) was launched.
    """
    code = code or capture(workspace.root)
    launch_notes(plan, code, workspace)
    with workspace.ledger(read_only=True) as ledger:
        before = {job.run_name for job in ledger.jobs(plan_key=plan.key) if job.state == "submitted"}
    try:
        return submit(plan, permit, workspace, provenance=code.model_dump(mode="json"), on_progress=on_progress)
    finally:
        for job in plan.jobs:
            # A run that was started earlier had the code of its own day.
            run_dir = workspace.runs / job.run_name
            if job.run_name not in before and run_dir.is_dir():
                code.write_diff(run_dir)
