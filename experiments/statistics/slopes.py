"""Whether training was long enough: the slope at its end, and runs that lost there what they had learned."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from experiments.project.look import counted
from experiments.statistics.curves import Curve, count_of, standing_curves
from experiments.statistics.intervals import interval_of
from experiments.statistics.scores import common_end
from experiments.statistics.values import DEFAULTS, FINISHED, WAITING, FloatArray, Interval, Options, SeedCount, shown

SHARE = 0.1
"""Share of the steps, from the end, that is looked at: the one that a final score is the mean of."""
_FEWEST_POINTS = 3
_REACHED = 0.01  # of the steps: the last rows of runs are never quite the same
_CLEAR = 3.0  # standard deviations of single values: less than that is how a curve wavers


@dataclass(frozen=True)
class Slope:
    """How steep the curves of an arm are at their end.

    Attributes:
        value: Mean over seeds, in the metric's unit for each `per` steps; None where no run has a slope.
        interval: Of the mean over seeds, or why there is none.
        per: Number of steps: the power of ten that training is long.
        share: Of the steps, from the end, that was looked at.
        count: What became of the seeds.
        without: Number of finished runs without a slope: they end early, or have fewer than three values there.
    """

    value: float | None
    interval: Interval
    per: float
    unit: str
    share: float
    count: SeedCount
    without: int = 0

    @property
    def sentence(self) -> str:
        """What can be said of it, without a full stop: its words, and of how much of the steps they are."""
        where = f", over the last {100 * self.share:.3g} % of the steps" if self.value is not None else ""
        return f"{self.words}{where}"

    @property
    def words(self) -> str:
        """What can be said of it in few words: `still rising: 0.8 [0.3, 1.3] per 100k agent steps (n = 5)`."""
        left = f"; {counted(self.without, 'finished run')} without a slope" if self.without else ""
        if self.value is None:
            return f"slope at the end not known: {self.interval.reason}"
        per = f"per {shown(self.per)} {self.unit}"
        if self.interval.bounds is None:
            return f"slope at the end {shown(self.value)} {per} ({self.interval.words}{left})"
        low, high = self.interval.bounds
        trend = "still rising" if low > 0 else "still falling" if high < 0 else "not known to rise or fall"
        return f"{trend}: {shown(self.value)} [{shown(low)}, {shown(high)}] {per} (n = {self.interval.n}{left})"


def end_slope(curves: Sequence[Curve], share: float = SHARE, options: Options = DEFAULTS) -> Slope:
    """Return the slope of one arm's curves over the last steps, with its interval over seeds.

    Each finished run has the least-squares slope of its values, which are no draws of their own: they wander together.
    So the interval is Student's over one slope a seed.

    Args:
        share: Of the steps, from the end; above 0 and at most 1.
    """
    standing = [one.curve for one in standing_curves(curves)]
    finished = [curve for curve in standing if curve.outcome == FINISHED]
    units = sorted({curve.unit for curve in finished})
    start = min((float(curve.steps[0]) for curve in finished if len(curve.steps)), default=0.0)
    end = common_end(finished)
    length = end - start
    per = 10.0 ** math.floor(math.log10(length)) if length > 0 else 1.0
    found = [_slope(curve, end - share * length, end - _REACHED * length) for curve in finished]
    slopes = per * np.array([slope for slope in found if slope is not None], dtype=np.float64)
    without = len(finished) - len(slopes)
    reason = f"the curves have different step units: {', '.join(units)}" if len(units) > 1 else ""
    if not reason and not len(slopes):
        reason = f"no finished run has {_FEWEST_POINTS} values there" if finished else "no run has finished"
    unit = units[0] if units else ""
    if reason:
        none = Interval.none(reason, 0, level=options.level)
        return Slope(None, none, per, unit, share, count_of(curves), without)
    interval = interval_of(slopes, "mean", replace(options, bootstrap=False))
    return Slope(float(slopes.mean()), interval, per, unit, share, count_of(curves), without)


def _slope(curve: Curve, since: float, reached: float) -> float | None:
    """Return the least-squares slope of one curve from a step on, per step."""
    late = curve.steps >= since
    steps, values = curve.steps[late], curve.values[late]
    if len(steps) < _FEWEST_POINTS or steps[-1] < reached:
        return None
    away = steps - steps.mean()
    return float((away * (values - values.mean())).sum() / (away**2).sum())


@dataclass(frozen=True)
class Trouble:
    """A run that did not end well by its curve.

    Attributes:
        kind: `diverged`: it ended on a value that is not a finite number. `collapsed`: it lost what it had learned.
        words: What was seen, in words, with the seed.
    """

    curve: Curve
    kind: Literal["diverged", "collapsed"]
    words: str


def troubles(
    curves: Sequence[Curve], *, higher_is_better: bool = True, kept: float = 0.5, share: float = SHARE
) -> list[Trouble]:
    """Return the runs of some seeds that diverged or collapsed, in order; the others are not in it.

    Args:
        kept, share: See `collapsed`.
    """
    found = []
    for curve in (one.curve for one in standing_curves(curves)):
        if curve.outcome == "diverged":
            last = f", after {curve.steps[-1]:,.0f} {curve.unit}" if len(curve.steps) else ""
            found.append(Trouble(curve, "diverged", f"{curve.seed_words} diverged{last}"))
        elif levels := collapsed(curve, higher_is_better=higher_is_better, kept=kept, share=share):
            fell = f"from {shown(levels[0])} to {shown(levels[1])}"
            far = " so far" if curve.outcome in WAITING else ""  # it may still come back
            found.append(Trouble(curve, "collapsed", f"{curve.seed_words} collapsed{far}: {fell}"))
    return found


def collapsed(
    curve: Curve, *, higher_is_better: bool = True, kept: float = 0.5, share: float = SHARE
) -> tuple[float, float] | None:
    """Return the best level of a curve and that of its end where it lost most of what it had learned; else None.

    A level is the mean over a share of the steps: one lucky value is no best. What was learned is the best level over
    0, or over the first one where that is worse, so that it serves metrics of any sign. A fall that is no more
    than how the curve wavers is none.

    Args:
        kept: Share of what was learned, under which the end must lie.
        share: Of the steps: the width of a level, above 0 and at most 1.
    """
    levels, wavering = _levels(curve, share)
    if len(levels) < _FEWEST_POINTS:
        return None
    sign = 1.0 if higher_is_better else -1.0
    levels = sign * levels
    ground, best, end = min(float(levels[0]), 0.0), float(levels.max()), float(levels[-1])
    if end - ground >= kept * (best - ground) or best - end <= _CLEAR * wavering:
        return None
    return sign * best, sign * end


def _levels(curve: Curve, share: float) -> tuple[FloatArray, float]:
    """Return the means of a curve over equal parts of its own steps, and the deviation of values within the parts."""
    if len(curve.steps) < 2:
        return np.empty(0), 0.0
    parts = max(1, round(1 / share))
    width = np.ptp(curve.steps) / parts
    at = np.minimum(((curve.steps - curve.steps[0]) / width).astype(np.intp), parts - 1)
    counts = np.bincount(at, minlength=parts)
    means = np.bincount(at, curve.values, minlength=parts)[counts > 0] / counts[counts > 0]
    within = curve.values - means[np.cumsum(counts > 0)[at] - 1]
    freedom = len(at) - len(means)
    return means, math.sqrt(float((within**2).sum()) / freedom) if freedom else 0.0


def shared_settings(
    troubled: Sequence[Mapping[str, Hashable]], others: Sequence[Mapping[str, Hashable]]
) -> dict[str, tuple[Hashable, int]]:
    """Return the settings that all troubled runs share and not all others have, each with how many others have it.

    It is a hint and no finding: of many settings some are shared by chance, the more so the fewer runs are troubled.

    Args:
        troubled: Settings of each run that diverged or collapsed, by name; one that a run lacks is not shared.
        others: Those of the runs that did not.
    """
    if not troubled:
        return {}
    shared = {
        name: value
        for name, value in troubled[0].items()
        if all(name in settings and settings[name] == value for settings in troubled)
    }
    having = {
        name: sum(name in settings and settings[name] == value for settings in others) for name, value in shared.items()
    }
    return {name: (value, having[name]) for name, value in shared.items() if having[name] < len(others)}
