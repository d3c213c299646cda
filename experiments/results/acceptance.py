"""Whether an experiment reaches what was recorded at its launch as criteria: met, excluded or undecided, each of them.

A criterion is met where the whole interval over the seeds lies on the right side of its bound, excluded where all of
it lies on the wrong one, and undecided between: noise alone neither accepts nor fails anything. That all are met is as
safe as the one that is least; the more criteria there are, the likelier is it that one is excluded by chance.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from experiments.jobs.controls.pooled import control_runs, controls_of, without_runs_of
from experiments.jobs.criteria import KIND, Criterion, RecordedCriteria, Stated, recorded_criteria, written_in
from experiments.jobs.families import level_of
from experiments.jobs.finding import of_experiments
from experiments.jobs.ledger import UnreadableJob, open_ledger
from experiments.jobs.ledger.reading import LedgerReader
from experiments.project.errors import ExperimentsError, LedgerError
from experiments.project.look import counted
from experiments.project.standing import CHOOSING
from experiments.project.workspace import Workspace
from experiments.results.frames import unlogged_words
from experiments.results.scores import ScoredRuns
from experiments.runs.store import RunQuery, RunStore
from experiments.statistics import Estimate, Options, Scores, Summary, describe, different_code, shown
from experiments.types import JobRef, KeptControl, TrainingJob

State = Literal["met", "excluded", "undecided"]
Verdict = Literal["accepted", "excluded", "undecided"]
Scorer = Callable[[Sequence[JobRef], str, Summary], ScoredRuns]
"""Scores some jobs in a metric."""

EXIT_CODES: dict[Verdict, int] = {"accepted": 0, "excluded": 1, "undecided": 3}
_FEW = 10
"""Seeds below which a claim names what its interval assumes."""


@dataclass(frozen=True)
class Judged:
    """What one criterion says of one arm.

    Attributes:
        reason: Why, as a sentence.
        estimate: The statistic over the seeds that it rests on; None where there is none.
        seeds: What became of the seeds: `4 of 5 finished, 1 failed`.
        summary: What one run's score is, in words.
        control: Name of the kept control that the arm is, whose row decides nothing; empty for an arm of its own.
    """

    criterion: Criterion
    arm: str
    state: State
    reason: str
    estimate: Estimate | None = None
    seeds: str = ""
    summary: str = ""
    control: str = ""

    @property
    def decides(self) -> bool:
        """Whether the verdict rests on it: what a control scored was known before the criteria were recorded."""
        return not self.control or bool(self.criterion.arm)

    @property
    def interval(self) -> str:
        """Both ends of the interval; empty where there is none."""
        bounds = self.estimate.interval.bounds if self.estimate is not None else None
        return f"{shown(bounds[0])} to {shown(bounds[1])}" if bounds else ""

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        asked, found = self.criterion, self.estimate
        interval = found.interval if found is not None else None
        return {
            "metric": asked.metric,
            "arm": self.arm,
            "control": self.control,
            "comparison": asked.comparison,
            "bound": asked.bound,
            "unit": asked.unit,
            "state": self.state,
            "reason": self.reason,
            "score": self.summary,
            "statistic": asked.statistic,
            "value": found.value if found is not None else None,
            "interval": list(interval.bounds) if interval is not None and interval.bounds else None,
            "level": interval.level if interval is not None else 1 - asked.level,
            "method": interval.method if interval is not None else "",
            "assumption": interval.assumption if interval is not None else "",
            "seeds": self.seeds,
        }


@dataclass(frozen=True)
class Asked:
    """What is to be judged, and by what.

    Attributes:
        jobs: The runs of kept controls, then those of the newest repeat of each plan of the experiment.
        criteria: Those that count.
        recorded_at: When they were recorded, in Unix seconds.
        exploratory: Why nothing can be accepted by them, as a sentence; empty where they stood before the first job.
        looks: How many launches brought new seeds of an arm: before each but the first one could see the others.
        notes: What else there is to know of them, one sentence each.
        controls: Name of the kept control that an arm is, by arm.
    """

    experiment: str
    jobs: tuple[JobRef, ...]
    criteria: tuple[Criterion, ...]
    recorded_at: float
    exploratory: str = ""
    looks: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    controls: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Acceptance:
    """What came of it.

    Attributes:
        rows: One for each criterion and arm.
        notes: What a reader has to know besides, one sentence each.
    """

    asked: Asked
    rows: tuple[Judged, ...]
    notes: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The worst of the rows; nothing is accepted by criteria that were written after the launch."""
        states = {row.state for row in self._deciding}
        if "excluded" in states:
            return "excluded"
        return "accepted" if states == {"met"} and not self.asked.exploratory else "undecided"

    @property
    def sentence(self) -> str:
        """The verdict with what it rests on: `Accepted: 3 of 3 met, by the criteria recorded on 2026-11-30 12:00.`."""
        met = sum(row.state == "met" for row in self._deciding)
        by = f"by the criteria recorded on {_minute(self.asked.recorded_at)}"
        return f"{self.verdict.capitalize()}: {met} of {len(self._deciding)} met, {by}."

    @property
    def _deciding(self) -> list[Judged]:
        return [row for row in self.rows if row.decides]

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "experiment": self.asked.experiment,
            "verdict": self.verdict,
            "said": self.sentence,
            "recorded_at": self.asked.recorded_at,
            "exploratory": self.asked.exploratory,
            "criteria": [row.as_json() for row in self.rows],
            "notes": list(self.notes),
        }


