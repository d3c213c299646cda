"""How an experiment learned beside what it scored: still rising or not, what was lost, where a next run will lie.

None of it decides anything. It says whether training was long enough, which runs did not end well and what these have
in common, how far single runs spread, and whether to pair seeds in the next design.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass

from experiments.jobs.rule import FEWEST
from experiments.project.look import counted
from experiments.results.rows import RunRow, config_differences, short_names
from experiments.results.scores import FINAL
from experiments.statistics import (
    DOUBTFUL,
    Curve,
    Estimate,
    PairCorrelation,
    Scores,
    Slope,
    Summary,
    Trouble,
    end_slope,
    looks_otherwise,
    next_run,
    normality_of,
    pair_correlation,
    shared_settings,
    shown,
    summarise,
    troubles,
)

_MOST = 6
_MOST_NAMED = 3


@dataclass(frozen=True)
class ArmShape:
    """One arm.

    Attributes:
        slope: Of its curves at their end.
        next_run: Where the score of one further run will lie.
        normality: P-value of a test that its scores are normal; None where there are too few.
    """

    arm: str
    slope: Slope
    next_run: Estimate
    normality: float | None = None

    @property
    def sentence(self) -> str:
        """Slope and next run: `Still rising: 0.8 [0.3, 1.3] per ... A next run: 3.1 to 8.4, with 95 %.`."""
        count = self.slope.count
        if not count.finished:
            return f"Slope at the end and next run not known{' yet' if count.waiting else ''}: {count.sentence}."
        slope = self.slope.words
        return f"{slope[0].upper()}{slope[1:]}. {self._next}."

    @property
    def _next(self) -> str:
        interval, count = self.next_run.interval, self.next_run.count
        if interval.bounds is None:
            return f"A next run: not known ({interval.reason})"
        low, high = interval.bounds
        lost = f", unless it is lost ({count.losses} of {count.total})" if count.losses else ""
        return f"A next run: {shown(low)} to {shown(high)}, with {interval.percent}{lost}"


@dataclass(frozen=True)
class Shape:
    """The arms of an experiment.

    Attributes:
        arms: In their order.
        pairs: How far the seeds of an arm go together with those of the first, by the arm; of arms that share three
            seeds, once all have ended.
        troubles: Runs that diverged, or that lost what they had learned.
        shared: Settings that all of these have and not all others, with how many others have them.
        others: How many others there are.
    """

    arms: tuple[ArmShape, ...]
    pairs: Mapping[str, PairCorrelation]
    troubles: tuple[Trouble, ...] = ()
    shared: Mapping[str, tuple[Hashable, int]] | None = None
    others: int = 0

    @property
    def trouble_words(self) -> str:
        """Which runs did not end well, and what they share, in sentences; empty where all did."""
        if not self.troubles:
            return ""
        told = [one.words for one in self.troubles[:_MOST]]
        more = [f"and {len(self.troubles) - _MOST} more"] if len(self.troubles) > _MOST else []
        told_words = "; ".join([*told, *more])
        total = len(self.troubles) + self.others
        head = f"{len(self.troubles)} of {counted(total, 'run')} did not keep what was learned: {told_words}."
        return f"{head} {self._shared_words}".rstrip()

    @property
    def _shared_words(self) -> str:
        if len(self.troubles) < 2 or not self.others:
            return ""
        if self.shared is None:
            return "Which settings they share could not be read."
        if not self.shared:
            return "They share no setting that not all others have, too."
        named = [
            f"{name} = {_setting(value)} ({having} of {self.others} others)" for name, (value, having) in self._few
        ]
        return f"They share {', '.join(named)}: a hint, since some settings are shared by chance."

    @property
    def _few(self) -> list[tuple[str, tuple[Hashable, int]]]:
        """The settings that the fewest others have."""
        return sorted((self.shared or {}).items(), key=lambda item: item[1][1])[:3]

    @property
    def notes(self) -> list[str]:
        """Of what the slopes are, what intervals cover where that is little, and which scores do not look normal."""
        sloped = [arm.slope for arm in self.arms if arm.slope.value is not None]
        found = [f"Slopes are over the last {100 * sloped[0].share:.3g} % of the steps"] if sloped else []
        made = (
            ("slope", [slope.interval for slope in sloped]),
            ("next run", [arm.next_run.interval for arm in self.arms]),
            ("correlation", [pair.interval for pair in self.pairs.values()]),
        )
        doubts = [
            f"that of a {what} {next(one.doubt for one in intervals if one.doubt)}"
            for what, intervals in made
            if any(one.doubt for one in intervals)
        ]
        found += [f"Of nominal 95 % intervals, simulated, {', '.join(doubts)}"] if doubts else []
        return found + self._unlike_normal

    @property
    def _unlike_normal(self) -> list[str]:
        """Which scores do not look normal; of many arms how many, for one of 20 looks so by chance."""
        known = [(arm.arm, arm.normality) for arm in self.arms if arm.normality is not None]
        unlike = [(arm, p) for arm, p in known if looks_otherwise(p)]
        if len(unlike) <= _MOST_NAMED:
            return [f"The scores of {arm} do not look normal (Shapiro-Francia, p = {p:.2g})" for arm, p in unlike]
        chance = counted(round(DOUBTFUL * len(known)), "arm")
        many = f"{len(unlike)} of {counted(len(known), 'arm')}"
        tested = f"Shapiro-Francia, p below {DOUBTFUL:g}, as those of about {chance} do by chance"
        return [f"The scores of {many} do not look normal ({tested})"]


def shape_of(
    curves: Sequence[Curve],
    summary: Summary = FINAL,
    *,
    rows: Callable[[], Sequence[RunRow] | None] = lambda: None,
    has_direction: bool = True,
) -> Shape:
    """Return how the arms of some curves learned.

    Args:
        curves: One metric over steps, of every run that was planned.
        rows: Returns those of the runs, for the settings that several in trouble share; None where they cannot be read.
        has_direction: Whether it is known which way the metric is better: else nothing is said to have collapsed.
    """
    scores = list(summarise(curves, summary).values())
    arms = [
        ArmShape(one.arm, end_slope([curve for curve in curves if curve.arm == one.arm]), next_run(one), _normal(one))
        for one in scores
    ]
    found = troubles(curves, higher_is_better=summary.higher_is_better)
    found = [one for one in found if has_direction or one.kind == "diverged"]
    named = {one.curve.run for one in found}
    others = [run.run for arm in scores for run in arm.runs if run.run not in named]
    known = rows() if len(found) > 1 and others else None  # they take longer to read than all else
    shared = None if known is None else _shared(known, named, others)
    return Shape(tuple(arms), _pairs(scores), tuple(found), shared, len(others))


def _normal(scores: Scores) -> float | None:
    return normality_of(scores.values)


def _pairs(scores: Sequence[Scores]) -> dict[str, PairCorrelation]:
    if not scores:
        return {}
    first, *others = scores
    return {
        arm.arm: pair_correlation(arm, first)
        for arm in others
        if not arm.waiting and not first.waiting and len(set(arm.seeds) & set(first.seeds)) >= FEWEST
    }


def _shared(rows: Sequence[RunRow], troubled: set[str], others: Sequence[str]) -> dict[str, tuple[Hashable, int]]:
    differing = config_differences(rows)
    short = short_names(list(differing))

    def settings(run: str) -> dict[str, Hashable]:
        return {short[key]: values[run] for key, values in differing.items() if run in values}

    return shared_settings([settings(run) for run in sorted(troubled)], [settings(run) for run in others])


def _setting(value: Hashable) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else "not set" if value is None else str(value)
