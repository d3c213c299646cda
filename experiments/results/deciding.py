"""Seeds until decided, carried on: when all seeds of a look have ended, the rule decides, or the next are launched."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from experiments.jobs.batches import Batched, Course, batch_event, courses, end_batches
from experiments.jobs.controls.marks import marks_beside
from experiments.jobs.controls.pooled import control_runs, controls_of
from experiments.jobs.designs import Registration, registration_of
from experiments.jobs.funding import give_up_unstarted
from experiments.jobs.journal import Journal, recorded_in
from experiments.jobs.ledger import UnreadableJob, open_ledger
from experiments.jobs.permits import Permit
from experiments.jobs.plan import RecordedJob
from experiments.jobs.preparation import prepare_plan
from experiments.jobs.rule import Rule
from experiments.jobs.specs import tracker_of
from experiments.jobs.submission import submit
from experiments.monitoring import poll_once, sources_of
from experiments.project.errors import LaunchError, LedgerError
from experiments.project.look import counted
from experiments.project.provenance import Provenance
from experiments.project.values import replaced
from experiments.project.workspace import Workspace
from experiments.results.controls import with_kept_scores
from experiments.results.scores import scored_runs, summary_of
from experiments.results.verdict import Judgement, judge
from experiments.types import TERMINAL_VERDICTS, Plan, TrainingJob

Say = Callable[[str], None]
Rows = list[TrainingJob | UnreadableJob]


def open_courses(workspace: Workspace) -> list[tuple[str, str]]:
    """Return experiment and first plan's key of every design that goes on until it is decided."""
    with open_ledger(workspace, read_only=True) as ledger:
        return [(course.batched.experiment, course.batched.plan_key) for course in courses(ledger) if not course.ended]


def carry_on(workspace: Workspace, permit: Permit, plan_key: str, retry: bool, say: Say) -> None:  # noqa: FBT001
    """Do what is to be done of one design now; of a step, under its lease.

    Args:
        retry: Whether jobs that a launcher refused are handed to it once more.
        say: Takes each thing that was done, in words.

    Raises:
        LaunchError: Jobs could not be launched.
        LedgerError: What was recorded cannot be read.
    """
    with open_ledger(workspace, read_only=True) as ledger:
        course = next(one for one in courses(ledger) if one.batched.plan_key == plan_key)
        plans = [plan for key in course.plan_keys if (plan := ledger.plan(key)) is not None]
        rows = [row for key in course.plan_keys for row in ledger.rows(plan_key=key)]
        recorded = recorded_in(ledger, [plan_key])
        provenance = Provenance.recorded(ledger.provenance(plan_key))
    if not plans:
        if over := _budget_over(course.batched, workspace):
            return _end(course.batched, workspace, over, say)
        raise LaunchError("its first batch was never launched. Launch it with the same command as before.")
    journal = recorded[0].journal if recorded else None
    if journal is None or journal.rule is None or len(plans) < len(course.plan_keys):
        raise LedgerError(f"{course.batched.experiment}: what decides it, or what it launched, cannot be read.")
    place = _as_opened(course.batched, workspace)
    rows = _given_up(course, rows, place, say)
    wanted = {"planned", "submitting"} | ({"refused"} if retry else set())
    for plan in plans:  # what a step recorded that was killed before it launched it
        if any(row.state in wanted for row in rows if row.plan_key == plan.key):
            submit(plan, permit, place, own=provenance.own)
    if unreadable := next((row for row in rows if isinstance(row, UnreadableJob)), None):
        raise LedgerError(unreadable.sentence())  # nothing is decided without its seed
    jobs = [row for row in rows if isinstance(row, TrainingJob) and row.role == "seed"]
    found = _judged(course, jobs, journal, place)
    if found is None:
        return None
    judgement, registration = found
    if judgement.decision in {"interim", "undecided"} and (over := _budget_over(course.batched, place)):
        return _end(course.batched, place, over, say)
    seeds = _next_seeds(course.batched, journal.rule, registration, jobs)
    if judgement.decision != "interim" or not seeds:
        return _end(course.batched, place, f"{judgement.decision}: {judgement.reason}", say)
    _launch_batch(course.batched, plans[0], seeds, permit, place, provenance)
    return say(f"{course.batched.experiment}: not decided yet; {_seeds_words(seeds)} of each arm launched")


def _given_up(course: Course, rows: Rows, workspace: Workspace, say: Say) -> Rows:
    """Take back what never started where the budget has ended; return the jobs as they are then."""
    if not _budget_over(course.batched, workspace):
        return rows
    with open_ledger(workspace) as ledger:
        if said := give_up_unstarted(ledger, workspace, course.plan_keys):
            say(f"{course.batched.experiment}: its budget has ended; {said}")
        return [row for key in course.plan_keys for row in ledger.rows(plan_key=key)]


