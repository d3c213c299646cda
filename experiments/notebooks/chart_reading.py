"""What charts of a notebook are made from: its runs, their standing, the controls; made once for all viewers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from experiments.jobs.watch.verdicts import verdict
from experiments.notebooks.chart_inputs import known_runs
from experiments.notebooks.charts import Axis, RunCurve, ScoreOptions, read_runs
from experiments.notebooks.choices import choice_of
from experiments.notebooks.context import NotebookContext
from experiments.notebooks.drawing import data_versions, drawn_once, specified
from experiments.results.scores import known_statuses
from experiments.types import JobRef, JobStatus

Drawing = tuple[Any, Mapping[str, Any]]
"""A chart, and its specification."""


def runs_with(
    experiment: NotebookContext, jobs: Sequence[JobRef], metric: str | Sequence[str], axis: Axis
) -> list[RunCurve]:
    """Return one metric of the jobs' runs; what did not change since it was last read is not read again."""
    return read_runs(
        jobs,
        metric,
        store=experiment.store,
        axis=axis,
        statuses=standings(experiment, jobs),
        versions=data_versions(experiment, jobs),
        place=str(experiment.workspace.state),
        codes=experiment.code_marks(jobs),
    )


def standings(experiment: NotebookContext, jobs: Sequence[JobRef]) -> dict[str, JobStatus]:
    """Return what is known of each job, by run name: what was published last, else the tracker's own word."""
    published = known_statuses(experiment.workspace.state)
    known = {job.run: published[job.run] for job in jobs if job.run in published}
    asked = [job for job in jobs if job.run not in known or known[job.run].verdict == "unknown"]
    for info in known_runs(experiment, asked):
        state, reason = verdict(None, info.state)
        known[info.name] = JobStatus(run_name=info.name, tracker=info.state, verdict=state, reason=reason)
    return known


def score_options(jobs: Sequence[JobRef], controls: Any, selected: Iterable[str]) -> ScoreOptions:
    """Return what the controls say about scores."""
    chosen = choice_of(controls)
    return ScoreOptions(
        metric=chosen.metric,
        summary=chosen.summary,
        statistic=chosen.statistic,
        selected=tuple(sorted(set(selected))),
        arms=arms_of(jobs),
    )


def arms_of(jobs: Sequence[JobRef]) -> tuple[str, ...]:
    """Return the arms in the order of the jobs; the first is the baseline."""
    return tuple(dict.fromkeys(job.arm or job.run for job in jobs))


def axis_of(controls: Any) -> Axis:
    """Return what curves are drawn over."""
    chosen: Axis = controls.value["axis"] or "steps"
    return chosen


def made_chart(
    experiment: NotebookContext,
    jobs: Sequence[JobRef],
    metric: str | Sequence[str],
    axis: Axis,
    options: Any,
    build: Callable[[Sequence[RunCurve]], Any],
) -> Drawing:
    """Return a chart of one metric with its specification, made once for all viewers of the same data."""

    def make() -> Drawing:
        return specified(build(runs_with(experiment, jobs, metric, axis)))

    states = tuple((status.verdict, status.cost_usd) for status in standings(experiment, jobs).values())
    made: Drawing = drawn_once(experiment, jobs, (build.__code__.co_name, metric, axis, options, states), make)
    return made


def window_of(view: Any, axis: Axis) -> tuple[float, float] | None:
    """Return the part of the x-axis that is looked at; another axis begins with all of it."""
    widget = view.widget
    if widget.followed.setdefault("axis", axis) != axis:
        widget.followed["axis"], widget.zoom = axis, []
    return (widget.zoom[0], widget.zoom[1]) if len(widget.zoom) == 2 else None


def left_out(jobs: Sequence[JobRef], kept: Sequence[JobRef]) -> str:
    """Return what a caption says where only some runs are drawn; empty where all are."""
    if len(kept) == len(jobs):
        return ""
    return f"Only the {len(kept)} of {len(jobs)} runs that were brushed: chosen by their values, so no interval holds"


def only_these(jobs: Sequence[JobRef], only: Iterable[str]) -> list[JobRef]:
    """Return the jobs of some runs; all where none are named."""
    wanted = set(only)
    return [job for job in jobs if not wanted or job.run in wanted]
