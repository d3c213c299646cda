"""Tests of whether two arms differ, and Holm's correction for asking more than once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np
import numpy.typing as npt

from experiments.statistics.aggregates import Aggregate, mean
from experiments.statistics.values import DEFAULTS, FloatArray, Options

_EXACT_UP_TO = 20_000  # splits; 8 against 8 seeds have 12,870

Places = npt.NDArray[np.intp]


@dataclass(frozen=True)
class PermutationTest:
    """A two-sided permutation test, or the reason why there is none.

    Attributes:
        p_value: Share of relabellings at least as far apart as what was seen; None where there is no test.
        method: `exact, 252 splits`, or `10,000 random splits`.
        smallest: The smallest p-value that so few seeds can give.
        reason: Why there is none.
    """

    p_value: float | None = None
    method: str = ""
    smallest: float | None = None
    reason: str = ""


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Return p-values adjusted for their number, in the same order; a test that was not made is not counted.

    Source: Holm 1979, "A simple sequentially rejective multiple test procedure".
    """
    made = sorted((value, place) for place, value in enumerate(p_values) if value is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    highest = 0.0
    for rank, (value, place) in enumerate(made):
        highest = max(highest, min(1.0, (len(made) - rank) * value))
        adjusted[place] = highest
    return adjusted


def permutation_test(
    arm: FloatArray, baseline: FloatArray, statistic: Aggregate = mean, options: Options = DEFAULTS
) -> PermutationTest:
    """Test whether the scores (n,) of arm and baseline are exchangeable, by handing out their labels again.

    Exact over all splits where there are at most 20,000; else random splits with the observed one among them.

    Args:
        statistic: Its difference is what is compared.

    Source: Phipson & Smyth 2010, "Permutation P-values Should Never Be Zero".
    """
    if not len(arm) or not len(baseline):
        return PermutationTest(reason="an arm has no score")
    pooled, size = np.concatenate([np.sort(arm), np.sort(baseline)]), len(arm)
    if np.ptp(pooled) == 0:
        return PermutationTest(reason="all scores are the same")
    splits = math.comb(len(pooled), size)
    seen = float(statistic(pooled[:size]) - statistic(pooled[size:]))
    smallest = min(1.0, (2 if size == len(baseline) else 1) / splits)
    places, exact = _splits(len(pooled), size, options)
    gaps = _gaps(pooled, places, statistic)
    if exact:
        return PermutationTest(_as_extreme(gaps, seen), f"exact, {splits:,} splits", smallest)
    found = _as_extreme(np.append(gaps, seen), seen)
    return PermutationTest(found, f"{options.resamples:,} random splits", max(smallest, 1 / (options.resamples + 1)))


def shift_interval(
    arm: FloatArray, baseline: FloatArray, level: float, options: Options = DEFAULTS
) -> tuple[float, float, float]:
    """Return both ends of the interval of a shift of the mean between two arms, and the p-value of its being 0.

    It holds for scores of any shape, so long as those of one arm are those of the other moved by one number: a shift is
    inside unless, with it taken off, less than (1 - level) / 2 of all relabellings lie as far to that side as what was
    seen.

    Returns:
        NaN three times where so few scores have too few splits for the level.

    Source: Pitman 1937, "Significance Tests Which May be Applied to Samples From any Populations".
    """
    if len(arm) > len(baseline):  # one order, so that swapped arms get the same random splits
        low, high, p_value = shift_interval(baseline, arm, level, options)
        return -high, -low, p_value
    gaps, moved, seen = _relabelled(arm, baseline, options)
    # A relabelling lies as far as what was seen for all shifts beyond this one; those that move nothing always do.
    others = moved < 1 - 1e-12
    turns = np.sort((seen - gaps[others]) / (1 - moved[others]))
    always, tail = len(gaps) - len(turns), (1 - level) / 2
    place = int(tail * len(gaps) + 1e-9) - always
    if place < 0 or not len(turns):
        return math.nan, math.nan, math.nan
    slack = 1e-9 * float(np.abs(turns).max())
    turns[np.abs(turns) <= slack] = 0.0  # rounding must not decide on which side of 0 a shift lies
    below, above = ((turns <= 0).sum() + always) / len(gaps), ((turns >= 0).sum() + always) / len(gaps)
    return float(turns[place]), float(turns[-1 - place]), min(1.0, 2 * float(min(below, above)))


def sign_test(differences: FloatArray, statistic: Aggregate = mean, options: Options = DEFAULTS) -> PermutationTest:
    """Test whether paired differences (n,) are as likely to be the other way round, by turning their signs."""
    n, laid = len(differences), np.sort(differences)
    if not n:
        return PermutationTest(reason="the arms share no seed with a score")
    if not laid.any():
        return PermutationTest(reason="every shared seed has the same score in both arms")
    seen = float(statistic(laid))
    smallest = min(1.0, 2.0 ** (1 - n))
    if 2**n <= _EXACT_UP_TO:
        signs = 1 - 2 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1)
        found = _as_extreme(statistic(signs * laid), seen)
        return PermutationTest(found, f"exact, {2**n:,} sign patterns", smallest)
    signs = np.random.default_rng(options.seed).choice([-1, 1], size=(options.resamples, n))
    found = _as_extreme(np.append(statistic(signs * laid), seen), seen)
    method = f"{options.resamples:,} random sign patterns"
    return PermutationTest(found, method, max(smallest, 1 / (options.resamples + 1)))


