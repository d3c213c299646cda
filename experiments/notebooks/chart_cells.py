"""What the cells of the analysis section call: from the controls and the page's events to what each chart shows."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import marimo as mo
import numpy as np

from experiments.notebooks.chart_inputs import REWARD, STATISTICS, SUMMARIES, known_runs, logged_metrics
from experiments.notebooks.charts import (
    Axis,
    CurveOptions,
    RunCurve,
    ScoreOptions,
    comparison_sentences,
    empty_chart,
    improvement_chart,
    learning_curves,
    matching,
    metric_grid,
    performance_profile,
    read_runs,
    score_strip,
)
from experiments.notebooks.charts.grids import MOST_PANELS
from experiments.notebooks.context import NotebookContext
from experiments.notebooks.drawing import data_versions, drawn_once, show, specified
from experiments.notebooks.monitoring import on_a_page
from experiments.notebooks.recoveries import marks_on
from experiments.scoring import known_statuses
from experiments.statistics import Summary
from experiments.types import JobRef, JobStatus, Verdict

SPS_KEYS = ("overview/sps", "sps", "steps_per_second", "train/sps", "timing/sps", "performance/sps")
View = tuple[Any, Mapping[str, Any]]
_TRACKER_WORDS: dict[str, Verdict] = {
    "finished": "succeeded",
    "failed": "failed",
    "crashed": "failed",
    "running": "running",
}
SPEED, SMALL, PROFILE, IMPROVEMENT = "Speed", "Small charts", "Performance profile", "Probability of improvement"


def draw_curves(
    view: Any,
    experiment: NotebookContext,
    jobs: Sequence[JobRef],
    controls: Any,
    _changed: object = None,
    *,
    selected: Iterable[str] = (),
) -> Any:
    """Draw the learning curves in their chart; where a person zoomed, with the detail of what is looked at.

    Another x-axis is looked at from end to end.

    Args:
        view: What `chart_widget` returned.
        _changed: Read by the cell only so that it runs again when the runs have new data.
        selected: Runs that stand out.
    """
    chosen, axis = controls.value, axis_of(controls)
    options = CurveOptions(
        metric=chosen["metric"] or REWARD,
        statistic=STATISTICS[chosen.get("statistic") or "mean"],
        smoothing=(chosen["smoothing"] or 0.0) / 100,
        log=bool(chosen["log"]),
        safe=not chosen["all_values"],
        window=_window(view, axis),
        by_run=bool(chosen.get("by_run")),
        selected=tuple(sorted(set(selected))),
        arms=arms_of(jobs),
    )

    axis = axis_of(controls)

    def build(runs: Sequence[RunCurve]) -> Any:
        over_steps = runs if axis == "agent steps" else runs_with(experiment, jobs, options.metric, "agent steps")
        return learning_curves(runs, options, marks=marks_on(runs, over_steps, jobs, experiment.store))

    return show(view, _made(experiment, jobs, options.metric, axis, options, build))


def draw_scores(
    view: Any,
    experiment: NotebookContext,
    jobs: Sequence[JobRef],
    controls: Any,
    _changed: object = None,
    *,
    selected: Iterable[str] = (),
    only: Iterable[str] = (),
) -> Any:
    """Draw the seeds' scores in their chart; nothing where there is only one run."""
    if len(jobs) < 2:
        return show(view, None)
    options = score_options(jobs, controls, selected)
    kept = _kept(jobs, only)
    return show(
        view, _made(experiment, kept, options.metric, "agent steps", options, lambda runs: score_strip(runs, options))
    )


def comparison_note(experiment: NotebookContext, jobs: Sequence[JobRef], controls: Any, _changed: object = None) -> Any:
    """Return what the scores say about each arm against the first, as text; None where there is one arm only."""
    if len({job.arm for job in jobs}) < 2:
        return None
    options = score_options(jobs, controls, ())
    runs = runs_with(experiment, jobs, options.metric, "agent steps")
    lines = comparison_sentences(runs, options)
    return mo.Html("".join(f"<p style='margin: 4px 0'>{html.escape(line)}</p>" for line in lines))


def view_names(jobs: Sequence[JobRef]) -> list[str]:
    """Return the further charts that make sense for these jobs."""
    names = [SPEED, SMALL]
    if len(jobs) > 2:
        names.append(PROFILE)
    if len({job.arm for job in jobs}) > 1:
        names.append(IMPROVEMENT)
    return names


