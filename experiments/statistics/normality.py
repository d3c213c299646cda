"""Whether scores look normal: a note beside what assumes it. No method is chosen by it: that would be a second look."""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from experiments.statistics.values import FloatArray, alike

FEWEST = 5
DOUBTFUL = 0.05
"""A smaller p-value is said: chance alone gives one to one of 20 arms."""


def normality_of(values: FloatArray) -> float | None:
    """Return the p-value of the Shapiro-Francia test that scores (n,) are normal; None where they are too few or alike.

    Few seeds show hardly anything: a large value says that nothing was seen, and not that the scores are normal.

    Source: Shapiro & Francia 1972; Royston 1993, "A toolkit for testing for non-normality in complete and censored
    samples", for the p-value, from 5 to 5,000 scores.
    """
    n = len(values)
    if n < FEWEST or not np.isfinite(values).all() or bool(alike(values)):
        return None
    expected = special.ndtri((np.arange(1, n + 1) - 0.375) / (n + 0.25))
    straight = float(np.corrcoef(np.sort(values), expected)[0, 1]) ** 2
    size, double = math.log(n), math.log(math.log(n))
    mean = -1.2725 + 1.0521 * (double - size)
    deviation = 1.0308 - 0.26758 * (double + 2 / size)
    return float(special.ndtr(-(math.log(max(1 - straight, 1e-300)) - mean) / deviation))


def looks_otherwise(p_value: float | None) -> bool:
    """Tell whether scores are unlike normal ones by more than chance makes them in one of 20 arms."""
    return p_value is not None and p_value < DOUBTFUL
