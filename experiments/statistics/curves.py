"""Learning curves of single runs, cleaned once, and put on a common grid without extrapolation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from experiments.look import counted
from experiments.statistics.values import FloatArray, IntArray, Outcome, SeedCount, numbers
from experiments.types import Verdict

if TYPE_CHECKING:
    import pandas as pd

GRID_POINTS = 200


@dataclass(frozen=True, eq=False)
class Curve:
    """One metric of one run, as it was logged: never smoothed.

    Points whose step or value is not a finite number are left out and counted. Steps come out in ascending order; of
    several values at one step the last one logged stays. A curve whose last value is not finite has diverged.

    Attributes:
        steps: float64 (T,), ascending, in `unit`.
        values: float64 (T,).
        arm: Configuration that the run belongs to.
        seed: Of the run.
        task: What was scored; empty where there is only one task.
        outcome: What became of the run.
        unit: Of the steps, in words: curves of different units cannot be aligned.
        run: Run name; runs that appear under several tasks are not independent.
        lost: Number of points that were left out.
    """

    steps: FloatArray
    values: FloatArray
    arm: str = ""
    seed: int = 0
    task: str = ""
    outcome: Outcome = "finished"
    unit: str = "agent steps"
    run: str = ""
    lost: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        steps, values = numbers(self.steps).ravel(), numbers(self.values).ravel()
        if len(steps) == len(values) and not np.isnan(values).any() and (np.diff(steps) > 0).all():
            # Nothing to clean, as in nearly every log: a tenth of the time for a long one.
            object.__setattr__(self, "steps", steps)
            object.__setattr__(self, "values", values)
            return
        given = max(len(steps), len(values))
        steps, values = (row[: min(len(steps), len(values))] for row in (steps, values))
        order = np.argsort(steps, kind="stable")
        known = order[~np.isnan(steps[order])]
        if self.outcome in ("finished", "unfinished") and len(known) and math.isnan(values[known[-1]]):
            object.__setattr__(self, "outcome", "diverged")
        kept = known[~np.isnan(values[known])]
        last = np.diff(steps[kept], append=np.inf) > 0
        object.__setattr__(self, "lost", given - len(kept))
        object.__setattr__(self, "steps", steps[kept][last])
        object.__setattr__(self, "values", values[kept][last])

    @property
    def name(self) -> str:
        """What to call the run in a sentence."""
        return " ".join(filter(None, [self.arm, f"seed {self.seed}", self.task]))


def outcome_of(verdict: Verdict) -> Outcome:
    """Return what a job's verdict means for its seed; a cancelled job did not finish, and did not fail either."""
    meanings: dict[Verdict, Outcome] = {"succeeded": "finished", "failed": "failed"}
    return meanings.get(verdict, "unfinished")


def curves_of(
    table: pd.DataFrame,
    metric: str,
    *,
    outcomes: Mapping[str, Outcome] | None = None,
    unit: str = "agent steps",
    task: str = "",
) -> list[Curve]:
    """Return one curve a run of a metric.

    Args:
        table: Columns `run`, `arm`, `seed`, `step` and one named `metric`, as `metric_history` returns. A row without
            the metric is a row that logged something else, not a lost point.
        outcomes: What became of each run; one that is not listed counts as finished.
        unit: Of `step`.
        task: Name of what `metric` scores, where several metrics are tasks.

    Returns:
        Curves in the order in which runs first appear; none where the table has no such column. A run without any
        value has an empty curve, so that it is counted.
    """
    if metric not in table:
        return []
    curves = []
    for run, rows in table.groupby("run", sort=False):
        logged = rows[rows[metric].notna()]
        curves.append(
            Curve(
                logged["step"].to_numpy(),
                logged[metric].to_numpy(),
                arm=str(rows["arm"].iloc[0]),
                seed=int(rows["seed"].iloc[0]),
                task=task,
                outcome=(outcomes or {}).get(str(run), "finished"),
                unit=unit,
                run=str(run),
            )
        )
    return curves


