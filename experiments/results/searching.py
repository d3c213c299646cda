"""A search carried on: trials that ended are told, the next are asked for and launched.

A trial is told once all of its seeds have ended and could be read: its score is the mean over them, a lost seed counts
as the floor that the rule states, and is left out where it states none. One whose seeds are all lost has failed, and
has no score. What cannot be read now is not taken for lost: the trial waits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from statistics import fmean

from experiments.jobs.funding import give_up_unstarted
from experiments.jobs.ledger import UnreadableJob, open_ledger
from experiments.jobs.permits import Permit
from experiments.jobs.plan import RecordedJob, refuse_secrets
from experiments.jobs.preparation import prepare_plan
from experiments.jobs.specs import tracker_of
from experiments.jobs.submission import cancel, submit
from experiments.jobs.sweeps.pruning import Pruned, pruned_at
from experiments.jobs.sweeps.ranges import Value, words
from experiments.jobs.sweeps.search import TRIAL, Course, Search, Trial, courses, end_search, prune, suggestion, tell
from experiments.jobs.sweeps.suggesting import suggested
from experiments.monitoring import Sources, poll_once, sources_of
from experiments.project.errors import LaunchError, UsageError
from experiments.project.look import counted, quantity
from experiments.project.values import replaced
from experiments.project.workspace import Workspace
from experiments.results import pruning
from experiments.results.scores import scored_runs, summary_of
from experiments.statistics import Scores
from experiments.types import TERMINAL_VERDICTS, JobStatus, Plan, TrainingJob

Say = Callable[[str], None]
_Rows = list[TrainingJob | UnreadableJob]
_REMOVED = "its job is no longer in the ledger"


def carry_on(workspace: Workspace, permit: Permit, search_id: str, retry: bool, say: Say) -> None:  # noqa: FBT001
    """Do what is to be done of one search now; of a step, under its lease.

    Args:
        retry: Whether jobs that a launcher refused are handed to it once more.
        say: Takes each thing that was done, in words.

    Raises:
        LaunchError: Some jobs could not be launched, or Optuna is not there.
        UsageError: A plan cannot be made, and that is not for the values of its trial.
    """
    course = _course(workspace, search_id)
    place = as_opened(course.search, workspace)
    over = _given_up(course, place, say)
    refused = [] if over else _complete(course, place, permit, retry=retry)
    refused += _tell(course, place, permit, say)
    if over and course.may_go_on:
        with open_ledger(workspace) as ledger:
            end_search(ledger, course.search, permit, f"its budget has ended ({over})")
    while (course := _course(workspace, search_id)).may_ask:
        refused += _ask(course, place, permit, say)
    if refused:
        raise LaunchError("; ".join(refused))
    if not course.is_open:
        _close_budget(course.search, workspace)
        say(f"{_named(course.search)}: {_result(course)}")


def _given_up(course: Course, workspace: Workspace, say: Say) -> str:
    """Return why the search's budget has ended, having taken back what it never started; empty while it is open."""
    with open_ledger(workspace) as ledger:
        if not (over := ledger.closed_budget(course.search.budget)):
            return ""
        if said := give_up_unstarted(ledger, workspace, [trial.plan_key for trial in course.out if trial.plan_key]):
            say(f"{_named(course.search)}: its budget has ended ({over}); {said}")
        return over


def _close_budget(search: Search, workspace: Workspace) -> None:
    """End the budget of a search that is done, once no search of another arm draws on it any more."""
    with open_ledger(workspace) as ledger:
        if search.budget and not any(
            course.is_open for course in courses(ledger) if course.search.budget == search.budget
        ):
            ledger.spend_out(search.budget, "what it was for has ended")


def as_opened(search: Search, workspace: Workspace) -> Workspace:
    """Return the workspace with what the search was opened with: its recipe may have named places of its own."""
    named = {**search.places, "wandb_mode": search.wandb_mode, "in_place": False}
    return replace(workspace, settings=replaced(workspace.settings, **named))


def plan_of(search: Search, workspace: Workspace, number: int, values: Mapping[str, Value]) -> Plan:
    """Return the plan of one trial, made of what was recorded as the search was opened.

    Args:
        workspace: From `as_opened`.

    Raises:
        UsageError: The trainer would refuse the values, or no plan can be made.
    """
    try:
        config = search.template.config(values)
    except ValueError as error:
        raise UsageError(f"the values {words(values)} are none that a job can have: {error}") from None
    plan = prepare_plan(
        workspace,
        search.experiment,
        [RecordedJob(search.arm_of(number), config)],
        seeds=search.seeds,
        launcher=search.launcher,
        repeat=1,
        train_command=search.train_command,
        has_own_code=True,
    )
    refuse_secrets(plan)
    return plan


