"""Charts: plain altair from data and options, in the colours of the page, each with its origin beneath it.

Every function takes the runs that were planned, also those without a value, and returns a chart or one sentence, never
an exception. `chart.description` says in words what is drawn; `chart.usermeta["caption"]` is what stands beneath it,
and `["summary"]` the line that it folds into.
"""

from __future__ import annotations

from experiments.notebooks.charts.curves import CurveOptions, curve_chart, learning_curves
from experiments.notebooks.charts.grids import machine_curves, matching, metric_grid
from experiments.notebooks.charts.layers import Mark
from experiments.notebooks.charts.runs import Axis, RunCurve, read_runs
from experiments.notebooks.charts.scores import (
    ScoreOptions,
    comparison_sentences,
    improvement_chart,
    noise_sentence,
    performance_profile,
    score_strip,
)
from experiments.notebooks.charts.sweeps import setting_effects
from experiments.notebooks.charts.theme import DARK_FOR_LIGHT, empty_chart

__all__ = [
    "DARK_FOR_LIGHT",
    "Axis",
    "CurveOptions",
    "Mark",
    "RunCurve",
    "ScoreOptions",
    "comparison_sentences",
    "curve_chart",
    "empty_chart",
    "improvement_chart",
    "learning_curves",
    "machine_curves",
    "matching",
    "metric_grid",
    "noise_sentence",
    "performance_profile",
    "read_runs",
    "score_strip",
    "setting_effects",
]
