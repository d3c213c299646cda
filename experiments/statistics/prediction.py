"""Where one further run of an arm will lie, which is further out than where its mean lies."""

from __future__ import annotations

import math

import numpy as np

from experiments.project.look import counted
from experiments.statistics import methods
from experiments.statistics.intervals import Bounds, t_bounds, t_quantile
from experiments.statistics.scores import Scores
from experiments.statistics.values import DEFAULTS, Estimate, FloatArray, Interval, Options, alike


def next_run(scores: Scores, options: Options = DEFAULTS) -> Estimate:
    """Return the mean of an arm with the prediction interval of one further run: its score lies within, with the level.

    Lost seeds are not in it: the count beside it says how many a further run may be one of.

    Source: Hahn & Meeker 1991, "Statistical Intervals: A Guide for Practitioners", for one future observation of a
    normal distribution.
    """
    values = np.sort(scores.values)
    n, reason = len(values), ""
    if n < methods.FEWEST_PREDICTED:
        reason = f"{counted(n, 'seed')}; it needs {methods.FEWEST_PREDICTED}"
    elif not np.isfinite(values).all():
        reason = f"{int(np.isinf(values).sum())} of {n} seeds never reached it"
    elif alike(values):
        reason = f"all {n} seeds have the same score, which says nothing of how much seeds vary"
    value = float(values.mean()) if n and np.isfinite(values).all() else None
    if reason:
        none = Interval.none(reason, n, level=options.level)
        return Estimate("next run", value, none, scores.count, scores.what)
    low, high = prediction(values, options.level)
    made = Interval.made((float(low), float(high)), methods.PREDICTION, n, level=options.level)
    return Estimate("next run", value, made, scores.count, scores.what)


def prediction(values: FloatArray, level: float) -> Bounds:
    """Return both ends (...) of where one further of scores (..., n) will lie."""
    n = values.shape[-1]
    return t_bounds(values, float(t_quantile(n - 1, level)) * math.sqrt(n + 1))