def told_already(workspace: Workspace, job: TrainingJob) -> list[str]:
    """Return that a search has the result of a job's trial already, which an attempt of later does not change."""
    with open_ledger(workspace, read_only=True) as ledger:
        trials = [trial for course in courses(ledger, job.experiment) for trial in course.trials]
    return [
        f"trial {trial.number} of the search is told already ({trial.reason or 'all of its seeds have a score'}): what "
        "this attempt comes to changes neither its score nor what is tried next"
        for trial in trials
        if trial.plan_key == job.plan_key and trial.is_told
    ]


def _course(workspace: Workspace, search_id: str) -> Course:
    with open_ledger(workspace, read_only=True) as ledger:
        return next(course for course in courses(ledger) if course.search.id == search_id)


def _rows(workspace: Workspace, trials: Sequence[Trial]) -> dict[int, _Rows]:
    with open_ledger(workspace, read_only=True) as ledger:
        return {trial.number: ledger.rows(plan_key=trial.plan_key) for trial in trials if trial.plan_key}


def _complete(course: Course, workspace: Workspace, permit: Permit, *, retry: bool) -> list[str]:
    """Hand over what a step recorded that was killed before it launched it; return what was refused, in words."""
    wanted = {"planned", "submitting"} | ({"refused"} if retry else set())
    refused = []
    for number, rows in _rows(workspace, course.out).items():
        if any(row.state in wanted for row in rows):
            with open_ledger(workspace, read_only=True) as ledger:
                plan = ledger.plan(rows[0].plan_key)
            refused += _submitted(course.search, plan, permit, workspace) if plan is not None else []
        elif any(row.state == "refused" for row in rows):
            said = next(row.error for row in rows if isinstance(row, TrainingJob) and row.state == "refused")
            refused.append(
                f"trial {number} was refused ({said}). Try again: experiments step {course.search.experiment}"
            )
    return refused


def _submitted(search: Search, plan: Plan, permit: Permit, workspace: Workspace) -> list[str]:
    try:
        submit(plan, permit, workspace, own=search.provenance.own)
    except LaunchError as error:
        return [str(error)]
    return []


def _tell(course: Course, workspace: Workspace, permit: Permit, say: Say) -> list[str]:
    """Record the score of every trial whose seeds have all ended; return which jobs keep one from it, in words."""
    search, kept = course.search, list[str]()
    rows = _rows(workspace, course.out)
    gone = {number for number, jobs in rows.items() if any(job.state in {"planned", "refused"} for job in jobs)}
    jobs = [job for number, each in rows.items() if number not in gone for job in each]
    sources = sources_of(workspace.state)
    found = poll_once(workspace.state, sources=replace(sources, jobs=lambda: jobs)) if jobs else None
    statuses = {status.run_name: status for status in found.jobs} if found is not None else {}
    for trial in course.out:
        if not trial.plan_key:  # a step that was killed had found its values refused
            _tell_refused(search, trial.number, trial.values, "its values were refused", workspace, say)
            continue
        own = rows[trial.number]
        if trial.number in gone:
            continue
        # No trial is scored without a job that nobody knows; one whose row a person took out of the ledger is lost.
        if unknown := [job.run_name for job in own if job.run_name not in statuses]:
            kept.append(f"trial {trial.number} waits: nobody knows what became of job {unknown[0]!r}")
            continue
        on_the_way = _on_the_way(search, own, statuses, sources)
        pruned = _pruned(course, trial, on_the_way, workspace, say)
        if running := [job.run_name for job in own if statuses[job.run_name].verdict not in TERMINAL_VERDICTS]:
            if pruned is not None:
                cancel(running, permit, workspace)
            continue
        if pruned is not None:
            with open_ledger(workspace) as ledger:
                tell(ledger, search, trial.number, None, {str(seed): None for seed in search.seeds}, pruned.words)
            continue
        removed = sorted(set(search.seeds) - {job.seed for job in own})
        if not own:
            _tell_lost(search, trial, say, workspace)
            continue
        summary = summary_of(search.rule)
        runs = scored_runs(
            [job.ref() for job in own],
            search.rule.metric,
            sources.store(own[0].tracker),
            statuses=statuses,
            summary=summary,
        )
        scores = runs.scores[search.arm_of(trial.number)]
        if scores.waiting:
            say(f"{_named(search)}: trial {trial.number} has ended and cannot be read yet. {' '.join(runs.notes)}")
            continue
        score, seeds, reason = score_of(scores, search, removed)
        with open_ledger(workspace) as ledger:
            way = on_the_way.evaluations() if on_the_way is not None and score is not None else ()
            tell(ledger, search, trial.number, score, seeds, reason, way)
        told = f"scored {quantity(score)}" if score is not None else "failed"
        said = f"{_named(search)}: trial {trial.number} ({words(trial.values)}) {told}"
        say(f"{said}: {reason}" if reason else said)
    return kept


