"""From the runs of an experiment to one score a seed: what tables, verdicts, comparisons and papers all start from.

What ended a job, the machine, the training or a person, says whether a retry may take its seed's place. A seed that is
drawn again because its training failed is a seed that was chosen by its result. One whose machine failed says nothing
of the training, so a retry takes its place. What nobody knows is not taken for the machine.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from experiments.jobs.rule import Rule
from experiments.jobs.watch.snapshots import read_status
from experiments.project.errors import ExperimentsError
from experiments.project.look import clock_words, counted
from experiments.project.state_words import TRACKER_WORDS
from experiments.runs.axes import axes_of, axis_words, common_axis, counters_of, logged_over, steps_along
from experiments.runs.evaluations import is_of_evaluations, other_code, were_chosen
from experiments.runs.roles import metrics_of
from experiments.runs.store import AGENT_STEP, columns_of, keep_decoded
from experiments.statistics import (
    Curve,
    NoiseFloor,
    Outcome,
    Scores,
    Summary,
    noise_floor,
    outcome_of,
    same_seeds,
    summarise,
)
from experiments.types import JobRef, JobStatus

if TYPE_CHECKING:
    import numpy.typing as npt

    from experiments.jobs.ran import Mark
    from experiments.runs.store import RunStore

FINAL = Summary()
Cause = Literal["machine", "training", "person", "unknown"]

# The last rows of a run can reach a server after its job has ended; one that stays silent is called crashed there after
# five minutes, so nobody waits for longer than this.
_CLOSES_S = 600.0

MACHINE_WORDS = {
    "RESTARTED": "the machine was restarted",
    "FAILED_SETUP": "the machine could not be set up",
    "FAILED_DRIVER": "the cluster's own process failed",
    "FAILED_NO_RESOURCE": "no machine was to be had",
    "FAILED_CONTROLLER": "the scheduler's controller failed",
    "FAILED_PRECHECKS": "it was refused before it started",
}
"""A scheduler's words for an end that the training had no part in."""

_LIMITS: dict[str, tuple[Cause, str]] = {
    "CANCELLED": ("person", "cancelled"),
    "TIMED_OUT": ("person", "ended after its max_runtime_hours"),
    "STOPPED": ("person", "stopped by its stop_when"),
    # As with what the system kills for its memory: an arm that takes too much must not draw its seeds again.
    "OUT_OF_MEMORY": ("training", "it held more than its memory"),
}

_NEAR = 0.1
"""Share of the steps by which evaluations may be apart: that which a run's end is taken over elsewhere."""

# A trainer does not send itself these; the other signals (a segmentation fault, an abort) are its own doing, and an
# interrupt is a person's. Who sent them is not known while the machine stays up: it may have been somebody to whom the
# seed looked bad. SIGKILL is also how the system ends what takes too much memory, and an arm that does must not draw
# its seeds again.
_FROM_OUTSIDE = frozenset({signal.SIGTERM, signal.SIGHUP})


@dataclass(frozen=True)
class ScoredRuns:
    """The scores of an experiment's arms in one metric, with where they come from.

    Attributes:
        metric: Key that was read.
        scores: By arm, in the order of the jobs; every planned run is in it, with a score or the reason why not.
        summary: What one run's score is.
        origin: Rows, runs, completeness and time of reading, in words.
        notes: What could not be read, one sentence each.
        found: Why no claim can rest on them: what a score is taken over was found, not named before, or chosen for some
            runs otherwise than for others; empty for none.
    """

    metric: str
    scores: Mapping[str, Scores]
    summary: Summary
    origin: str
    notes: tuple[str, ...] = ()
    found: str = ""

    @property
    def waiting(self) -> dict[str, int]:
        """How many runs have not ended as far as anybody knows, by arm: those that run, wait, or are unknown."""
        return {arm: scores.waiting for arm, scores in self.scores.items()}

    @property
    def noise(self) -> NoiseFloor | None:
        """How far runs of one seed lie apart; None where no seed ran twice."""
        return noise_floor(list(self.scores.values()))

    @property
    def is_read(self) -> bool:
        """Whether every run could be read, so that the same data gives the same scores again."""
        return not any(scores.count.unread for scores in self.scores.values())


def summary_of(rule: Rule) -> Summary:
    """Return what a rule takes as one run's score."""
    return Summary(
        rule.score,
        last_values=rule.last_values,
        higher_is_better=rule.direction == "higher",
        between=rule.window,
    )