@dataclass(frozen=True, eq=False)
class Aligned:
    """Curves on one grid; a curve has values only between its own first and last step.

    Attributes:
        grid: float64 (G,), ascending.
        values: float64 (curves, G); NaN outside of a curve's own range.
        alive: int64 (G,), how many curves have a value there.
        curves: The curves that are rows of `values`, in order.
        count: What became of the runs.
        unit: Of the grid.
        notes: What a reader has to know besides: curves that end early, points that were left out.
        problem: Why there is nothing to show; then the grid is empty.
    """

    grid: FloatArray
    values: FloatArray
    alive: IntArray
    curves: tuple[Curve, ...]
    count: SeedCount
    unit: str
    notes: tuple[str, ...] = ()
    problem: str = ""


def common_grid(curves: Sequence[Curve], points: int = GRID_POINTS) -> FloatArray:
    """Return where to compare curves: their own steps where all share them and they are few, else even steps.

    Even steps run from the first to the last step of any curve. Empty where no curve has a point.
    """
    drawn = [curve.steps for curve in curves if len(curve.steps)]
    if not drawn:
        return np.empty(0)
    longest = max(drawn, key=len)
    if len(longest) <= points and all(np.isin(steps, longest).all() for steps in drawn):
        return longest
    low, high = min(steps[0] for steps in drawn), max(steps[-1] for steps in drawn)
    return np.linspace(low, high, points) if high > low else np.array([low])


def align(curves: Sequence[Curve], *, grid: npt.ArrayLike | None = None, points: int = GRID_POINTS) -> Aligned:
    """Put the curves of one arm (and task) on a common grid, by interpolation inside each curve's own range.

    Args:
        grid: Where to compare; by default `common_grid`. Give several arms the same one.
        points: At most so many.
    """
    kept, duplicates = without_duplicates(curves)
    count = SeedCount.of((curve.outcome for curve in kept), duplicates=duplicates)
    units = sorted({curve.unit for curve in kept})
    at = common_grid(kept, points) if grid is None else np.unique(_finite(grid))
    problem = ""
    if len(units) > 1:
        problem = f"the curves have different step units: {', '.join(units)}"
    elif not any(len(curve.steps) for curve in kept):
        problem = "no run has a value of this metric" if kept else "no runs"
    if problem:
        at = np.empty(0)
    values = np.full((len(kept), len(at)), np.nan)
    for row, curve in zip(values, kept, strict=True):
        inside = (at >= curve.steps[0]) & (at <= curve.steps[-1]) if len(curve.steps) else np.zeros(len(at), bool)
        row[inside] = np.interp(at[inside], curve.steps, curve.values) if inside.any() else np.nan
    alive = (~np.isnan(values)).sum(axis=0)
    notes = () if problem else (*_endings(kept, at), *_losses(kept))
    return Aligned(at, values, alive, tuple(kept), count, units[0] if units else "", notes, problem)


def without_duplicates(curves: Sequence[Curve]) -> tuple[list[Curve], int]:
    """Return one curve for each arm, seed and task, and how many were left aside.

    A finished run stands before one that is not (a retry before the failure that it repeats); of equals the one that
    got further, then the later one.
    """
    best: dict[tuple[str, int, str], Curve] = {}
    for curve in curves:
        key = (curve.arm, curve.seed, curve.task)
        if key not in best or _standing(curve) >= _standing(best[key]):
            best[key] = curve
    return list(best.values()), len(curves) - len(best)


def _standing(curve: Curve) -> tuple[int, float]:
    order: tuple[Outcome, ...] = ("failed", "diverged", "unfinished", "finished")
    return order.index(curve.outcome), float(curve.steps[-1]) if len(curve.steps) else -math.inf


def _endings(curves: Sequence[Curve], grid: FloatArray) -> list[str]:
    end = grid[-1] - 0.01 * np.ptp(grid) if len(grid) else -math.inf  # the last rows of runs are never quite the same
    early = [curve for curve in curves if not len(curve.steps) or curve.steps[-1] < end]
    if not early:
        return []
    verb = "ends" if len(early) == 1 else "end"
    return [f"{counted(len(early), 'run')} of {len(curves)} {verb} early; beyond it only the others are counted"]


def _losses(curves: Sequence[Curve]) -> list[str]:
    lost = sum(curve.lost for curve in curves)
    return [f"{counted(lost, 'point')} without a finite number left out"] if lost else []


def _finite(values: npt.ArrayLike) -> FloatArray:
    found = numbers(values).ravel()
    return found[~np.isnan(found)]
