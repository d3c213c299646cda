"""Whether an experiment reaches what was recorded at its launch as criteria: met, excluded or undecided, each of them.

A criterion is met where the whole interval over the seeds lies on the right side of its bound, excluded where all of
it lies on the wrong one, and undecided between: noise alone neither accepts nor fails anything. That all are met is as
safe as the one that is least; the more criteria there are, the likelier is it that one is excluded by chance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from experiments.jobs.criteria import Criterion
from experiments.jobs.families import level_of
from experiments.project.errors import ExperimentsError
from experiments.project.look import counted
from experiments.project.standing import CHOOSING
from experiments.results.accepted_by import Asked, minute
from experiments.results.frames import unlogged_words
from experiments.results.scores import ScoredRuns
from experiments.runs.store import RunQuery, RunStore
from experiments.statistics import Estimate, Options, Scores, Summary, describe, different_code, shown
from experiments.types import JobRef

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
        by = f"by the criteria recorded on {minute(self.asked.recorded_at)}"
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


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}"
