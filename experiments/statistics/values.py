"""What statistics are made of: counts of seeds, intervals and estimates that carry how they came about."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from experiments.project import look
from experiments.project.standing import Role

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Outcome = Literal[
    "finished",
    "no value",
    "unscored",
    "failed",
    "machine failed",
    "diverged",
    "cancelled",
    "unfinished",
    "unread",
    "spared",
]
"""What became of a seed, which `experiments.results.scores` says of a job; `SeedCount` tells what each means."""
WAITING: frozenset[Outcome] = frozenset({"unfinished", "unread"})
"""Outcomes that may still become a score."""

LEVEL = 0.95
POOR = 0.92
"""Coverage of a nominal 95 % below which what was measured stands beside an interval."""
FINISHED = "finished"
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
        failed: Runs whose training failed, or of which nobody can say that something else ended them.
        diverged: Runs that ended on a value that is not a finite number.
        unfinished: Runs that go on, wait, or of which nobody knows: they may still get a score.
        cancelled: Runs that a person ended.
        machine_failed: Runs that a failure of their machine ended, and that no later attempt took the place of.
        no_value: Runs that ended as planned without any value of the metric.
        unscored: Runs that ended as planned, whose values cannot be compared with those of the others.
        unread: Runs of which it could not be read now what became of them, or what they logged.
        duplicates: Runs left aside because another run has the same arm and seed; not part of `total`.
        replicates: Runs beside a seed's own, which are no seeds; not part of `total`, nor are the next two.
        reproductions: Runs that do another once more.
        forks: Runs that go on from another's checkpoint in another way.
        spared: Runs that were cancelled since a look of their design had decided without them; not part of `total`.
        goal: What `finished` means, in words; `reached 200k` where runs are compared at a given step.
        metric: What was scored; empty where it has no name.
    """

    finished: int = 0
    failed: int = 0
    diverged: int = 0
    unfinished: int = 0
    cancelled: int = 0
    machine_failed: int = 0
    no_value: int = 0
    unscored: int = 0
    unread: int = 0
    duplicates: int = 0
    replicates: int = 0
    reproductions: int = 0
    forks: int = 0
    spared: int = 0
    goal: str = FINISHED
    metric: str = ""

    @classmethod
    def of(
        cls, outcomes: Iterable[Outcome], *, duplicates: int = 0, goal: str = FINISHED, metric: str = ""
    ) -> SeedCount:
        """Count outcomes."""
        found = Counter(outcomes)
        return cls(
            found["finished"],
            found["failed"],
            found["diverged"],
            found["unfinished"],
            found["cancelled"],
            found["machine failed"],
            found["no value"],
            found["unscored"],
            found["unread"],
            duplicates=duplicates,
            goal=goal,
            metric=metric,
        )

    def beside(self, runs: Iterable[tuple[Role, Outcome]]) -> SeedCount:
        """Return the same count with the runs among some, by role and outcome, that are no seeds or were spared."""
        found = Counter("spared" if outcome == "spared" else role for role, outcome in runs)
        beside = replace(self, replicates=found["replicate"], reproductions=found["reproduction"], forks=found["fork"])
        return replace(beside, spared=found["spared"])

    def __add__(self, other: SeedCount) -> SeedCount:
        """Return what became of the seeds of both together."""
        numbers_of = {
            name: getattr(self, name) + getattr(other, name)
            for name in self.__dataclass_fields__
            if name not in {"goal", "metric"}
        }
        return replace(self, **numbers_of)

    @property
    def total(self) -> int:
        """Number of seeds that were planned."""
        return self.ended + self.waiting

    @property
    def waiting(self) -> int:
        """Number of seeds that may still get a score."""
        return self.unfinished + self.unread

    @property
    def ended(self) -> int:
        """Number of seeds of which all is known."""
        lost = self.failed + self.diverged + self.cancelled + self.machine_failed
        return self.finished + self.no_value + self.unscored + lost

    @property
    def losses(self) -> str:
        """Why seeds that ended have no score: `1 failed, 2 cancelled`; empty where none is lost."""
        lost = [
            (self.failed, "failed"),
            (self.machine_failed, "lost with the machine"),
            (self.cancelled, "cancelled"),
            (self.diverged, "diverged"),
            (self.no_value, f"without a value of {self.metric or 'the metric'}"),
            (self.unscored, "without a score"),
        ]
        return ", ".join(f"{number} {word}" for number, word in lost if number)

    @property
    def sentence(self) -> str:
        """Every count that is not zero: `4 of 5 finished, 1 failed, 1 duplicate left aside, 1 fork not counted`."""
        waiting = ((self.unfinished, "unfinished"), (self.unread, "not read"))
        out = [f"{number} {word}" for number, word in waiting if number]
        aside = f"{look.counted(self.duplicates, 'duplicate')} left aside" if self.duplicates else ""
        return ", ".join(filter(None, [self._reached, self.losses, *out, aside, self.uncounted]))

    @property
    def uncounted(self) -> str:
        """Which runs are no seeds: `2 replicates and 1 fork not counted`; empty where all are."""
        parts = (
            *((self.replicates, "replicate"), (self.reproductions, "reproduction"), (self.forks, "fork")),
            (self.spared, "spared seed"),
        )
        told = " and ".join(look.counted(number, word) for number, word in parts if number)
        return f"{told} not counted" if told else ""

    @property
    def _reached(self) -> str:
        # A run without a value of this metric finished all the same; it did not reach a goal that was set beside it.
        ended = self.finished + (self.no_value + self.unscored if self.goal == FINISHED else 0)
        return f"{ended} of {self.total} {self.goal}"

    def __str__(self) -> str:
        without = self.no_value + self.unscored
        return f"{self._reached}, {without} without a score" if without else self._reached


