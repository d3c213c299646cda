"""Launch the jobs of a plan, each exactly once, whatever is killed when; cancel and retry them.

Launching needs a `Permit` (see `permits`); the same plan again completes what is not launched yet.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from experiments.jobs import outbox
from experiments.jobs.covering import cover_jobs, cover_launch, recipe_word
from experiments.jobs.handover import hand_over, has_ended, launcher_for, reconcile, statuses
from experiments.jobs.isolation import SNAPSHOT
from experiments.jobs.launchers.base import DryRunLauncher
from experiments.jobs.launchers.local import slots
from experiments.jobs.launchers.local.devices import GPUS, asked_for
from experiments.jobs.launchers.local.launcher import LocalLauncher
from experiments.jobs.launchers.local.supervisor import JOB
from experiments.jobs.ledger import Ledger, UnreadableJob, open_ledger
from experiments.jobs.ledger.budgets import cost_of_job
from experiments.jobs.ledger.reading import LedgerReader
from experiments.jobs.ledger.schema import STARTING
from experiments.jobs.permits import Permit, read_only, require
from experiments.jobs.plan import Name, refuse_secrets, training_jobs
from experiments.jobs.plan import run_name as name_run
from experiments.jobs.specs import as_launched, job_specs, tracker_of
from experiments.project.errors import LaunchError, LedgerError, UsageError
from experiments.project.files import locked, read_json
from experiments.project.look import counted
from experiments.project.provenance import OwnCode, Provenance, capture
from experiments.project.snapshots import Snapshot, expect, keep_within, take
from experiments.project.values import replaced
from experiments.project.workspace import Workspace
from experiments.types import Plan, TrainingJob


def submit(
    plan: Plan,
    permit: Permit | None,
    workspace: Workspace,
    *,
    code: Provenance | None = None,
    own: OwnCode | None = None,
    budget: str | None = None,
    in_background: bool = False,
) -> list[TrainingJob]:
    """Launch what is not launched yet of `plan`, and return its jobs as the ledger has them.

    The same plan again starts nothing that was handed to a launcher before: it completes what failed, with the code of
    its first submit. A dry run needs no permit and leaves no trace.

    Args:
        plan: From `plan.make_plan`.
        permit: Who asked for it.
        workspace: Whose ledger and settings.
        code: Where the code comes from, kept beside the plan at its first launch; None to look now.
        own: What the jobs are to run with; None for a snapshot of the project as it is now. The first submit decides.
        budget: Name of the budget that its jobs draw on; None where a person asked for them.
        in_background: Whether to return once it is recorded that they are to be handed over, which a process of its own
            does; local jobs, whose hand-over is instant, are launched here all the same.

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
    with open_ledger(workspace) as ledger:
        granted = cover_launch(permit, plan, ledger, workspace.root)
        if permit.recipe is not None:
            code = replaced(code or capture(workspace.root), recipe=recipe_word(permit.recipe, workspace.root))
        own = _settled_code(plan, ledger, workspace, tracker, code, own, budget or granted)
        specs = job_specs(plan, plan.jobs, workspace, own)
        _keep_within_budget(ledger, workspace, own)
        ledger.add_event("launch", plan_key=plan.key, by=permit.how)
        is_later = in_background and plan.launcher != LocalLauncher.name
        unknown = {} if is_later else reconcile(ledger, workspace, plan_key=plan.key).unknown
        jobs = [job for job in ledger.jobs(plan_key=plan.key) if job.run_name in specs]
        wanted = [
            job for job in jobs if job.state in ({"planned", "refused"} | ({"submitting"} if is_later else set()))
        ]
        if granted is not None:  # of a plan that a person recorded, nothing is drawn yet
            ledger.draw(granted, {job.run_name: cost_of_job(job, plan.launcher) for job in wanted})
        if wanted:  # who only looks at what runs already needs no code
            _refuse_gone(own, workspace)
        failed = ledger.closed_budgets(job.run_name for job in wanted)
        wanted = [job for job in wanted if job.run_name not in failed]
        if is_later:
            outbox.put_in(ledger, launcher, wanted, specs, workspace)
        else:
            failed |= hand_over(ledger, launcher, {job.run_name: specs[job.run_name] for job in wanted}, workspace)
        failed |= {row.run_name: row.sentence() for row in ledger.unreadable(plan_key=plan.key)}
        if plan.launcher == LocalLauncher.name:
            ledger.set_setting(slots.MAX_PARALLEL, str(workspace.settings.max_parallel or ""))
            ledger.set_setting(GPUS, json.dumps(asked_for(workspace.settings.gpus)))
            slots.start_next(ledger)
        jobs = [_told_why(job, unknown) for job in ledger.jobs(plan_key=plan.key)]
    return refuse_failed(jobs, failed)


