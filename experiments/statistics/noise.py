"""The noise floor: how far the scores of several runs of one seed lie apart, beside how far the seeds do.

A seed that is run twice with the same code should give the same score; where it does not, no number of seeds tells what
lies within that distance from a difference. The spread is the repeatability standard deviation of ISO 5725-2: the
deviations from each seed's own mean, pooled with one degree of freedom less for each seed. How far two runs lay apart
at most is beside it, since few repeats say little of a deviation. A difference that one seed gives twice is noise; one
that is larger need not be more, which intervals over seeds decide.

The reference trainer draws all of its numbers from the seed and computes in one order, so on one kernel of one machine
its floor is 0: then what differs between runs is seed, settings or code.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from experiments.project.look import counted
from experiments.statistics.scores import Scores
from experiments.statistics.values import FloatArray, shown


@dataclass(frozen=True)
class NoiseFloor:
    """How far runs of one seed lie apart.

    Attributes:
        seeds: Number of seeds with several runs of one code.
        runs: Number of their runs.
        largest: Largest difference between two runs of one seed, in the metric's own unit; 0 where all are the same.
        deviation: Pooled standard deviation within a seed.
        between: Pooled standard deviation between the seeds of an arm; None where no arm has two seeds.
    """

    seeds: int
    runs: int
    largest: float
    deviation: float
    between: float | None = None

    @property
    def is_zero(self) -> bool:
        """Whether running a seed again changes nothing."""
        return self.largest == 0

    def covers(self, difference: float | None) -> bool:
        """Tell whether a difference is no larger than what one seed gives twice: it is noise then, whatever n."""
        return difference is not None and not self.is_zero and abs(difference) <= self.largest

    def sentence(self, difference: float | None = None) -> str:
        """Return what running a seed again changes, without a full stop.

        Args:
            difference: One that is looked at; it is named where it is noise.
        """
        rests_on = f"{counted(self.runs, 'run')} of {counted(self.seeds, 'seed')}"
        if self.is_zero:
            return f"Noise floor: runs of one seed are identical here ({rests_on})"
        what = (
            f"a difference of {shown(abs(difference))}" if difference and self.covers(difference) else "less than that"
        )
        between = "" if self.between is None else f", {shown(self.between)} between seeds"
        return (
            f"Noise floor: two runs of one seed differ by up to {shown(self.largest)}, so {what} is noise whatever n "
            f"(standard deviation {shown(self.deviation)} within a seed{between}, pooled as in ISO 5725-2; {rests_on})"
        )


def noise_floor(arms: Sequence[Scores]) -> NoiseFloor | None:
    """Return how far the runs of one seed lie apart, over all arms; None where no seed ran twice in the same way.

    Replicates, reproductions and seeds that were launched again are compared with each other where they ran the same
    code and were asked for the same; where nobody knows that, they are taken to. A fork is another training.
    """
    groups: dict[Hashable, list[float]] = {}
    for arm in arms:
        for run in (*arm.runs, *arm.beside):
            if run.role != "fork" and run.outcome == "finished" and run.value is not None and math.isfinite(run.value):
                groups.setdefault((arm.arm, run.seed, run.code, run.asked), []).append(run.value)
    return floor_of(groups, between=_pooled([scores.values[np.isfinite(scores.values)] for scores in arms]))


def floor_of(groups: Mapping[Hashable, Sequence[float]], *, between: float | None = None) -> NoiseFloor | None:
    """Return the noise floor of values that are grouped by what should make them equal; None without any pair."""
    several = [np.array(values, dtype=np.float64) for values in groups.values() if len(values) > 1]
    deviation = _pooled(several)
    if deviation is None:
        return None
    largest = max(float(np.ptp(values)) for values in several)
    return NoiseFloor(len(several), sum(map(len, several)), largest, deviation if largest else 0.0, between)


def _pooled(groups: Iterable[FloatArray]) -> float | None:
    """Return the standard deviation within groups, pooled by their degrees of freedom; None where there are none."""
    squares, freedom = 0.0, 0
    for values in groups:
        if len(values) > 1:
            squares += float(np.square(values - values.mean()).sum())
            freedom += len(values) - 1
    return math.sqrt(squares / freedom) if freedom else None
