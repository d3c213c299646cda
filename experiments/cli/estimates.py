"""Numbers over seeds as commands answer them, each with its interval and what that rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.cli.envelope import Shown
from experiments.project.look import MISSING

if TYPE_CHECKING:
    from experiments.statistics import Comparison, Estimate, Interval, NoiseFloor


class Estimated(Shown):
    """One number over seeds.

    Attributes:
        interval: Both ends at `level`; null where there is none, and `reason` says why.
        method: Of the interval, in words.
        assumption: What it assumes.
        n: Number of scores that it rests on.
        caution: What no method repairs at so few seeds.
    """

    statistic: str
    value: float | None
    interval: tuple[float | None, float | None] | None
    level: float
    method: str
    assumption: str
    n: int
    reason: str
    caution: str


class Compared(Shown):
    """One arm against a baseline.

    Attributes:
        difference: Of `arm` minus `baseline`.
        paired: Whether seeds were compared one by one.
        p_value: After Holm over `family` comparisons; null where there is no test, and where nothing may be claimed.
        test: What it is of.
        improvement: Probability that a random run of `arm` beats one of `baseline`.
        finding: `better`, `worse`, `undecided`, or `interim` while seeds are out.
        reason: For it, in one sentence.
        claim: Whether anything may be claimed: `final`, or `interim`, `chosen`, `codes` or `lost`.
        counted: What became of the seeds of both arms, in words.
    """

    arm: str
    baseline: str
    difference: Estimated
    paired: bool
    p_value: float | None
    family: int
    test: str
    improvement: Estimated
    finding: str
    reason: str
    claim: str
    counted: str
    said: str


class Noise(Shown):
    """How far runs of one seed lie apart.

    Attributes:
        seeds: Number of seeds with several runs of one code.
        runs: Number of their runs.
        largest: Largest difference between two runs of one seed.
        deviation: Pooled standard deviation within a seed.
        between: The same between the seeds of an arm.
        covers: Whether the difference that the verdict is about is no larger than `largest`: it is noise then.
        said: All of it in a sentence.
    """

    seeds: int
    runs: int
    largest: float
    deviation: float
    between: float | None
    covers: bool
    said: str


def estimated(estimate: Estimate) -> Estimated:
    """Return a statistic over seeds as commands answer it."""
    return of_interval(estimate.statistic, estimate.value, estimate.interval)


def of_interval(statistic: str, value: float | None, interval: Interval) -> Estimated:
    """Return a value with its interval as commands answer them."""
    return Estimated(
        statistic=statistic,
        value=value,
        interval=interval.bounds,
        level=interval.level,
        method=interval.method,
        assumption=interval.assumption,
        n=interval.n,
        reason=interval.reason,
        caution=interval.caution,
    )


def compared(found: Comparison) -> Compared:
    """Return a comparison as commands answer it."""
    difference = found.difference
    return Compared(
        arm=found.arm,
        baseline=found.baseline,
        difference=of_interval(found.statistic, difference.value, difference.interval),
        paired=difference.paired,
        # At looks the test of a single one is none.
        p_value=found.p_adjusted if difference.p_value is not None else None,
        family=found.family,
        test=difference.test,
        improvement=estimated(found.improvement),
        finding=found.verdict,
        reason=found.reason,
        claim=found.claim.standing,
        counted=found.counted,
        said=found.sentence,
    )


def noise(floor: NoiseFloor | None, difference: float | None) -> Noise | None:
    """Return a noise floor as commands answer it; None where no seed ran twice."""
    if floor is None:
        return None
    return Noise(
        seeds=floor.seeds,
        runs=floor.runs,
        largest=floor.largest,
        deviation=floor.deviation,
        between=floor.between,
        covers=floor.covers(difference),
        said=floor.sentence(difference),
    )


def interval_text(found: Estimated) -> str:
    """Return both ends of an interval as a table shows them, an en dash where there is none."""
    from experiments.statistics import shown

    if found.interval is None:
        return MISSING
    return " to ".join("∞" if end is None else shown(end) for end in found.interval)
