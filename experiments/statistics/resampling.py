"""Aggregates over several tasks, and their intervals by resampling inside each task.

A stratum is the scores (n,) of one arm in one task. Where the same runs were scored on every task their scores are
not independent: then whole seeds are resampled, rows of a table (n, tasks).

Source: Agarwal et al. 2021 for the stratified bootstrap. Its percentile interval covers 88 to 93 % at 5 seeds, so the
tails are widened here (`bounds.widened_tail`), with degrees of freedom after Satterthwaite 1946.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from experiments.statistics.aggregates import Statistic, aggregate, trimmed, winsorised
from experiments.statistics.bounds import quantiles, satterthwaite, widened_tail
from experiments.statistics.draws import Counts, counts_of, resampled_iqm
from experiments.statistics.values import FloatArray, Options

Strata = Sequence[FloatArray]


def over_tasks(strata: Strata, statistic: Statistic, target: float = 1.0) -> float:
    """Return an aggregate over tasks.

    Mean and optimality gap give every task the same weight; the interquartile mean pools all runs, so that a task with
    a lost run counts a little less; the median is that of the tasks' means. With full strata all four are rliable's.
    """
    function = aggregate(statistic, target)
    if len(strata) == 1 or statistic == "iqm":
        return float(function(np.concatenate(strata)))
    if statistic == "median":
        return float(np.median([stratum.mean() for stratum in strata]))
    return float(np.mean([function(stratum) for stratum in strata]))


def stratified(strata: Strata, statistic: Statistic, options: Options, *, minus: Strata = ()) -> tuple[float, float]:
    """Return the interval of an aggregate over tasks, or of its difference to that of another arm.

    Args:
        minus: Strata of the other arm.

    Returns:
        Both ends; NaN where no score varies.
    """
    strata, minus = [np.sort(part) for part in strata], [np.sort(part) for part in minus]  # seeds come in any order
    parts = [_parts(arm, statistic, options.target) for arm in (strata, minus) if arm]
    variance, df, size = np.concatenate(parts, axis=1)
    if not variance.sum() > 0:
        return math.nan, math.nan
    inflation = math.sqrt(float((variance * size / (size - 1)).sum() / variance.sum()))
    tail = widened_tail(options.level, satterthwaite(variance, df), inflation)
    counts = counts_of(tuple(map(len, [*strata, *minus])), options.resamples, options.seed)
    width = sum(map(len, strata))
    draws = _resampled(strata, statistic, options.target, counts[:width])
    if minus:
        draws = draws - _resampled(minus, statistic, options.target, counts[width:])
    return _ends(draws, tail)


def by_seed(table: FloatArray, statistic: Statistic, options: Options) -> tuple[float, float]:
    """Return the interval of an aggregate over tasks that the same runs were scored on; table (seeds, tasks)."""
    n, tasks = table.shape
    if np.ptp(table, axis=0).max() == 0:
        return math.nan, math.nan
    ordered = table[np.lexsort(table.T)]
    counts = counts_of((n,), options.resamples, options.seed)
    draws = _resampled(list(ordered.T), statistic, options.target, np.tile(counts, (tasks, 1)))
    return _ends(draws, widened_tail(options.level, n - 1, math.sqrt(n / (n - 1))))


def _parts(strata: Strata, statistic: Statistic, target: float) -> FloatArray:
    """Return (3, strata): the variance that each stratum adds, its degrees of freedom, its size.

    An interquartile mean moves with a score only as far as the score is not cut off, hence the winsorised variance.
    """
    sizes = np.array([len(stratum) for stratum in strata], dtype=np.float64)
    if statistic == "iqm":
        pooled = np.concatenate(strata)
        ends = np.cumsum([len(stratum) for stratum in strata])[:-1]
        kept = len(pooled) - 2 * trimmed(len(pooled))
        moving, weight = np.split(winsorised(pooled), ends), sizes / kept
    else:
        gap = statistic == "optimality gap"
        moving = [np.maximum(target - stratum, 0.0) if gap else stratum for stratum in strata]
        weight = np.full(len(strata), 1 / len(strata))
    spread = np.array([part.var(ddof=1) for part in moving])
    return np.stack([weight**2 * spread / sizes, sizes - 1, sizes])


def _resampled(strata: Strata, statistic: Statistic, target: float, counts: Counts) -> FloatArray:
    """Return the aggregate (resamples,) of every resample."""
    pooled = np.concatenate(strata)
    if statistic != "iqm":
        # The mean over tasks of task means: each score weighs the less, the more its task has.
        scores = pooled if statistic == "mean" else np.maximum(target - pooled, 0.0)
        weight = np.concatenate([np.full(len(part), 1 / len(part)) for part in strata]) / len(strata)
        return np.asarray((scores * weight) @ counts)
    order = np.argsort(pooled, kind="stable")
    return resampled_iqm(pooled[order], counts[order])


def _ends(draws: FloatArray, tail: float) -> tuple[float, float]:
    if np.ptp(draws) == 0:
        return math.nan, math.nan
    last = len(draws) - 1
    near = [int(tail * last), int((1 - tail) * last)]
    ordered = np.partition(draws, [*near, *(min(place + 1, last) for place in near)])
    low, high = quantiles(ordered[None, :], np.array([[tail, 1 - tail]]))[0]
    return float(low), float(high)