def scored_runs(
    jobs: Sequence[JobRef],
    metric: str,
    store: RunStore,
    *,
    statuses: Mapping[str, JobStatus] | None = None,
    summary: Summary = FINAL,
    codes: Mapping[str, Mark] | None = None,
) -> ScoredRuns:
    """Return one score a run; a run that cannot be read has none, and says why.

    Args:
        statuses: What is known of each job, by run name; without it the tracker's word counts.
        codes: Which code each run that has started ran; without it nothing is said of codes.
    """
    curves: list[Curve] = []
    notes: list[str] = []
    rows, incomplete = 0, 0
    outcomes, unread = _outcomes(jobs, statuses or {}, store)
    histories: dict[str, Mapping[str, npt.NDArray[Any]]] = {}
    nan_steps: dict[str, Sequence[int]] = {}
    played_by: set[str] = set()
    chosen: list[str] = []
    for job in jobs:
        try:
            histories[job.run], origin = columns_of(store, job.run, [*counters_of(metrics_of(job).step), metric])
        except ExperimentsError as error:
            if outcomes[job.run] == "finished":
                outcomes[job.run] = "unread"
                notes.append(f"{job.run}: {error}")
        else:
            nan_steps[job.run] = origin.nan_steps.get(metric, ())
            incomplete += not origin.complete
            played_by |= {other_code(origin.note)} if metric in histories[job.run] and job.counts else set()
            chosen += [job.run] if were_chosen(origin.note) and job.counts else []
            notes += [f"{job.run}: {origin.words}"] if origin.words else []
    keep_decoded(store)
    steps_named = {job.run: metrics_of(job).step for job in jobs}
    axis = common_axis(axes_of(history, metric, step=steps_named[run]) for run, history in histories.items())
    for job in jobs:
        known = job.run in histories
        steps, values = np.empty(0), np.empty(0)
        if known:
            steps, values = logged_over(histories[job.run], metric, axis, nan_steps[job.run])
        rows += len(steps)
        curves.append(
            Curve(
                steps,
                values,
                arm=job.arm,
                seed=job.seed,
                outcome=outcomes[job.run],
                unit=axis_words(axis),
                run=job.run,
                metric=metric,
                role=job.role,
                replicate=job.replicate,
                code=mark.identity if (mark := (codes or {}).get(job.run)) else None,
                asked=mark.asked if mark else "",
            )
        )
    ends = {
        run: float(np.nanmax(steps_along(history, axis), initial=0.0)) if axis in history else 0.0
        for run, history in histories.items()
    }
    whole = "complete" if not incomplete else f"sampled in {counted(incomplete, 'run')}"
    return ScoredRuns(
        metric,
        summarise(curves, summary),
        summary,
        f"{rows:,} rows of {counted(len(jobs), 'run')}, {whole}, read at {clock_words(time.time())}",
        tuple(unread + notes + same_seeds(curves)),
        _found(axis, [steps_named[run] for run, history in histories.items() if metric in history])
        or (_evaluated(curves, ends, summary, played_by, chosen) if is_of_evaluations(metric) else ""),
    )


def _found(axis: str, named: Sequence[str | None]) -> str:
    """Return that the steps of some runs were found, where no trainer had named them before; empty where all had."""
    if all(axis == (step or AGENT_STEP) for step in named):
        return ""
    return (
        f"The scores are taken over {axis_words(axis)}, which was found among what the runs logged: no trainer had "
        "named its steps, and what is found carries no claim. Name them for the runs to come: "
        f"Trainer(metrics=Metrics(step={axis!r}), ...)."
    )


def _evaluated(
    curves: Sequence[Curve],
    ends: Mapping[str, float],
    summary: Summary,
    played_by: Collection[str],
    chosen: Sequence[str],
) -> str:
    """Return that how runs were evaluated may have been chosen by what was found; empty where it was not.

    Args:
        ends: The last step of each run.
        played_by: Code that evaluated them.
        chosen: Runs that were evaluated in several ways.
    """
    if len(played_by) > 1:
        codes = ", ".join(sorted(code or "their own" for code in played_by))
        return (
            f"Some runs were evaluated by other code than others ({codes}), which makes another score. Evaluate all "
            "alike: experiments eval EXPERIMENT."
        )
    if chosen:
        return (
            f"Of {counted(len(chosen), 'run')} there are evaluations by several codes or commands ({chosen[0]}), and "
            "which of them counts may have been chosen by what it found. Of those by one command the run's own code "
            "decides: experiments eval EXPERIMENT."
        )
    own = [curve for curve in curves if curve.counts and curve.outcome == "finished" and len(curve.steps)]
    last = summary.last_values
    for curve in own:
        apart = max(_NEAR * ends[curve.run], float(np.diff(curve.steps).max(initial=0.0)))
        if curve.steps[-1] + apart < ends[curve.run]:
            return (
                f"Run {curve.run} was evaluated up to {curve.steps[-1]:,.0f} of {ends[curve.run]:,.0f} {curve.unit}, "
                "and where to end may have been chosen by what was found. Evaluate its last checkpoints: "
                f"experiments eval EXPERIMENT --checkpoints last:{last or len(curve.steps)}."
            )
    numbers = sorted({len(curve.steps) for curve in own})
    if last is None and len(numbers) > 1:
        return (
            f"Some runs were evaluated at {counted(numbers[0], 'checkpoint')} and some at {numbers[-1]}, and more of "
            "them make another score. Evaluate all alike: experiments eval EXPERIMENT --checkpoints "
            f"last:{numbers[-1]}."
        )
    # Where the rule says how many of the last ones count, more of them make no other score.
    firsts = sorted(float(curve.steps[-last]) for curve in own if last is not None and len(curve.steps) >= last)
    if firsts and firsts[-1] - firsts[0] > _NEAR * max(ends.values()):
        return (
            f"The last {last} checkpoints of some runs begin at {firsts[0]:,.0f} {own[0].unit} and those of others at "
            f"{firsts[-1]:,.0f}, which makes another score. Save checkpoints alike in all arms."
        )
    return ""