def _relabelled(arm: FloatArray, baseline: FloatArray, options: Options) -> tuple[FloatArray, FloatArray, float]:
    """Return the difference of means for each relabelling (splits,), the share of a shift in it, and what was seen."""
    pooled, size = np.concatenate([np.sort(arm), np.sort(baseline)]), len(arm)
    own = (np.arange(len(pooled)) < size).astype(np.float64)
    places, exact = _splits(len(pooled), size, options)
    gaps, moved = _gaps(pooled, places, mean), _gaps(own, places, mean)
    seen = float(pooled[:size].mean() - pooled[size:].mean())
    return (gaps, moved, seen) if exact else (np.append(gaps, seen), np.append(moved, 1.0), seen)


def _splits(n: int, size: int, options: Options) -> tuple[tuple[Places, Places], bool]:
    """Return the places of both groups in splits of n scores, and whether these are all there are."""
    if math.comb(n, size) <= _EXACT_UP_TO:
        return _every_split(n, size), True
    return _random_splits(n, size, options.resamples, options.seed), False


def _gaps(pooled: FloatArray, splits: tuple[Places, Places], statistic: Aggregate) -> FloatArray:
    """Return how far apart the two groups are for each split."""
    first, second = splits
    return np.asarray(statistic(pooled[first]) - statistic(pooled[second]))


@lru_cache(maxsize=8)
def _every_split(n: int, size: int) -> tuple[Places, Places]:
    """Return the places (splits, size) of the first group in every split of n scores, and those of the second."""
    first = np.array(list(combinations(range(n), size)), dtype=np.intp)
    apart = np.ones((len(first), n), bool)
    np.put_along_axis(apart, first, values=False, axis=1)
    return first, np.nonzero(apart)[1].reshape(len(first), n - size)


@lru_cache(maxsize=8)
def _random_splits(n: int, size: int, resamples: int, seed: int) -> tuple[Places, Places]:
    """Return random splits in the same form; arms of the same sizes share them."""
    order = np.argsort(np.random.default_rng(seed).random((resamples, n)), axis=1)
    return order[:, :size], order[:, size:]


def _as_extreme(gaps: FloatArray, seen: float) -> float:
    slack = 1e-9 * max(abs(seen), float(np.abs(gaps).max()))  # rounding must not decide what equals what was seen
    return float(np.mean(np.abs(gaps) >= abs(seen) - slack))
