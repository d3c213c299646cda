"""What statistics are made of: counts of seeds, intervals and estimates that carry how they came about."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from experiments import look

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Outcome = Literal["finished", "failed", "diverged", "unfinished"]

LEVEL = 0.95
_TOO_LARGE = 1e150  # the square of anything larger is no longer a number


@dataclass(frozen=True)
class Options:
    """How statistics are made; the defaults are what every coverage figure was measured with.

    Attributes:
        level: Confidence level of intervals.
        target: Score that the optimality gap is measured against.
        resamples: Of a bootstrap, and of a permutation test with too many splits to try them all.
        seed: Of the random numbers: the same scores give the same report, byte for byte.
        bootstrap: Whether a mean of 20 or more seeds gets a BCa interval, which is better on skewed scores.
    """

    level: float = LEVEL
    target: float = 1.0
    resamples: int = 10_000
    seed: int = 20_210_830
    bootstrap: bool = False


DEFAULTS = Options()


@dataclass(frozen=True)
class SeedCount:
    """What became of the seeds that an arm was planned with; every statistic carries one.

    Attributes:
        finished: Runs that ended as planned and have a score.
        failed: Runs that crashed, or that nobody could start.
        diverged: Runs whose last value is not a finite number.
        unfinished: Runs that are still going, were stopped, or have no data at the end.
        duplicates: Runs left aside because another run has the same arm, seed and task; not part of `total`.
        goal: What `finished` means, in words; `reached 200k` where runs are compared at a given step.
    """

    finished: int = 0
    failed: int = 0
    diverged: int = 0
    unfinished: int = 0
    duplicates: int = 0
    goal: str = "finished"

    @classmethod
    def of(cls, outcomes: Iterable[Outcome], *, duplicates: int = 0, goal: str = "finished") -> SeedCount:
        """Count outcomes."""
        found = Counter(outcomes)
        return cls(
            found["finished"], found["failed"], found["diverged"], found["unfinished"], duplicates=duplicates, goal=goal
        )

    @property
    def total(self) -> int:
        """Number of seeds that were planned."""
        return self.finished + self.failed + self.diverged + self.unfinished

    @property
    def sentence(self) -> str:
        """Every count that is not zero: `4 of 5 finished, 1 failed, 1 duplicate left aside`."""
        lost = [(self.failed, "failed"), (self.diverged, "diverged"), (self.unfinished, "unfinished")]
        parts = [str(self), *(f"{number} {word}" for number, word in lost if number)]
        if self.duplicates:
            parts.append(f"{look.counted(self.duplicates, 'duplicate')} left aside")
        return ", ".join(parts)

    def __str__(self) -> str:
        return f"{self.finished} of {self.total} {self.goal}"


@dataclass(frozen=True)
class Method:
    """A way to make an interval, with what was measured of it (`tests/statistics/test_coverage.py`).

    Attributes:
        name: For a caption: `Student t`.
        assumption: One clause for the methods sentence.
        normal: Lowest and highest coverage of its nominal 95 % on normal scores, where it is chosen.
        skewed: The same on log-normal scores, for comparison.
    """

    name: str
    assumption: str
    normal: tuple[float, float]
    skewed: tuple[float, float]

    @property
    def coverage(self) -> str:
        """What was measured, in words."""
        normal, skewed = ("{:.0f} to {:.0f} %".format(*(100 * x for x in pair)) for pair in (self.normal, self.skewed))
        return f"a nominal 95 % covers {normal} on normal scores and {skewed} on log-normal ones (simulated)"


@dataclass(frozen=True)
class Interval:
    """A confidence interval, or the reason why there is none.

    Attributes:
        low: Lower end, in the unit of the score; None where there is no interval.
        high: Upper end.
        level: Confidence level, such as 0.95.
        method: In words, for the chart; empty where there is none.
        n: Number of scores that it rests on.
        assumption: One clause for the methods sentence.
        coverage: What simulation says about the method, in words.
        reason: Why there is no interval.
    """

    low: float | None = None
    high: float | None = None
    level: float = LEVEL
    method: str = ""
    n: int = 0
    assumption: str = ""
    coverage: str = ""
    reason: str = ""

    @classmethod
    def none(cls, reason: str, n: int = 0, *, level: float = LEVEL) -> Interval:
        """Return the value that says why there is no interval."""
        return cls(level=level, n=n, reason=reason)

    @classmethod
    def made(cls, bounds: tuple[float, float], method: Method, n: int, *, level: float) -> Interval:
        """Return an interval from its ends; one that cannot be computed has a reason instead."""
        low, high = (float(bound) for bound in bounds)
        if math.isnan(low) or math.isnan(high):
            return cls.none("the scores are too large, too small or too alike to compute with", n, level=level)
        return cls(low, high, level, method.name, n, method.assumption, method.coverage)

    @property
    def bounds(self) -> tuple[float, float] | None:
        """Both ends, or None."""
        return None if self.low is None or self.high is None else (self.low, self.high)

    @property
    def words(self) -> str:
        """How it came about: `95 % Student t interval, n = 5`, or `no interval: 1 seed`."""
        if self.bounds is None:
            return f"no interval: {self.reason}"
        return f"{100 * self.level:.3g} % {self.method} interval, n = {self.n}"

    def contains(self, value: float) -> bool:
        """Tell whether a value lies within, ends included; never where there is no interval."""
        return self.bounds is not None and self.bounds[0] <= value <= self.bounds[1]

    def within(self, low: float, high: float) -> bool:
        """Tell whether the whole interval lies between two values."""
        return self.bounds is not None and low <= self.bounds[0] and self.bounds[1] <= high

    def __str__(self) -> str:
        if self.bounds is None:
            return self.words
        return f"{shown(self.bounds[0])} to {shown(self.bounds[1])} ({self.words})"


@dataclass(frozen=True)
class Estimate:
    """One number over seeds with everything that belongs beside it.

    Attributes:
        statistic: `mean`, `median`, `iqm`, `optimality gap` or `probability of improvement`.
        value: The point estimate; None where no seed has a score.
        interval: Its interval, or why there is none.
        count: What became of the seeds.
        what: What one seed's score is, in words.
        notes: What a reader has to know besides, one sentence each.
    """

    statistic: str
    value: float | None
    interval: Interval
    count: SeedCount = SeedCount()
    what: str = "score"
    notes: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """The whole estimate in one line."""
        value = "none" if self.value is None else shown(self.value)
        return f"{self.statistic} {value}, {self.interval}; {self.count.sentence}"

    def noting(self, *notes: str) -> Estimate:
        """Return the same estimate with more notes."""
        return replace(self, notes=self.notes + notes)


def numbers(values: Sequence[object] | npt.ArrayLike) -> FloatArray:
    """Return values as float64, with NaN for whatever is not a number that one can compute with.

    Infinities and magnitudes beyond 1e150 count as not usable: no mean can be taken of them.
    """
    try:
        found = np.array(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        found = np.array([_number(value) for value in np.asarray(values, dtype=object).ravel()], dtype=np.float64)
    found[~(np.abs(found) < _TOO_LARGE)] = np.nan
    return found


def alike(values: FloatArray) -> npt.NDArray[np.bool_]:
    """Tell for (..., n) values whether all n are the same number, up to rounding."""
    spread = values.max(axis=-1) - values.min(axis=-1)
    equal: npt.NDArray[np.bool_] = spread <= 1e-12 * np.abs(values).max(axis=-1)
    return equal


def shown(value: float) -> str:
    """Return a number with three significant digits (`12.3k`); infinity is what no run reached."""
    return "not reached" if math.isinf(value) else look.quantity(value)


def _number(value: Any) -> float:  # noqa: ANN401 - anything may stand where a number should
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan
