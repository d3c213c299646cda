"""From what was recorded to a plan of this project, and from the plan to jobs with a record of their code."""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace

from experiments.jobs.controls.checking import candidates, control_notes, stands_words
from experiments.jobs.controls.pooled import as_chosen_now
from experiments.jobs.handover import launcher_for
from experiments.jobs.launchers.local.devices import notes_on
from experiments.jobs.ledger import open_ledger
from experiments.jobs.ledger.reading import LedgerReader
from experiments.jobs.ledger.schema import FILE as LEDGER_FILE
from experiments.jobs.permits import Permit
from experiments.jobs.plan import Placement, RecordedJob, make_plan
from experiments.jobs.startable import refuse_what_cannot_start
from experiments.jobs.submission import next_repeat, submit
from experiments.project.errors import LaunchError
from experiments.project.look import clock_words, counted
from experiments.project.provenance import (
    OwnCode,
    Provenance,
    capture,
    changes_since,
    file_names,
    refuse_if_unreproducible,
)
from experiments.project.snapshots import differing_now, ignored_folders
from experiments.project.trainers.known import trainer_named
from experiments.project.values import replaced
from experiments.project.workspace import Workspace, node_folder, storage_notes
from experiments.types import KeptControl, LauncherName, Plan, TrainingJob


def prepare_plan(
    workspace: Workspace,
    experiment: str,
    recorded: Sequence[RecordedJob],
    *,
    seeds: Sequence[int] | None = None,
    same_seed: int = 1,
    launcher: LauncherName | None = None,
    repeat: int | None = None,
    again: bool = False,
    train_command: Sequence[str] | None = None,
    has_own_code: bool = False,
    control: KeptControl | None = None,
) -> Plan:
    """Return the plan that a launch of `recorded` would start; nothing is written but the ledger's own file.

    Args:
        same_seed: How often each seed is run; all but the first are replicates.
        launcher: Where; None for the setting.
        repeat: Which repetition of the same jobs; None for the newest that has unfinished jobs, else the next.
        again: Take the next repeat also where jobs of the newest are unfinished.
        train_command: The trainer's command line; None for the setting.
        has_own_code: Whether the jobs run code of before, so that what lies here now says nothing of their programs.
        control: What stands for the baseline: jobs that are as it are not planned, and the others run on its seeds.

    Raises:
        UsageError: A name, label or seed is wrong, the plan is above the settings' limits, or its trainer cannot
            start as it stands.
    """
    settings = workspace.settings
    where = launcher or settings.launcher
    with open_ledger(workspace, read_only=(workspace.state / LEDGER_FILE).exists()) as ledger:
        placement = Placement(
            user=settings.user_name(),
            ledger_id=ledger.id,
            launcher=where,
            target=launcher_for(where, workspace).target(),
            train_command=settings.train_command if train_command is None else tuple(train_command),
            wandb_mode=workspace.wandb_mode(),
            run_folder=lambda run: node_folder(where, settings, run, workspace.runs / run),
        )
        recorded = [
            with_trainer(job, workspace, settings.trainer if train_command is None else None) for job in recorded
        ]
        recorded, seeds = candidates(recorded, seeds, control)
        control = as_chosen_now(control, ledger) if control is not None else None

        @functools.cache  # of 200 jobs it takes milliseconds, and a page plans at each key press
        def planned(number: int) -> Plan:
            plan = make_plan(
                experiment,
                recorded,
                placement,
                seeds=seeds,
                same_seed=same_seed,
                repeat=number,
                max_jobs=settings.max_jobs,
            )
            return plan if control is None else replaced(plan, control=control)

        refuse_what_cannot_start(planned(repeat or 1), None if has_own_code else workspace.root)
        if repeat is None:
            repeat = next_repeat(planned, ledger, workspace, again=again)
        return planned(repeat)


def with_trainer(job: RecordedJob, workspace: Workspace, default: str | None) -> RecordedJob:
    """Return a recorded job with its trainer itself in the place of its name.

    Args:
        default: Name of the trainer of jobs that name none; None for the command line of the setting.

    Raises:
        UsageError: There is no trainer of the name.
    """
    name = job.config.trainer if job.config.trainer is not None else default
    if not isinstance(name, str):
        return job
    return replace(job, config=replaced(job.config, trainer=trainer_named(name, workspace.settings.trainers)))


def launch_notes(
    plan: Plan,
    code: Provenance,
    workspace: Workspace,
    ledger: LedgerReader | None = None,
    *,
    has_own_code: bool = False,
) -> list[str]:
    """Return what one should know of the code before a launch of `plan`.

    That is what nobody else could get again, and what changed since a part of the plan was launched before.

    Args:
        ledger: The workspace's, where the caller has it open.
        has_own_code: Whether the jobs run code of before, with which what lies here now is not to be compared.

    Raises:
        LaunchError: SkyPilot would run code that cannot be had again, and nobody said `--skip-git-check`; nothing
            of the runs would be left once their nodes are gone; another job has the name of a run; or a control is not
            what would run now.
    """
    skip = all(job.config.skip_git_check for job in plan.jobs)
    kept = not workspace.settings.in_place
    with nullcontext(ledger) if ledger else open_ledger(workspace, read_only=True) as opened:
        recorded = opened.provenance(plan.key)
        taken = [job for job in opened.rows(run_names=[job.run_name for job in plan.jobs]) if job.plan_key != plan.key]
    before = Provenance.recorded(recorded) if recorded else None
    # A plan that was launched before completes with the code of then: what lies here is in no snapshot of its.
    runs = code.running(before.own) if before is not None and before.own is not None and not has_own_code else code
    notes = refuse_if_unreproducible(runs, plan.launcher, skip_git_check=skip, kept=kept)
    notes += storage_notes(plan, workspace.settings)
    if plan.launcher == "local":
        notes += notes_on(plan.jobs, workspace.settings)
    elif any(job.config.stop_when for job in plan.jobs):
        notes.append(
            f"stop_when holds on {plan.launcher} while somebody looks: a page, a followed launch, experiments status"
        )
    if plan.repeat > 1 and any(job.counts for job in plan.jobs):
        notes.append(
            f"repeat {plan.repeat} draws the same seeds once more, and the runs of before that finished stand for "
            "them: give it other --seeds, or --name for other code"
        )
    if workspace.settings.max_cost is not None and plan.launcher == "skypilot":
        notes.append(f"max_cost is {workspace.settings.max_cost:g} USD, but what this plan costs is not known")
    if taken:
        raise LaunchError(
            f"run name {taken[0].run_name!r} is that of another job, of experiment {taken[0].experiment!r}. Name the "
            "experiment or the arm differently."
        )
    if before is None:
        notes += control_notes(plan, workspace, has_own_code=has_own_code)
    elif plan.control is not None:
        notes.append(stands_words(plan.control))
    if before is not None and not has_own_code:
        notes += _changed_since(before, code, len(plan.jobs), workspace)
    return notes


