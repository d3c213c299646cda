"""One score a run: what every statistic over seeds starts from, with the runs that have none still counted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from experiments.statistics.aggregates import Statistic, aggregate
from experiments.statistics.intervals import interval_of
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


@dataclass(frozen=True)
class SeedScore:
    """The score of one run, or why it has none.

    Attributes:
        value: None where the run has no score; infinite where it never reached a threshold.
        outcome: A failed run has a score only where it was given one, and still counts as failed.
        reason: Why there is none, or what was put in its place.
        run: Run name; empty where it is not known.
    """

    seed: int
    value: float | None
    outcome: Outcome = "finished"
    reason: str = ""
    run: str = ""


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
        return SeedCount.of(outcomes, duplicates=self.duplicates, goal=self.goal, metric=self.metric)

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
    notes = [*scores.notes, *(f"seed {run.seed}: {run.reason}" for run in scores.runs if run.reason)]
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