def refuse_failed(jobs: list[TrainingJob], failed: Mapping[str, str] | None = None) -> list[TrainingJob]:
    """Return the jobs of a plan, all of which their launcher has, or may have.

    Args:
        failed: Those that were not launched, beside the ones that their launcher refused, with the reason.

    Raises:
        LaunchError: Some were not launched; `jobs` holds them all.
    """
    failed = {**(failed or {}), **{job.run_name: job.error or "" for job in jobs if job.state == "refused"}}
    if failed:
        raise LaunchError(_failure_text(jobs, failed), jobs=jobs)
    return jobs


def _settled_code(
    plan: Plan,
    ledger: Ledger,
    workspace: Workspace,
    tracker: str,
    code: Provenance | None,
    own: OwnCode | None,
    budget: str | None,
) -> OwnCode:
    """Record a plan with what its jobs run with, and return that: of several submits the first has decided it."""
    if not ledger.has_plan(plan.key):
        own = own or code_now(workspace)
        code = (code or capture(workspace.root)).running(own)
        ledger.record_plan(plan, tracker=tracker, provenance=code.model_dump(mode="json"), budget=budget)
    return _planned_code(ledger, plan.key) or own or code_now(workspace)


def _planned_code(ledger: LedgerReader, plan_key: str) -> OwnCode | None:
    record = ledger.provenance(plan_key)
    return Provenance.recorded(record).own if record else None


def code_now(workspace: Workspace) -> OwnCode:
    """Return what a job runs with that is launched now: a snapshot, or the working tree where `in_place` is set.

    Raises:
        LaunchError: There can be no snapshot; says why, and what to do.
    """
    if workspace.settings.in_place:
        return OwnCode()
    return OwnCode(snapshot=take(workspace.root, workspace.state, workspace.settings))


def _keep_within_budget(ledger: Ledger, workspace: Workspace, own: OwnCode) -> None:
    """Let checkouts go that no job needs; while jobs are started, which need theirs from then on, none goes."""
    with locked(workspace.state / STARTING, wait_s=0) as held:
        if held:
            in_use = ledger.snapshots_in_use() | ({own.snapshot.id} if own.snapshot is not None else set())
            keep_within(workspace.state, workspace.settings.code_budget_mb, in_use)


def _refuse_gone(own: OwnCode, workspace: Workspace) -> None:
    """Refuse to launch code that nobody could get again.

    Raises:
        LaunchError: The snapshot is gone.
    """
    if own.snapshot is not None:
        expect(workspace.state, own.snapshot)


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
        if jobs:
            cover_jobs(permit, "cancel", jobs, ledger)
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
    resolved = reconcile(ledger, workspace, run_names=[job.run_name])
    if job.run_name in resolved.unknown:
        return f"not cancelled: {resolved.unknown[job.run_name]}"
    [now] = ledger.rows(run_names=[job.run_name])
    if now.launcher_id is None:
        ledger.cancel_unlaunched(job.run_name)
        return "cancelled before it was launched"
    launcher_for(now.launcher, workspace).cancel([(now.run_name, now.launcher_id)])
    return "asked to end"


