"""One number from many scores. Every function takes scores (..., n) and returns (...).

Source: the aggregates are those of Agarwal et al. 2021, "Deep Reinforcement Learning at the Edge of the Statistical
Precipice", with the same trimming as scipy's `trim_mean(scores, 0.25)`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np

from experiments.statistics.values import FloatArray

Statistic = Literal["mean", "median", "iqm", "optimality gap"]
STATISTICS: tuple[Statistic, ...] = get_args(Statistic)
Aggregate = Callable[[FloatArray], FloatArray]


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
