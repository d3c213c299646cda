"""Launch the jobs of a plan, each exactly once, whatever is killed when; cancel and retry them.

Launching needs a `Permit` (see `permits`); the same plan again completes what is not launched yet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from experiments.jobs.handover import (
    as_launched,
    hand_over,
    has_ended,
    job_spec,
    launcher_for,
    reconcile,
    statuses,
    tracker_of,
)
from experiments.jobs.launchers.base import DryRunLauncher
from experiments.jobs.launchers.local import slots
from experiments.jobs.launchers.local.launcher import LocalLauncher
from experiments.jobs.ledger import Ledger, UnreadableJob, open_ledger
from experiments.jobs.ledger.reading import LedgerReader
from experiments.jobs.permits import Permit, read_only, require
from experiments.jobs.plan import refuse_secrets, training_jobs
from experiments.jobs.plan import run_name as name_run
from experiments.project.errors import LaunchError, LedgerError, UsageError
from experiments.project.look import counted
from experiments.project.workspace import Workspace
from experiments.types import Plan, TrainingJob, replaced


def submit(
    plan: Plan,
    permit: Permit | None,
    workspace: Workspace,
    *,
    provenance: Mapping[str, Any] | None = None,
) -> list[TrainingJob]:
    """Launch what is not launched yet of `plan`, and return its jobs as the ledger has them.

    The same plan again starts nothing that was handed to a launcher before: it completes what failed. A dry run needs
    no permit and leaves no trace.

    Args:
        plan: From `plan.make_plan`.
        permit: Who asked for it.
        workspace: Whose ledger and settings.
        provenance: Kept beside the plan at its first launch.

    Raises:
        UsageError: A command line holds a secret.
        LaunchRefused: Nobody asked for a launch.
        LaunchError: Some jobs were not launched; the others were. `jobs` holds them all.
        LedgerError: It cannot be recorded, so nothing (more) was launched.
    """
    refuse_secrets(plan)
    tracker = tracker_of(plan, workspace.settings)
    if plan.launcher == DryRunLauncher.name:
        return training_jobs(plan, tracker=tracker)
    permit = require(permit, f"launch {counted(len(plan.jobs), 'job')}")
    launcher = launcher_for(plan.launcher, workspace)
    if launcher.target() != plan.target:
        raise LaunchError(
            f"the plan was made for {plan.target!r}, but {plan.launcher!r} now points to {launcher.target()!r}. "
            "Nothing was launched. Make the plan again."
        )
    specs = {job.run_name: job_spec(plan, job, workspace) for job in plan.jobs}
    with open_ledger(workspace) as ledger:
        ledger.record_plan(plan, tracker=tracker, provenance=provenance)
        ledger.add_event("launch", plan_key=plan.key, by=permit.how)
        unknown = reconcile(ledger, workspace, plan_key=plan.key).unknown
        jobs = [job for job in ledger.jobs(plan_key=plan.key) if job.run_name in specs]
        wanted = [job.run_name for job in jobs if job.state in {"planned", "refused"}]
        failed = hand_over(ledger, launcher, {name: specs[name] for name in wanted}, workspace)
        failed |= {row.run_name: row.sentence() for row in ledger.unreadable(plan_key=plan.key)}
        if plan.launcher == LocalLauncher.name:
            ledger.set_setting(slots.MAX_PARALLEL, str(workspace.settings.max_parallel))
            slots.start_next(ledger)
        jobs = [_told_why(job, unknown) for job in ledger.jobs(plan_key=plan.key)]
    failed |= {job.run_name: job.error or "" for job in jobs if job.state == "refused"}
    if failed:
        raise LaunchError(_failure_text(jobs, failed), jobs=jobs)
    return jobs


def _told_why(job: TrainingJob, unknown: Mapping[str, str]) -> TrainingJob:
    """Return a job that is still in doubt with the reason, which the ledger does not keep."""
    if job.state != "submitting" or job.run_name not in unknown:
        return job
    return replaced(job, error=f"nobody can tell whether it was launched: {unknown[job.run_name]}")


def cancel(run_names: Sequence[str], permit: Permit | None, workspace: Workspace) -> dict[str, str]:
    """End jobs; return what happened to each, in words.

    A job that no launcher has yet never gets to one. For the others it is a request: their state says what came of it.

    Raises:
        LaunchRefused: Nobody asked for it.
        UsageError: The ledger has no job of a name; then nothing was cancelled.
        LaunchError: A launcher could not be asked; the jobs of the others were cancelled.
    """
    permit = require(permit, f"cancel {counted(len(run_names), 'job')}")
    done: dict[str, str] = {}
    with open_ledger(workspace) as ledger:
        jobs = _known_rows(ledger, run_names)
        status = statuses(jobs, ledger, workspace)
        asked: dict[str, list[tuple[str, str]]] = {}
        for job in jobs:
            if ledger.cancel_unlaunched(job.run_name) or job.state == "cancelled":
                done[job.run_name] = "cancelled before it was launched"
            elif job.run_name in status and has_ended(status[job.run_name]):
                done[job.run_name] = f"had ended already ({status[job.run_name].word})"
            elif job.launcher_id is None:
                done[job.run_name] = _cancel_doubtful(ledger, job, workspace)
            else:
                asked.setdefault(job.launcher, []).append((job.run_name, job.launcher_id))
        for name, pairs in asked.items():
            for run_name, _ in pairs:
                ledger.add_event("cancel", run_name=run_name, by=permit.how)
            launcher_for(name, workspace).cancel(pairs)
            done |= dict.fromkeys((run_name for run_name, _ in pairs), "asked to end")
        slots.start_next(ledger)
    return done


def _cancel_doubtful(ledger: Ledger, job: TrainingJob | UnreadableJob, workspace: Workspace) -> str:
    resolved = reconcile(ledger, workspace, plan_key=job.plan_key)
    if job.run_name in resolved.unknown:
        return f"not cancelled: {resolved.unknown[job.run_name]}"
    [now] = ledger.rows(run_names=[job.run_name])
    if now.launcher_id is None:
        ledger.cancel_unlaunched(job.run_name)
        return "cancelled before it was launched"
    launcher_for(now.launcher, workspace).cancel([(now.run_name, now.launcher_id)])
    return "asked to end"


def retry(
    run_name: str, permit: Permit | None, workspace: Workspace, *, provenance: Mapping[str, Any] | None = None
) -> TrainingJob:
    """Launch a job that has ended once more, as the next attempt of the same arm and seed.

    Where it was retried before, the newest attempt is the one that counts: while that one goes on, it is what is
    returned. A job that never reached its launcher is launched itself.

    Args:
        provenance: Where the code comes from now; kept with the attempt.

    Raises:
        LaunchRefused: Nobody asked for it.
        UsageError: The ledger has no such job, or it has not ended.
        LedgerError: Its row cannot be read.
        LaunchError: The launcher refused.
    """
    permit = require(permit, f"retry {run_name!r}")
    with open_ledger(workspace) as ledger:
        [asked] = _known_rows(ledger, [run_name])
        if isinstance(asked, UnreadableJob):
            raise LedgerError(f"{asked.sentence()}. Then retry it.")
        plan = ledger.plan(asked.plan_key)
        if plan is None:
            raise UsageError(f"job {run_name!r} was not launched from a plan of this ledger. Launch its recipe again.")
        job = newest_attempt(ledger, asked)
        if job.state in {"submitted", "cancelled"}:
            status = statuses([job], ledger, workspace).get(job.run_name)
            if job.state == "submitted" and (status is None or not has_ended(status)):
                if job.run_name != run_name:
                    return job
                word = status.word if status is not None else "unknown"
                raise UsageError(
                    f"job {run_name!r} has not ended ({word}). End it first: experiments cancel {run_name}"
                )
            job = _next_attempt(job, plan, ledger.id)
            ledger.add_attempt(job)
        ledger.add_event("launch", run_name=job.run_name, by=permit.how, provenance=dict(provenance or {}))
        launcher = launcher_for(job.launcher, workspace)
        reconcile(ledger, workspace, plan_key=plan.key)
        spec = job_spec(plan, job, as_launched(workspace, ledger.spec(asked.run_name)))
        failed = hand_over(ledger, launcher, {job.run_name: spec}, workspace)
        slots.start_next(ledger)
        [job] = ledger.jobs(run_names=[job.run_name])
    if job.run_name in failed:
        raise LaunchError(f"job {job.run_name!r} was not launched: {failed[job.run_name]}", jobs=[job])
    return job


def newest_attempt(ledger: LedgerReader, job: TrainingJob) -> TrainingJob:
    """Return the newest attempt of a job's arm and seed in its plan: the job itself where it was not retried."""
    same = [other for other in ledger.jobs(plan_key=job.plan_key) if (other.arm, other.seed) == (job.arm, job.seed)]
    return max([job, *same], key=lambda other: other.attempt)


