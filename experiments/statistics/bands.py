"""A statistic over seeds along a curve, with its interval and the number of seeds that are left at every step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from experiments.look import counted
from experiments.statistics.aggregates import Statistic, aggregate
from experiments.statistics.curves import Aligned, Curve, align, common_grid
from experiments.statistics.intervals import Choice, choose
from experiments.statistics.scores import Scores, SeedScore, describe
from experiments.statistics.values import DEFAULTS, FloatArray, IntArray, Options, SeedCount

RESAMPLES = 2_000  # at each of many steps; ends then move by about 1 % of the width
_POINTS_OVER_TASKS = 50


@dataclass(frozen=True, eq=False)
class Band:
    """A statistic of several curves along a grid.

    Attributes:
        grid: float64 (G,), in `unit`.
        value: float64 (G,), NaN where no seed is alive.
        low: float64 (G,), NaN where `alive` is too small for an interval or all seeds have the same value.
        high: float64 (G,).
        alive: int64 (G,), seeds with a value there; the fewest of any task.
        statistic: What `value` is.
        method: Of the interval, in words: `pointwise 95 % Student t interval`; what is missing where there is none.
        assumption: One clause for the methods sentence; empty where there is no interval.
        count: What became of the runs.
        notes: What a reader has to know besides.
        problem: Why there is nothing to show; then the grid is empty.
    """

    grid: FloatArray
    value: FloatArray
    low: FloatArray
    high: FloatArray
    alive: IntArray
    statistic: Statistic
    method: str
    assumption: str
    count: SeedCount
    unit: str
    notes: tuple[str, ...] = ()
    problem: str = ""


def band(
    curves: Sequence[Curve],
    statistic: Statistic = "mean",
    options: Options = DEFAULTS,
    *,
    grid: npt.ArrayLike | None = None,
    points: int | None = None,
) -> Band:
    """Return a statistic over the curves of one arm, step by step; over several tasks this is sample efficiency.

    Every seed counts as long as it has values, so the band rests on fewer and fewer seeds where runs end early, and
    `alive` says on how many. An interval holds at each step by itself, not for the whole curve at once.

    Args:
        grid: Where to compare; give several arms the same one (`common_grid`).
        points: At most so many steps where `grid` is None; 200, or 50 over several tasks.
    """
    options = replace(options, resamples=min(options.resamples, RESAMPLES))
    tasks = sorted({curve.task for curve in curves}) or [""]
    if grid is None:
        grid = common_grid(curves, points or (200 if len(tasks) == 1 else _POINTS_OVER_TASKS))
    parts = [align([curve for curve in curves if curve.task == task], grid=grid) for task in tasks]
    units = sorted({curve.unit for curve in curves})
    problem = next((part.problem for part in parts if part.problem), "")
    if len(units) > 1:
        problem = f"the curves have different step units: {', '.join(units)}"
    if problem:
        return _nothing(parts, statistic, problem)
    return _of_one_task(parts[0], statistic, options) if len(parts) == 1 else _over_tasks(parts, statistic, options)


def _of_one_task(aligned: Aligned, statistic: Statistic, options: Options) -> Band:
    ordered = np.sort(aligned.values, axis=0).T  # (G, seeds), NaN last: the first `alive` of each row are the scores
    ends = np.full((3, len(aligned.grid)), np.nan)
    used: dict[str, str] = {}
    missing: dict[str, None] = {}
    for n in sorted({int(number) for number in aligned.alive if number}):
        steps = np.flatnonzero(aligned.alive == n)
        scores = ordered[steps, :n]
        ends[0, steps] = aggregate(statistic, options.target)(scores)
        choice = choose(n, statistic, options, reached=float(scores.max()) >= options.target)
        if isinstance(choice, Choice):
            used[f"{100 * choice.level:.3g} % {choice.method.name}"] = choice.method.assumption
            ends[1:, steps] = choice.bounds(scores)
        else:
            missing[choice] = None
    return _made([aligned], ends, aligned.alive, statistic, used, missing)


def _over_tasks(parts: Sequence[Aligned], statistic: Statistic, options: Options) -> Band:
    alive = np.min([part.alive for part in parts], axis=0)
    ends = np.full((3, len(alive)), np.nan)
    used: dict[str, str] = {}
    missing: dict[str, None] = {}
    for step in np.flatnonzero(alive):
        found = describe(_scores_at(parts, int(step)), statistic, options)
        ends[0, step] = np.nan if found.value is None else found.value
        if found.interval.bounds is None:
            missing[found.interval.reason] = None
        else:
            used[f"{100 * found.interval.level:.3g} % {found.interval.method}"] = found.interval.assumption
            ends[1:, step] = found.interval.bounds
    return _made(parts, ends, alive, statistic, used, missing)


def _scores_at(parts: Sequence[Aligned], step: int) -> Scores:
    runs = [
        SeedScore(curve.seed, float(value), "finished", curve.task, "", curve.run)
        for part in parts
        for curve, value in zip(part.curves, part.values[:, step], strict=True)
        if not np.isnan(value)
    ]
    return Scores("", tuple(runs))


def _made(
    parts: Sequence[Aligned],
    ends: FloatArray,
    alive: IntArray,
    statistic: Statistic,
    used: dict[str, str],
    missing: dict[str, None],
) -> Band:
    notes = list(dict.fromkeys(note for part in parts for note in part.notes))
    if used and missing:
        notes.append(f"no band at some steps: {'; '.join(missing)}")
    flat = int((np.isnan(ends[1]) & (alive > 1)).sum()) if used and not missing else 0
    if flat:
        notes.append(f"no band at {counted(flat, 'step')} where all seeds have the same value")
    method = f"pointwise {', '.join(used)} interval" if used else f"no interval: {'; '.join(missing)}"
    value, low, high = ends
    return Band(
        grid=parts[0].grid,
        value=value,
        low=low,
        high=high,
        alive=alive,
        statistic=statistic,
        method=method,
        assumption="; ".join(dict.fromkeys(used.values())),
        count=_count(parts),
        unit=parts[0].unit,
        notes=tuple(notes),
    )


def _nothing(parts: Sequence[Aligned], statistic: Statistic, problem: str) -> Band:
    empty, none = np.empty(0), np.empty(0, np.int64)
    reason = f"no interval: {problem}"
    return Band(empty, empty, empty, empty, none, statistic, reason, "", _count(parts), "", (), problem)


def _count(parts: Sequence[Aligned]) -> SeedCount:
    outcomes = [curve.outcome for part in parts for curve in part.curves]
    return SeedCount.of(outcomes, duplicates=sum(part.count.duplicates for part in parts))
