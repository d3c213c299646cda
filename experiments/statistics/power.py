"""How many seeds it takes to see a difference, and how sure one can be of that number."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from experiments.project.look import counted
from experiments.statistics.differences import Compared, fewest_compared, paired_differences
from experiments.statistics.intervals import t_quantile
from experiments.statistics.scores import Scores
from experiments.statistics.values import DEFAULTS, Options, alike, shown

MOST_SEEDS = 10_000


@dataclass(frozen=True)
class Power:
    """What it takes to see a difference.

    Attributes:
        seeds: Seeds an arm needed; None where there is no answer or it is beyond 10,000.
        more: Seeds an arm to add to those there are.
        fewest: Seeds needed if scores vary as little as the seeds so far allow.
        most: Seeds needed if they vary as much as the seeds so far allow; None beyond 10,000.
        now: Chance of seeing the difference with the seeds there are; None where there is no answer.
        difference: The difference to be seen, in the unit of the score.
        deviation: Standard deviation of a score over seeds (of a paired difference where the arms share seeds).
        sentence: The answer in words, with what it assumes, or why there is none.
    """

    seeds: int | None
    more: int | None
    fewest: int | None
    most: int | None
    now: float | None
    difference: float | None
    deviation: float | None
    sentence: str


def power_of(difference: float, deviation: float, n: int, *, paired: bool = False, level: float = 0.95) -> float:
    """Return the chance that a two-sided t test sees a difference with n seeds an arm.

    Source: Cohen 1988, "Statistical Power Analysis for the Behavioral Sciences", by the noncentral t distribution.
    """
    if n < 2 or not deviation > 0 or not abs(difference) > 0:
        return 0.0
    df = n - 1 if paired else 2 * n - 2
    # Further away the noncentral t distribution is not computed, and the power is as good as 1.
    away = min(30.0, abs(difference) / deviation * math.sqrt(n if paired else n / 2))
    edge = float(t_quantile(df, level))
    return float(1 - special.nctdtr(df, away, edge) + special.nctdtr(df, away, -edge))


def seeds_needed(
    difference: float,
    deviation: float,
    *,
    power: float = 0.8,
    paired: bool = False,
    level: float = 0.95,
    statistic: Compared = "mean",
) -> int | None:
    """Return the fewest seeds an arm with which a difference is seen; None where more than 10,000 would be needed.

    However large the difference, they are no fewer than a comparison of the statistic needs to decide anything.
    """
    if not abs(difference) > 0 or not deviation > 0:
        return None
    high = fewest_compared(statistic, paired=paired)
    low = high - 1
    while power_of(difference, deviation, high, paired=paired, level=level) < power:
        low, high = high, 2 * high
        if low >= MOST_SEEDS:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        enough = power_of(difference, deviation, middle, paired=paired, level=level) >= power
        low, high = (low, middle) if enough else (middle, high)
    return high if high <= MOST_SEEDS else None


def power_analysis(
    arm: Scores,
    baseline: Scores,
    *,
    difference: float | None = None,
    power: float = 0.8,
    statistic: Compared = "mean",
    options: Options = DEFAULTS,
) -> Power:
    """Answer "how many more seeds to see this difference?" for the mean.

    Args:
        difference: What is worth seeing, in the unit of the score. By default the one that was observed, which makes
            the answer too hopeful when the difference was chosen because it is large.
        power: Chance of seeing it that is wanted.
        statistic: What is compared in the end: no number of seeds is enough that its comparison has no interval for.
    """
    paired = paired_differences(arm, baseline)
    samples = [paired.differences] if paired else [arm.values, baseline.values]
    if any(len(sample) < 2 for sample in samples):
        enough = fewest_compared(statistic, paired=arm.known_seeds and arm.seeds == baseline.seeds)
        return _no_answer(
            "Two seeds with a score in each arm are needed to know how much seeds vary, and "
            f"{enough} to decide anything."
        )
    if not all(np.isfinite(sample).all() for sample in samples):
        return _no_answer("Some seeds never reached the threshold, so that there is no mean to compare.")
    df = sum(len(sample) - 1 for sample in samples)
    deviation = math.sqrt(sum(float(((sample - sample.mean()) ** 2).sum()) for sample in samples) / df)
    gap = float(samples[0].mean() - (0.0 if paired else samples[1].mean())) if difference is None else difference
    if all(bool(alike(sample)) for sample in samples) or not abs(gap) > 0:
        same = "The difference is 0 or not known" if not abs(gap) > 0 else "The seeds of each arm do not vary"
        return _no_answer(f"{same}: no number of seeds follows from that.")
    low, high = (deviation * math.sqrt(df / float(special.chdtri(df, tail))) for tail in (0.1, 0.9))
    needed, fewest, most = (
        seeds_needed(gap, one, power=power, paired=paired is not None, level=options.level, statistic=statistic)
        for one in (deviation, low, high)
    )
    n = min(map(len, samples))
    is_enough = n >= fewest_compared(statistic, paired=paired is not None)
    now = power_of(gap, deviation, n, paired=paired is not None, level=options.level) if is_enough else 0.0
    more = None if needed is None else max(0, needed - n)
    found = Power(needed, more, fewest, most, now, gap, deviation, "")
    return replace(found, sentence=_sentence(found, n, power, observed=difference is None, paired=paired is not None))


def _sentence(found: Power, n: int, power: float, *, observed: bool, paired: bool) -> str:
    what = f"a difference of {shown(abs(found.difference or 0.0))}{' as observed' if observed else ''}"
    if found.seeds is None:
        return f"To see {what} would take more than {MOST_SEEDS:,} seeds an arm."
    more = f"{found.more} more than" if found.more else "no more than"
    seeds, chance, now = counted(found.seeds, "seed"), f"{100 * power:.0f} %", f"{100 * (found.now or 0.0):.0f} %"
    needed = f"To see {what} with a chance of {chance} takes {seeds} an arm, {more} the {n} there are"
    vary = f"it may take {found.fewest} to {found.most or 'over 10,000'} (80 % interval of the deviation)"
    assumed = "differences taken as normal" if paired else "scores taken as normal with one spread for both arms"
    return (
        f"{needed}, with which the chance is {now}. How much seeds vary is itself uncertain: {vary}. "
        f"{'Paired t' if paired else 'Two-sample t'} test, {assumed}."
    )


def _no_answer(sentence: str) -> Power:
    return Power(None, None, None, None, None, None, None, sentence)
