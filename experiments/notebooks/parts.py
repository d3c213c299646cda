"""The smaller parts of a study's page: its head, the question with its verdict, the table of runs, the replays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import marimo as mo

from experiments.notebooks.chart_reading import arms_of
from experiments.notebooks.charts.theme import colours_of
from experiments.notebooks.choices import choice_of
from experiments.notebooks.journal import hypothesis_lines, log_lines, note_form, verdict_lines
from experiments.notebooks.lines import Line, lines_html
from experiments.notebooks.page import Changing, Section, stacked
from experiments.notebooks.replays import near_click, replay_view, run_dropdown, step_choice
from experiments.notebooks.styles import heading, sentence
from experiments.notebooks.subject import Chosen, Known, Subject
from experiments.notebooks.tables.runs import run_table, table_downloads
from experiments.notebooks.training import notebook_heading
from widgets.words import Words

_WITHOUT = {
    "config": "nothing can be launched here until a cell says config = ..., with the recipe's config",
    "jobs": "the jobs are those of this name that this machine launched",
    "journal": "there is no hypothesis and no rule",
}
"""What a study is without one of its data cells."""


class Head(Section):
    """What the study is called, what it is for, and which of its data cells somebody deleted."""

    def __init__(self, study: Subject, missing: Sequence[str]) -> None:
        super().__init__(study)
        self._missing = missing

    def page(self) -> mo.Html:
        """Return title, question, and what is missing."""
        return stacked([notebook_heading(self.study.experiment), *map(self._without, self._missing)])

    @staticmethod
    def _without(name: str) -> mo.Html:
        return mo.callout(sentence(f"No cell defines {name} any more: {_WITHOUT[name]}."), kind="warn")


class Verdict(Section):
    """What was expected, what came of it, and what happened meanwhile."""

    def __init__(self, study: Subject) -> None:
        super().__init__(study)
        self._note: Any = None
        self._is_made = False
        self._words = mo.ui.anywidget(Words())

    def offer(self) -> None:
        """Make the input of a note, in the cell that shows it."""
        if not self._is_made:
            self._note, self._is_made = note_form(self.study.experiment, self.refresh), True

    def page(self) -> mo.Html:
        """Return hypothesis, verdict and notes by time, with the input of a new one."""
        self.refresh()
        note = None if self._note is None else mo.accordion({"Write a note": self._note})
        return stacked([self._words, note])

    def still(self) -> mo.Html:
        """Return the same without the input."""
        return stacked([lines_html(self._lines())])

    def refresh(self) -> None:
        """Say what is known by now."""
        if self._is_made:
            self._words.widget.update(lines=[line.trait() for line in self._lines()])

    def _lines(self) -> list[Line]:
        study = self.study
        return [
            *verdict_lines(study.experiment, study.jobs, study.journal),
            *hypothesis_lines(study.experiment, study.jobs, study.journal),
            *log_lines(study.experiment, study.journal),
        ]


class Runs(Section):
    """One row a run; rows that are selected stand out in the charts."""

    def __init__(self, study: Subject) -> None:
        super().__init__(study)
        self.chosen = Chosen()
        self.table: Any = None
        self._files: mo.Html | None = None

    def offer(self) -> None:
        """Make the table of what there is by now; what was selected stays selected."""
        study, brushed = self.study, set(self.chosen.runs)
        kept = [job for job in study.jobs if not brushed or job.run in brushed]
        metric = choice_of(self.chosen).metric
        colours = colours_of(arms_of(study.jobs))
        self.table = (
            run_table(study.experiment, kept, [metric], colours=colours, selected=study.selected, then=study.select)
            if kept
            else None
        )
        self._files = table_downloads(self.table, f"{study.experiment.name}-runs")

    def page(self) -> mo.Html:
        """Return the table and its files."""
        if self.table is None:
            return stacked([heading("Runs"), mo.md("No run yet. Once one is launched, it appears here.")])
        return stacked([heading("Runs"), self.table, self._files])


class Replay(Changing):
    """A run's replay, beside that of another where one is chosen; a click on a learning curve chooses the nearest."""

    def __init__(self, study: Subject) -> None:
        super().__init__(study)
        self._known: Known | None = None
        self._point: tuple[str, int] | None = None
        self._run: str | None = None
        self._other: str | None = None
        self._step: int | None = None
        self._pickers: list[Any] = []
        self._steps: Any = None
        self.viewer: Any = None

    def offer(self, known: Known, point: tuple[str, int] | None) -> None:
        """Have runs and steps offered as they are by now; a new click chooses both."""
        if known.jobs != (self._known.jobs if self._known else None) or point != self._point:
            if point is not None and point != self._point:
                self._run = point[0]
            names = [job.run for job in known.jobs]
            self._run = self._run if self._run in names else next(iter(names), None)
            self._known, self._point = known, point
            self._make()

    def page(self) -> mo.Html:
        """Return the choices above the viewer."""
        chosen = mo.hstack([*self._pickers, self._steps], justify="start", gap=1.5)
        return stacked([heading("Replays"), chosen if self._run else None, self.viewer])

    def still(self) -> mo.Html:
        """Return the viewer alone."""
        return stacked([heading("Replays"), self.viewer])

    def _make(self) -> None:
        jobs = self._known.jobs if self._known else ()
        at = None if self._run is None else (self._run, 0)
        self._pickers = [
            run_dropdown(jobs, chosen=at, then=self._run_chosen),
            run_dropdown(jobs, label="Compare with", none="no other run", then=self._other_chosen),
        ]
        self._other = None
        self._find_steps()

    def _find_steps(self) -> None:
        near = near_click(self._run, self._point)
        found = step_choice(self.study.experiment, self._run, near=near, then=self._step_chosen)
        self._steps, self._step = found
        self._show()

    def _show(self) -> None:
        run, step, other = self._run, self._step, self._other
        self.viewer = self.study.made(lambda: replay_view(self.study.experiment, run, step, other))

    def _run_chosen(self, run: str | None) -> None:
        self._run = run
        self.made(self._find_steps)
        mo.output.replace(self)

    def _other_chosen(self, run: str | None) -> None:
        self._other = run
        self._show()
        mo.output.replace(self)

    def _step_chosen(self, step: int | None) -> None:
        self._step = step
        self._show()
        mo.output.replace(self)
