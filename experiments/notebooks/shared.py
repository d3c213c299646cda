"""What a notebook shows of its runs: read, scored and drawn once for all viewers of the same data."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import marimo as mo

from experiments.jobs.permits import on_a_page
from experiments.jobs.watch.snapshots import read_versions
from experiments.jobs.watch.verdicts import verdict
from experiments.notebooks.charts import DARK_FOR_LIGHT, Axis, RunCurve, ScoreOptions, read_runs
from experiments.notebooks.charts.leading import MOST_ARMS, leading_arms
from experiments.notebooks.context import NotebookContext
from experiments.notebooks.controls import choice_of
from experiments.results.logged import primary_of
from experiments.results.scores import FINAL, ScoredRuns, known_statuses, outcome_of_job
from experiments.runs.roles import NO_ROLES, REWARDS, likely_rewards, metrics_of
from experiments.runs.store import REWARD_KEY
from experiments.statistics import Summary
from experiments.types import JobRef, JobStatus, Metrics
from widgets.charts import ChartWidget, divided

Made = TypeVar("Made")
Drawing = tuple[Any, Mapping[str, Any]]
"""A chart, and what a page is sent of it (`divided`)."""

_KEPT_DRAWINGS, _KEPT_SCORES = 64, 32
_drawn: dict[tuple[object, ...], Any] = {}
_scored: OrderedDict[tuple[object, ...], ScoredRuns] = OrderedDict()
# The sessions of one server are threads of one process. Scores are read without the lock: a server may be slow.
_drawing, _scoring = threading.Lock(), threading.Lock()


def scored_once(
    experiment: NotebookContext, jobs: Sequence[JobRef], metric: str, summary: Summary = FINAL
) -> ScoredRuns:
    """Return one score a run that was planned; read again only when a run has new data or another state.

    The Monitor gives every run a data version; where it has none for a run (a script, an export), or where a
    run could not be read, nothing is kept.

    Raises:
        ExperimentsError: The runs cannot be read at all.
    """
    state, jobs = experiment.workspace.state, experiment.with_unlaunched(jobs)
    statuses, versions = known_statuses(state), read_versions(state / "live")
    codes = experiment.code_marks(jobs)
    known = (statuses.get(job.run) for job in jobs)
    verdicts = tuple((one.verdict, outcome_of_job(one)) if one else None for one in known)
    key = (
        *(str(state), tuple(jobs), metric, summary, verdicts),
        *(tuple(codes.items()), tuple(versions.get(job.run) for job in jobs)),
    )
    with _scoring:
        if key in _scored:
            _scored.move_to_end(key)
            return _scored[key]
    found = experiment.scored(jobs, metric, summary, statuses)
    if found.is_read and all(job.run in versions for job in jobs):
        with _scoring:
            _scored[key] = found
            while len(_scored) > _KEPT_SCORES:
                _scored.popitem(last=False)
    return found


def leading_of(
    experiment: NotebookContext,
    jobs: Sequence[JobRef],
    controls: Any,
    selected: Iterable[str] = (),
    hidden: Collection[str] = (),
) -> tuple[str, ...]:
    """Return the arms in colour in all charts of a page that has more than eight, by the score that is chosen there.

    Args:
        selected: Runs that stand out.
        hidden: Runs that are not drawn; an arm of which all are leads nothing.
    """
    arms = arms_of(jobs)
    if len(arms) <= MOST_ARMS:
        return arms
    options = score_options(jobs, controls, selected)
    seen = {job.arm or job.run for job in jobs if job.run not in hidden}
    away = tuple(arm for arm in arms if arm not in seen)

    def build() -> tuple[str, ...]:
        runs = runs_with(experiment, jobs, options.metric, "steps")
        return leading_arms(runs, options.summary, options.statistic, options.selected, away)

    return drawn_once(experiment, jobs, ("leading", options, away), build)


def drawn_once(
    experiment: NotebookContext, jobs: Sequence[JobRef], options: tuple[object, ...], build: Callable[[], Made]
) -> Made:
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
            while len(_drawn) > _KEPT_DRAWINGS:
                del _drawn[next(iter(_drawn))]
        found: Made = _drawn[key]
        return found


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


def show(view: Any, made: Drawing | None) -> Any:
    """Draw a chart in a chart element; None empties it.

    Returns:
        The chart itself where there is no page that shows the element.
    """
    if made is None:
        view.widget.clear()
        return None
    view.widget.show(*made)
    return None if on_a_page() else made[0]


def specified(chart: Any) -> Drawing:
    """Return a chart with what a page is sent of it, which is the same for every viewer."""
    return chart, divided(chart.to_dict(validate=False))


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
    for info in experiment.run_infos(asked):
        state, reason = verdict(None, info.state)
        known[info.name] = JobStatus(run_name=info.name, tracker=info.state, verdict=state, reason=reason)
    return known


def score_options(
    jobs: Sequence[JobRef], controls: Any, selected: Iterable[str], *, pool_codes: bool = False
) -> ScoreOptions:
    """Return what the controls say about scores.

    Args:
        pool_codes: Whether the study's rule allows claims over runs of different code.
    """
    chosen = choice_of(controls)
    metrics = metrics_about(jobs, chosen.metric)
    return ScoreOptions(
        metric=chosen.metric,
        unit=metrics.unit,
        summary=replace(chosen.summary, higher_is_better=False) if metrics.direction == "lower" else chosen.summary,
        statistic=chosen.statistic,
        selected=tuple(sorted(set(selected))),
        arms=arms_of(jobs),
        pool_codes=pool_codes,
    )


def metrics_about(jobs: Sequence[JobRef], metric: str) -> Metrics:
    """Return what the trainer that is about a metric says of it; nothing for any other metric."""
    named = (metrics_of(job) for job in jobs)
    return next((each for each in named if each.primary == metric), NO_ROLES)


def found_note(jobs: Sequence[JobRef], metric: str) -> str:
    """Return that a metric was found, where the trainer names none that a page is about; empty where it does."""
    if metric == REWARD_KEY or primary_of(jobs) is not None or not (metric in REWARDS or likely_rewards([metric])):
        return ""
    return f"{metric} was found among what the runs logged: their trainer names no primary metric"


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
    return drawn_once(experiment, jobs, (build.__code__.co_name, metric, axis, options, states), make)


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
