"""The interval of one arm, chosen by the coverage that was measured at its number of seeds.

| statistic | seeds | interval |
|---|---|---|
| mean | 2 or more | Student t; BCa on request from 20 |
| interquartile mean | 5 or more | BCa with widened tails |
| median | 5; 6 or more | the range of the seeds (93.75 %); interpolated order statistics |
| optimality gap | 2 or more | Student t where no seed reaches the target; else BCa from 20 |

The t interval of a gap was measured with targets 1.5 standard deviations and more above the mean; nearer ones are
reached by some seed. Under these numbers the seeds themselves are the honest thing to show, and the value says why
there is no interval.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
from scipy import special

from experiments.project.look import counted
from experiments.statistics import methods
from experiments.statistics.aggregates import Aggregate, Statistic, aggregate, counts_of, resampled_iqm
from experiments.statistics.values import DEFAULTS, FloatArray, Interval, Method, Options, alike, numbers

Bounds = tuple[FloatArray, FloatArray]
"""Both ends (...) of the intervals of scores (..., n)."""
_CHUNK = 4_000_000  # numbers held at once while resampling


@dataclass(frozen=True)
class Choice:
    """The way to make an interval at one number of scores.

    Attributes:
        level: Of the interval made, which differs from the one asked for only for a median of 5.
        bounds: Takes scores (..., n); returns both ends (...).
    """

    method: Method
    level: float
    bounds: Callable[[FloatArray], Bounds]


def interval(
    values: Sequence[object] | npt.ArrayLike, statistic: Statistic = "mean", options: Options = DEFAULTS
) -> Interval:
    """Return the interval of a statistic over seeds, or the reason why there is none.

    Args:
        values: One score a seed; whatever is not a finite number is left aside, and `n` says how many were used.
    """
    scores = numbers(values)
    if scores.size > len(np.atleast_1d(scores)):
        several = "several scores of one seed; give one, such as their mean"
        return Interval.none(several, len(scores), level=options.level)
    scores = scores.ravel()
    return interval_of(scores[~np.isnan(scores)], statistic, options)


def interval_of(scores: FloatArray, statistic: Statistic, options: Options = DEFAULTS) -> Interval:
    """Return the interval of clean scores (n,); infinity stands for a seed that never reached a threshold."""
    scores, n = np.sort(scores), len(scores)  # seeds come in any order, and sums of floats mind it
    if reason := _no_spread(scores, statistic, options.target):
        return Interval.none(reason, n, level=options.level)
    reached = n > 0 and float(scores.max()) >= options.target
    choice = choose(n, statistic, options, reached=reached)
    if isinstance(choice, str):
        return Interval.none(choice, n, level=options.level)
    low, high = choice.bounds(scores)
    return Interval.made((float(low), float(high)), choice.method, n, level=choice.level)


def choose(n: int, statistic: Statistic, options: Options, *, reached: bool = False) -> Choice | str:
    """Return how to make the interval of n scores, or the reason why there is none.

    Args:
        reached: Whether a seed reaches the target of an optimality gap.
    """
    if n < methods.FEWEST_T:
        return "1 seed" if n else "no seed has a score"
    if statistic in ("median", "iqm"):
        return _of_median(n, options) if statistic == "median" else _of_iqm(n, options)
    if statistic == "mean" and not (options.bootstrap and n >= methods.FEWEST_BCA):
        return Choice(methods.STUDENT, options.level, lambda scores: student_t(scores, options.level))
    if statistic == "optimality gap" and not reached:
        short = options.target
        return Choice(methods.STUDENT, options.level, lambda scores: student_t(short - scores, options.level))
    if n < methods.FEWEST_BCA:
        return f"{counted(n, 'seed')}; a bootstrap covers too little under {methods.FEWEST_BCA}"
    return _bca(statistic, options, math.sqrt(n / (n - 1)))


def t_quantile(df: FloatArray | float, level: float) -> FloatArray:
    """Return the two-sided quantile of Student's t with `df` degrees of freedom."""
    return np.asarray(special.stdtrit(df, (1 + level) / 2))


def student_t(scores: FloatArray, level: float) -> Bounds:
    """Return Student's t interval of the mean; NaN where the scores are all the same."""
    return t_bounds(scores, float(t_quantile(scores.shape[-1] - 1, level)))


