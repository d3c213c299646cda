"""Keeping an arm as a control, and its scores where its runs are not here any more."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from experiments.jobs.controls.files import ControlFile, KeptRun, KeptScores, read_control, write_control
from experiments.jobs.controls.pooled import arms_alike, controls_of, of_each_task
from experiments.jobs.journal import recorded_in
from experiments.jobs.ledger import UnreadableJob, open_ledger
from experiments.jobs.ran import Ran, codes_of, marks_of
from experiments.jobs.rule import Rule
from experiments.monitoring import job_statuses
from experiments.project.environment.records import Machine, read_environment
from experiments.project.errors import ExperimentsError, UsageError
from experiments.project.look import counted
from experiments.project.snapshots import Snapshot
from experiments.project.standing import CHOOSING
from experiments.project.values import replaced
from experiments.project.workspace import Workspace
from experiments.results.scores import FINAL, ScoredRuns, scored_runs, summary_of
from experiments.runs.opening import default_store
from experiments.runs.roles import metrics_of
from experiments.runs.store import REWARD_KEY
from experiments.statistics import Scores, SeedScore, Summary
from experiments.types import TERMINAL_VERDICTS, JobStatus, KeptControl, TrainingJob


@dataclass(frozen=True)
class _Arm:
    """An arm that is to be kept: its runs, oldest first, and what is known of each."""

    jobs: Sequence[TrainingJob]
    statuses: Mapping[str, JobStatus]
    codes: Mapping[str, Ran]
    rule: Rule | None
    chosen_from: int


def keep_control(
    workspace: Workspace, experiment: str, arm: str, name: str, metrics: Sequence[str] = ()
) -> tuple[ControlFile, bool]:
    """Keep an arm of an experiment under a name; return it, and whether it was not kept before.

    Args:
        metrics: What is kept as one number a run, beside the metric of the recorded rule and the trainer's own.

    Raises:
        UsageError: The arm is no control: it has not ended, chose something, or is not one arm of one code; or another
            control has the name.
        ExperimentsError: Its runs cannot be read.
    """
    found = _arm(workspace, experiment, arm)
    jobs = found.jobs
    code, snapshot = _one_code(found, arm)
    asked = _asked(found, metrics)
    scored = [(summary, _scored(workspace, found, metric, summary)) for metric, summary in asked]
    standing = {run.run: run for run in scored[0][1].runs}
    outcomes = standing | {run.run: run for run in scored[0][1].beside if run.run not in standing}
    environment = code.environment
    control = ControlFile(
        name=name,
        experiment=experiment,
        arm=arm,
        kept_at=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        plan=jobs[0].plan_key,
        rule=found.rule,
        config=jobs[0].config,
        runs=tuple(_kept_run(job, outcomes[job.run_name], standing) for job in jobs),
        snapshot=snapshot,
        code=replaced(code, machine=None),
        environment=read_environment(workspace.state, environment) if environment else None,
        machines=_machines(found.codes.values()),
        chosen_from=found.chosen_from,
        scores=tuple(_kept_scores(scores, summary) for summary, scores in scored),
    )
    return write_control(workspace, control)


def _arm(workspace: Workspace, experiment: str, arm: str) -> _Arm:
    with open_ledger(workspace, read_only=True) as ledger:
        rows = ledger.rows(experiment=experiment)
        if not rows:
            raise UsageError(f"there is no experiment {experiment!r} here. See them: experiments status")
        controls = controls_of(ledger, [row.plan_key for row in rows])
        own = [row for row in rows if row.arm == arm and row.role == "seed"]
        if not own:
            _refuse_missing(experiment, arm, [row.arm for row in rows], controls)
        if broken := next((row for row in own if isinstance(row, UnreadableJob)), None):
            raise UsageError(f"{broken.sentence()}. Mend it: experiments doctor --mend")
        jobs = [row for row in own if isinstance(row, TrainingJob)]
        _refuse_unfit(jobs, arm)
        recorded = recorded_in(ledger, list(dict.fromkeys(job.plan_key for job in jobs)))
        chosen_from = arms_alike(ledger, jobs[0].config, [job.run_name for job in jobs])
    statuses = {each.run_name: each for each in job_statuses(workspace.state, [job.run_name for job in jobs])}
    _refuse_unfinished(jobs, statuses, arm)
    journal = next((each.journal for each in reversed(recorded) if each.journal is not None), None)
    rule = journal.rule if journal is not None else None
    return _Arm(jobs, statuses, codes_of(workspace, [job.run_name for job in jobs]), rule, chosen_from)


def _refuse_missing(experiment: str, arm: str, arms: Iterable[str], controls: Iterable[KeptControl]) -> None:
    if named := next((one.name for one in controls if one.arm == arm), None):
        raise UsageError(f"arm {arm!r} of {experiment!r} is control {named!r} itself, which is kept already.")
    known = ", ".join(map(repr, dict.fromkeys(arms)))
    raise UsageError(f"experiment {experiment!r} has no arm {arm!r} with seeds. Its arms: {known}. Name one: --arm")


def _refuse_unfit(jobs: Sequence[TrainingJob], arm: str) -> None:
    if chose := [job.seed for job in jobs if job.seed >= CHOOSING]:
        raise UsageError(
            f"arm {arm!r} has seed {chose[0]:,}: seeds from {CHOOSING:,} upward are those that a search chose by, and "
            "what chose is no control. Launch its settings once more as an arm of their own, with seeds of their own."
        )
    if len(several := of_each_task(jobs)) > 1:
        one, other = several[:2]
        raise UsageError(
            f"the runs of arm {arm!r} have other settings than each other, so they are no one control. See them: "
            f"experiments diff {one.run_name} {other.run_name}"
        )


def _refuse_unfinished(jobs: Sequence[TrainingJob], statuses: Mapping[str, JobStatus], arm: str) -> None:
    """Refuse an arm of which a seed has not ended, or was never started: nobody knows yet what it will be."""
    out = [
        job
        for job in jobs
        if job.state in {"planned", "submitting", "refused"}
        or (job.state != "cancelled" and statuses[job.run_name].verdict not in TERMINAL_VERDICTS)
    ]
    if out:
        what = f"{len(out)} of {counted(len(jobs), 'run')} of arm {arm!r}"
        raise UsageError(
            f"{what} {'has' if len(out) == 1 else 'have'} not ended, such as {out[0].run_name}. A control is kept when "
            "all of its seeds have: experiments status"
        )


def _one_code(found: _Arm, arm: str) -> tuple[Any, Snapshot]:
    """Return the code that all runs of an arm ran, as its newest run records it, and its snapshot."""
    codes = [code for code in found.codes.values() if code.has_started]
    identities = {code.identity for code in codes}
    if loose := next((run for run, code in found.codes.items() if code.has_started and not code.is_fixed), None):
        why = found.codes[loose].why or "it ran in the working tree, which nobody kept"
        raise UsageError(
            f"nobody can get the code of {loose} of arm {arm!r} again: {why}. A control is made of runs of a snapshot: "
            "launch it without --in-place."
        )
    if len(identities) != 1:
        runs = {code.identity: run for run, code in found.codes.items() if code.has_started}
        pair = " ".join(list(runs.values())[:2])
        which = f"ran {len(identities)} codes. See what differs: experiments diff {pair}" if runs else "never started"
        raise UsageError(f"the runs of arm {arm!r} {which}. A control has one code for all of its seeds.")
    newest = codes[-1]
    own = newest.planned.own if newest.planned is not None else None
    if own is None or own.snapshot is None or newest.started is None or own.snapshot.id != newest.started.snapshot:
        raise UsageError(f"the record of the code of arm {arm!r} cannot be read, so what it ran is not known.")
    return newest.started, own.snapshot


def _machines(codes: Iterable[Ran]) -> tuple[Machine, ...]:
    return tuple(dict.fromkeys(code.started.machine for code in codes if code.started and code.started.machine))


def _asked(found: _Arm, metrics: Sequence[str]) -> list[tuple[str, Summary]]:
    """Return what is kept as one number a run: the rule's score first, then the last part of the other metrics."""
    asked = [(found.rule.metric, summary_of(found.rule))] if found.rule is not None else []
    own = metrics_of(found.jobs[0].ref())
    # The reference trainer's jobs name no metrics, as those of a setting's command line: the reward is their usual one.
    usual = own.primary or (
        REWARD_KEY if found.rule is None and found.jobs[0].metrics is None and not metrics else None
    )
    names = dict.fromkeys([*([usual] if usual else []), *metrics])
    lower = {own.primary} if own.direction == "lower" else set()
    asked += [(name, replace(FINAL, higher_is_better=name not in lower)) for name in names]
    if not asked:
        raise UsageError(
            "no rule was recorded with these runs and their trainer names no primary metric, so nobody knows what to "
            "keep of them. Name it: --metric KEY"
        )
    return list(dict.fromkeys(asked))


