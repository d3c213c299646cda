"""Bootstrap of ten arms with fifty seeds, against scipy's bootstrap of one arm, times the arms."""

from __future__ import annotations

import numpy as np
from scipy import stats

from experiments.statistics import Options, Scores, describe
from experiments.statistics.aggregates import iqm
from tests.benchmarks import Bar
from tests.benchmarks.measuring import least_cpu_s

ARMS, SEEDS = 10, 50
NOTE = f"{ARMS} arms x {SEEDS} seeds, 10,000 resamples"


def gates() -> list[Bar]:
    """Measure fewer times."""
    return run(5)


def run(rounds: int = 9) -> list[Bar]:
    """Measure in CPU time, the best of several taken in turn; scipy gets the same statistic, vectorised."""
    rng = np.random.default_rng(0)
    arms = [Scores.of(rng.normal(size=SEEDS), arm=f"arm {number}") for number in range(ARMS)]
    pooled = (arms[0].values,)

    def yardstick() -> object:
        return stats.bootstrap(
            pooled,
            lambda scores, axis: iqm(np.moveaxis(scores, axis, -1)),
            n_resamples=Options().resamples,
            method="percentile",
            vectorized=True,
            rng=np.random.default_rng(0),
        )

    all_arms, one = least_cpu_s(lambda: [describe(arm, "iqm") for arm in arms], yardstick, rounds=rounds)
    name = "BCa bootstrap of every arm / scipy's of one, times the arms"
    return [Bar(name, all_arms / one / ARMS, 1.5, note=NOTE, gate=True)]
