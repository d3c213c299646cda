"""The curves of a study and its scores: what is chosen in the one, the other and all parts below it follow.

Charts are drawn into elements that stay: new data, a slider or a selection change what is in them, and zoom, brush and
hidden arms survive. Rows selected in the table of runs stand out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import marimo as mo
import numpy as np

from experiments.notebooks.acceptance import acceptance_lines
from experiments.notebooks.charts import (
    CurveOptions,
    RunCurve,
    comparison_sentences,
    learning_curves,
    noise_sentence,
    score_strip,
)
from experiments.notebooks.charts.layers import marks_on
from experiments.notebooks.charts.runs import metric_of
from experiments.notebooks.charts.scores import NOT_COMPARED
from experiments.notebooks.context import NotebookContext
from experiments.notebooks.controls import CurveControls, choice_of
from experiments.notebooks.page import Chosen, Known, Section, Subject, stacked
from experiments.notebooks.shape import shape_lines
from experiments.notebooks.shared import (
    arms_of,
    axis_of,
    chart_widget,
    found_note,
    leading_of,
    left_out,
    made_chart,
    metrics_about,
    only_these,
    runs_with,
    score_options,
    show,
    window_of,
)
from experiments.notebooks.styles import Line, lines_html
from experiments.notebooks.verdict import verdict_lines
from experiments.project.errors import ExperimentsError
from experiments.project.standing import chooses
from experiments.results.claims import UNREGISTERED
from experiments.results.exactness import exact_words
from experiments.results.scores import summary_of
from experiments.types import JobRef
from widgets.words import Words

_MOST_SENTENCES = 3
"""So many comparisons are sentences; more are rows, which are looked through."""


def draw_curves(
    view: Any,
    experiment: NotebookContext,
    jobs: Sequence[JobRef],
    controls: Any,
    *,
    selected: Iterable[str] = (),
    hidden: Iterable[str] = (),
) -> Any:
    """Draw the learning curves in their chart; where a person zoomed, with the detail of what is looked at.

    Another x-axis is looked at from end to end.

    Args:
        view: What `chart_widget` returned.
        selected: Runs that stand out.
        hidden: Runs that are not drawn.
    """
    chosen, ticked, axis = choice_of(controls), controls.value, axis_of(controls)
    standing, away = tuple(sorted(set(selected))), tuple(sorted(set(hidden)))
    options = CurveOptions(
        metric=chosen.metric,
        unit=metrics_about(jobs, chosen.metric).unit,
        note=found_note(jobs, chosen.metric),
        statistic=chosen.statistic,
        smoothing=chosen.smoothing,
        log=bool(ticked["log"]),
        safe=not ticked["all_values"],
        window=window_of(view, axis),
        by_run=bool(ticked.get("by_run")),
        selected=standing,
        hidden=away,
        leading=leading_of(experiment, jobs, controls, standing, away),
        arms=arms_of(jobs),
    )

    def build(runs: Sequence[RunCurve]) -> Any:
        if metric_of(axis):  # it may pass a place more than once, so that nobody can say where a run began again
            return learning_curves(runs, options)
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
    *,
    selected: Iterable[str] = (),
    only: Iterable[str] = (),
    hidden: Collection[str] = (),
) -> Any:
    """Draw the seeds' scores in their chart; nothing where there is only one run.

    Args:
        hidden: Runs that the curves do not draw: here they are, and count, but their arms have no colour.
    """
    if len(jobs) < 2:
        return show(view, None)
    kept = only_these(jobs, only)
    leading = leading_of(experiment, jobs, controls, selected, hidden)
    options = replace(score_options(jobs, controls, selected), note=left_out(jobs, kept), leading=leading)
    return show(
        view,
        made_chart(experiment, kept, options.metric, "steps", options, lambda runs: score_strip(runs, options)),
    )


def comparison_lines(experiment: NotebookContext, jobs: Sequence[JobRef], controls: Any) -> list[Line]:
    """Return what the scores say about each arm against the first as lines; none where there is one arm only."""
    if len({job.arm for job in jobs}) < 2:
        return []
    if len({job.arm for job in jobs if not chooses(job.seed)}) < 2 and any(chooses(job.seed) for job in jobs):
        return [Line(f"{NOT_COMPARED}.", "fine")]
    options = score_options(jobs, controls, (), pool_codes=experiment.pool_codes)
    try:
        planned = experiment.with_unlaunched(jobs)
    except ExperimentsError as error:
        return [Line(experiment.told(error), "strong")]
    runs = runs_with(experiment, planned, options.metric, "steps")
    found = found_note(jobs, options.metric)
    sentences = comparison_sentences(runs, options)
    return [
        *_each(sentences, list(dict.fromkeys(job.arm for job in jobs))),
        *([Line(f"Exploratory: {UNREGISTERED}", "fine")] if sentences else []),
        *([Line(f"{found}. So 'better' is 'higher' here, and nothing of it is registered.", "fine")] if found else []),
    ]


def _each(sentences: Sequence[str], arms: Sequence[str]) -> list[Line]:
    """Return comparisons as lines; of several arms as rows under one line that says against which they are."""
    head = f" against {arms[0]}: "
    compared = {text: text.partition(head) for text in sentences if text.partition(head)[0] in arms[1:]}
    if len(compared) <= _MOST_SENTENCES:
        return [Line(text) for text in sentences]
    rows = (
        Line(_capital(compared[text][2]), "row", compared[text][0]) if text in compared else Line(text)
        for text in sentences
    )
    return [Line(f"Against {arms[0]}:"), *rows]


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


def noise_lines(experiment: NotebookContext, jobs: Sequence[JobRef], controls: Any) -> list[Line]:
    """Return how far runs of one seed lie apart, and that it is 0 by construction; none where nobody knows either."""
    exact = exact_words(experiment.workspace, [job.run for job in jobs])
    said = ""
    if len({(job.arm, job.seed) for job in jobs}) < len(jobs):
        options = score_options(jobs, controls, ())
        said = noise_sentence(runs_with(experiment, jobs, options.metric, "steps"), options)
    return [Line(text) for text in (said, f"{exact}." if exact else "") if text]


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


def step_at(experiment: NotebookContext, jobs: Sequence[JobRef], controls: Any, run: str, x: float) -> int:
    """Return the step of a point of a curve as the run itself counts, whatever it is drawn over."""
    metric = choice_of(controls).metric
    own = [job for job in jobs if job.run == run]
    if not own:
        return round(x)
    if over := metric_of(axis_of(controls)):
        logged = runs_with(experiment, own, over, "steps")[0].curve
        return round(float(logged.steps[np.abs(logged.values - x).argmin()])) if len(logged.steps) else 0
    # Beside others a run may be drawn over a counter that all have, while its own is what its replays are known by.
    shown = next(one for one in runs_with(experiment, jobs, metric, axis_of(controls)) if one.run == run)
    if shown.is_over_own:
        return round(x)
    drawn, steps = shown.curve.steps, runs_with(experiment, own, metric, "steps")[0].curve.steps
    if not len(drawn) or not len(steps):
        return 0
    share = np.interp(x, drawn, np.linspace(0, 1, len(drawn)))
    return round(float(np.interp(share, np.linspace(0, 1, len(steps)), steps)))


def clicked_lines(jobs: Sequence[JobRef], point: tuple[str, int] | None) -> list[Line]:
    """Return what was clicked as lines; none before the first click."""
    job = next((job for job in jobs if point is not None and job.run == point[0]), None)
    if job is None or point is None:
        return []
    where = f"{job.label} at step {point[1]:,}"
    return [Line(f"Clicked: {where}. The replay nearest to it is shown under Replays.")]


class Curves(Section):
    """Controls and the learning curves that they steer.

    Dragging keeps the runs inside, in the table and the other charts; a click shows the replay nearest to it.

    Attributes:
        controls: Metric, axis, smoothing and so on.
        brushed: Names of the runs that were brushed.
        point: Run and step of the point that was clicked last.
    """

    def __init__(self, study: Subject) -> None:
        super().__init__(study)
        rule = study.journal.rule if study.journal.is_written else None
        self.controls = CurveControls(study.experiment, self._controlled, rule=rule)
        self.brushed: tuple[str, ...] = ()
        self.point: tuple[str, int] | None = None
        self._known: Known | None = None
        self._seen = ""
        self._words = mo.ui.anywidget(Words())
        # Made in the cell of the study: a cell that runs again closes the widgets that it made itself.
        self.view = chart_widget(study.experiment, can_select=True)
        self.view.widget.observe(lambda _: self.refresh(), names=["zoom"])
        self.view.widget.observe(lambda _: self._brushed(), names=["brush"])
        self.view.widget.observe(lambda _: self._clicked(), names=["clicked"])

    def offer(self, known: Known) -> None:
        """Have the controls offer what there is by now."""
        if known != self._known:
            self._known = known
            self.controls.offer(known.jobs)
            self._tell()

    def draw(self) -> Any:
        """Draw in the chart that is there; return the chart itself where no page shows it."""
        clicked = [self.point[0]] if self.point is not None else []
        standing = self.study.selected or self.brushed or clicked
        study = self.study
        return draw_curves(
            self.view, study.experiment, study.jobs, self.controls, selected=standing, hidden=study.hidden
        )

    def page(self) -> mo.Html:
        """Return the controls above the chart."""
        self.draw()
        return stacked([self.controls.view(), self.view, self._words])

    def refresh(self) -> None:
        """Draw the new rows."""
        if self._known is not None:
            self.draw()

    def still(self) -> mo.Html:
        """Return the chart alone."""
        return stacked([self.draw()])

    def _controlled(self) -> None:
        with self.study.turn:
            self.draw()
        self._tell()

    def _brushed(self) -> None:
        brush = dict(self.view.widget.brush)
        found = tuple(brushed_runs(self.study.experiment, self.study.jobs, self.controls, brush))
        if brush and not found:
            self.view.widget.brush = {}  # tells again, with nothing brushed
        elif found != self.brushed:
            self.brushed = found
            self._controlled()

    def _clicked(self) -> None:
        clicked = self.view.widget.clicked
        if clicked.get("nonce", "") == self._seen:
            return
        self._seen, run = clicked.get("nonce", ""), str(clicked.get("run", ""))
        x = float(clicked.get("x", 0.0))
        step = step_at(self.study.experiment, self.study.jobs, self.controls, run, x) if run else 0
        self.point = (run, step) if run else None
        self._words.widget.lines = [line.trait() for line in clicked_lines(self.study.jobs, self.point)]
        self._controlled()

    def _tell(self) -> None:
        self.study.choose(Chosen(self.controls.value, self.brushed, self.point))


class Scores(Section):
    """One score a seed with the interval of each arm; how arms compare, what is accepted, and how they learned."""

    def __init__(self, study: Subject) -> None:
        super().__init__(study)
        self.view = chart_widget(study.experiment)
        self.chosen, self._is_shown = Chosen(), False
        self._words = mo.ui.anywidget(Words())

    def page(self) -> mo.Html:
        """Return the chart above the sentences."""
        self._is_shown = True
        self.refresh()
        return stacked([self.view, self._words])

    def still(self) -> mo.Html:
        """Return the same as it is now."""
        return stacked([self.draw(), lines_html(self._comparison())])

    def refresh(self) -> None:
        """Draw the new rows, and say what they mean."""
        if self._is_shown:
            self.draw()
            self._words.widget.update(lines=[line.trait() for line in self._comparison()])

    def draw(self) -> Any:
        """Draw in the chart that is there; return the chart itself where no page shows it."""
        study = self.study
        chosen = self.chosen
        return draw_scores(
            self.view,
            study.experiment,
            study.jobs,
            chosen,
            selected=study.selected,
            only=chosen.runs,
            hidden=study.hidden,
        )

    def _comparison(self) -> list[Line]:
        study = self.study
        asked = (study.experiment, study.jobs, self.chosen)
        compared = [] if _is_judged(study, self.chosen) else comparison_lines(*asked)
        accepted = acceptance_lines(study.experiment, study.jobs)
        # What cannot be read is the same for several of them.
        return list(dict.fromkeys([*_unsaid(compared, study), *noise_lines(*asked), *accepted, *shape_lines(*asked)]))


def _unsaid(lines: list[Line], study: Subject) -> list[Line]:
    """Return the lines that the verdict above does not have in its own words: a caution is told once."""
    if not lines or study.journal.rule is None or not study.journal.is_written:
        return lines
    said = [line.text for line in verdict_lines(study.experiment, study.jobs, study.journal)]
    return [line for line in lines if not any(line.text in text for text in said)]


def _is_judged(study: Subject, chosen: Chosen) -> bool:
    """Tell whether the verdict above says already how the arms compare: one difference is told once."""
    rule = study.journal.rule
    if rule is None or not study.journal.is_written or len({job.arm for job in study.jobs}) != 2:
        return False
    choice = choice_of(chosen)
    return (choice.metric, choice.summary, choice.statistic) == (rule.metric, summary_of(rule), rule.statistic)
