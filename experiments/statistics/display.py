"""Smoothing for the eye. No statistic takes what comes out of here."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from experiments.statistics.values import FloatArray, numbers

_LARGEST_EXPONENT = 500.0  # half-lives that can be held in one product without overflow


def smoothed_for_display(steps: npt.ArrayLike, values: npt.ArrayLike, half_life: float) -> FloatArray:
    """Return an exponential moving average of a curve, for drawing only.

    The weight of a value halves with every `half_life` steps that have passed since, however often it was logged, and
    weights are divided by their sum, so that the start is not drawn towards 0.

    Args:
        steps: (T,), ascending.
        values: (T,); one that is not a finite number has no weight.
        half_life: In the unit of the steps; 0 returns the values as they are.

    Returns:
        float64 (T,); NaN before the first finite value.
    """
    at, given = numbers(steps).ravel(), numbers(values).ravel()
    size = min(len(at), len(given))
    at, given = at[:size], given[:size]
    if not half_life > 0 or size == 0:
        return given
    known = ~np.isnan(given) & ~np.isnan(at)
    if not known.any():
        return given
    age = np.where(known, at, -np.inf)
    age = (np.maximum.accumulate(age) - at[known][0]) / half_life
    age = np.where(np.isfinite(age), age, 0.0)
    filled = np.where(known, given, 0.0)
    result = np.full(size, np.nan)
    total, weight, until = 0.0, 0.0, 0.0
    starts = np.flatnonzero(np.diff(np.floor(age / _LARGEST_EXPONENT), prepend=-1))
    for start, end in zip(starts, [*starts[1:], size], strict=True):
        first = age[start]
        faded = 0.5 ** min(first - until, 1000.0)
        growth = np.exp2(age[start:end] - first)
        sums = total * faded + np.cumsum(growth * filled[start:end])
        weights = weight * faded + np.cumsum(growth * known[start:end])
        with np.errstate(invalid="ignore", divide="ignore"):
            result[start:end] = sums / weights
        total, weight, until = sums[-1] / growth[-1], weights[-1] / growth[-1], age[end - 1]
    return result
