"""Probability of improvement: how often a random run of one arm beats a random run of another."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy import special

from experiments.project.look import counted
from experiments.statistics import methods
from experiments.statistics.intervals import Bounds
from experiments.statistics.scores import Scores
from experiments.statistics.values import DEFAULTS, Estimate, FloatArray, Interval, Options

NAME = "probability of improvement"
_FAR = 50.0  # logits: beyond, every probability is 0 or 1


def probability_of_improvement(
    arm: Scores, baseline: Scores, options: Options = DEFAULTS, *, higher_is_better: bool = True
) -> Estimate:
    """Return how often a random run of `arm` beats one of `baseline`; a tie counts half.

    The estimate is that of Agarwal et al. 2021 (Mann and Whitney's U over all pairs). It and its interval depend on the
    order of scores only, so they are the same on any scale.
    """
    sign = 1.0 if higher_is_better else -1.0
    ours, theirs = sign * arm.values, sign * baseline.values
    n, fewest = len(ours) + len(theirs), min(len(ours), len(theirs))
    what = f"{arm.what}, against {baseline.arm or 'the baseline'} ({baseline.count.sentence})"
    value = share_of_wins(ours, theirs) if fewest else None
    reason = ""
    if value is None:
        reason = "an arm has no score"
    elif fewest < methods.FEWEST_IMPROVEMENT:
        reason = f"{counted(fewest, 'seed')} in an arm; it needs {methods.FEWEST_IMPROVEMENT}"
    if value is None or reason:
        return Estimate(NAME, value, Interval.none(reason, n, level=options.level), arm.count, what)
    low, high = score_interval(np.array(value), (len(ours), len(theirs)), options.level)
    interval = Interval.made((float(low), float(high)), methods.WINS, n, level=options.level)
    return Estimate(NAME, value, interval, arm.count, what)


def share_of_wins(arm: FloatArray, baseline: FloatArray) -> float:
    """Return the share of pairs in which a score of `arm` is the higher one."""
    with np.errstate(invalid="ignore"):
        wins = (arm[:, None] > baseline).sum() + 0.5 * (arm[:, None] == baseline).sum()
    return float(wins) / (len(arm) * len(baseline))


def score_interval(share: FloatArray, sizes: tuple[int, int], level: float) -> Bounds:
    """Return the interval of probabilities of improvement (...) from the shares of wins that were seen.

    It holds every probability that is no more than the normal quantile of its own standard errors away from the one
    seen, so that it stays inside 0 and 1 and does not shrink to nothing where one arm always wins.

    Args:
        sizes: Number of scores of both arms.

    Source: Newcombe 2006, "Confidence intervals for an effect size measure based on the Mann-Whitney statistic", part
    2, method 5, with the standard error of normal scores (below) for that of exponential ones, which covers up to 98 %
    at 50 seeds; simulated in `tests/statistics/test_coverage.py`.
    """
    z = float(special.ndtri((1 + level) / 2))

    def beyond(place: FloatArray) -> FloatArray:
        at = special.expit(place)
        return np.asarray(np.abs(at - share) - z * np.sqrt(_variance(at, sizes)))

    far = np.full(share.shape, _FAR)
    seen = np.clip(special.logit(share), -far, far)
    low, high = (special.expit(_root(beyond, seen, end)) for end in (-far, far))
    return np.where(share <= 0, 0.0, low), np.where(share >= 1, 1.0, high)


def _variance(share: FloatArray, sizes: tuple[int, int]) -> FloatArray:
    """Return the sampling variance of shares of wins (...), were these the true ones.

    It needs the chance that one run beats two others, which is known for scores that some stretching makes normal
    with one spread in both arms.

    Source: Hanley & McNeil 1982 for the variance; Owen 1956 for the chance.
    """
    twice = share - 2 * special.owens_t(special.ndtri(share), 1 / math.sqrt(3))
    variance = share * (1 - share) + (sum(sizes) - 2) * (twice - share**2)
    return np.asarray(np.maximum(variance, 0.0) / math.prod(sizes))


def _root(function: Callable[[FloatArray], FloatArray], inside: FloatArray, outside: FloatArray) -> FloatArray:
    """Return where a function turns positive on the way from one end to the other, by halving."""
    for _ in range(60):
        middle = (inside + outside) / 2
        positive = function(middle) > 0
        inside, outside = np.where(positive, inside, middle), np.where(positive, middle, outside)
    return (inside + outside) / 2