def _next_attempt(job: TrainingJob, plan: Plan, ledger_id: str) -> TrainingJob:
    attempt = job.attempt + 1
    name = name_run(
        plan.user, job.experiment, job.arm, job.seed, ledger_id=ledger_id, plan_key=plan.key, attempt=attempt
    )
    # Only `{run}` put the old name there: it ends in a hash that nothing else holds.
    command = tuple(part.replace(job.run_name, name) for part in job.command)
    fresh = {"launcher_id": None, "state": "planned", "error": None}
    return replaced(job, **fresh, run_name=name, command=command, attempt=attempt, retry_of=job.run_name)


def next_repeat(planned: Callable[[int], Plan], ledger: Ledger, workspace: Workspace, *, again: bool = False) -> int:
    """Return which repeat a launch without a number means: the latest while it has unfinished jobs, else the next.

    Args:
        planned: Returns the plan of a repeat.
        ledger: Where earlier repeats are.
        workspace: Whose launchers know how their jobs are.
        again: Take the next one also where jobs of the latest are unfinished.
    """
    latest = ledger.latest_repeat(planned(1).family)
    if latest is None:
        return 1
    jobs = ledger.rows(plan_key=latest.key)
    status = statuses(jobs, ledger, workspace)
    # A job whose launcher cannot be asked counts as unfinished: to attach to it launches nothing twice.
    ended = all(
        job.state == "cancelled" or (job.run_name in status and has_ended(status[job.run_name])) for job in jobs
    )
    return latest.number + 1 if ended or again else latest.number


