"""The monitor section: every job of the experiment, live."""

from __future__ import annotations

from typing import Any

import marimo as mo

from experiments.notebooks.context import NotebookContext

CELLS = {"monitor": ("monitor_heading",)}


def watched_metrics(experiment: NotebookContext) -> Any:
    """Return the Monitor's file of data versions: what reads its `value` in a cell runs again when a run has new rows."""
    live = experiment.workspace.state / "live" / "metrics.json"
    return mo.watch.file(live)


def monitor_heading() -> None:
    """Head the section."""
    mo.md("## Monitor")
