"""Recoveries as marks on learning curves, whatever these are drawn over."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from experiments.notebooks.charts import RunCurve
from experiments.notebooks.charts.curves import Mark
from experiments.runs.recoveries import recovery_marks
from experiments.runs.store import RunStore
from experiments.types import JobRef


def marks_on(
    runs: Sequence[RunCurve], by_agent_step: Sequence[RunCurve], jobs: Sequence[JobRef], store: RunStore
) -> list[Mark]:
    """Return where runs were started again, in the unit of the curves' x-axis.

    Args:
        runs: The curves that are drawn.
        by_agent_step: The same curves over agent steps.
        jobs: Their jobs.
        store: Where the runs are read.
    """
    drawn = {run.run: run.curve.steps for run in runs}
    steps = {run.run: run.curve.steps for run in by_agent_step}
    marks = []
    for row in recovery_marks(jobs, store).itertuples(index=False):
        along, across = steps.get(row.run), drawn.get(row.run)
        if along is None or across is None or not len(along) or len(along) != len(across):
            continue
        marks.append(Mark(str(row.run), float(np.interp(float(row.step), along, across)), str(row.text)))
    return marks