def t_bounds(scores: FloatArray, limit: float) -> Bounds:
    """Return the means from which those of scores (..., n) lie no more than `limit` standard errors; else NaN."""
    centre = scores.mean(axis=-1)
    error = scores.std(axis=-1, ddof=1) / math.sqrt(scores.shape[-1])
    half = np.where(alike(scores) | (error == 0), np.nan, limit * error)
    return centre - half, centre + half


def order_ranks(n: int, level: float) -> tuple[int, float, float] | None:
    """Return which order statistics bound the median of n scores, or None where no pair reaches 93 %.

    Returns:
        Rank k (from 1), the share of the step from k towards k + 1, and the level that is reached. Only at 5 scores is
        it below the one asked for: the whole range covers the median with 93.75 %.

    Source: Hettmansperger & Sheather 1986, "Confidence intervals based on interpolated order statistics".
    """

    def covered(rank: int) -> float:
        return float(1 - 2 * special.bdtr(rank - 1, n, 0.5))

    ranks = [rank for rank in range(1, n // 2 + 1) if covered(rank) >= level]
    if not ranks:
        return (1, 0.0, covered(1)) if n >= 5 and level <= 0.95 else None
    rank = ranks[-1]
    inner = covered(rank + 1) if rank + 1 <= n - rank else 0.0
    excess = (covered(rank) - level) / (covered(rank) - inner)
    return rank, (n - rank) * excess / (rank + (n - 2 * rank) * excess), level


def order_statistics(scores: FloatArray, level: float) -> Bounds:
    """Return the interval of the median between two order statistics; scores may be infinite (never reached)."""
    n = scores.shape[-1]
    found = order_ranks(n, level)
    if found is None:
        return np.full(scores.shape[:-1], np.nan), np.full(scores.shape[:-1], np.nan)
    rank, towards, _ = found
    ordered = np.sort(scores, axis=-1)
    low, high = ordered[..., rank - 1], ordered[..., n - rank]
    if towards > 0:
        inward = ordered[..., rank], ordered[..., n - rank - 1]
        with np.errstate(invalid="ignore"):  # a finite end does not move towards an infinite one
            low = np.where(np.isinf(inward[0]), low, low + towards * (inward[0] - low))
            high = np.where(np.isinf(high), high, high + towards * (inward[1] - high))
    same = ordered[..., 0] == ordered[..., -1]
    return np.where(same, np.nan, low), np.where(same, np.nan, high)


def widened_tail(level: float, df: float, inflation: float) -> float:
    """Return the tail of a resampling distribution that makes up for its being too narrow.

    Resampled means vary by (n - 1) / n too little, and normal tails are too light for a standard error that rests on
    few scores.

    Args:
        inflation: Square root of n / (n - 1), or 1 where the statistic itself varies more when resampled.

    Source: Hesterberg 2015, "What Teachers Should Know About the Bootstrap", section 4.1 (expanded percentiles).
    """
    return float(special.ndtr(-inflation * t_quantile(df, level)))


def bca(scores: FloatArray, statistic: Statistic, options: Options, *, inflation: float) -> Bounds:
    """Return the bias-corrected and accelerated bootstrap interval, with widened tails.

    Source: Efron 1987, "Better Bootstrap Confidence Intervals", with `widened_tail` in place of its nominal level.
    """
    shape, n = scores.shape[:-1], scores.shape[-1]
    rows = np.sort(scores.reshape(-1, n), axis=-1)  # seeds come in any order
    function = aggregate(statistic, options.target)
    tail = widened_tail(options.level, n - 1, inflation)
    step = max(1, _CHUNK // options.resamples)
    parts = [rows[start : start + step] for start in range(0, len(rows), step)]
    ends = [_bca_ends(part, np.sort(_drawn(part, statistic, options), axis=-1), function, tail) for part in parts]
    low, high = (np.where(alike(rows), np.nan, np.concatenate(side)) for side in zip(*ends, strict=True))
    return low.reshape(shape), high.reshape(shape)


def wilson(share: FloatArray, n: FloatArray | float, level: float) -> Bounds:
    """Return Wilson's interval of a share among n.

    Source: Wilson 1927; Brown, Cai & DasGupta 2001, "Interval Estimation for a Binomial Proportion".
    """
    z2 = float(special.ndtri((1 + level) / 2)) ** 2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = np.sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n**2))) / (1 + z2 / n)
    return np.maximum(centre - half, 0.0), np.minimum(centre + half, 1.0)


