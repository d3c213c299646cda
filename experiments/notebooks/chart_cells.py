"""What the cells of the analysis section call: from the controls and the page's events to what each chart shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from experiments.notebooks.chart_reading import (
    arms_of,
    axis_of,
    left_out,
    made_chart,
    only_these,
    runs_with,
    score_options,
    window_of,
)
from experiments.notebooks.charts import (
    CurveOptions,
    RunCurve,
    comparison_sentences,
    learning_curves,
    score_strip,
)
from experiments.notebooks.charts.recoveries import marks_on
from experiments.notebooks.choices import choice_of
from experiments.notebooks.context import NotebookContext
from experiments.notebooks.drawing import show
from experiments.notebooks.lines import Line, lines_html
from experiments.notebooks.tables.runs import selected_runs
from experiments.project.errors import ExperimentsError
from experiments.types import JobRef


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
    chosen, ticked, axis = choice_of(controls), controls.value, axis_of(controls)
    options = CurveOptions(
        metric=chosen.metric,
        statistic=chosen.statistic,
        smoothing=chosen.smoothing,
        log=bool(ticked["log"]),
        safe=not ticked["all_values"],
        window=window_of(view, axis),
        by_run=bool(ticked.get("by_run")),
        selected=tuple(sorted(set(selected))),
        arms=arms_of(jobs),
    )

    def build(runs: Sequence[RunCurve]) -> Any:
        over_own = [_over_own(run, job) for run, job in zip(runs, jobs, strict=True)]
        return learning_curves(runs, options, marks=marks_on(runs, over_own, jobs, experiment.store))

    def _over_own(run: RunCurve, job: JobRef) -> RunCurve:
        return run if run.is_over_own else runs_with(experiment, [job], options.metric, "steps")[0]

    return show(view, made_chart(experiment, jobs, options.metric, axis, options, build))


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
    kept = only_these(jobs, only)
    options = replace(score_options(jobs, controls, selected), note=left_out(jobs, kept))
    return show(
        view,
        made_chart(experiment, kept, options.metric, "steps", options, lambda runs: score_strip(runs, options)),
    )


def comparison_note(experiment: NotebookContext, jobs: Sequence[JobRef], controls: Any, _changed: object = None) -> Any:
    """Return what the scores say about each arm against the first, as text; None where there is one arm only."""
    return lines_html(comparison_lines(experiment, jobs, controls))


def comparison_lines(experiment: NotebookContext, jobs: Sequence[JobRef], controls: Any) -> list[Line]:
    """Return what the scores say about each arm against the first as lines; none where there is one arm only."""
    if len({job.arm for job in jobs}) < 2:
        return []
    options = score_options(jobs, controls, ())
    try:
        planned = experiment.with_unlaunched(jobs)
    except ExperimentsError as error:
        return [Line(str(error), "strong")]
    return [
        Line(text) for text in comparison_sentences(runs_with(experiment, planned, options.metric, "steps"), options)
    ]


def brushed_runs(
    experiment: NotebookContext, jobs: Sequence[JobRef], controls: Any, brush: Mapping[str, Any]
) -> list[str]:
    """Return the runs with a value, as logged, inside the rectangle that was drawn; none where nothing was."""
    if not brush:
        return []
    (left, right), (low, high) = brush["x"], brush["y"]
    found = []
    for run in runs_with(experiment, jobs, choice_of(controls).metric, axis_of(controls)):
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
    set_clicked: Callable[[tuple[str, int] | None], None],
) -> None:
    """Pass on what a person did in a chart: the runs brushed, and the run and step of the point clicked.

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
        step = step_at(experiment, jobs, controls, run, float(widget.clicked["x"]))
        set_clicked((run, step) if run else None)


def step_at(experiment: NotebookContext, jobs: Sequence[JobRef], controls: Any, run: str, x: float) -> int:
    """Return the step of a point of a curve as the run itself counts, whatever it is drawn over."""
    metric = choice_of(controls).metric
    own = [job for job in jobs if job.run == run]
    if not own:
        return round(x)
    # Beside others a run may be drawn over a counter that all have, while its own is what its replays are known by.
    shown = next(one for one in runs_with(experiment, jobs, metric, axis_of(controls)) if one.run == run)
    if shown.is_over_own:
        return round(x)
    drawn, steps = shown.curve.steps, runs_with(experiment, own, metric, "steps")[0].curve.steps
    if not len(drawn) or not len(steps):
        return 0
    share = np.interp(x, drawn, np.linspace(0, 1, len(drawn)))
    return round(float(np.interp(share, np.linspace(0, 1, len(steps)), steps)))


def standing_out(rows: Any, brushed: Sequence[str], point: tuple[str, int] | None) -> list[str]:
    """Return the runs that stand out: those selected in the table, else those brushed, else the one clicked."""
    return selected_runs(rows) or list(brushed) or ([point[0]] if point is not None else [])


def clicked_note(jobs: Sequence[JobRef], point: tuple[str, int] | None) -> Any:
    """Return what was clicked, in words; None before the first click."""
    return lines_html(clicked_lines(jobs, point))


def clicked_lines(jobs: Sequence[JobRef], point: tuple[str, int] | None) -> list[Line]:
    """Return what was clicked as lines; none before the first click."""
    job = next((job for job in jobs if point is not None and job.run == point[0]), None)
    if job is None or point is None:
        return []
    where = f"{job.arm} seed {job.seed} at step {point[1]:,}".strip()
    return [Line(f"Clicked: {where}. The replay nearest to it is shown under Replays.")]
