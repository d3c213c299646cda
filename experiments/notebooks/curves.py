"""The curves of a study and its scores: what is chosen in the one, the other and all parts below it follow."""

from __future__ import annotations

from typing import Any

import marimo as mo

from experiments.notebooks.chart_cells import (
    brushed_runs,
    clicked_lines,
    comparison_lines,
    draw_curves,
    draw_scores,
    step_at,
)
from experiments.notebooks.chart_inputs import CurveControls
from experiments.notebooks.choices import choice_of
from experiments.notebooks.drawing import chart_widget
from experiments.notebooks.lines import Line, lines_html
from experiments.notebooks.page import Section, stacked
from experiments.notebooks.subject import Chosen, Known, Subject
from experiments.results.scores import summary_of
from widgets.words import Words


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
        self.controls = CurveControls(study.experiment, self._controlled)
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
        return draw_curves(self.view, self.study.experiment, self.study.jobs, self.controls, selected=standing)

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
    """One score a seed with the interval of each arm, and how the arms compare."""

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
        return draw_scores(
            self.view, study.experiment, study.jobs, self.chosen, selected=study.selected, only=self.chosen.runs
        )

    def _comparison(self) -> list[Line]:
        study = self.study
        return [] if _is_judged(study, self.chosen) else comparison_lines(study.experiment, study.jobs, self.chosen)


def _is_judged(study: Subject, chosen: Chosen) -> bool:
    """Tell whether the verdict above says already how the arms compare: one difference is told once."""
    rule = study.journal.rule
    if rule is None or not study.journal.is_written or len({job.arm for job in study.jobs}) != 2:
        return False
    choice = choice_of(chosen)
    return (choice.metric, choice.summary, choice.statistic) == (rule.metric, summary_of(rule), rule.statistic)
