"""How far the seeds of two arms go together: what pairing them gains, or costs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from experiments.project.look import counted
from experiments.statistics import methods
from experiments.statistics.intervals import t_quantile
from experiments.statistics.scores import Scores
from experiments.statistics.values import LEVEL, FloatArray, Interval, alike


@dataclass(frozen=True)
class PairCorrelation:
    """The correlation of two arms over the seeds that both have.

    It belongs into the plan of the next design: whoever pairs or not by what came out has two chances.

    Attributes:
        value: Pearson's; None where there is none.
        interval: Of it, or why there is none.
        n: Number of pairs.
        pays_from: Correlation from which so many pairs see more than two arms of as many seeds would, if both spread
            alike: differences have half the degrees of freedom. None where `value` is.
        costs: Whether the interval of the paired differences is wider than one of the arms would be.
    """

    value: float | None
    interval: Interval
    n: int
    pays_from: float | None = None
    costs: bool = False

    @property
    def sentence(self) -> str:
        """What pairing did here, in one sentence with its full stop."""
        if self.value is None or self.pays_from is None:
            return f"How far the pairs correlate is not known: {self.interval.reason}."
        ends = "" if self.interval.bounds is None else " [{:.2g}, {:.2g}]".format(*self.interval.bounds)
        did = f"cost power here; with {self.n} it pays from {self.pays_from:.2g}" if self.costs else "gained power here"
        return f"The pairs correlate by {self.value:.2g}{ends} (n = {self.n}): pairing {did}."


def pair_correlation(arm: Scores, baseline: Scores, *, level: float = LEVEL) -> PairCorrelation:
    """Return how far two arms correlate over the seeds that have a score in both.

    Source: Fisher 1915 for the interval, by the inverse hyperbolic tangent.
    """
    ours, theirs = arm.by_seed, baseline.by_seed
    shared = sorted(ours.keys() & theirs.keys()) if arm.known_seeds and baseline.known_seeds else []
    pairs = np.array([(ours[seed], theirs[seed]) for seed in shared]).reshape(-1, 2)
    n, reason = len(pairs), ""
    if n < methods.FEWEST_PAIRS:
        reason = f"{counted(n, 'pair')} of seeds; it needs {methods.FEWEST_PAIRS}"
    elif not np.isfinite(pairs).all():
        reason = "some seeds never reached the threshold"
    elif bool(alike(pairs.T).any()):
        reason = f"all {n} seeds of an arm have the same score"
    if reason:
        return PairCorrelation(None, Interval.none(reason, n, level=level), n)
    value = float(np.clip(np.corrcoef(pairs.T)[0, 1], -1.0, 1.0))
    differences = pairs[:, 0] - pairs[:, 1]
    many, few = float(t_quantile(2 * n - 2, level)), float(t_quantile(n - 1, level))
    costs = bool(differences.var(ddof=1) * few**2 > pairs.var(axis=0, ddof=1).sum() * many**2)
    if n < methods.FEWEST_CORRELATED:
        interval = Interval.none(f"{n} pairs of seeds; it needs {methods.FEWEST_CORRELATED}", n, level=level)
    else:
        low, high = fisher(np.array(value), n, level)
        interval = Interval.made((float(low), float(high)), methods.FISHER, n, level=level)
    return PairCorrelation(value, interval, n, 1 - (many / few) ** 2, costs)


def fisher(correlation: FloatArray, n: int, level: float) -> tuple[FloatArray, FloatArray]:
    """Return both ends of the interval of correlations (...) of n pairs each; one of 1 has 1 for both."""
    half = float(special.ndtri((1 + level) / 2)) / math.sqrt(n - 3)
    with np.errstate(divide="ignore"):
        at = np.arctanh(correlation)
    return np.asarray(np.tanh(at - half)), np.asarray(np.tanh(at + half))