def start_next(workspace: Workspace) -> list[str]:
    """Start waiting local jobs while slots are free; return their run names. A read-only process starts none.

    Jobs that a killed process left in doubt are resolved first: one that no launcher has waits again.
    """
    if read_only():
        return []
    with open_ledger(workspace) as ledger:
        reconcile(ledger, workspace)
        return slots.start_next(ledger)


def _known_rows(ledger: Ledger, run_names: Sequence[str]) -> list[TrainingJob | UnreadableJob]:
    jobs = {job.run_name: job for job in ledger.rows(run_names=run_names)}
    if missing := [name for name in run_names if name not in jobs]:
        raise UsageError(f"the ledger has no job {missing[0]!r}. List its jobs: experiments status")
    return [jobs[name] for name in dict.fromkeys(run_names)]


def _failure_text(jobs: Sequence[TrainingJob], failed: Mapping[str, str]) -> str:
    launched = sum(job.state == "submitted" for job in jobs)
    reasons = "; ".join(f"{name!r}: {reason}" for name, reason in list(failed.items())[:3])
    more = f"; and {len(failed) - 3} more" if len(failed) > 3 else ""
    return (
        f"{launched} of {counted(len(jobs), 'job')} launched, {len(failed)} failed ({reasons}{more}). "
        "Run the same command again to launch those."
    )