def asked_of(workspace: Workspace, experiment: str) -> Asked | None:
    """Return by what an experiment is accepted; None where no criterion was recorded at any of its launches.

    Raises:
        UsageError: No job belongs to the experiment.
        LedgerError: Its jobs or what was recorded of them cannot be read.
    """
    with open_ledger(workspace, read_only=True) as ledger:
        rows = ledger.rows(experiment=experiment) or of_experiments(ledger.rows(), [experiment])
        if damaged := next((row for row in rows if isinstance(row, UnreadableJob)), None):
            raise LedgerError(damaged.sentence())
        controls = controls_of(ledger, [row.plan_key for row in rows])
        jobs = [row for row in without_runs_of(rows, controls) if isinstance(row, TrainingJob)]
        launched = _launches(jobs)
        if not recorded_criteria(ledger, list(launched)):
            return None
        newest = _newest(ledger, launched)
        recorded = recorded_criteria(ledger, newest)
        before = recorded_criteria(ledger, [key for key in launched if key not in newest])
        stands = _standing(ledger, recorded, {key: launched[key] for key in newest})
    if stands is None:
        return None
    stated, at, exploratory = stands
    own = [job.ref() for job in jobs if job.plan_key in newest]
    beside = _beside(controls, own)
    return Asked(
        experiment,
        (*control_runs(beside), *own),
        stated.criteria,
        at,
        exploratory,
        _looks([job for job in jobs if job.counts and job.plan_key in newest]),
        (
            *_left_aside(jobs, newest),
            *_moved(before, stated),
            *_others(recorded, stated),
            *_written_now(stated, workspace),
        ),
        {control.arm: control.name for control in beside},
    )


def acceptance_of(asked: Asked, score: Scorer, store: RunStore) -> Acceptance:
    """Return what recorded criteria say of the jobs that they are about.

    Args:
        store: Where the runs are, to name what they logged in the place of a metric that none has.
    """
    rows: list[Judged] = []
    notes = list(asked.notes)
    scored: dict[tuple[str, Summary], ScoredRuns] = {}
    for criterion in asked.criteria:
        summary = summary_of(criterion)
        key = (criterion.metric, summary)
        if key not in scored:
            scored[key] = score(asked.jobs, *key)
            notes += scored[key].notes
        rows += _rows(criterion, scored[key], asked, lambda metric: _unlogged(metric, asked.jobs, store))
    return Acceptance(asked, tuple(rows), tuple(dict.fromkeys(filter(None, [asked.exploratory, *notes]))))


def summary_of(criterion: Criterion) -> Summary:
    """Return what a criterion takes as one run's score."""
    share, window = criterion.share, criterion.window
    return Summary(criterion.score, window=share, between=window, higher_is_better=criterion.wants_more)


def _rows(criterion: Criterion, runs: ScoredRuns, asked: Asked, unlogged: Callable[[str], str]) -> list[Judged]:
    if criterion.arm and criterion.arm not in runs.scores:
        known = ", ".join(map(repr, runs.scores))
        reason = f"No run belongs to arm {criterion.arm!r}. Arms: {known}."
        return [Judged(criterion, criterion.arm, "undecided", reason)]
    arms = [criterion.arm] if criterion.arm else list(runs.scores)
    rows = [_judged(criterion, runs.scores[arm], runs, asked.looks.get(arm, 1), unlogged) for arm in arms]
    return [_of_control(row, asked.controls[row.arm]) if row.arm in asked.controls else row for row in rows]


