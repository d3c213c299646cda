"""A statistic over seeds along a curve, with its interval and the number of seeds that are left at every step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from experiments.project.look import counted
from experiments.statistics.aggregates import Statistic, aggregate
from experiments.statistics.curves import GRID_POINTS, Aligned, Curve, align
from experiments.statistics.intervals import Choice, choose
from experiments.statistics.values import DEFAULTS, FloatArray, IntArray, Options, SeedCount

RESAMPLES = 2_000  # at each of many steps; ends then move by about 1 % of the width


@dataclass(frozen=True, eq=False)
class Band:
    """A statistic of several curves along a grid.

    Attributes:
        grid: float64 (G,), in `unit`.
        value: float64 (G,), NaN where no seed is alive.
        low: float64 (G,), NaN where `alive` is too small for an interval or all seeds have the same value.
        high: float64 (G,).
        alive: int64 (G,), seeds with a value there.
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
    points: int = GRID_POINTS,
    with_interval: bool = True,
) -> Band:
    """Return a statistic over the curves of one arm, step by step.

    Every seed counts as long as it has values, so the band rests on fewer and fewer seeds where runs end early, and
    `alive` says on how many. An interval holds at each step by itself, not for the whole curve at once.

    Args:
        grid: Where to compare; give several arms the same one (`common_grid`).
        points: At most so many steps where `grid` is None.
        with_interval: Whether there is to be an interval; that of a median or interquartile mean takes its time.
    """
    options = replace(options, resamples=min(options.resamples, RESAMPLES))
    aligned = align(curves, grid=grid, points=points)
    if aligned.problem:
        empty, none = np.empty(0), np.empty(0, np.int64)
        reason = f"no interval: {aligned.problem}"
        return Band(empty, empty, empty, empty, none, statistic, reason, "", aligned.count, "", (), aligned.problem)
    ordered = np.sort(aligned.values, axis=0).T  # (G, seeds), NaN last: the first `alive` of each row are the scores
    ends = np.full((3, len(aligned.grid)), np.nan)
    used: dict[str, str] = {}
    missing: dict[str, None] = {}
    for n in sorted({int(number) for number in aligned.alive if number}):
        steps = np.flatnonzero(aligned.alive == n)
        scores = ordered[steps, :n]
        ends[0, steps] = aggregate(statistic, options.target)(scores)
        if not with_interval:
            missing["none was asked for"] = None
            continue
        choice = choose(n, statistic, options, reached=float(scores.max()) >= options.target)
        if isinstance(choice, Choice):
            used[f"{100 * choice.level:.3g} % {choice.method.name}"] = choice.method.assumption
            ends[1:, steps] = choice.bounds(scores)
        else:
            missing[choice] = None
    return _made(aligned, ends, statistic, used, missing)


def _made(
    aligned: Aligned, ends: FloatArray, statistic: Statistic, used: dict[str, str], missing: dict[str, None]
) -> Band:
    value, low, high = ends
    notes = list(dict.fromkeys(aligned.notes))
    if used and missing:
        notes.append(f"no band at some steps: {'; '.join(missing)}")
    flat = int((np.isnan(low) & (aligned.alive > 1)).sum()) if used and not missing else 0
    if flat:
        notes.append(f"no band at {counted(flat, 'step')} where all seeds have the same value")
    return Band(
        grid=aligned.grid,
        value=value,
        low=low,
        high=high,
        alive=aligned.alive,
        statistic=statistic,
        method=f"pointwise {', '.join(used)} interval" if used else f"no interval: {'; '.join(missing)}",
        assumption="; ".join(dict.fromkeys(used.values())),
        count=aligned.count,
        unit=aligned.unit,
        notes=tuple(notes),
    )
