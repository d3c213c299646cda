"""Performance profiles: the share of runs that score more than a threshold, for every threshold.

Source: Dolan & More 2002; Agarwal et al. 2021 (run-score distributions).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from experiments.statistics import methods
from experiments.statistics.intervals import wilson
from experiments.statistics.scores import Scores
from experiments.statistics.values import DEFAULTS, FloatArray, Options, SeedCount, numbers


@dataclass(frozen=True, eq=False)
class Profile:
    """The share of an arm's runs beyond each threshold.

    Attributes:
        thresholds: float64 (T,), ascending, in the unit of the score.
        share: float64 (T,), between 0 and 1.
        low: float64 (T,); NaN where there is no band.
        high: float64 (T,).
        n: Scores that it rests on.
        method: Of the band, in words, or why there is none.
        what: What `share` is, in words.
        problem: Why there is nothing to show; then the thresholds are empty.
    """

    arm: str
    thresholds: FloatArray
    share: FloatArray
    low: FloatArray
    high: FloatArray
    n: int
    method: str
    what: str
    count: SeedCount
    assumption: str = ""
    problem: str = ""


def performance_profiles(
    arms: Sequence[Scores],
    *,
    thresholds: npt.ArrayLike | None = None,
    points: int = 101,
    options: Options = DEFAULTS,
) -> list[Profile]:
    """Return one profile an arm, all on the same thresholds.

    A band holds at each threshold by itself: averaged over the thresholds at which scores lie, it covers as it says.

    Args:
        thresholds: By default `points` even ones from the lowest to the highest score of any arm.
    """
    pooled = np.concatenate([np.empty(0), *(arm.values for arm in arms)])
    pooled = pooled[np.isfinite(pooled)]
    if thresholds is None:
        low, high = (float(pooled.min()), float(pooled.max())) if len(pooled) else (0.0, 0.0)
        chosen = np.linspace(low, high, points) if high > low else np.array([low])
    else:
        chosen = numbers(thresholds).ravel()
        chosen = np.unique(chosen[~np.isnan(chosen)])
    return [_profile(arm, chosen, options, below=False, what="share of runs that score more") for arm in arms]


def reached_by(
    scores: Scores, *, steps: npt.ArrayLike | None = None, points: int = 101, options: Options = DEFAULTS
) -> Profile:
    """Return the share of runs that reached a threshold by each step: the sample efficiency of one arm.

    Args:
        scores: Of a `Summary` of kind `steps to threshold`; a run that never got there counts as not there.
        steps: By default even ones from 0 to the last step at which a run got there.
    """
    if steps is None:
        there = scores.values[np.isfinite(scores.values)]
        chosen = np.linspace(0.0, float(there.max()), points) if len(there) else np.zeros(1)
    else:
        chosen = np.unique(numbers(steps).ravel())
        chosen = chosen[~np.isnan(chosen)]
    return _profile(scores, chosen, options, below=True, what=f"share of runs that are there ({scores.what})")


def _profile(arm: Scores, thresholds: FloatArray, options: Options, *, below: bool, what: str) -> Profile:
    n, level = len(arm.values), options.level
    if n == 0:
        none = np.empty(0)
        problem = f"no seed has a score: {arm.count.sentence}" if arm.runs else "no runs"
        return Profile(arm.arm, none, none, none, none, n, f"no band: {problem}", what, arm.count, problem=problem)
    reached = np.searchsorted(np.sort(arm.values), thresholds, side="right") / n
    share = reached if below else 1 - reached
    if n < methods.FEWEST_PROFILE:
        nothing, method = np.full(len(thresholds), np.nan), f"no band: 1 seed; it needs {methods.FEWEST_PROFILE}"
        return Profile(arm.arm, thresholds, share, nothing, nothing, n, method, what, arm.count)
    low, high = wilson(share, n, level)
    method = f"{methods.WILSON.name} {100 * level:.3g} % band, n = {n}"
    return Profile(arm.arm, thresholds, share, low, high, n, method, what, arm.count, methods.WILSON.assumption)