def _on_the_way(
    search: Search, jobs: _Rows, statuses: Mapping[str, JobStatus], sources: Sources
) -> pruning.Course | None:
    """Return what a trial's seeds have logged, where a search prunes by that; None also where it cannot be read."""
    if search.prune is None or not jobs:
        return None
    return pruning.course_of([job.ref() for job in jobs], statuses, search.rule.metric, sources.store(jobs[0].tracker))


def _pruned(
    course: Course, trial: Trial, on_the_way: pruning.Course | None, workspace: Workspace, say: Say
) -> Pruned | None:
    """Return where a trial was, or is just now, found worse than the earlier ones, which is recorded then."""
    search = course.search
    if trial.pruned is not None or search.prune is None or on_the_way is None:
        return trial.pruned
    known = course.trials[: max(0, trial.number - search.at_once + 1)]
    before = [each.evaluations for each in known if each.score is not None and each.evaluations]
    found = pruned_at(on_the_way.at, before, search.prune, search.rule.direction)
    if found is not None:
        with open_ledger(workspace) as ledger:
            prune(ledger, search, trial.number, found)
        say(f"{_named(search)}: trial {trial.number} ({words(trial.values)}) is {found.words}")
    return found


def _tell_lost(search: Search, trial: Trial, say: Say, workspace: Workspace) -> None:
    reason = f"all of its seeds are lost ({_REMOVED})"
    with open_ledger(workspace) as ledger:
        tell(ledger, search, trial.number, None, {str(seed): None for seed in search.seeds}, reason)
    say(f"{_named(search)}: trial {trial.number} ({words(trial.values)}) failed: {reason}")


def score_of(
    scores: Scores, search: Search, removed: Sequence[int] = ()
) -> tuple[float | None, dict[str, float | None], str]:
    """Return the score of a trial, that of each of its seeds, and what is to be said of it; None where all are lost.

    Args:
        removed: Seeds whose jobs the ledger has no more.
    """
    seeds = {
        str(run.seed): run.value if run.value is not None and math.isfinite(run.value) else None for run in scores.runs
    }
    seeds |= {str(seed): None for seed in removed}
    known = [value for value in seeds.values() if value is not None]
    lost = [run.reason or run.outcome for run in scores.runs if seeds[str(run.seed)] is None]
    lost += [_REMOVED] * len(removed)
    reasons = ", ".join(dict.fromkeys(lost))
    if not known:
        return None, seeds, f"all of its seeds are lost ({reasons})"
    floor, _ = search.rule.least_favourable
    said = f"{len(lost)} of {counted(len(seeds), 'seed')} lost ({reasons})" if lost else ""
    if lost and floor is not None:
        return fmean([*known, *([floor] * len(lost))]), seeds, f"{said}, which count as {floor:g}"
    return fmean(known), seeds, said


def _ask(course: Course, workspace: Workspace, permit: Permit, say: Say) -> list[str]:
    """Ask for the next trial, record it and launch it; return what was refused, in words."""
    search, number = course.search, len(course.trials)
    values = suggested(search, course.trials)
    try:
        plan = plan_of(search, workspace, number, values)
    except UsageError as error:
        known = next((trial for trial in course.trials if trial.plan_key), None)
        if known is None:
            raise
        plan_of(search, workspace, known.number, known.values)  # what refuses these too is not about values
        _tell_refused(search, number, values, str(error), workspace, say)
        return []
    with open_ledger(workspace) as ledger:
        why = suggestion(search, number, values)
        tracker = tracker_of(plan, workspace.settings)
        provenance = search.provenance.model_dump(mode="json")
        budget = search.budget or None
        if not ledger.record_plan(plan, tracker=tracker, provenance=provenance, why=why, budget=budget):
            ledger.add_event(why[0], plan_key=plan.key, **why[1])  # somebody had launched just these jobs before
    refused = _submitted(search, plan, permit, workspace)
    say(f"{_named(search)}: trial {number} ({words(values)}): {counted(len(plan.jobs), 'job')}")
    return refused


def _tell_refused(
    search: Search, number: int, values: Mapping[str, Value], why: str, workspace: Workspace, say: Say
) -> None:
    with open_ledger(workspace) as ledger:
        ledger.add_event(TRIAL, **suggestion(search, number, values)[1])
        tell(ledger, search, number, None, {}, f"nothing was launched: {why}")
    say(f"{_named(search)}: trial {number} ({words(values)}) was not launched: {why}")


def _named(search: Search) -> str:
    return f"{search.experiment} {search.arm}".rstrip()


def _result(course: Course) -> str:
    trials = counted(len(course.trials), "trial")
    trials = f"{course.why}; {trials}" if course.why else trials
    if course.best is None:
        return f"{trials} done, and none has a score that all of its seeds stand behind"
    best = course.best
    return f"{trials} done; the best is trial {best.number} ({words(best.values)}): {quantity(best.score)}"
