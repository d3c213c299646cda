"""One score a run: what every statistic over seeds starts from, with the runs that have none still counted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from experiments.look import counted
from experiments.statistics.aggregates import Statistic
from experiments.statistics.intervals import interval_of, interval_over_tasks
from experiments.statistics.resampling import over_tasks
from experiments.statistics.values import (
    DEFAULTS,
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
    task: str = ""
    reason: str = ""
    run: str = ""


@dataclass(frozen=True)
class Scores:
    """The scores of one arm, one for each seed and task, in the order of tasks and seeds.

    Attributes:
        runs: Every run that was planned, with or without a score.
        what: What a score is, in words.
        goal: What a run had to do to count, for `SeedCount`.
        unit: Of the score, where it has one in words.
        duplicates: Runs left aside because of another with the same seed and task.
        known_seeds: Whether the seeds are the runs' own, so that arms may be compared in pairs.
        notes: What a reader has to know besides.
    """

    arm: str
    runs: tuple[SeedScore, ...]
    what: str = "score"
    goal: str = "finished"
    unit: str = ""
    duplicates: int = 0
    known_seeds: bool = True
    notes: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        values: Sequence[object] | npt.ArrayLike,
        *,
        arm: str = "",
        seeds: Sequence[int] | None = None,
        shared_runs: bool = False,
        what: str = "score",
    ) -> Scores:
        """Return plain numbers as scores.

        Args:
            values: One score a seed (n,), or (n, tasks) as rliable takes them; a value that is not a finite number is a
                run that diverged.
            seeds: By default the rows are numbered, and never compared in pairs; a seed that comes again is left aside.
            shared_runs: Whether a row is one run that was scored on every task.
        """
        table = numbers(values)
        table = table.reshape(len(table), -1) if table.ndim > 1 else table.reshape(-1, 1)
        names = list(range(len(table))) if seeds is None else list(seeds)[: len(table)]
        tasks = [""] if table.shape[1] == 1 else [f"task {column + 1}" for column in range(table.shape[1])]
        runs = [
            SeedScore(
                seed,
                None if math.isnan(value) else float(value),
                "diverged" if math.isnan(value) else "finished",
                task,
                "not a finite number" if math.isnan(value) else "",
                f"seed {seed}" if shared_runs else "",
            )
            for seed, row in zip(names, table, strict=True)
            for task, value in zip(tasks, row, strict=True)
        ]
        first = {(run.seed, run.task): run for run in reversed(runs)}
        kept = sorted(first.values(), key=lambda run: (run.task, run.seed))
        return cls(arm, tuple(kept), what, duplicates=len(runs) - len(kept), known_seeds=seeds is not None)

    @property
    def tasks(self) -> tuple[str, ...]:
        """Names of the tasks, sorted; one empty name where there is only one task."""
        return tuple(sorted({run.task for run in self.runs})) or ("",)

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seeds that were planned, sorted."""
        return tuple(sorted({run.seed for run in self.runs}))

    @property
    def count(self) -> SeedCount:
        """What became of the runs."""
        return SeedCount.of((run.outcome for run in self.runs), duplicates=self.duplicates, goal=self.goal)

    @property
    def shared_runs(self) -> bool:
        """Whether a run was scored on several tasks, so that its scores are not independent."""
        places = {(run.run, run.task) for run in self.runs if run.run}
        return len(places) > len({name for name, _ in places})

    @property
    def table(self) -> FloatArray:
        """Scores as float64 (seeds, tasks); NaN where there is none."""
        found = {(run.seed, run.task): run.value for run in self.runs}
        rows = [[found.get((seed, task)) for task in self.tasks] for seed in self.seeds]
        return np.array(rows, dtype=np.float64).reshape(len(self.seeds), len(self.tasks))

    @property
    def strata(self) -> list[FloatArray]:
        """The scores (n,) of each task, in the order of the seeds."""
        return [column[~np.isnan(column)] for column in self.table.T]

    @property
    def values(self) -> FloatArray:
        """All scores (n,), task by task."""
        return np.concatenate(self.strata)

    def by_seed(self, task: str = "") -> dict[int, float]:
        """Return the scores of one task by seed."""
        return {run.seed: run.value for run in self.runs if run.task == task and run.value is not None}

    def only(self, task: str) -> Scores:
        """Return the scores of one task alone."""
        return replace(self, runs=tuple(run for run in self.runs if run.task == task))


def describe(scores: Scores, statistic: Statistic = "mean", options: Options = DEFAULTS) -> Estimate:
    """Return a statistic over the seeds of one arm (and over its tasks) with its interval and its count."""
    strata = scores.strata
    notes = [*scores.notes, *(f"{_named(run)}: {run.reason}" for run in scores.runs if run.reason)]
    missed = sum(int(np.isinf(stratum).sum()) for stratum in strata)
    if missed:
        notes.append(f"{missed} of {len(scores.values)} seeds never reached it")
    empty = [task for task, stratum in zip(scores.tasks, strata, strict=True) if not len(stratum)]
    if empty:
        where = f" on {', '.join(empty)}" if len(strata) > 1 else f": {scores.count.sentence}" if scores.runs else ""
        none = Interval.none(f"no seed has a score{where}", len(scores.values), level=options.level)
        return Estimate(statistic, None, none, scores.count, scores.what, tuple(notes))
    if len(strata) == 1:
        interval = interval_of(strata[0], statistic, options)
    elif scores.shared_runs and not missed:
        return _over_shared_runs(scores, statistic, options).noting(*notes)
    else:
        interval = interval_over_tasks(strata, statistic, options)
    value = over_tasks(strata, statistic, options.target) if statistic == "median" or not missed else None
    return Estimate(statistic, value, interval, scores.count, scores.what, tuple(notes))


def _over_shared_runs(scores: Scores, statistic: Statistic, options: Options) -> Estimate:
    """Return a statistic over tasks that the same runs were scored on: only whole rows are independent."""
    table = scores.table
    whole = table[~np.isnan(table).any(axis=1)]
    notes = ["the same runs were scored on every task, so whole seeds are resampled"]
    if len(whole) < len(table):
        notes.append(f"{counted(len(table) - len(whole), 'seed')} without a score on every task left out")
    value = over_tasks(list(whole.T), statistic, options.target) if len(whole) else None
    none = Interval.none("no seed has a score on every task", level=options.level)
    interval = interval_over_tasks(list(whole.T), statistic, options, table=whole) if len(whole) else none
    return Estimate(statistic, value, interval, scores.count, scores.what, tuple(notes))


def _named(run: SeedScore) -> str:
    return f"seed {run.seed} on {run.task}" if run.task else f"seed {run.seed}"