def _of_median(n: int, options: Options) -> Choice | str:
    ranks = order_ranks(n, options.level)
    if ranks is None:
        return f"{counted(n, 'seed')}; no two seeds bound the median with {100 * options.level:.3g} %"
    return Choice(methods.ORDER, ranks[2], lambda scores: order_statistics(scores, options.level))


def _of_iqm(n: int, options: Options) -> Choice | str:
    if n < methods.FEWEST_IQM:
        return f"{counted(n, 'seed')}; an interval of the interquartile mean needs {methods.FEWEST_IQM}"
    # Measured on normal scores: 92.9 % at 5 seeds without the inflation, and 97.1 % at 8 with it.
    return _bca("iqm", options, math.sqrt(n / (n - 1)) if n == methods.FEWEST_IQM else 1.0)


def _bca(statistic: Statistic, options: Options, inflation: float) -> Choice:
    ends = partial(bca, statistic=statistic, options=options, inflation=inflation)
    return Choice(methods.BCA, options.level, ends)


def _no_spread(scores: FloatArray, statistic: Statistic, target: float) -> str:
    """Return why scores have no interval at any number of seeds, or nothing."""
    if statistic == "optimality gap" and len(scores) and scores.min() >= target:
        return f"every seed reaches the target of {target:g}"
    n = len(scores)
    missed = int(np.isinf(scores).sum())
    if missed and statistic != "median":
        return f"{missed} of {n} seeds never reached it, and the {statistic} would leave them out; see the median"
    if n > 1 and (missed == n or (not missed and bool(alike(scores)))):
        return f"all {n} seeds have the same score, which says nothing of how much seeds vary"
    return ""


def _drawn(rows: FloatArray, statistic: Statistic, options: Options) -> FloatArray:
    """Return the statistic (rows, resamples) of every resample of sorted rows (rows, n)."""
    n = rows.shape[-1]
    counts = counts_of(n, options.resamples, options.seed)
    if statistic == "iqm":
        return resampled_iqm(rows, counts)
    values = rows if statistic == "mean" else np.maximum(options.target - rows, 0.0)
    return np.asarray(values @ counts / n)


def _bca_ends(rows: FloatArray, draws: FloatArray, function: Aggregate, tail: float) -> Bounds:
    count = draws.shape[-1]
    point = function(rows)[:, None]
    slack = 1e-9 * (rows[:, -1:] - rows[:, :1])  # rounding must not decide what equals the estimate
    below = ((draws < point - slack).sum(axis=-1) + (draws <= point + slack).sum(axis=-1)) / (2 * count)
    bias = special.ndtri(np.clip(below, 1 / count, 1 - 1 / count))[:, None]
    left_out = np.stack([function(np.delete(rows, at, axis=-1)) for at in range(rows.shape[-1])], axis=-1)
    lean = left_out.mean(axis=-1, keepdims=True) - left_out
    with np.errstate(invalid="ignore", divide="ignore"):
        lean = lean / np.abs(lean).max(axis=-1, keepdims=True)  # so that cubes of large scores stay numbers
        speed = (lean**3).sum(axis=-1, keepdims=True) / (6 * (lean**2).sum(axis=-1, keepdims=True) ** 1.5)
    speed = np.where(np.isnan(speed), 0.0, speed)
    z = special.ndtri(np.array([tail, 1 - tail]))
    at = special.ndtr(bias + (bias + z) / (1 - speed * (bias + z)))
    ends = _quantiles(draws, at)
    return ends[:, 0], ends[:, 1]


def _quantiles(ordered: FloatArray, at: FloatArray) -> FloatArray:
    """Return quantiles (rows, k) of sorted draws (rows, count), interpolated; `at` may differ from row to row."""
    position = at * (ordered.shape[-1] - 1)
    below = np.floor(position).astype(np.intp)
    above = np.minimum(below + 1, ordered.shape[-1] - 1)
    share = position - below
    low, high = np.take_along_axis(ordered, below, -1), np.take_along_axis(ordered, above, -1)
    return np.asarray(low + share * (high - low))
