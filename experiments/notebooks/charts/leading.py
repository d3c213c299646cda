"""Which of many arms a chart tells apart: those that are chosen, the first, and the best by score.

More than eight lines in colour are told apart by nobody, so the others stand behind them in grey.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from experiments.notebooks.charts.runs import RunCurve
from experiments.project import look
from experiments.project.look import counted
from experiments.statistics import Scores, Statistic, Summary, aggregate, summarise

MOST_ARMS = len(look.LIGHT.arms)
"""Arms in colour and with an interval; where there are more, those that lead."""


def leading_arms(
    runs: Sequence[RunCurve],
    summary: Summary,
    statistic: Statistic = "mean",
    selected: Iterable[str] = (),
    hidden: Iterable[str] = (),
) -> tuple[str, ...]:
    """Return the arms in colour, each in the place of its colour: all of them where there are no more than eight.

    Of more it is the first, which is the baseline, and the best by score. Arms with a selected run take the places of
    the last of these, so that the others keep their colours.

    Args:
        selected: Run names.
        hidden: Arms that lead only where they are selected.
    """
    arms = list(dict.fromkeys(run.arm for run in runs))
    if len(arms) <= MOST_ARMS:
        return tuple(arms)
    wanted, away = set(selected), set(hidden)
    found = summarise([run.curve for run in runs], summary)
    best = list(dict.fromkeys([arms[0], *ranked(runs, found, statistic, summary)]))
    chosen = list(dict.fromkeys(run.arm for run in runs if run.run in wanted))
    leading, rest = best[:MOST_ARMS], best[MOST_ARMS:]
    _replace(leading, [arm for arm in rest if arm not in away], [arm for arm in leading if arm in away - set(chosen)])
    free = [arm for arm in reversed(leading) if arm not in chosen]
    _replace(leading, [arm for arm in chosen if arm not in leading], free)
    return tuple(leading)


def _replace(leading: list[str], come: Sequence[str], go: Sequence[str]) -> None:
    """Put arms in the places of others; those that stay keep theirs."""
    for arm, old in zip(come, go, strict=False):
        leading[leading.index(old)] = arm


def ranked(runs: Sequence[RunCurve], found: Mapping[str, Scores], statistic: Statistic, summary: Summary) -> list[str]:
    """Return the arms, the best score first; those without one come after them, by what their runs logged last."""
    sign = -1.0 if summary.lower_score_is_better else 1.0
    last: dict[str, list[float]] = {}
    for run in runs:
        if run.curve.counts and len(run.curve.values):
            last.setdefault(run.arm, []).append(float(run.curve.values[-1]))

    def rank(arm: str) -> tuple[bool, float]:
        scored = found[arm].values if arm in found else np.empty(0)
        values = scored if len(scored) else np.array(last.get(arm, [math.nan]))
        value = float(aggregate(statistic)(values))
        return not len(scored), -sign * value if math.isfinite(value) else math.inf

    return sorted(dict.fromkeys(run.arm for run in runs), key=rank)


def leading_words(shown: int, arms: int, what: str) -> str:
    """Return which arms are told apart, and what is not drawn of the others; empty where that is all of them."""
    if shown >= arms:
        return ""
    return f"{what}: the first arm, those selected and the best by score, {shown} of {counted(arms, 'arm')}"
