"""What a trial's seeds logged on their way: the values by which a search prunes, and what later trials are held to."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from experiments.project.errors import ExperimentsError
from experiments.results.scores import outcome_of_job
from experiments.runs.axes import axes_of, common_axis, counters_of, logged_over
from experiments.runs.roles import metrics_of
from experiments.runs.store import RunStore
from experiments.statistics import Curve, standing_curves
from experiments.types import JobRef, JobStatus

MOST = 60
"""Evaluations that are recorded of a trial: of more, so many that lie evenly among them."""

_STILL = frozenset({"unfinished", "unread"})


@dataclass(frozen=True)
class Course:
    """What the seeds of a trial logged of a metric, one curve a seed, that of the lowest first."""

    curves: Sequence[Curve]

    def at(self, step: float) -> float | None:
        """Return the mean of the seeds that reached a step; None where one still has to get there, or none has a value.

        A seed that ended before it is left out: it is as far as it ever gets.
        """
        values = []
        for curve in self.curves:
            if not len(curve.steps) or curve.steps[-1] < step:
                if curve.outcome in _STILL:
                    return None
                continue
            seen = curve.values[: int(np.searchsorted(curve.steps, step, side="right"))]
            finite = seen[np.isfinite(seen)]
            values += [float(finite[-1])] if len(finite) else []
        return math.fsum(values) / len(values) if values else None

    def evaluations(self) -> tuple[tuple[float, float], ...]:
        """Return what is recorded of a trial that has ended, for those that come after it."""
        curve = next((each for each in self.curves if len(each.steps)), None)
        if curve is None:
            return ()
        chosen = np.unique(np.linspace(0, len(curve.steps) - 1, min(MOST, len(curve.steps))).round().astype(int))
        steps = sorted({float(curve.steps[at]) for at in chosen})
        return tuple((step, value) for step in steps if (value := self.at(step)) is not None)


def course_of(jobs: Sequence[JobRef], statuses: Mapping[str, JobStatus], metric: str, store: RunStore) -> Course | None:
    """Return what the seeds of a trial logged by now; None where that cannot be read."""
    try:
        histories = {job.run: store.history(job.run, [*counters_of(metrics_of(job).step), metric]) for job in jobs}
    except ExperimentsError:
        return None
    axis = common_axis(axes_of(histories[job.run][0], metric, step=metrics_of(job).step) for job in jobs)
    curves = []
    for job in jobs:
        history, origin = histories[job.run]
        steps, values = logged_over(history, metric, axis, origin.nan_steps.get(metric, ()))
        order = np.argsort(steps, kind="stable")
        outcome = outcome_of_job(statuses.get(job.run))
        curves.append(Curve(steps[order], values[order], arm=job.arm, seed=job.seed, outcome=outcome, run=job.run))
    standing = [one.curve for one in standing_curves(curves)]
    return Course(sorted(standing, key=lambda curve: curve.seed))
