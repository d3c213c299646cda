"""Arms against a baseline: difference, tests corrected for their number, probability of improvement and a verdict.

| arms | difference of means | difference of interquartile means |
|---|---|---|
| planned with the same seeds | t of the paired differences (2 pairs) | BCa of the IQM of the paired differences (5) |
| other seeds | Welch t (3 seeds each; 3 against at most 12) | Yuen t (5 each; under 10 at most twice as many) |
| several tasks | Welch-Satterthwaite t (3 a task) | stratified bootstrap (5 a task and 15 an arm) |
| same runs on all tasks | as one task, on each run's mean over the tasks | none |
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from experiments.look import counted
from experiments.statistics.differences import Compared, Difference, difference_of
from experiments.statistics.improvement import probability_of_improvement
from experiments.statistics.scores import Scores
from experiments.statistics.significance import holm
from experiments.statistics.values import DEFAULTS, Estimate, Interval, Options, SeedCount, shown

Finding = Literal["better", "worse", "undecided", "equivalent"]


@dataclass(frozen=True)
class Comparison:
    """One arm against the baseline.

    Attributes:
        difference: Of `arm` minus `baseline`, with its interval and its tests.
        p_adjusted: The difference's p-value after Holm over `family` comparisons; None where there is no test.
        improvement: Probability that a random run of `arm` beats one of `baseline`.
        counts: What became of the seeds of `arm` and of `baseline`.
        what: What a score is, in words.
        margin: Difference that does not matter, where one was given.
        verdict: Of `arm`, by interval and adjusted p-value.
        reason: For the verdict, in one sentence.
    """

    arm: str
    baseline: str
    statistic: Compared
    difference: Difference
    p_adjusted: float | None
    family: int
    improvement: Estimate
    counts: tuple[SeedCount, SeedCount]
    what: str
    margin: float | None
    verdict: Finding
    reason: str

    @property
    def sentence(self) -> str:
        """The comparison in one line."""
        value = "unknown" if self.difference.value is None else shown(self.difference.value)
        counts = f"{self.arm}: {self.counts[0].sentence}; {self.baseline}: {self.counts[1].sentence}"
        return f"{self.arm} against {self.baseline}: {self.verdict}, difference {value}. {self.reason} ({counts})"


def compare(
    arm: Scores,
    baseline: Scores,
    statistic: Compared = "mean",
    *,
    margin: float | None = None,
    higher_is_better: bool = True,
    paired: bool | None = None,
    options: Options = DEFAULTS,
) -> Comparison:
    """Compare one arm with a baseline.

    Args:
        margin: Difference that does not matter, decided beforehand; arms whose interval lies within are equivalent.
        paired: Whether to compare seed by seed; by default where both arms were planned with the same seeds.
    """
    found = compare_arms(
        [baseline, arm], statistic, margin=margin, higher_is_better=higher_is_better, paired=paired, options=options
    )
    return found[0]


def compare_arms(
    arms: Sequence[Scores],
    statistic: Compared = "mean",
    *,
    baseline: str | None = None,
    margin: float | None = None,
    higher_is_better: bool = True,
    paired: bool | None = None,
    options: Options = DEFAULTS,
) -> list[Comparison]:
    """Compare every arm with the baseline, with p-values adjusted for the number of arms.

    Args:
        baseline: Name of the arm to compare with; by default the first.

    Returns:
        One comparison for each other arm, in order; none where there are fewer than two arms or no such baseline.
    """
    base = next((arm for arm in arms if baseline is None or arm.arm == baseline), None)
    if base is None:
        return []
    others = [arm for arm in arms if arm is not base]
    differences = [difference_of(arm, base, statistic, paired=paired, options=options) for arm in others]
    adjusted = holm([difference.p_value for difference in differences])
    family = sum(p_value is not None for p_value in adjusted)
    found = []
    for arm, difference, p_value in zip(others, differences, adjusted, strict=True):
        verdict, reason = verdict_of(
            difference.interval, p_value, margin=margin, higher_is_better=higher_is_better, family=family
        )
        improvement = probability_of_improvement(arm, base, options, higher_is_better=higher_is_better)
        found.append(
            Comparison(
                arm=arm.arm,
                baseline=base.arm,
                statistic=statistic,
                difference=difference,
                p_adjusted=p_value,
                family=family,
                improvement=improvement,
                counts=(arm.count, base.count),
                what=arm.what,
                margin=margin,
                verdict=verdict,
                reason=reason,
            )
        )
    return found


def verdict_of(
    interval: Interval,
    p_value: float | None,
    *,
    margin: float | None = None,
    higher_is_better: bool = True,
    family: int = 1,
) -> tuple[Finding, str]:
    """Return what a difference says about an arm, and why, in one sentence.

    An interval within the margin is equivalence even where it excludes 0: the difference is real and does not matter.
    Holm's correction concerns claims of a difference only, not those of equivalence.

    Args:
        p_value: After the correction for `family` comparisons.
        margin: Difference that does not matter.
    """
    if interval.bounds is None:
        return "undecided", f"No interval of the difference: {interval.reason}."
    low, high = interval.bounds
    ends = f"The {100 * interval.level:.3g} % interval of the difference, {shown(low)} to {shown(high)},"
    if margin is not None and margin > 0 and interval.within(-margin, margin):
        return "equivalent", f"{ends} lies within the margin of {shown(margin)}."
    if interval.contains(0.0):
        return "undecided", f"{ends} contains 0."
    after = f" after Holm over {counted(family, 'comparison')}" if family > 1 else ""
    tested = "" if p_value is None else f"p = {p_value:.2g}{after}"
    if p_value is not None and p_value >= 1 - interval.level:
        return "undecided", f"{ends} excludes 0, but {tested}."
    better = (low > 0) == higher_is_better
    return ("better" if better else "worse"), f"{ends} excludes 0{', ' if tested else ''}{tested}."
