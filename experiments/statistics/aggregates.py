"""One number from many scores, and from every resample of them.

A statistic takes scores (..., n) and returns (...). A resample is held as how often it drew each score: a mean of it is
then one product, and an interquartile mean needs no sorting, as the counts say where the cuts fall.

Source: the aggregates are those of Agarwal et al. 2021, "Deep Reinforcement Learning at the Edge of the Statistical
Precipice", with the same trimming as scipy's `trim_mean(scores, 0.25)`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from experiments.statistics.values import FloatArray

Statistic = Literal["mean", "median", "iqm", "optimality gap"]
STATISTICS: tuple[Statistic, ...] = get_args(Statistic)
Aggregate = Callable[[FloatArray], FloatArray]
Counts = npt.NDArray[np.uint16]
_KEPT = 5_000_000  # counts that are worth keeping in memory


def mean(scores: FloatArray) -> FloatArray:
    """Return the mean."""
    return np.asarray(scores.mean(axis=-1))


def median(scores: FloatArray) -> FloatArray:
    """Return the median."""
    return np.asarray(np.median(scores, axis=-1))


def iqm(scores: FloatArray) -> FloatArray:
    """Return the interquartile mean: the mean without the lowest and the highest quarter, each rounded down.

    Under 4 scores nothing is cut, and it is the mean.
    """
    n = scores.shape[-1]
    cut = trimmed(n)
    if cut == 0:
        return mean(scores)
    ordered = np.partition(scores, (cut, n - cut - 1), axis=-1)
    return np.asarray(ordered[..., cut : n - cut].mean(axis=-1))


def optimality_gap(scores: FloatArray, target: float = 1.0) -> FloatArray:
    """Return by how much scores fall short of `target` on average; what is beyond it does not make up for others."""
    return np.asarray(np.maximum(target - scores, 0.0).mean(axis=-1))


def trimmed(n: int) -> int:
    """Return how many of n scores the interquartile mean cuts at each end."""
    return n // 4


def winsorised(scores: FloatArray) -> FloatArray:
    """Return (..., n) scores with the cut quarters replaced by the nearest score that is kept.

    Source: Yuen 1974, "The two-sample trimmed t for unequal population variances".
    """
    n = scores.shape[-1]
    cut = trimmed(n)
    ordered = np.partition(scores, (cut, n - cut - 1), axis=-1)
    return np.clip(scores, ordered[..., cut, None], ordered[..., n - cut - 1, None])


def aggregate(statistic: Statistic, target: float = 1.0) -> Aggregate:
    """Return the function of a statistic's name; `target` is that of the optimality gap."""
    if statistic == "optimality gap":
        return lambda scores: optimality_gap(scores, target)
    functions: dict[str, Aggregate] = {"mean": mean, "median": median, "iqm": iqm}
    return functions[statistic]


def counts_of(n: int, resamples: int, seed: int) -> Counts:
    """Return how often each of n scores is drawn (n, resamples); arms of the same size get the same draws."""
    return _kept(n, resamples, seed) if resamples * n <= _KEPT else _drawn(n, resamples, seed)


def resampled_iqm(ordered: FloatArray, counts: Counts) -> FloatArray:
    """Return the interquartile means (..., resamples) of sorted scores (..., n) drawn as `counts` (n, resamples)."""
    n = ordered.shape[-1]
    cut = trimmed(n)
    upto = counts.copy()
    for place in range(1, n):  # row by row, a tenth of the time of cumsum over the first axis
        upto[place] += upto[place - 1]
    np.clip(upto, cut, n - cut, out=upto)  # what is drawn before the lower cut and after the upper one adds nothing
    # Summed by parts: every step between neighbours counts for all draws above it.
    ends = ordered[..., -1] * (n - cut) - ordered[..., 0] * cut
    drawn = ends[..., None] - np.diff(ordered, axis=-1) @ upto[:-1]
    return np.asarray(drawn / (n - 2 * cut))


@lru_cache(maxsize=4)
def _kept(n: int, resamples: int, seed: int) -> Counts:
    drawn = _drawn(n, resamples, seed)
    drawn.flags.writeable = False
    return drawn


def _drawn(n: int, resamples: int, seed: int) -> Counts:
    cells = np.random.default_rng(seed).integers(n, size=(resamples, n)) * resamples + np.arange(resamples)[:, None]
    return np.bincount(cells.ravel(), minlength=n * resamples).reshape(n, resamples).astype(np.uint16)
