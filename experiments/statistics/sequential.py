"""Intervals of paired differences that may be looked at before all seeds are there.

| a design looks | interval |
|---|---|
| at planned numbers of pairs | repeated: mean -+ limit x s / sqrt(k), with the limits of `looks` |
| after any pair | any-time: where the evidence of a mixture of effects stays below 1 / level |

Differences are those of the seeds 0 to k - 1 in their order, ended in both arms: were the first k to finish taken, a
setting that makes bad runs slow would win. All intervals of one design hold at once with the chance that its level
says, so that one may stop at whichever excludes 0, and none has to be corrected for the others.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from experiments.project.look import counted
from experiments.statistics import methods
from experiments.statistics.intervals import t_bounds
from experiments.statistics.looks import DEFAULT_SPENDING, Spending, look_limits
from experiments.statistics.values import FloatArray, Interval, Method, alike, numbers, shown

MIXTURE = 2.0
"""Variance of the standardised effects that the any-time interval mixes.

Simulated with 20,000 trials of 3 to 30 pairs: 0.5 needs 9.4 pairs on average to see an effect of 1.5 standard
deviations of the differences and 24.5 at level 0.00001; 2 needs 8.2 and 22.9; 8 needs 8.3 and 23.1, and with effects of
0.75 deviations has a power of 75 for 81 %. From 2 on, 4 pairs can decide at level 0.05.
"""


def interval_at_look(
    differences: Sequence[object] | npt.ArrayLike,
    looks: Sequence[int],
    level: float = 0.05,
    spending: Spending = DEFAULT_SPENDING,
) -> Interval:
    """Return the repeated confidence interval of a mean difference at a planned look, or why there is none.

    Args:
        differences: Paired differences of the seeds 0 to k - 1, in order, where k is one of `looks`.
        looks, level, spending: See `look_limits`; the interval's own level is 1 - `level`.

    Source: Jennison & Turnbull 1989, "Interim analyses: the repeated confidence interval approach".
    """
    values = numbers(differences).ravel()
    n = len(values)
    if n not in looks:
        planned = ", ".join(map(str, looks))
        return Interval.none(f"{counted(n, 'pair')} of seeds; looks are planned at {planned}", n, level=1 - level)
    limit = look_limits(looks, level, spending)[list(looks).index(n)]
    nothing = f"at {n} of {looks[-1]} pairs this design decides nothing yet"
    return _interval(values, limit, methods.REPEATED, level, nothing)


def anytime_interval(differences: Sequence[object] | npt.ArrayLike, level: float = 0.05) -> Interval:
    """Return an interval of a mean difference that holds at all numbers of pairs at once, or why there is none.

    One may look after each pair and stop, or go on, for any reason.

    Args:
        differences: Paired differences of the seeds 0 to n - 1, in order.
        level: Chance that any of the intervals misses the mean; the interval's own level is 1 - `level`.

    Source: as for `anytime_limit`.
    """
    values = numbers(differences).ravel()
    n = len(values)
    if n < methods.FEWEST_PAIRS:
        few = f"{counted(n, 'pair')} of seeds; a comparison needs {methods.FEWEST_PAIRS}"
        return Interval.none(few, n, level=1 - level)
    first = next(pairs for pairs in range(n, 1_000_000) if math.isfinite(anytime_limit(pairs, level)))
    nothing = f"{n} pairs of seeds; at level {level:.2g} an any-time interval begins at {first}"
    return _interval(values, anytime_limit(n, level), methods.ANY_TIME, level, nothing)


def anytime_limit(n: int, level: float) -> float:
    """Return how far from 0 the t statistic of n pairs must lie for evidence of 1 / level; infinite where none can.

    The evidence against a mean of 0 is the likelihood of t under standardised effects that are normal with variance g
    over that without effect. With r = 1 + n g and u = t^2 / (n - 1),

        E = ((1 + u) / (1 + u / r))^(n / 2) / sqrt(r)

    It depends on no scale, and is a martingale where the mean is 0: that it ever exceeds 1 / level has at most the
    chance `level` (Ville's inequality).

    Source: Lai 1976, "On confidence sequences"; Wang & Ramdas 2024, "Anytime-valid t-tests and confidence sequences for
    Gaussian means with unknown variance".
    """
    ratio = 1 + n * MIXTURE
    logarithm = 2 / n * (math.log(ratio) / 2 - math.log(level))
    if logarithm >= math.log(ratio):
        return math.inf
    reached = math.exp(logarithm)
    return math.sqrt((n - 1) * (reached - 1) / (1 - reached / ratio))


def _interval(differences: FloatArray, limit: float, method: Method, level: float, nothing: str) -> Interval:
    n = len(differences)
    missing = int(np.isnan(differences).sum())
    reason = ""
    if missing:
        reason = f"{counted(missing, 'pair')} of {n} without a number"
    elif alike(differences):
        same = f"all {n} pairs of seeds differ by the same {shown(float(differences[0]))}"
        reason = f"{same}, which says nothing of how much differences vary"
    elif math.isinf(limit):
        reason = nothing
    if reason:
        return Interval.none(reason, n, level=1 - level)
    low, high = t_bounds(differences, limit)
    return Interval.made((float(low), float(high)), method, n, level=1 - level, caution=methods.caution(n))