def retry(
    run_name: str,
    permit: Permit | None,
    workspace: Workspace,
    *,
    code: Provenance | None = None,
    own: OwnCode | None = None,
) -> TrainingJob:
    """Launch a job that has ended once more, as the next attempt of the same arm, seed and replicate.

    Where it was retried before, the newest attempt is the one that counts: while that one goes on, it is what is
    returned. A job that never reached its launcher is launched itself.

    Args:
        code: Where the code comes from, kept with the attempt; None to look now.
        own: What the attempt is to run with; None for what the job ran with.

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
        granted = cover_jobs(permit, "retry", [asked], ledger)
        job = newest_attempt(ledger, asked)
        if job.state == "submitted":
            status = statuses([job], ledger, workspace).get(job.run_name)
            if status is None or not has_ended(status):
                if job.run_name != run_name:
                    return job
                word = status.word if status is not None else "unknown"
                raise UsageError(
                    f"job {run_name!r} has not ended ({word}). End it first: experiments cancel {run_name}"
                )
        own = own or code_of_job(ledger, asked) or code_now(workspace)
        _refuse_gone(own, workspace)
        if job.state in {"submitted", "cancelled"}:
            job = _next_attempt(job, plan, ledger.id)
            ledger.add_attempt(job, budget=granted)
        elif granted is not None:
            ledger.draw(granted, {job.run_name: cost_of_job(job, job.launcher)})
        provenance = (code or capture(workspace.root)).running(own).model_dump(mode="json")
        ledger.add_event("launch", run_name=job.run_name, by=permit.how, provenance=provenance)
        place = as_launched(workspace, ledger.spec(asked.run_name))
        launcher = launcher_for(job.launcher, place)
        reconcile(ledger, workspace, plan_key=plan.key)
        specs = job_specs(plan, [job], place, own)
        failed = ledger.closed_budgets(specs) or hand_over(ledger, launcher, specs, workspace)
        slots.start_next(ledger)
        [job] = ledger.jobs(run_names=[job.run_name])
    if job.run_name in failed:
        raise LaunchError(f"job {job.run_name!r} was not launched: {failed[job.run_name]}", jobs=[job])
    return job


def code_of_job(ledger: LedgerReader, job: TrainingJob) -> OwnCode | None:
    """Return what a job was told to run with; None for a job of before there were snapshots, which nobody recorded.

    Raises:
        LedgerError: Its record cannot be read.
    """
    planned = _planned_code(ledger, job.plan_key)
    spec = ledger.spec(job.run_name) or _spec_in_folder(ledger.state_dir / "runs" / job.run_name / JOB)
    if SNAPSHOT not in spec:
        return planned
    # A retry may have been given other code than its plan; interpreter and variables are the plan's.
    snapshot = Snapshot.model_validate(spec[SNAPSHOT]) if spec[SNAPSHOT] is not None else None
    return replaced(planned or OwnCode(), snapshot=snapshot)


def _spec_in_folder(path: Path) -> Mapping[str, Any]:
    """Return what a local job was told, from its own record: a ledger that was rebuilt does not have it."""
    try:
        return read_json(path) or {}
    except (OSError, ValueError) as error:
        raise LedgerError(f"{str(path)!r} cannot be read ({error}), so what its job ran is not known.") from error


def newest_attempt(ledger: LedgerReader, job: TrainingJob) -> TrainingJob:
    """Return the newest attempt of what a job is in its plan: the job itself where it was not retried."""
    same = [other for other in ledger.attempts(job) if isinstance(other, TrainingJob)]
    return max([job, *same], key=lambda other: other.attempt)


def _next_attempt(job: TrainingJob, plan: Plan, ledger_id: str) -> TrainingJob:
    attempt = job.attempt + 1
    own = Name(job.arm, job.seed, job.replicate, job.role)
    name = name_run(plan.user, job.experiment, own, ledger_id=ledger_id, plan_key=plan.key, attempt=attempt)
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

    Jobs that a killed process left in doubt are resolved first: one that no launcher has waits again. What is to be
    handed over in the background goes on there, and nobody waits for it here.
    """
    if read_only():
        return []
    outbox.see_to_it(workspace)
    with open_ledger(workspace) as ledger:
        later = {name for names in ledger.outbox().values() for name in names}
        doubtful = [job.run_name for job in ledger.rows(state="submitting") if job.run_name not in later]
        reconcile(ledger, workspace, run_names=doubtful)
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