def _of_control(row: Judged, control: str) -> Judged:
    """Return what is said of a control's arm: its runs had ended, so a bound may have been written to fit them."""
    said = f"Control {control}: its runs had ended before the criteria were recorded, so they accept nothing."
    state = "undecided" if row.criterion.arm and row.state == "met" else row.state
    return replace(row, state=state, reason=f"{said} {row.reason}", control=control)


def _judged(
    criterion: Criterion, scores: Scores, runs: ScoredRuns, looks: int, unlogged: Callable[[str], str]
) -> Judged:
    filled = scores if criterion.lost is None else scores.filled(criterion.lost)
    level = criterion.level if looks < 2 else level_of(looks, criterion.level)
    estimate = describe(filled, criterion.statistic, Options(level=1 - level))
    state, reason = _decided(criterion, estimate)
    if looks > 1:
        reason = f"{reason} Its seeds were launched at {looks} times, of which one could see the earlier ones' scores."
    if doubt := _doubt(criterion, scores, runs, unlogged):
        state, reason = "undecided", doubt
    elif scores.lost and criterion.lost is not None:
        reason = f"{_lost(scores)} count as {criterion.lost:g}, as the criterion says. {reason}"
    return Judged(criterion, scores.arm, state, reason, estimate, scores.count.sentence, runs.summary.words)


def _doubt(criterion: Criterion, scores: Scores, runs: ScoredRuns, unlogged: Callable[[str], str]) -> str:
    """Return why nothing can be said of an arm, whatever its interval; empty where something can."""
    if not scores.runs:
        return "None of its runs is a seed."
    if scores.waiting:
        return f"Seeds are still out: {scores.count.sentence}. It is decided when all have ended."
    if chose := sum(run.seed >= CHOOSING for run in scores.runs):
        return f"{counted(chose, 'seed')} from {CHOOSING:,} upward chose something in a search, and accept nothing."
    if all(run.outcome == "no value" for run in scores.runs):
        return f"{_sentence(unlogged(criterion.metric))} Is it the metric that the criterion should name?"
    if not criterion.pool_codes and (apart := different_code(scores)):
        return f"{_sentence(apart)}, and the criterion does not pool them: pool_codes=True."
    return runs.found or (_doubt_of_losses(criterion, scores) if scores.lost else "")


def _doubt_of_losses(criterion: Criterion, scores: Scores) -> str:
    """Return why nothing can be said of an arm that lost seeds; empty where the criterion says what they count as."""
    if criterion.lost is None:
        return f"{_lost(scores)} were lost, and the criterion does not state what they count as: lost=..."
    sign = 1 if criterion.wants_more else -1
    beyond = [run for run in scores.runs if run.value is not None and sign * run.value < sign * criterion.lost]
    if not beyond:
        return ""
    return (
        f"Seed {beyond[0].seed} scored {shown(float(beyond[0].value or 0.0))}, which is worse than the "
        f"{criterion.lost:g} that lost seeds count as, so they may have been worse too."
    )


def _decided(criterion: Criterion, estimate: Estimate) -> tuple[State, str]:
    interval = estimate.interval
    if interval.bounds is None:
        return "undecided", f"No interval over the seeds: {interval.reason}."
    met = [criterion.is_met_by(bound) for bound in interval.bounds]
    how = f"{interval.words}{f', which {interval.assumption}' if interval.n < _FEW and interval.assumption else ''}"
    if all(met):
        return "met", f"All of the interval is {criterion.asked} ({how})."
    if not any(met):
        return "excluded", f"None of the interval is {criterion.asked} ({how})."
    return "undecided", f"The interval holds both what is {criterion.asked} and what is not ({how})."


def _lost(scores: Scores) -> str:
    return f"{len(scores.lost)} of {counted(len(scores.runs), 'seed')} ({scores.count.losses})"


def _unlogged(metric: str, jobs: Sequence[JobRef], store: RunStore) -> str:
    try:
        infos = store.find(RunQuery(names=[job.run for job in jobs], limit=None))
    except ExperimentsError:
        infos = []
    logged = dict.fromkeys(key for info in infos for key in info.summary if not key.startswith("_"))
    return unlogged_words(metric, logged, len(jobs))


