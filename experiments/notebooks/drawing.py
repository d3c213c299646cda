"""Drawing once for all viewers of the same data, and in place on each one's page."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import marimo as mo

from experiments.jobs.watch.snapshots import read_versions
from experiments.notebooks.charts import DARK_FOR_LIGHT
from experiments.notebooks.context import NotebookContext
from experiments.notebooks.page import on_a_page
from experiments.types import JobRef
from widgets.charts import ChartWidget

_KEPT = 64
_drawn: dict[tuple[object, ...], Any] = {}
_drawing = threading.Lock()  # the sessions of one server are threads of one process


def drawn_once(
    experiment: NotebookContext, jobs: Sequence[JobRef], options: tuple[object, ...], build: Callable[[], Any]
) -> Any:
    """Return what `build` makes, made once for all viewers of the same data.

    The Monitor gives every run a data version; where it has none for a run (a script, an export), nothing is kept.
    """
    versions = tuple(data_versions(experiment, jobs).values())
    if not versions or len(versions) < len(jobs):
        return build()
    key = (str(experiment.workspace.state), tuple(jobs), options, versions)
    with _drawing:
        if key not in _drawn:
            _drawn[key] = build()
            while len(_drawn) > _KEPT:
                del _drawn[next(iter(_drawn))]
        return _drawn[key]


def data_versions(experiment: NotebookContext, jobs: Sequence[JobRef]) -> dict[str, str]:
    """Return the data version of each run that the Monitor knows."""
    found = read_versions(experiment.workspace.state / "live")
    return {job.run: found[job.run] for job in jobs if job.run in found}


def chart_widget(experiment: NotebookContext, *, can_select: bool = False) -> Any:
    """Return an empty chart as a marimo element; `show` draws in it, and its zoom and selection stay.

    Args:
        can_select: Whether dragging may select runs, and a click one of them.
    """
    cache = experiment.workspace.state / "cache" / "vega"
    return mo.ui.anywidget(ChartWidget(cache_dir=cache, colours=DARK_FOR_LIGHT, can_select=can_select))


def on_page(view: Any) -> Any:
    """Return a chart element for a page; None in a script or an export, where `show` gives the chart itself."""
    return view if on_a_page() else None


def show(view: Any, made: tuple[Any, Mapping[str, Any]] | None) -> Any:
    """Draw a chart and its specification in a chart element; None empties it.

    Returns:
        The chart itself where there is no page that shows the element.
    """
    if made is None:
        view.widget.clear()
        return None
    view.widget.show(*made)
    return None if on_a_page() else made[0]


def specified(chart: Any) -> tuple[Any, dict[str, Any]]:
    """Return a chart with its specification, which is the same for every viewer."""
    return chart, chart.to_dict(validate=False)


def is_dark() -> bool:
    """Say whether the page is shown in dark colours."""
    return bool(mo.app_meta().theme == "dark")
