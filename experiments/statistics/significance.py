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
from experiments.statistics.resampling import Strata
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
    arm: Strata, baseline: Strata, statistic: Aggregate = mean, options: Options = DEFAULTS
) -> PermutationTest:
    """Test whether arm and baseline are exchangeable, by handing out their labels again inside each task.

    Exact over all splits where there are at most 20,000; else random splits with the observed one among them.

    Args:
        arm: Scores (n,) of each task; one task is a list of one.
        baseline: The same for the other arm.
        statistic: Its difference, averaged over tasks, is what is compared.

    Source: Phipson & Smyth 2010, "Permutation P-values Should Never Be Zero".
    """
    if any(not len(part) for part in [*arm, *baseline]):
        return PermutationTest(reason="an arm has no score")
    pooled = [np.concatenate([np.sort(ours), np.sort(theirs)]) for ours, theirs in zip(arm, baseline, strict=True)]
    if all(np.ptp(part) == 0 for part in pooled):
        return PermutationTest(reason="all scores are the same")
    sizes = [len(part) for part in arm]
    splits = math.prod(math.comb(len(part), size) for part, size in zip(pooled, sizes, strict=True))
    seen = sum(float(statistic(part[:size]) - statistic(part[size:])) for part, size in zip(pooled, sizes, strict=True))
    symmetric = all(2 * size == len(part) for part, size in zip(pooled, sizes, strict=True))
    smallest = min(1.0, (2 if symmetric and len(arm) == 1 else 1) / splits)
    if len(arm) == 1 and splits <= _EXACT_UP_TO:
        gaps = _gaps(pooled[0], _every_split(len(pooled[0]), sizes[0]), statistic)
        return PermutationTest(_as_extreme(gaps, seen), f"exact, {splits:,} splits", smallest)
    total = np.zeros(options.resamples)
    for task, (part, size) in enumerate(zip(pooled, sizes, strict=True)):
        total += _gaps(part, _random_splits(len(part), size, options.resamples, (options.seed, task)), statistic)
    found = _as_extreme(np.append(total, seen), seen)
    return PermutationTest(found, f"{options.resamples:,} random splits", max(smallest, 1 / (options.resamples + 1)))


def sign_test(differences: Strata, statistic: Aggregate = mean, options: Options = DEFAULTS) -> PermutationTest:
    """Test whether paired differences are as likely to be the other way round, by turning their signs.

    Args:
        differences: Differences (n,) between the two arms at the same seed, for each task.
    """
    if any(not len(part) for part in differences):
        return PermutationTest(reason="the arms share no seed with a score")
    laid = [np.sort(part) for part in differences]
    if all(not part.any() for part in laid):
        return PermutationTest(reason="every shared seed has the same score in both arms")
    n = sum(map(len, laid))
    seen = float(sum(statistic(part) for part in laid))
    smallest = min(1.0, 2.0 ** (1 - n))
    if 2**n <= _EXACT_UP_TO:
        signs = 1 - 2 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1)
        found = _as_extreme(_turned(laid, signs, statistic), seen)
        return PermutationTest(found, f"exact, {2**n:,} sign patterns", smallest)
    signs = np.random.default_rng(options.seed).choice([-1, 1], size=(options.resamples, n))
    found = _as_extreme(np.append(_turned(laid, signs, statistic), seen), seen)
    method = f"{options.resamples:,} random sign patterns"
    return PermutationTest(found, method, max(smallest, 1 / (options.resamples + 1)))


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
def _random_splits(n: int, size: int, resamples: int, seed: tuple[int, int]) -> tuple[Places, Places]:
    """Return random splits in the same form; arms of the same sizes share them."""
    order = np.argsort(np.random.default_rng(seed).random((resamples, n)), axis=1)
    return order[:, :size], order[:, size:]


def _turned(differences: Strata, signs: npt.NDArray[np.int64], statistic: Aggregate) -> FloatArray:
    """Return the statistic, summed over tasks, of differences with the signs (patterns, n) of all tasks."""
    ends = np.cumsum([len(part) for part in differences])[:-1]
    turned = np.split(signs * np.concatenate(differences), ends, axis=1)
    return np.asarray(np.sum([statistic(np.asarray(part, dtype=np.float64)) for part in turned], axis=0))


def _as_extreme(gaps: FloatArray, seen: float) -> float:
    slack = 1e-9 * max(abs(seen), float(np.abs(gaps).max()))  # rounding must not decide what equals what was seen
    return float(np.mean(np.abs(gaps) >= abs(seen) - slack))