def view_tabs(jobs: Sequence[JobRef]) -> Any:
    """Return the choice among them; only the chosen one is computed."""
    return mo.ui.tabs({name: mo.Html("") for name in view_names(jobs)}, value=SPEED)


def draw_more(
    view: Any,
    experiment: NotebookContext,
    jobs: Sequence[JobRef],
    tabs: Any,
    controls: Any,
    _changed: object = None,
    *,
    selected: Iterable[str] = (),
    only: Iterable[str] = (),
) -> Any:
    """Draw the chart of the chosen tab; where there is no page, return all of them."""
    kept, standing = _kept(jobs, only), tuple(sorted(set(selected)))

    def made(name: str) -> View | None:
        window = _window(view, axis_of(controls))
        return _further(name, experiment, kept, jobs, controls, standing, window) if jobs else None

    if not on_a_page():
        return mo.vstack([part[0] for part in map(made, view_names(jobs)) if part is not None])
    return show(view, made(tabs.value if tabs.value in view_names(jobs) else SPEED))


def brushed_runs(
    experiment: NotebookContext, jobs: Sequence[JobRef], controls: Any, brush: Mapping[str, Any]
) -> list[str]:
    """Return the runs with a value, as logged, inside the rectangle that was drawn; none where nothing was."""
    if not brush:
        return []
    (left, right), (low, high) = brush["x"], brush["y"]
    found = []
    for run in runs_with(experiment, jobs, controls.value["metric"] or REWARD, axis_of(controls)):
        steps, values = run.curve.steps, run.curve.values
        if np.any((steps >= left) & (steps <= right) & (values >= low) & (values <= high)):
            found.append(run.run)
    return found


def follow_chart(
    view: Any,
    experiment: NotebookContext,
    jobs: Sequence[JobRef],
    controls: Any,
    set_brushed: Callable[[tuple[str, ...]], None],
    set_clicked: Callable[[tuple[str, int]], None],
) -> None:
    """Pass on what a person did in a chart: the runs brushed, and the run and agent steps of the point clicked.

    Nothing is passed on twice, so that a zoom or new data change no selection.
    """
    widget = view.widget
    brush, nonce = dict(widget.brush), widget.clicked.get("nonce", "")
    if brush != widget.followed.get("brush", {}):
        widget.followed["brush"] = brush
        found = tuple(brushed_runs(experiment, jobs, controls, brush))
        if brush and not found:
            widget.brush = widget.followed["brush"] = {}
        set_brushed(found)
    if nonce and nonce != widget.followed.get("nonce"):
        widget.followed["nonce"] = nonce
        run = widget.clicked["run"]
        set_clicked((run, agent_step_at(experiment, jobs, controls, run, float(widget.clicked["x"]))))


def agent_step_at(experiment: NotebookContext, jobs: Sequence[JobRef], controls: Any, run: str, x: float) -> int:
    """Return the agent steps of a point of a curve, whatever it is drawn over."""
    axis, metric = axis_of(controls), controls.value["metric"] or REWARD
    own = [job for job in jobs if job.run == run]
    if axis == "agent steps" or not own:
        return round(x)
    drawn = runs_with(experiment, own, metric, axis)[0].curve.steps
    steps = runs_with(experiment, own, metric, "agent steps")[0].curve.steps
    if not len(drawn) or not len(steps):
        return 0
    share = np.interp(x, drawn, np.linspace(0, 1, len(drawn)))
    return round(float(np.interp(share, np.linspace(0, 1, len(steps)), steps)))


def clicked_note(jobs: Sequence[JobRef], point: tuple[str, int] | None) -> Any:
    """Return what was clicked, in words; None before the first click."""
    job = next((job for job in jobs if point is not None and job.run == point[0]), None)
    if job is None or point is None:
        return None
    where = f"{job.arm} seed {job.seed} at {point[1]:,} agent steps".strip()
    return mo.Html(f"<p>Clicked: {html.escape(where)}. The replay nearest to it is shown under Replays.</p>")


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
    )


def score_options(jobs: Sequence[JobRef], controls: Any, selected: Iterable[str]) -> ScoreOptions:
    """Return what the controls say about scores."""
    chosen = controls.value
    return ScoreOptions(
        metric=chosen["metric"] or REWARD,
        summary=SUMMARIES.get(chosen.get("summary") or "", Summary()),
        statistic=STATISTICS[chosen.get("statistic") or "mean"],
        selected=tuple(sorted(set(selected))),
        arms=arms_of(jobs),
    )