def known_statuses(state_dir: Path) -> dict[str, JobStatus]:
    """Return what was published last of each job, by run name; nothing where no Monitor ever ran."""
    return {status.run_name: status for status in read_status(state_dir / "live").jobs}


def _outcomes(
    jobs: Sequence[JobRef], statuses: Mapping[str, JobStatus], store: RunStore
) -> tuple[dict[str, Outcome], list[str]]:
    """Return what became of each run, by what is known of its job, else by the tracker's own word.

    Returns:
        Outcomes by run name, `unfinished` where nobody knows, `unread` where the tracker cannot be asked; and that in
        words.
    """
    from experiments.runs.store import RunQuery

    known = {run: status for run, status in statuses.items() if status.verdict != "unknown"}
    found = {
        job.run: "unfinished" if _is_arriving(job, known.get(job.run)) else outcome_of_job(known.get(job.run))
        for job in jobs
    }
    asked = [run for run in found if run not in known]
    if not asked:
        return found, []
    try:
        infos = store.find(RunQuery(names=asked, limit=None))
    except ExperimentsError as error:
        said = f"what became of {counted(len(asked), 'run')} could not be read, so they are waited for: {error}"
        return found | dict.fromkeys(asked, "unread"), [said]
    return found | {info.name: outcome_by_tracker(info.state) for info in infos}, []


def _is_arriving(job: JobRef, status: JobStatus | None) -> bool:
    """Return whether a job has ended whose run a server still receives: its score is not the last one yet."""
    return (
        status is not None
        and job.tracker != "offline"
        and (status.verdict, status.tracker) == ("succeeded", "running")
        and status.ended_at is not None
        and time.time() - status.ended_at < _CLOSES_S
    )


def cause_of_end(scheduler: str | None, tracker: str | None, *, exit_code: int | None = None) -> tuple[Cause, str]:
    """Return what ended a job that failed or was cancelled, and by which words that is known; pure.

    Args:
        scheduler: The launcher's word, verbatim; None where it never had the job or knows nothing of it.
        tracker: The run store's word, verbatim; None where there is no run.
        exit_code: Of the trainer; negative for the signal that killed it.
    """
    if scheduler in _LIMITS or (scheduler in {None, "SUCCEEDED"} and tracker == "killed"):
        return _LIMITS.get(scheduler or "", ("person", "cancelled"))
    # A trainer that closed its own run as failed had ended before its machine did.
    if scheduler == "FAILED" or (tracker == "failed" and scheduler in {None, "SUCCEEDED", "LOST", *MACHINE_WORDS}):
        return "training", "the trainer failed" if exit_code is None else f"exit code {exit_code}"
    if scheduler in MACHINE_WORDS:
        return "machine", MACHINE_WORDS[scheduler]
    if scheduler in {"KILLED", "LOST"}:
        return _of_signal(exit_code) if scheduler == "KILLED" else ("unknown", "nobody saw it end")
    if scheduler is None and tracker is None and exit_code is None:
        return "machine", "the launcher refused it"
    return "unknown", "what ended it is not known"


def outcome_of_job(status: JobStatus | None) -> Outcome:
    """Return what became of a job's seed; a job that nobody knows has not ended as far as anybody knows."""
    if status is None:
        return "unfinished"
    outcome = outcome_of(status.verdict)
    if outcome == "cancelled" and status.spared:
        return "spared"
    if outcome == "failed":
        cause, _ = cause_of_end(status.scheduler, status.tracker, exit_code=status.exit_code)
        return "machine failed" if cause == "machine" else outcome
    return outcome


def outcome_by_tracker(word: str) -> Outcome:
    """Return what the tracker's word alone says of a run; a word that is not known here ends nothing."""
    return outcome_of(TRACKER_WORDS.get(word, "unknown"))


def _of_signal(exit_code: int | None) -> tuple[Cause, str]:
    if exit_code is None or exit_code >= 0:
        return "unknown", "killed, by what is not known"
    try:
        name = signal.Signals(-exit_code).name
    except ValueError:
        return "unknown", f"killed by signal {-exit_code}"
    if name == "SIGKILL":
        return "unknown", "killed by SIGKILL, which may be for want of memory"
    if -exit_code in _FROM_OUTSIDE:
        return "unknown", f"killed from outside by {name}, by whom is not known"
    return ("person", f"interrupted by {name}") if name == "SIGINT" else ("training", f"ended by {name}")