def _beside(controls: Iterable[KeptControl], own: Iterable[JobRef]) -> list[KeptControl]:
    """Return the controls of which an arm stands beside those that were launched, the newest of each arm."""
    arms = {job.arm for job in own if job.counts}
    return list({control.arm: control for control in controls if control.arm not in arms}.values())


def _launches(jobs: Iterable[TrainingJob]) -> dict[str, float]:
    """Return when each plan that has seeds was launched, by its key, the one that was recorded first before others."""
    found: dict[str, float] = {}
    for job in jobs:
        if job.counts and job.plan_key:
            found[job.plan_key] = min(job.created_at, found.get(job.plan_key, job.created_at))
    return found


def _looks(jobs: Iterable[TrainingJob]) -> dict[str, int]:
    """Return how many plans brought seeds of an arm that no earlier one had; whoever adds some until it fits, looks."""
    seen: dict[str, set[int]] = {}
    brought: dict[str, set[str]] = {}
    for job in jobs:
        if job.seed not in seen.setdefault(job.arm, set()):
            seen[job.arm].add(job.seed)
            brought.setdefault(job.arm, set()).add(job.plan_key)
    return {arm: len(plans) for arm, plans in brought.items()}


def _newest(ledger: LedgerReader, launched: Iterable[str]) -> list[str]:
    """Return the plans without those of which there is a later repeat, which is another try at the same seeds."""
    found: dict[str, tuple[int, str]] = {}
    for key in launched:
        plan = ledger.plan(key)
        family, repeat = (plan.family, plan.repeat) if plan is not None else (key, 1)
        if family not in found or repeat > found[family][0]:
            found[family] = (repeat, key)
    kept = {key for _, key in found.values()}
    return [key for key in launched if key in kept]


def _standing(
    ledger: LedgerReader, recorded: Sequence[RecordedCriteria], launched: Mapping[str, float]
) -> tuple[Stated, float, str] | None:
    """Return the criteria that count: those recorded before the first job; else the first there are, as exploratory.

    Raises:
        LedgerError: They cannot be read.
    """
    if not recorded:
        return None
    first, at = next(iter(launched.items()))
    counts = next((one for one in recorded if one.plan_key == first and one.at <= at), None)
    late = ""
    if counts is None or not ledger.was_told_first(KIND, first):
        counts = recorded[0]
        late = (
            f"Exploratory: the first runs were launched on {_minute(at)}, before these criteria were recorded on "
            f"{_minute(counts.at)}, and what is written after the data accepts nothing."
        )
    if counts.stated is None:
        when = _minute(counts.at)
        raise LedgerError(
            f"the criteria recorded on {when} cannot be read by this version. Read them with a later one."
        )
    return counts.stated, counts.at, late


def _others(recorded: Sequence[RecordedCriteria], stated: Stated) -> list[str]:
    later = [one for one in recorded if one.stated is None or one.stated.criteria != stated.criteria]
    if not later:
        return []
    when = ", ".join(dict.fromkeys(_minute(one.at) for one in later))
    return [f"Other criteria were recorded on {when}; what is judged by is what stood before the first run."]


def _moved(before: Sequence[RecordedCriteria], stated: Stated) -> list[str]:
    """Return that the repeat before was held to other criteria: a bound may have been moved by what it showed."""
    last = before[-1] if before else None
    if last is None or last.stated is None or last.stated.criteria == stated.criteria:
        return []
    other = [one.words for one in last.stated.criteria if one not in stated.criteria]
    held = f"held to {', '.join(map(repr, other))}" if other else "held to fewer criteria"
    return [f"The repeat before was {held} on {_minute(last.at)}, and these may have been moved by what it showed."]


def _written_now(stated: Stated, workspace: Workspace) -> list[str]:
    """Return that the recipe's file has other criteria by now; what cannot be read there is nothing to speak of."""
    if not stated.recipe or stated.written is None:
        return []
    now = written_in(workspace.root / stated.recipe, stated.owner)
    if now is None or now == stated.written:
        return []
    what = "other criteria now: over the runs that there are they would be exploratory" if now else "no criteria now"
    return [f"{stated.recipe} states {what}. What it states counts from the next launch on."]


def _left_aside(jobs: Iterable[TrainingJob], newest: Sequence[str]) -> list[str]:
    aside = {job.plan_key for job in jobs if job.counts and job.plan_key not in newest}
    if not aside:
        return []
    before = counted(len(aside), "earlier repeat")
    return [f"Judged is the newest repeat of the same jobs; {before} of them left aside."]


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}"


def _minute(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))
