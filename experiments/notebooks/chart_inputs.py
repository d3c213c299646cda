"""The controls above the charts: which metric, over what, how smooth; and which charts there are to see."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import marimo as mo

from experiments.errors import ExperimentsError
from experiments.notebooks.charts import Axis
from experiments.notebooks.charts.runs import UPDATE_KEYS
from experiments.notebooks.context import NotebookContext
from experiments.runs.store import REWARD_KEY, RunInfo, RunQuery
from experiments.scoring import known_statuses
from experiments.statistics import Statistic, Summary
from experiments.types import JobRef, JobStatus

LOSSES = "losses/*"
STATISTICS: dict[str, Statistic] = {"mean": "mean", "median": "median", "interquartile mean": "iqm"}
SUMMARIES: dict[str, Summary] = {
    "last 10 %": Summary("final"),
    "area under the curve": Summary("area"),
    "best value": Summary("best"),
}
SMOOTHING = (0.0, 0.005, 0.01, 0.02, 0.05, 0.1)

_chosen: weakref.WeakKeyDictionary[threading.Thread, dict[tuple[str, str], dict[str, Any]]] = (
    weakref.WeakKeyDictionary()
)


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
    """Return the controls of the learning curves as one dictionary element; made again, they keep what was chosen.

    Its value has `metric`, `axis`, `statistic` and `summary` (keys of the tables here), `smoothing` (% of the x-range),
    `log`, `all_values`, `by_run` and `pattern` (of the small charts).
    """
    infos = known_runs(experiment, jobs)
    names = sorted({*logged_metrics(infos), REWARD_KEY})
    axes = axes_of(infos, known_statuses(experiment.workspace.state), jobs)
    place = (str(experiment.workspace.state), experiment.name)
    before = _chosen.setdefault(threading.current_thread(), {}).get(place, {})

    def one_of(name: str, options: Sequence[str], first: str, label: str) -> Any:
        value = before.get(name) if before.get(name) in options else first
        return mo.ui.dropdown(list(options), value=value, label=label, searchable=len(options) > 8)

    def box(name: str, label: str) -> Any:
        return mo.ui.checkbox(bool(before.get(name)), label=label)

    steps = [100 * share for share in SMOOTHING]
    smoothing = before.get("smoothing") if before.get("smoothing") in steps else 0.0
    elements: dict[str, Any] = {
        "metric": one_of("metric", names, REWARD_KEY, "Metric"),
        "axis": one_of("axis", axes, "agent steps", "over"),
        "smoothing": mo.ui.slider(
            steps=steps, value=smoothing, label="Smoothing (% of the range)", show_value=True, debounce=True
        ),
        "log": box("log", "log scale"),
        "all_values": box("all_values", "outliers too"),
    }
    if len({job.seed for job in jobs}) > 1:
        elements["statistic"] = one_of("statistic", list(STATISTICS), "mean", "Over seeds")
        elements["by_run"] = box("by_run", "runs only")
        elements["summary"] = one_of("summary", list(SUMMARIES), "last 10 %", "Score")
    pattern = str(before.get("pattern") or LOSSES)
    elements["pattern"] = mo.ui.text(value=pattern, label="Small charts of", placeholder="losses/*, entropy")

    def remember(value: dict[str, Any]) -> None:
        _chosen.setdefault(threading.current_thread(), {})[place] = dict(value)

    return mo.ui.dictionary(elements, on_change=remember)


def note_metrics(
    experiment: NotebookContext,
    jobs: Sequence[JobRef],
    known: Sequence[str],
    tell: Callable[[tuple[str, ...]], None],
    _changed: object = None,
) -> None:
    """Tell of the metrics that runs have logged, where they are others than those known.

    Args:
        _changed: Read by the cell only so that it runs again when the runs have new data.
    """
    found = tuple(logged_metrics(known_runs(experiment, jobs)))
    if found and found != tuple(known):
        tell(found)


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
