"""Resampling with replacement inside strata: the same draws for the same seed, kept for the next arm.

A resample is held as how often it drew each score. A mean of it is then one product, and an interquartile mean needs
no sorting: the scores are sorted once, and the counts say where the cuts fall.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from experiments.statistics.aggregates import trimmed
from experiments.statistics.values import FloatArray

Counts = npt.NDArray[np.uint16]
_KEPT = 5_000_000  # counts that are worth keeping in memory


def counts_of(sizes: tuple[int, ...], resamples: int, seed: int) -> Counts:
    """Return counts (sum of sizes, resamples) for strata laid end to end, each drawn inside its own stratum.

    Arms of the same shape get the same draws, which saves much of the time of comparing many arms. A difference of two
    arms lays the strata of both end to end, so that their draws are independent.
    """
    return _kept(sizes, resamples, seed) if resamples * sum(sizes) <= _KEPT else _drawn(sizes, resamples, seed)


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
def _kept(sizes: tuple[int, ...], resamples: int, seed: int) -> Counts:
    drawn = _drawn(sizes, resamples, seed)
    drawn.flags.writeable = False
    return drawn


def _drawn(sizes: tuple[int, ...], resamples: int, seed: int) -> Counts:
    rng = np.random.default_rng(seed)
    column = np.arange(resamples)[:, None]
    parts = []
    for size in sizes:
        cells = rng.integers(size, size=(resamples, size)) * resamples + column
        parts.append(np.bincount(cells.ravel(), minlength=size * resamples).reshape(size, resamples))
    return np.concatenate(parts).astype(np.uint16)
