"""The controls above the charts: which metric, over what, how smooth; and which charts there are to see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import marimo as mo

from experiments.errors import ExperimentsError
from experiments.notebooks.charts import Axis
from experiments.notebooks.charts.runs import UPDATE_KEYS
from experiments.notebooks.context import NotebookContext
from experiments.runs.store import RunInfo, RunQuery
from experiments.scoring import known_statuses
from experiments.statistics import Statistic, Summary
from experiments.types import JobRef, JobStatus

REWARD = "overview/reward"
LOSSES = "losses/*"
STATISTICS: dict[str, Statistic] = {"mean": "mean", "median": "median", "interquartile mean": "iqm"}
SUMMARIES: dict[str, Summary] = {
    "last 10 %": Summary("final"),
    "area under the curve": Summary("area"),
    "best value": Summary("best"),
}
SMOOTHING = (0.0, 0.005, 0.01, 0.02, 0.05, 0.1)


def known_runs(experiment: NotebookContext, jobs: Sequence[JobRef]) -> list[RunInfo]:
    """Return what the store knows of the jobs' runs; nothing where it cannot be asked, as the charts then say."""
    if not jobs:
        return []
    try:
        return experiment.store.find(RunQuery(names=[job.run for job in jobs], limit=None))
    except ExperimentsError:
        return []


def logged_metrics(infos: Sequence[RunInfo]) -> list[str]:
    """Return the names of the numbers that runs have logged, sorted; W&B's own keys are left out."""
    found = {key for info in infos for key, value in info.summary.items() if _is_number(value)}
    return sorted(key for key in found if not key.startswith("_"))


def curve_controls(experiment: NotebookContext, jobs: Sequence[JobRef]) -> Any:
    """Return the controls of the learning curves as one dictionary element.

    Its value has `metric`, `axis`, `statistic` and `summary` (keys of the tables here), `smoothing` (share of the
    x-range), `log`, `all_values`, `by_run` and `pattern` (of the grid of metrics).
    """
    infos = known_runs(experiment, jobs)
    names = sorted({*logged_metrics(infos), REWARD})
    several = len({job.seed for job in jobs}) > 1
    axes = axes_of(infos, known_statuses(experiment.workspace.state), jobs)
    elements: dict[str, Any] = {
        "metric": mo.ui.dropdown(names, value=REWARD, label="Metric", searchable=len(names) > 8),
        "axis": mo.ui.dropdown(list(axes), value="agent steps", label="over"),
        "smoothing": mo.ui.slider(
            steps=[100 * share for share in SMOOTHING], value=0.0, label="Smoothing (% of the range)", show_value=True
        ),
        "log": mo.ui.checkbox(label="log scale"),
        "all_values": mo.ui.checkbox(label="outliers too"),
    }
    if several:
        elements["statistic"] = mo.ui.dropdown(list(STATISTICS), value="mean", label="Over seeds")
        elements["by_run"] = mo.ui.checkbox(label="runs only")
        elements["summary"] = mo.ui.dropdown(list(SUMMARIES), value="last 10 %", label="Score")
    elements["pattern"] = mo.ui.text(value=LOSSES, label="Small charts of", placeholder="losses/*, entropy")
    return mo.ui.dictionary(elements)


def controls_view(controls: Any) -> mo.Html:
    """Return the controls under the section's heading."""
    shown = [element for name, element in controls.elements.items() if name != "pattern"]
    return mo.vstack([mo.md("## Analysis"), mo.hstack(shown, justify="start", align="center", gap=1.0, wrap=True)])


def axes_of(infos: Sequence[RunInfo], statuses: Mapping[str, JobStatus], jobs: Sequence[JobRef]) -> list[Axis]:
    """Return what curves can be drawn over: updates and cost only where at least one run knows them."""
    axes: list[Axis] = ["agent steps"]
    if any(key in info.summary for info in infos for key in UPDATE_KEYS):
        axes.append("updates")
    axes.append("wall time")
    costs = [status.cost_usd for job in jobs if (status := statuses.get(job.run)) is not None]
    return [*axes, "cost"] if any(costs) else axes


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
