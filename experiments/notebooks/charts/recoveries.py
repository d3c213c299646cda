"""Recoveries as marks on learning curves, whatever these are drawn over."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from experiments.notebooks.charts import RunCurve
from experiments.notebooks.charts.layers import Mark
from experiments.results.recoveries import recovery_marks
from experiments.runs.store import RunStore
from experiments.types import JobRef


def marks_on(
    runs: Sequence[RunCurve], by_own_step: Sequence[RunCurve], jobs: Sequence[JobRef], store: RunStore
) -> list[Mark]:
    """Return where runs were started again, in the unit of the curves' x-axis.

    Args:
        runs: The curves that are drawn.
        by_own_step: The same curves, each over the counter that the run goes by.
        jobs: Their jobs.
        store: Where the runs are read.
    """
    drawn = {run.run: run.curve.steps for run in runs}
    steps = {run.run: run.curve.steps for run in by_own_step}
    marks = []
    found = recovery_marks(jobs, store)
    for run, step, text in zip(found["run"].tolist(), found["step"].tolist(), found["text"].tolist(), strict=True):
        along, across = steps.get(run), drawn.get(run)
        if along is None or across is None or not len(along) or len(along) != len(across):
            continue
        # Over its own steps a recovery may lie before the first value, as rewards come with the first episodes' ends.
        x = float(step) if np.array_equal(along, across) else float(np.interp(step, along, across))
        marks.append(Mark(run, x, text))
    return marks
