"""Critical values of t for a comparison of pairs that is looked at several times, as they were planned.

Someone who tests five times at 5 % is wrong in 15 % of cases. A spending function says how much of the level may be
used up at each look; the limits below use exactly that much where differences are normal.

The tables of textbooks take the spread as known: their limits, turned into quantiles of t, would have each of five
looks at 4 to 12 pairs spend a fifth more than it should, and of six at 3 to 8 pairs a third more. What is exact for t
is a recursion of the same kind. The cosine V between the differences and (1, ..., 1) is a function of t alone,
t = V sqrt(k - 1) / sqrt(1 - V^2). Where the mean is 0, the direction of the differences is independent of their length
(Basu 1955), and so the cosine of k + 1 pairs depends on what came before by that of k pairs alone:

    V' = sqrt(k / (k + 1)) V cos(phi) + sin(phi) / sqrt(k + 1),    density of phi in proportion to cos(phi)^(k - 1)

where tan(phi) is the new difference over the length of those before. The chance of not having crossed a limit is
carried over a grid from one pair to the next (Armitage, McPherson & Rowe 1969), and cut at every look.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

import numpy as np
from scipy import special

from experiments.statistics.values import FloatArray

Spending = Literal["kim-demets", "pocock", "obrien-fleming"]
"""How a level is spent over looks: more at later ones, about evenly, or hardly anything before the end."""

DEFAULT_SPENDING: Spending = "kim-demets"

CALIBRATED = 0.9
"""Share of the level that the looks spend under normality: an error of 5.0 % would be found above 5 % half the time."""

# The state is |z|, the normal quantile of the p-value of |t|: one grid that serves any number of pairs.
_FARTHEST = 7.0  # p = 3e-12
_EDGES = np.linspace(0.0, _FARTHEST, 201)  # 401 change no limit by more than 0.005
_NOTHING = 1e-300  # a chance that has a logarithm
_MIDDLES = (_EDGES[1:] + _EDGES[:-1]) / 2
# From so many pairs on z moves as for a known spread: quick, and at most a twentieth more than the level is spent.
_AS_NORMAL = 50


def look_limits(looks: Sequence[int], level: float = 0.05, spending: Spending = DEFAULT_SPENDING) -> tuple[float, ...]:
    """Return how far from 0 the t statistic of the paired differences has to lie at each look.

    Args:
        looks: Numbers of pairs at which the differences are tested. The caller has checked that they ascend strictly
            and that the first is 3 or more; the last one is the end of the design.
        level: Of all looks together, two-sided, above 0 and below 1; 0.9 of it are spent under normality.
        spending: How much of the level is spent by a share t of the pairs. `kim-demets`, t^2: by simulation the one
            that saves seeds both where an effect is large and where the power is 0.8 (`tests.statistics.registered`).
            `pocock`, log(1 + (e - 1) t): limits are much the same at every look, for the earliest end where effects
            are large. `obrien-fleming`, 4 - 4 Phi(z / sqrt(t)): it ends early only for what is very large, and its last
            limit is hardly wider than that of a single test.

    Returns:
        One for each look; infinite where so little is spent that nothing can be decided there.

    Source: Lan & DeMets 1983, "Discrete sequential boundaries for clinical trials"; Kim & DeMets 1987, "Design and
    analysis of group sequential tests based on the type I error spending rate function", for the first.
    """
    return _limits(tuple(looks), level, spending)


@lru_cache(maxsize=1024)
def _limits(looks: tuple[int, ...], level: float, spending: Spending) -> tuple[float, ...]:
    mass = _two_sided(_EDGES[:-1]) - _two_sided(_EDGES[1:])  # of |z| at any number of pairs, before any look
    pairs, used, found = looks[0], 0.0, []
    for look in looks:
        for step in _steps(pairs, look):
            mass = mass @ step
        pairs = look
        beyond = np.append(np.cumsum(mass[::-1])[::-1], 0.0)
        spent = _spent(look / looks[-1], CALIBRATED * level, spending) - used
        if spent <= 2 * _two_sided(_FARTHEST):
            found.append(math.inf)
            continue
        limit = float(np.interp(-math.log(spent), -np.log(np.maximum(beyond[:-1], _NOTHING)), _EDGES[:-1]))
        at = int(np.searchsorted(_EDGES, limit)) - 1
        mass = np.where(np.arange(len(mass)) < at, mass, 0.0)
        mass[at] = max(0.0, beyond[at] - spent)
        used += spent
        found.append(-float(special.stdtrit(look - 1, special.ndtr(-limit))))
    return tuple(found)


def _spent(share: float, level: float, spending: Spending) -> float:
    """Return how much of a level may be spent by a share of the pairs."""
    if spending == "kim-demets":
        return level * share**2
    if spending == "pocock":
        return level * math.log1p((math.e - 1) * share)
    return float(4 * special.ndtr(special.ndtri(level / 4) / math.sqrt(share)))  # on either side 2 of half the level


def _two_sided(z: FloatArray | float) -> FloatArray:
    return np.asarray(2 * special.ndtr(-np.asarray(z)))


def _steps(pairs: int, until: int) -> list[FloatArray]:
    """Return the chances of going from each cell (rows) to each other, from some pairs to more."""
    exact = [_one_pair(k) for k in range(pairs, min(until, _AS_NORMAL))]
    start = max(pairs, _AS_NORMAL)
    return [*exact, _as_normal(start, until)] if start < until else exact


@lru_cache(maxsize=64)
def _one_pair(k: int) -> FloatArray:
    """Return the chances (from, to) of each cell at k + 1 pairs, from the middle of each cell at k."""
    here, there = _angle(k, _MIDDLES)[:, None], _angle(k + 1, _EDGES)
    longest = (k * np.cos(here) ** 2 + 1) / (k + 1)  # of the square of V' over all phi, which lies at `centre`
    centre = np.arctan2(1.0, math.sqrt(k) * np.cos(here))
    shorter = (np.sin(there) ** 2 - k * np.sin(here) ** 2 / (k + 1)) / longest
    half = np.arcsin(np.sqrt(np.clip(shorter, 0.0, 1.0)))
    # |V'| is beyond an edge for phi within `half` of the centre, or of its opposite.
    beyond = _below(k, centre + half) - _below(k, centre - half) + _below(k, centre + half - math.pi)
    beyond[:, -1] = 0.0
    return np.maximum(-np.diff(beyond, axis=1), 0.0)  # rounding may leave less than nothing


def _angle(k: int, z: FloatArray) -> FloatArray:
    """Return the angles between k differences and (1, ..., 1) whose t has the p-value of z."""
    t = -special.stdtrit(k - 1, special.ndtr(-z))
    return np.asarray(np.arctan2(math.sqrt(k - 1), t))


def _below(k: int, phi: FloatArray) -> FloatArray:
    """Return the chance of an angle below phi, whose density goes with cos(phi)^(k - 1)."""
    phi = np.clip(phi, -math.pi / 2, math.pi / 2)
    # Integrated by parts, which takes two off the exponent each time.
    sine, cosine, odd = np.sin(phi), np.cos(phi), (k - 1) % 2
    total, whole, power = (sine.copy(), 1.0, cosine**2) if odd else (phi, math.pi / 2, cosine.copy())
    for exponent in range(2 + odd, k, 2):
        total = (power * sine + (exponent - 1) * total) / exponent
        whole *= (exponent - 1) / exponent
        power *= cosine**2
    return np.asarray(0.5 + 0.5 * total / whole)


def _as_normal(pairs: int, until: int) -> FloatArray:
    """Return the chances (from, to) of cells of |z|, were the spread of differences known."""
    kept, new = math.sqrt(pairs / until), math.sqrt(1 - pairs / until)
    middles = kept * _MIDDLES[:, None]
    beyond = special.ndtr((middles - _EDGES) / new) + special.ndtr((-middles - _EDGES) / new)
    beyond[:, -1] = 0.0
    return np.asarray(-np.diff(beyond, axis=1))
