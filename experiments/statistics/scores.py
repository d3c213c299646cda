"""One score a run: what every statistic over seeds starts from, with the runs that have none still counted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from experiments.project.look import counted
from experiments.project.standing import Role, seed_words
from experiments.statistics.aggregates import Statistic, aggregate
from experiments.statistics.curves import Curve, standing_curves
from experiments.statistics.intervals import interval_of
from experiments.statistics.summaries import FINAL, Summary
from experiments.statistics.values import (
    DEFAULTS,
    FINISHED,
    WAITING,
    Estimate,
    FloatArray,
    Interval,
    Options,
    Outcome,
    SeedCount,
    numbers,
)

OWN_END: Literal["own end"] = "own end"


@dataclass(frozen=True)
class SeedScore:
    """The score of one run, or why it has none.

    Attributes:
        value: None where the run has no score; infinite where it never reached a threshold.
        outcome: A failed run has a score only where it was given one, and still counts as failed.
        reason: Why there is none, or what was put in its place.
        run: Run name; empty where it is not known.
        role: What the run is to its seed: see `experiments.types.Standing`.
        replicate: 0 for the seed's own run.
        code: Which code it ran: equal for the same code, empty where nobody knows, None where nobody asked.
        asked: What it was asked to compute: equal for the same; empty where nobody knows.
        upto: Step that it would have to reach for a score; None where that is not what it lacks.
    """

    seed: int
    value: float | None
    outcome: Outcome = "finished"
    reason: str = ""
    run: str = ""
    role: Role = "seed"
    replicate: int = 0
    code: str | None = None
    asked: str = ""
    upto: float | None = None


@dataclass(frozen=True)
class Scores:
    """The scores of one arm, one for each seed, in the order of the seeds.

    Attributes:
        runs: Every run that was planned, with or without a score.
        what: What a score is, in words.
        goal: What a run had to do to count, for `SeedCount`.
        unit: Of the score, where it has one in words.
        duplicates: Runs left aside because of another with the same seed.
        known_seeds: Whether the seeds are the runs' own, so that arms may be compared in pairs.
        metric: What was scored; empty where it has no name.
        attempts: Seeds with several attempts where it matters which one stands, one sentence each.
        notes: What a reader has to know besides.
        beside: Runs that stand for no seed: replicates, reproductions and forks, and the duplicates. They are scored
            as the others are, and are in no statistic over seeds.
    """

    arm: str
    runs: tuple[SeedScore, ...]
    what: str = "score"
    goal: str = FINISHED
    unit: str = ""
    duplicates: int = 0
    known_seeds: bool = True
    metric: str = ""
    attempts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    beside: tuple[SeedScore, ...] = ()

    @classmethod
    def of(
        cls,
        values: Sequence[object] | npt.ArrayLike,
        *,
        arm: str = "",
        seeds: Sequence[int] | None = None,
        what: str = "score",
    ) -> Scores:
        """Return plain numbers as scores.

        Args:
            values: One score a seed (n,); a value that is not a finite number is a run that diverged. Several scores of
                one run are not independent, so that a row with more than one value is a run without a score.
            seeds: By default the rows are numbered, and never compared in pairs; a seed that comes again is left aside.
        """
        table = numbers(values)
        rows = table.reshape(-1, 1) if table.ndim < 2 else [row.ravel() for row in table]
        names = range(len(rows)) if seeds is None else list(seeds)[: len(rows)]
        runs = [_plain(seed, row) for seed, row in zip(names, rows, strict=True)]
        first = {run.seed: run for run in reversed(runs)}
        kept = sorted(first.values(), key=lambda run: run.seed)
        return cls(arm, tuple(kept), what, duplicates=len(runs) - len(kept), known_seeds=seeds is not None)

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seeds that were planned, sorted."""
        return tuple(sorted({run.seed for run in self.runs}))

    @property
    def count(self) -> SeedCount:
        """What became of the runs."""
        outcomes = (run.outcome for run in self.runs)
        found = SeedCount.of(outcomes, duplicates=self.duplicates, goal=self.goal, metric=self.metric)
        return found.beside((run.role, run.outcome) for run in self.beside)

    @property
    def waiting(self) -> int:
        """How many runs may still get a score."""
        return sum(run.outcome in WAITING and run.value is None for run in self.runs)

    @property
    def lost(self) -> tuple[SeedScore, ...]:
        """The runs that ended without a score, and were given none."""
        return tuple(run for run in self.runs if _is_lost(run))

    def filled(self, value: float) -> Scores:
        """Return the same scores with `value` for each run that was lost; it keeps its outcome and its reason."""
        runs = tuple(
            replace(run, value=value, reason=f"{run.reason}, counted as {value:g}") if _is_lost(run) else run
            for run in self.runs
        )
        return replace(self, runs=runs)

    def planned(self, seeds: Sequence[int]) -> Scores:
        """Return the scores of some seeds, in the order of the seeds; one without a run is waited for."""
        known = {run.seed: run for run in self.runs}
        missing = "planned, and not launched yet"
        runs = (known.get(seed) or SeedScore(seed, None, "unfinished", missing) for seed in sorted(set(seeds)))
        return replace(self, runs=tuple(runs), beside=tuple(run for run in self.beside if run.seed in set(seeds)))

    @property
    def by_seed(self) -> dict[int, float]:
        """The scores by seed, of the runs that have one."""
        return {run.seed: run.value for run in self.runs if run.value is not None and not math.isnan(run.value)}

    @property
    def values(self) -> FloatArray:
        """The scores (n,) of the runs that have one, in the order of the seeds."""
        found = self.by_seed
        return np.array([found[seed] for seed in sorted(found)], dtype=np.float64)