def _end(batched: Batched, workspace: Workspace, why: str, say: Say) -> None:
    with open_ledger(workspace) as ledger:
        # In this order: whoever is killed between the two comes back, for it still goes on.
        ledger.spend_out(batched.budget, "what it was for has ended")
        end_batches(ledger, batched, why)
    say(f"{batched.experiment}: {why}")


def _budget_over(batched: Batched, workspace: Workspace) -> str:
    """Return that nothing more may be launched, since a person or the clock has ended the budget; empty otherwise."""
    with open_ledger(workspace) as ledger:
        over = ledger.closed_budget(batched.budget)
    return f"not decided, and its budget has ended ({over})" if over else ""


def _judged(
    course: Course, jobs: Sequence[TrainingJob], journal: Journal, workspace: Workspace
) -> tuple[Judgement, Registration] | None:
    """Return the verdict by now; None while seeds that were launched are out, or cannot be read."""
    sources = sources_of(workspace.state)
    polled = poll_once(workspace.state, sources=replace(sources, jobs=lambda: list(jobs)))
    statuses = {status.run_name: status for status in polled.jobs}
    is_out = any(job.run_name not in statuses for job in jobs if job.state != "cancelled")
    if is_out or any(status.verdict not in TERMINAL_VERDICTS for status in statuses.values()):
        return None
    with open_ledger(workspace, read_only=True) as ledger:
        controls = controls_of(ledger, [job.plan_key for job in jobs])
    refs = [*control_runs(controls), *(job.ref() for job in jobs)]
    rule = journal.rule
    assert rule is not None
    runs = scored_runs(
        refs,
        rule.metric,
        sources.store(jobs[0].tracker),
        statuses=statuses,
        summary=summary_of(rule),
        codes=marks_beside(workspace, [ref.run for ref in refs], controls).marks,
    )
    runs = with_kept_scores(runs, controls, workspace)
    if not runs.is_read or any(runs.waiting.values()):
        return None
    registration = registration_of(workspace, refs, journal)
    if not registration.is_registered:
        raise LaunchError(f"{course.batched.experiment} is no registered design any more: {registration.reason}")
    return judge(journal, runs, registration), registration


def _next_seeds(
    batched: Batched, rule: Rule, registration: Registration, jobs: Sequence[TrainingJob]
) -> tuple[int, ...]:
    """Return the seeds of the next batch: up to the rule's next look, or so many as a batch has; none at the end."""
    planned = next(iter(registration.seeds.values()), ())
    launched = {job.seed for job in jobs}
    number = sum(seed in launched for seed in planned)
    if isinstance(rule.looks, tuple):
        upto = next((look for look in rule.looks if look > number), number)
    else:
        upto = min(number + batched.batch, len(planned))
    return tuple(planned[number:upto])


def _launch_batch(
    batched: Batched, first: Plan, seeds: Sequence[int], permit: Permit, workspace: Workspace, code: Provenance
) -> None:
    """Record a batch with its plan, and launch it: the configs and the code are those of the first batch."""
    configs = {job.arm: job.config for job in first.jobs}
    plan = prepare_plan(
        workspace,
        batched.experiment,
        [RecordedJob(arm, config) for arm, config in configs.items()],
        seeds=seeds,
        launcher=first.launcher,
        repeat=1,
        train_command=batched.train_command,
        has_own_code=True,
        control=first.control,
    )
    with open_ledger(workspace) as ledger:
        tracker, why = tracker_of(plan, workspace.settings), batch_event(batched)
        provenance = code.model_dump(mode="json")
        if not ledger.record_plan(plan, tracker=tracker, provenance=provenance, why=why, budget=batched.budget):
            ledger.add_event(why[0], plan_key=plan.key, **why[1])  # somebody had launched just these jobs before
    submit(plan, permit, workspace, own=code.own)


def _as_opened(batched: Batched, workspace: Workspace) -> Workspace:
    """Return the workspace with what the first batch was launched with: its recipe may have named places of its own."""
    named = {**batched.places, "wandb_mode": batched.wandb_mode, "in_place": False}
    return replace(workspace, settings=replaced(workspace.settings, **named))


def _seeds_words(seeds: Sequence[int]) -> str:
    number = counted(len(seeds), "further seed")
    return f"{number} ({seeds[0]} to {seeds[-1]})" if len(seeds) > 1 else f"{number} ({seeds[0]})"