@dataclass(frozen=True)
class Method:
    """A way to make an interval, with what was measured of it (`tests/statistics/test_coverage.py`).

    Attributes:
        name: For a caption: `Student t`.
        assumption: One clause for the methods sentence.
        normal: Lowest and highest coverage of its nominal 95 % on normal scores, where it is chosen.
        skewed: The same on log-normal scores, for comparison.
        together: Which intervals of one comparison were counted as one, in words; empty where there is only one.
    """

    name: str
    assumption: str
    normal: tuple[float, float]
    skewed: tuple[float, float]
    together: str = ""

    @property
    def coverage(self) -> str:
        """What was measured, in words."""
        normal, skewed = ("{:.0f} to {:.0f} %".format(*(100 * x for x in pair)) for pair in (self.normal, self.skewed))
        covers = f"covers {self.together}" if self.together else "covers"
        return f"a nominal 95 % {covers} {normal} on normal scores and {skewed} on log-normal ones (simulated)"

    @property
    def doubt(self) -> str:
        """Where it covers less than 92 %, as measured: `covers 80 to 90 % on log-normal scores`; else empty."""
        low, high = self.skewed
        return f"covers {100 * low:.0f} to {100 * high:.0f} % on log-normal scores" if low < POOR else ""


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
        caution: What no method repairs at so few seeds, one sentence to stand beside a claim; empty where it is little.
        doubt: Where its nominal 95 % was measured to cover less than 92 %, a clause; empty where it nowhere does.
    """

    low: float | None = None
    high: float | None = None
    level: float = LEVEL
    method: str = ""
    n: int = 0
    assumption: str = ""
    coverage: str = ""
    reason: str = ""
    caution: str = ""
    doubt: str = ""

    @classmethod
    def none(cls, reason: str, n: int = 0, *, level: float = LEVEL) -> Interval:
        """Return the value that says why there is no interval."""
        return cls(level=level, n=n, reason=reason)

    @classmethod
    def made(cls, bounds: tuple[float, float], method: Method, n: int, *, level: float, caution: str = "") -> Interval:
        """Return an interval from its ends; one that cannot be computed has a reason instead."""
        low, high = (float(bound) for bound in bounds)
        if math.isnan(low) or math.isnan(high):
            return cls.none("the scores are too large, too small or too alike to compute with", n, level=level)
        told = (method.name, n, method.assumption, method.coverage)
        return cls(low, high, level, *told, caution=caution, doubt=method.doubt)

    @property
    def bounds(self) -> tuple[float, float] | None:
        """Both ends, or None."""
        return None if self.low is None or self.high is None else (self.low, self.high)

    @property
    def percent(self) -> str:
        """The level in words: `95 %`, or `99.9938 %`, which three digits would call 100 %."""
        missing = float(f"{100 * (1 - self.level):.2g}")
        return f"{100 - missing:.10g} %" if missing < 1 else f"{100 * self.level:.3g} %"

    @property
    def words(self) -> str:
        """How it came about: `95 % Student t interval, n = 5`, or `no interval: 1 seed`."""
        if self.bounds is None:
            return f"no interval: {self.reason}"
        return f"{self.percent} {self.method} interval, n = {self.n}"

    def contains(self, value: float) -> bool:
        """Tell whether a value lies within, ends included; never where there is no interval."""
        return self.bounds is not None and self.bounds[0] <= value <= self.bounds[1]

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