def describe(scores: Scores, statistic: Statistic = "mean", options: Options = DEFAULTS) -> Estimate:
    """Return a statistic over the seeds of one arm with its interval and its count."""
    values = scores.values
    notes = [*scores.notes, *(f"{seed_words(run.seed)}: {run.reason}" for run in scores.runs if run.reason)]
    missed = int(np.isinf(values).sum())
    if missed:
        notes.append(f"{missed} of {len(values)} seeds never reached it")
    if not len(values):
        where = f": {scores.count.sentence}" if scores.runs else ""
        none = Interval.none(f"no seed has a score{where}", level=options.level)
        return Estimate(statistic, None, none, scores.count, scores.what, tuple(notes))
    value = float(aggregate(statistic, options.target)(values)) if statistic == "median" or not missed else None
    interval = interval_of(values, statistic, options)
    return Estimate(statistic, value, interval, scores.count, scores.what, tuple(notes))


def _plain(seed: int, row: FloatArray) -> SeedScore:
    if len(row) > 1:
        return SeedScore(seed, None, "unscored", f"{len(row)} scores of one run; give one, such as their mean")
    if not len(row):
        return SeedScore(seed, None, "no value", "no score")
    if math.isnan(row[0]):
        return SeedScore(seed, None, "diverged", "not a finite number")
    return SeedScore(seed, float(row[0]))


def _is_lost(run: SeedScore) -> bool:
    return run.outcome not in WAITING and run.value is None


def summarise(
    curves: Sequence[Curve],
    summary: Summary = FINAL,
    *,
    at: float | Literal["own end"] | None = None,
    failed_score: float | None = None,
) -> dict[str, Scores]:
    """Return the scores of each arm, in the order in which the arms first appear.

    Only runs that finished have a score; the others are kept with the reason. A finished run without a value at the
    end has none: its score would be that of a shorter run.

    Args:
        at: Step at which all runs are compared. By default the last step of the longest finished run, so that all arms
            are compared at the same experience. A number compares runs at that step, and then a run that got there
            counts, whatever became of it later. `own end` takes each run at its own last step.
        failed_score: Score of a run that failed or diverged; by default it has none, and is counted.

    Returns:
        No arm at all where there are no curves. Curves with different step units give scores without any value.
    """
    kept = [one.curve for one in standing_curves(curves)]
    arms: dict[str, list[Curve]] = {}
    for curve in curves:
        arms.setdefault(curve.arm, []).append(curve)
    units = sorted({curve.unit for curve in kept})
    if isinstance(at, float) and math.isnan(at):
        at = None
    end = common_end(kept) if at is None else at
    start = min((float(curve.steps[0]) for curve in kept if len(curve.steps)), default=0.0)
    goal = f"reached {at:,.0f} {units[0]}" if isinstance(at, (int, float)) and units else FINISHED
    found = {}
    for arm, every in arms.items():
        standing = standing_curves(every)
        ours = [one.curve for one in standing]
        own = set(map(id, ours))
        others = [curve for curve in every if id(curve) not in own]
        runs, beside = (
            [_score(curve, summary, start, end, failed_score, given=goal != FINISHED) for curve in part]
            for part in (ours, others)
        )
        notes: list[str] = []
        if len(units) > 1:
            problem = f"the curves have different step units: {', '.join(units)}"
            runs, beside = (
                [replace(run, value=None, outcome=_unscored(run.outcome), reason=problem) for run in part]
                for part in (runs, beside)
            )
        runs.sort(key=lambda run: run.seed)
        lost = sum(curve.lost for curve in ours)
        if lost:
            notes.append(f"{counted(lost, 'point')} without a finite number left out")
        found[arm] = Scores(
            arm,
            tuple(runs),
            summary.words,
            goal=goal,
            unit=units[0] if summary.kind == "steps to threshold" and units else "",
            duplicates=sum(one.aside for one in standing),
            metric=next((curve.metric for curve in ours), ""),
            attempts=tuple(one.note for one in standing if one.note),
            notes=tuple(notes),
            beside=tuple(beside),
        )
    return found