def arms_of(jobs: Sequence[JobRef]) -> tuple[str, ...]:
    """Return the arms in the order of the jobs; the first is the baseline."""
    return tuple(dict.fromkeys(job.arm or job.run for job in jobs))


def axis_of(controls: Any) -> Axis:
    """Return what curves are drawn over."""
    chosen: Axis = controls.value["axis"] or "agent steps"
    return chosen


def _further(
    name: str,
    experiment: NotebookContext,
    jobs: Sequence[JobRef],
    every: Sequence[JobRef],
    controls: Any,
    selected: tuple[str, ...],
    window: tuple[float, float] | None,
) -> View:
    options = score_options(every, controls, selected)
    if name == PROFILE:
        return _made(
            experiment,
            jobs,
            options.metric,
            "agent steps",
            (name, options),
            lambda runs: performance_profile(runs, options),
        )
    if name == IMPROVEMENT:
        return _made(
            experiment,
            jobs,
            options.metric,
            "agent steps",
            (name, options),
            lambda runs: improvement_chart(runs, options),
        )
    if name == SMALL:
        return _small_charts(experiment, jobs, every, controls, selected)
    speed = CurveOptions(metric=SPS_KEYS[0], arms=arms_of(every), selected=selected, window=window, height=220)
    return _made(experiment, jobs, SPS_KEYS, axis_of(controls), speed, lambda runs: learning_curves(runs, speed))


def _small_charts(
    experiment: NotebookContext,
    jobs: Sequence[JobRef],
    every: Sequence[JobRef],
    controls: Any,
    selected: tuple[str, ...],
) -> View:
    chosen = controls.value
    found = matching(chosen["pattern"] or "", logged_metrics(known_runs(experiment, jobs)))
    names, smoothing, log = found[:MOST_PANELS], (chosen["smoothing"] or 0.0) / 100, bool(chosen["log"])
    axis = axis_of(controls)

    def build() -> View:
        if not names:
            return specified(
                empty_chart(f"No metric is called {chosen['pattern']!r}. Try losses/* or a part of a name.")
            )
        return specified(
            metric_grid(
                {name: runs_with(experiment, jobs, name, axis) for name in names},
                arms=arms_of(every),
                smoothing=smoothing,
                log=log,
                selected=selected,
                left_out=len(found) - len(names),
            )
        )

    options = ("small", tuple(names), len(found), axis, smoothing, log, selected)
    made: View = drawn_once(experiment, jobs, options, build)
    return made


def _made(
    experiment: NotebookContext,
    jobs: Sequence[JobRef],
    metric: str | Sequence[str],
    axis: Axis,
    options: Any,
    build: Callable[[Sequence[RunCurve]], Any],
) -> View:
    """Return a chart of one metric with its specification, made once for all viewers of the same data."""

    def make() -> View:
        return specified(build(runs_with(experiment, jobs, metric, axis)))

    states = tuple((status.verdict, status.cost_usd) for status in standings(experiment, jobs).values())
    made: View = drawn_once(experiment, jobs, (build.__code__.co_name, metric, axis, options, states), make)
    return made


def standings(experiment: NotebookContext, jobs: Sequence[JobRef]) -> dict[str, JobStatus]:
    """Return what is known of each job, by run name: what was published last, else the tracker's own word."""
    published = known_statuses(experiment.workspace.state)
    known = {job.run: published[job.run] for job in jobs if job.run in published}
    asked = [job for job in jobs if job.run not in known or known[job.run].verdict == "unknown"]
    for info in known_runs(experiment, asked):
        verdict = _TRACKER_WORDS.get(info.state, "unknown")
        known[info.name] = JobStatus(run_name=info.name, tracker=info.state, verdict=verdict)
    return known


def _window(view: Any, axis: Axis) -> tuple[float, float] | None:
    """Return the part of the x-axis that is looked at; another axis begins with all of it."""
    widget = view.widget
    if widget.followed.setdefault("axis", axis) != axis:
        widget.followed["axis"], widget.zoom = axis, []
    return (widget.zoom[0], widget.zoom[1]) if len(widget.zoom) == 2 else None


def _kept(jobs: Sequence[JobRef], only: Iterable[str]) -> list[JobRef]:
    wanted = set(only)
    return [job for job in jobs if not wanted or job.run in wanted]