def _changed_since(before: Provenance, code: Provenance, jobs: int, workspace: Workspace) -> list[str]:
    """Return what is not as it was when a plan was first launched, whose jobs run the code of then."""
    snapshot = before.own.snapshot if before.own is not None else None
    if snapshot is None:
        changes = changes_since(before, code, workspace.root)
        return [f"changed since this repeat was first launched: {change}" for change in changes]
    notes = [
        f"changed since this repeat was first launched: {change}"
        for change in changes_since(replaced(before, commit=code.commit, tree=code.tree), code)
    ]
    if names := differing_now(snapshot, workspace.root, workspace.state, workspace.settings.snapshot_links):
        whose = "this job runs" if jobs == 1 else f"these {jobs} jobs run"
        notes.append(
            f"your tree differs ({counted(len(names), 'file')}: {file_names(names)}): {whose} the code of "
            f"{clock_words(snapshot.at)}; --again launches today's"
        )
    return notes


@dataclass(frozen=True)
class CheckedPlan:
    """A plan that may be launched as far as its code goes, and what one should know of that before.

    Attributes:
        code: Where the code comes from, as it is recorded with the jobs.
        notes: From `launch_notes`.
        own: What the jobs are to run with; None for a snapshot of the project as it is at the launch.
    """

    plan: Plan
    code: Provenance
    notes: tuple[str, ...] = ()
    own: OwnCode | None = None


def plan_of(plan: Plan | CheckedPlan) -> Plan:
    """Return a plan that may have been checked already."""
    return plan.plan if isinstance(plan, CheckedPlan) else plan


def check_plan(
    plan: Plan, workspace: Workspace, code: Provenance | None = None, own: OwnCode | None = None
) -> CheckedPlan:
    """Return a plan with what `launch_notes` says of it: it is checked once for a launch, and handed on.

    Args:
        code: From `provenance.capture`; None to capture it now.
        own: What the jobs are to run with; None for a snapshot of the project as it is at the launch.

    Raises:
        LaunchError: As `launch_notes`.
    """
    code = code or capture(workspace.root)
    # What lies here now says nothing of jobs that run a snapshot of before.
    notes = launch_notes(plan, code if own is None else code.running(own), workspace, has_own_code=own is not None)
    return CheckedPlan(plan, code, (*notes, *_unseen(workspace)), own)


def _unseen(workspace: Workspace) -> list[str]:
    """Return what a trainer may look for in vain: it runs in a copy of what git knows."""
    if workspace.settings.in_place:
        return []
    names = [name for name in ignored_folders(workspace.root) if name not in workspace.settings.snapshot_links]
    note = (
        f"not in the snapshot, for git ignores it: {file_names(names)}. A trainer that reads there by a relative path "
        f"needs it linked in: snapshot_links = {json.dumps(names[:3])} in [tool.experiments]"
    )
    return [note] if names else []


def launch_plan(
    plan: Plan | CheckedPlan,
    permit: Permit | None,
    workspace: Workspace,
    *,
    budget: str | None = None,
    in_background: bool = False,
) -> list[TrainingJob]:
    """Launch what is not launched yet of `plan`, with a record of the code that it runs.

    Args:
        plan: One that is not checked yet is checked here, with the code as it lies here now.
        budget: Name of the budget that its jobs draw on; None where a person asked for them.
        in_background: Whether to return before they are handed over; see `submit`.

    Raises:
        LaunchRefused: Nobody asked for a launch.
        LaunchError: Some jobs were not launched, or SkyPilot would run code that cannot be had again.
        LedgerError: It cannot be recorded, so nothing (more) was launched.
    """
    checked = plan if isinstance(plan, CheckedPlan) else check_plan(plan, workspace)
    plan, code = checked.plan, checked.code
    in_place = checked.own.snapshot is None if checked.own is not None else workspace.settings.in_place
    with open_ledger(workspace, read_only=True) as ledger:
        before = {job.run_name for job in ledger.rows(plan_key=plan.key) if job.state == "submitted"}
    try:
        return submit(plan, permit, workspace, code=code, own=checked.own, budget=budget, in_background=in_background)
    finally:
        for job in plan.jobs if in_place else ():
            # Of a run in place nothing else keeps the changes; one that was started earlier had those of its own day.
            run_dir = workspace.runs / job.run_name
            if job.run_name not in before and run_dir.is_dir():
                code.write_diff(run_dir)