def _scored(workspace: Workspace, found: _Arm, metric: str, summary: Summary) -> Scores:
    refs = [job.ref() for job in found.jobs]
    marks = marks_of(workspace, [job.run for job in refs])
    store = default_store(workspace.root)
    scored = scored_runs(refs, metric, store, statuses=found.statuses, summary=summary, codes=marks)
    if not scored.is_read:
        raise ExperimentsError(f"the runs cannot be read now, so nothing was kept. {' '.join(scored.notes)}")
    scores = next(iter(scored.scores.values()))
    if all(run.value is None for run in scores.runs):
        counts = scores.count.sentence
        raise UsageError(
            f"no run of arm {scores.arm!r} has a value of {metric!r}: {counts}. Name another: --metric KEY"
        )
    return scores


def _kept_run(job: TrainingJob, score: SeedScore, standing: Mapping[str, SeedScore]) -> KeptRun:
    return KeptRun(ref=job.ref(), outcome=score.outcome, reason=score.reason, stands=job.run_name in standing)


def _kept_scores(scores: Scores, summary: Summary) -> KeptScores:
    values = {run.run: run.value for run in (*scores.runs, *scores.beside)}
    return KeptScores(metric=scores.metric, summary=asdict(summary), values=values)


def with_kept_scores(found: ScoredRuns, controls: Sequence[KeptControl], workspace: Workspace) -> ScoredRuns:
    """Return scores with those of a control's file for its runs that are not here any more.

    A control has ended by the time it is kept. So a run of it of which nobody knows is no run that goes on.
    """
    for control in controls:
        scores = found.scores.get(control.arm)
        ours = {run.run for run in control.runs}
        gone = [run for run in scores.runs if run.run in ours and _is_gone(run)] if scores is not None else []
        if scores is None or not gone:
            continue
        try:
            kept = read_control(workspace.root, control.name)
        except UsageError as error:
            found = replace(found, notes=(*found.notes, str(error)))
            continue
        runs, said = _filled(scores, {run.run for run in gone}, kept, found)
        both = {**found.scores, control.arm: replace(scores, runs=runs)}
        found = replace(found, scores=both, notes=(*found.notes, said))
    return found


