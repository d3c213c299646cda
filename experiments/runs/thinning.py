"""Fewer points for the eye: the lowest and highest value of every stretch stay, and bucket means for smoothing."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]


def min_max(values: FloatArray, points: int) -> IntArray:
    """Return which of `values` (T,) to draw, ascending: at most about `points`, with the extremes of every stretch.

    The first and the last are always there, so that no curve is drawn shorter than it is.
    """
    size = len(values)
    if size <= points:
        return np.arange(size)
    from tsdownsample import MinMaxDownsampler

    width = _width(size, max(1, (points - 2) // 2))
    whole = size // width * width
    plain = np.ascontiguousarray(values, np.float64)
    parts = [np.zeros(1, np.int64)]
    for part, start, wanted in ((plain[:whole], 0, 2 * (whole // width)), (plain[whole:], whole, 2)):
        if len(part) > wanted:
            parts.append(start + MinMaxDownsampler().downsample(part, n_out=wanted).astype(np.int64))
        else:
            parts.append(start + np.arange(len(part)))
    return np.unique(np.concatenate([*parts, [size - 1]]))


def bucket_means(steps: FloatArray, values: FloatArray, buckets: int) -> tuple[FloatArray, FloatArray]:
    """Return the mean step and value of at most `buckets` stretches with equally many points each but the last."""
    if len(steps) <= buckets:
        return steps, values
    edges = np.arange(0, len(steps), _width(len(steps), buckets))
    counts = np.diff(edges, append=len(steps))
    return np.add.reduceat(steps, edges) / counts, np.add.reduceat(values, edges) / counts


def _width(size: int, most: int) -> int:
    """Return how many points a stretch has, where there are at most so many stretches.

    A power of two, so that a run that grows keeps its stretches, and a page only gets the new ones, until all double.
    """
    return 1 << max(0, -(-size // most) - 1).bit_length()


def rounded(values: FloatArray, digits: int = 6) -> list[float | None]:
    """Return numbers with so many significant digits, shorter to send; None for what is not a finite number."""
    finite = np.isfinite(values)
    with np.errstate(divide="ignore", invalid="ignore"):
        power = np.where(finite & (values != 0), np.floor(np.log10(np.abs(values))), 0.0)
    places = np.clip(digits - 1 - power, -300, 300)
    scale = 10.0 ** np.abs(places)
    with np.errstate(all="ignore"):
        short = np.where(places >= 0, np.round(values * scale) / scale, np.round(values / scale) * scale)
    short = np.where(np.isfinite(short), short, values)
    return [float(value) if known else None for value, known in zip(short.tolist(), finite.tolist(), strict=True)]
