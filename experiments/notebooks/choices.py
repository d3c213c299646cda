"""What a reader chose above the charts, for what stands below them: the same metric, score and statistic everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from experiments.notebooks.chart_inputs import STATISTICS, SUMMARIES
from experiments.results.scores import FINAL
from experiments.runs.store import REWARD_KEY
from experiments.statistics import Statistic, Summary


@dataclass(frozen=True)
class Choice:
    """Metric, score and statistic.

    Attributes:
        metric: Key of the metric.
        summary: What one run's score is.
        statistic: Over seeds.
        smoothing: Of drawn lines, as a share of the x-axis; never of a number.
    """

    metric: str = REWARD_KEY
    summary: Summary = FINAL
    statistic: Statistic = "mean"
    smoothing: float = 0.0


DEFAULTS = Choice()


def choice_of(controls: Any) -> Choice:
    """Return what the controls say; what they lack, or where there are none, is the default."""
    value = getattr(controls, "value", None)
    if not isinstance(value, dict):
        return DEFAULTS
    return Choice(
        value.get("metric") or REWARD_KEY,
        SUMMARIES.get(str(value.get("summary")), FINAL),
        STATISTICS.get(str(value.get("statistic")), "mean"),
        float(value.get("smoothing") or 0.0) / 100,
    )