def _is_gone(run: SeedScore) -> bool:
    return run.value is None and run.outcome in {"unfinished", "unread"}


def _filled(scores: Scores, gone: set[str], kept: ControlFile, found: ScoredRuns) -> tuple[tuple[SeedScore, ...], str]:
    """Return the runs with the scores that were kept for those that are gone, and what is to be said of it."""
    summary = KeptScores(metric=found.metric, summary=asdict(found.summary), values={}).model_dump(mode="json")
    same = [each for each in kept.scores if each.model_dump(mode="json") | {"values": {}} == summary]
    standing = {run.ref.seed: run for run in kept.runs if run.stands}
    what = f"{counted(len(gone), 'run')} of control {kept.name} {'is' if len(gone) == 1 else 'are'} not here"
    runs = []
    for run in scores.runs:
        was = standing.get(run.seed)
        if run.run not in gone or was is None:
            runs.append(run)
            continue
        value = same[0].values.get(was.ref.run) if same else None
        outcome: Any = was.outcome if same else "unread"
        reason = was.reason if same else "its run is not here, and its control keeps no such score"
        runs.append(replace(run, run=was.ref.run, value=value, outcome=outcome, reason=reason))
    if same:
        return tuple(runs), f"{what}: scores as they were kept on {kept.kept_at[:10]}"
    return tuple(runs), f"{what}, and it keeps no such score of {found.metric}"
