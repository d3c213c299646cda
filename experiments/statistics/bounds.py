"""Ends of intervals, for many sets of scores at once: scores (..., n) in, two arrays (...) out.

Nothing here judges whether an interval should be made; `intervals` and `comparisons` choose by measured coverage.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from experiments.statistics.aggregates import Aggregate, Statistic, aggregate
from experiments.statistics.draws import counts_of, resampled_iqm
from experiments.statistics.values import FloatArray, Options, alike

Bounds = tuple[FloatArray, FloatArray]
_CHUNK = 4_000_000  # numbers held at once while resampling


def t_quantile(df: FloatArray | float, level: float) -> FloatArray:
    """Return the two-sided quantile of Student's t with `df` degrees of freedom."""
    return np.asarray(special.stdtrit(df, (1 + level) / 2))


def student_t(scores: FloatArray, level: float) -> Bounds:
    """Return Student's t interval of the mean; NaN where the scores are all the same."""
    n = scores.shape[-1]
    centre = scores.mean(axis=-1)
    error = scores.std(axis=-1, ddof=1) / math.sqrt(n)
    half = np.where(alike(scores) | (error == 0), np.nan, t_quantile(n - 1, level) * error)
    return centre - half, centre + half


def t_of_variances(centre: float, parts: FloatArray, df: FloatArray, level: float) -> tuple[float, float, float]:
    """Return a t interval of a sum with independent parts, and the p-value of it being 0.

    Args:
        parts: Variance of each part's mean.
        df: Degrees of freedom of each part.

    Source: Welch 1947; Satterthwaite 1946.
    """
    variance = float(parts.sum())
    if not variance > 0:
        return math.nan, math.nan, math.nan
    together = satterthwaite(parts, df)
    half = float(t_quantile(together, level)) * math.sqrt(variance)
    p_value = 2 * float(special.stdtr(together, -abs(centre) / math.sqrt(variance)))
    return centre - half, centre + half, p_value


def satterthwaite(parts: FloatArray, df: FloatArray) -> float:
    """Return the degrees of freedom of a sum of variances."""
    share = parts / parts.max()
    return float(share.sum() ** 2 / (share**2 / df).sum())


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


def _drawn(rows: FloatArray, statistic: Statistic, options: Options) -> FloatArray:
    """Return the statistic (rows, resamples) of every resample of sorted rows (rows, n)."""
    n = rows.shape[-1]
    counts = counts_of((n,), options.resamples, options.seed)
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
    ends = quantiles(draws, at)
    return ends[:, 0], ends[:, 1]


def quantiles(ordered: FloatArray, at: FloatArray) -> FloatArray:
    """Return quantiles (rows, k) of sorted draws (rows, count), interpolated; `at` may differ from row to row."""
    position = at * (ordered.shape[-1] - 1)
    below = np.floor(position).astype(np.intp)
    above = np.minimum(below + 1, ordered.shape[-1] - 1)
    share = position - below
    low, high = np.take_along_axis(ordered, below, -1), np.take_along_axis(ordered, above, -1)
    return np.asarray(low + share * (high - low))