def _unscored(outcome: Outcome) -> Outcome:
    return "unscored" if outcome == "finished" else outcome


def common_end(curves: Sequence[Curve]) -> float:
    """Return the last step of the longest finished run; of any run where none has finished."""
    drawn = [curve for curve in curves if len(curve.steps)]
    finished = [curve for curve in drawn if curve.outcome == FINISHED] or drawn
    return max((float(curve.steps[-1]) for curve in finished), default=0.0)


def _score(
    curve: Curve,
    summary: Summary,
    start: float,
    end: float | Literal["own end"],
    failed_score: float | None,
    *,
    given: bool,
) -> SeedScore:
    """Return the score of one run.

    Args:
        start: First step of any run.
        end: Step at which runs are compared.
        given: Whether that step was asked for, so that a run counts as soon as it got there.
    """
    known = SeedScore(curve.seed, None, "finished", "", curve.run, curve.role, curve.replicate, curve.code, curve.asked)

    def without(outcome: Outcome, reason: str) -> SeedScore:
        filled = failed_score if outcome in ("failed", "machine failed", "diverged") else None
        said = reason if filled is None else f"{reason}, counted as {filled:g}"
        return replace(known, value=filled, outcome=outcome, reason=said)

    outcome = curve.outcome
    if not len(curve.steps):
        return without(outcome, _valueless(curve))
    last = float(curve.steps[-1])
    stop = last if end == OWN_END else float(end)
    if summary.between is not None:
        start, stop = summary.between
    if outcome != FINISHED and not (given and last >= stop):
        return without(outcome, f"{_WORDS.get(outcome, outcome)}, last value at {last:,.0f} {curve.unit}")
    slack = 0.1 if summary.kind != "final" or summary.last_values else summary.share
    if last < stop - max(slack, 0.01) * (stop - start):
        return replace(without("unscored", f"no value after {last:,.0f} of {stop:,.0f} {curve.unit}"), upto=stop)
    inside = curve.steps <= stop
    if summary.between is not None:
        inside &= curve.steps >= start
    if few := _too_few(curve, int(inside.sum()), summary):
        return without("unscored", few)
    value = _value(curve.steps[inside], curve.values[inside], summary, start)
    return replace(known, value=value)


def _too_few(curve: Curve, inside: int, summary: Summary) -> str:
    """Return why so many values inside of what is looked at make no score; empty where they do."""
    if not inside and summary.between is not None:
        start, stop = summary.between
        return f"no value from {start:,.0f} to {stop:,.0f} {curve.unit}"
    if not inside:
        return f"no value before {curve.steps[0]:,.0f} {curve.unit}"
    if summary.last_values and inside < summary.last_values:
        return f"{counted(inside, 'value')}, and the score is the mean of {summary.last_values}"
    return ""


_WORDS: dict[Outcome, str] = {"machine failed": "lost with its machine", "spared": "cancelled as no longer needed"}


def _valueless(curve: Curve) -> str:
    if curve.outcome == "no value":
        return f"ended without a value of {curve.metric or 'the metric'}"
    if curve.outcome == "unread":
        return "it could not be read"  # whether it has a value nobody knows
    return f"{_WORDS.get(curve.outcome, curve.outcome)}, no value logged"


def _value(steps: FloatArray, values: FloatArray, summary: Summary, start: float) -> float:
    """Return the score of a curve that ends where it is compared; infinite where it never reaches the threshold."""
    better = np.maximum if summary.higher_is_better else np.minimum
    if summary.kind == "best":
        return float(better.reduce(values))
    if summary.kind == "steps to threshold":
        goal = math.inf if summary.threshold is None else summary.threshold
        there = values >= goal if summary.higher_is_better else values <= goal
        return float(steps[np.argmax(there)]) if there.any() else math.inf
    if summary.kind == "final" and summary.last_values:
        return float(values[-summary.last_values :].mean())
    share = 1.0 if summary.between is not None else summary.share
    late = steps >= steps[-1] - share * (steps[-1] - start)
    if summary.kind == "final":
        return float(values[late].mean())
    width = np.ptp(steps[late])
    return float(np.trapezoid(values[late], steps[late]) / width) if width > 0 else float(values[late].mean())
