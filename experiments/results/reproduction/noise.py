"""How far the same metric of two runs of one seed may lie apart by noise alone.

The limit is the repeatability limit of ISO 5725-6: two results under one set of conditions differ by less in 95 % of
cases. It is t·√2·s with Student's t of the degrees of freedom of s; the standard's 2.8·s is its value for
many. Runs of one seed are such results. Runs of several seeds are not, and spread at least as much: their limit is
used where there is nothing better, and is said to be theirs.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace

from experiments.project.look import counted
from experiments.results.reproduction.values import Noise

_LEAST_SEEDS = 3
LEVEL = 0.95


def noise_of(
    metric: str,
    original: float | None,
    reproduction: float | None,
    *,
    seeds: Sequence[float] = (),
    repeats: Mapping[int, Sequence[float]] | None = None,
) -> Noise:
    """Return the noise of a metric as its seeds and same-seed repeats show it.

    Args:
        original: Last value of the run.
        reproduction: Last value of its reproduction, which is in neither of the spreads.
        seeds: Last value of each seed of the arm.
        repeats: Last values of all runs of a seed, by seed; a seed with one run says nothing.
    """
    found = Noise(metric, original, reproduction)
    of_seeds = _of_seeds(seeds)
    several = {seed: values for seed, values in (repeats or {}).items() if len(values) > 1}
    if several:
        freedom = sum(len(values) - 1 for values in several.values())
        spread = math.sqrt(sum(_squares(values) for values in several.values()) / freedom)
        runs = counted(sum(map(len, several.values())), "run")
        over = f"pooled over {runs} of {counted(len(several), 'seed')}"
        method = f"repeatability limit of ISO 5725-6, {over}, each seed run again"
        beside = f"seeds differ by up to {of_seeds[0]:.4g}" if of_seeds else ""
        return replace(found, limit=_limit(spread, freedom), spread=spread, method=method, beside=beside)
    if of_seeds is None:
        why = f"{counted(len(seeds), 'seed')} and no seed run twice, so no spread is known; --same-seed 3 measures it"
        return replace(found, method=why)
    limit, spread = of_seeds
    method = f"repeatability limit of ISO 5725-6 over the arm's {len(seeds)} seeds; no seed was run twice"
    return replace(found, limit=limit, spread=spread, method=method)


def _of_seeds(values: Sequence[float]) -> tuple[float, float] | None:
    if len(values) < _LEAST_SEEDS:
        return None
    spread = math.sqrt(_squares(values) / (len(values) - 1))
    return _limit(spread, len(values) - 1), spread


def _squares(values: Sequence[float]) -> float:
    # Exact: runs that are the same must have no spread at all, and not that of a rounded mean.
    return float(statistics.variance(values)) * (len(values) - 1)


def _limit(spread: float, freedom: int) -> float:
    from scipy.stats import t

    return float(t.ppf(0.5 + LEVEL / 2, freedom)) * math.sqrt(2) * spread
