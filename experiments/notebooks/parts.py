"""The smaller parts of a study's page: its head, the table of runs, and how the page becomes one file."""

from __future__ import annotations

import html
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

import marimo as mo

from experiments.jobs.permits import is_edited, on_a_page
from experiments.jobs.shelf import archived_runs, protected_runs
from experiments.notebooks.charts.theme import colours_of, leading_colours
from experiments.notebooks.context import NotebookContext
from experiments.notebooks.controls import choice_of
from experiments.notebooks.page import Changing, Chosen, Section, Subject, stacked
from experiments.notebooks.shared import arms_of, leading_of
from experiments.notebooks.shelving import SHELVING, shelve
from experiments.notebooks.styles import heading, sentence, styled, typed
from experiments.notebooks.tables.live import found_columns, live_table
from experiments.notebooks.tables.runs import later_downloads, run_table, table_downloads
from experiments.notebooks.training import notebook_heading
from experiments.notebooks.view_state import keep_view, read_view
from experiments.project.errors import ExperimentsError
from experiments.project.look import counted
from experiments.project.redaction import mask_text
from experiments.types import JobRef
from widgets.runs import RunTable

_WITHOUT = {
    "config": "nothing can be launched here until a cell says config = ..., with the recipe's config",
    "jobs": "the jobs are those of this name that this machine launched",
    "journal": "there is no hypothesis and no rule",
}
"""What a study is without one of its data cells."""
_KEPT = ("hidden", "picked", "layout")
"""Traits of the table of runs that are as they were when the page is opened again."""


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


class Runs(Changing):
    """One row a run; rows that are chosen stand out in the charts, and those that are hidden are not drawn there.

    Attributes:
        view: The table of a page, which stays when its cell runs again.
        table: That of a file; None where there is no run.
        away: How many runs have no row because they are archived.
    """

    def __init__(self, study: Subject) -> None:
        super().__init__(study)
        self.chosen = Chosen()
        self.table: Any = None
        self.away = 0
        self._frame: Any = None  # what the table shows
        self._files = later_downloads(lambda: self._frame, self._name) if on_a_page() else []
        self._jobs: list[JobRef] = []
        self.view = mo.ui.anywidget(_as_left(study) if on_a_page() else RunTable())
        study.hidden_names = dict(self.view.widget.hidden)
        listen: Any = self.view.widget.observe
        if study.may_launch:
            # Before anything is drawn anew, which takes a while: what somebody sees done is kept.
            listen(lambda _: self._keep(), names=list(_KEPT))
        listen(lambda change: self._choose(lambda: study.select(list(change["new"]))), names=["selected"])
        listen(lambda _: self._choose(lambda: study.hide(self.view.widget.hidden)), names=["hidden"])
        listen(lambda _: self._fill(), names=["picked"])
        listen(lambda _: self._find(), names=["asked"])
        listen(lambda _: self.offer(), names=["with_archived"])
        if study.may_launch:
            self.view.widget.actions = list(SHELVING)
            self.view.widget.on_request(self._shelve)

    def offer(self) -> None:
        """Show what there is by now; what was chosen, opened, sorted and hidden stays so."""
        study, brushed = self.study, set(self.chosen.runs)
        put_away, widget = archived_runs(study.experiment.workspace), self.view.widget
        found = [job for job in study.jobs if not brushed or job.run in brushed]
        self._jobs = [job for job in found if widget.with_archived or job.run not in put_away]
        self.away = len(found) - len(self._jobs)
        if on_a_page():
            kept = _protected(study.experiment)
            widget.update(
                archived=[job.run for job in found if job.run in put_away],
                protected=[job.run for job in found if job.run in kept],
            )
            self._fill()
            return
        colours, metrics = colours_of(arms_of(study.jobs)), [choice_of(self.chosen).metric]
        self.table = run_table(study.experiment, self._jobs, metrics, colours=colours) if self._jobs else None

    def page(self) -> mo.Html:
        """Return the table and its files."""
        if not self._jobs or self._frame is None:
            return stacked([heading("Runs"), self.view])
        files = mo.hstack(self._files, justify="start", wrap=True)
        return stacked([mo.hstack([heading("Runs"), files], align="end", wrap=True), self.view])

    def still(self) -> mo.Html:
        """Return the same with the files below: a file rules a line over each heading, as wide as the page."""
        if self.table is None:
            nothing = "All runs are archived." if self.away else "No run yet. Once one is launched, it appears here."
            return stacked([heading("Runs"), self._away(), sentence(nothing)])
        return stacked([heading("Runs"), self._away(), self.table, table_downloads(self.table, self._name)])

    @property
    def _name(self) -> str:
        return f"{self.study.experiment.name}-runs"

    def _fill(self) -> None:
        study, widget = self.study, self.view.widget
        metrics = [choice_of(self.chosen).metric]
        try:
            table, notes, self._frame = live_table(study.experiment, self._jobs, metrics, widget.picked)
        except ExperimentsError as error:
            widget.update(notes=[str(error)])
            return
        notes = [*([self._away_words()] if self.away and self._jobs else []), *notes]
        empty = "All runs are archived." if self.away else "No run yet. Once one is launched, it appears here."
        widget.update(table=table, notes=notes, empty=empty, colours=self._colours())

    def _colours(self) -> dict[str, str]:
        """Return the colour of each arm that the curves have in colour."""
        study = self.study
        leading = leading_of(study.experiment, study.jobs, self.chosen, study.selected, study.hidden)
        return leading_colours(arms_of(study.jobs), leading)

    def _choose(self, act: Callable[[], None]) -> None:
        act()
        self.view.widget.update(colours=self._colours())

    def _find(self) -> None:
        asked = self.view.widget.asked
        self.view.widget.found = found_columns(self.study.experiment, self._jobs, asked)

    def _shelve(self, action: str, runs: list[str], _text: str) -> str:
        widget = self.view.widget
        undo, widget.undo = widget.undo, {}
        said, back = shelve(self.study.experiment.workspace, action, runs)
        # What was taken back is not offered to be done again.
        widget.undo = back if undo.get("action") != action else {}
        self.offer()
        return said

    def _keep(self) -> None:
        widget, experiment = self.view.widget, self.study.experiment
        keep_view(experiment.workspace, experiment.name, {name: getattr(widget, name) for name in _KEPT})

    def _away_words(self) -> str:
        what = f"{counted(self.away, 'archived run')} {'has' if self.away == 1 else 'have'} no row"
        return f"{what}; curves, scores and the verdict count them as before."

    def _away(self) -> mo.Html | None:
        return sentence(self._away_words()) if self.away else None


def _protected(experiment: NotebookContext) -> set[str]:
    try:
        return protected_runs(experiment.workspace)
    except ExperimentsError:
        return set()  # a table without marks; to archive what is protected is refused all the same


def _as_left(study: Subject) -> RunTable:
    """Return a table as somebody who works on the experiment left it, as far as it is of a form that may be set."""
    table = RunTable()
    if study.with_launched:  # a page about runs of several experiments is nobody's
        kept = read_view(study.experiment.workspace, study.experiment.name)
        table.update(**{name: kept[name] for name in _KEPT if table.may_set(name, kept.get(name))})
    return table


def export_hint(experiment: NotebookContext) -> mo.Html:
    """Return the command that writes this notebook as one HTML file into the project's log folder."""
    command = f"uv run experiments export {shlex.quote(experiment.workspace.shown(experiment.path))}"
    words = "Write this page as one file that opens anywhere with the network off, into `experiments/log`:"
    return mo.vstack([heading("Export"), mo.md(words), typed(command)])


def write_log(experiment: NotebookContext) -> mo.Html | None:
    """Write the log and return what came of it; None where nobody works in an editor.

    The file is what counts: the notebook runs once more in a process of its own, which can launch nothing.
    """
    if not is_edited():
        return None
    # A process of its own, for the export stands above the notebooks in the order of layers.
    command = [sys.executable, "-P", "-m", "experiments.cli", "export", str(experiment.path)]
    with mo.status.spinner("Running the notebook and writing its log", remove_on_exit=True):
        done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    said = html.escape(mask_text((done.stdout + done.stderr).strip()))
    text = styled(f"<pre>{said}</pre>")
    if done.returncode == 0:
        return mo.vstack([mo.md("Written:"), text])
    return mo.callout(text, kind="warn" if done.stdout else "danger")


class Export(Section):
    """How the page becomes one file, and in an open editor a button that writes it."""

    def __init__(self, study: Subject) -> None:
        super().__init__(study)
        self._button: Any = None

    def offer(self) -> None:
        """Make the button, in the cell that shows it."""
        if self._button is None and self.study.may_launch:
            self._button = mo.ui.button(label="Write the log", on_change=lambda _: self._write())

    def page(self) -> mo.Html:
        """Return the command and the button."""
        hint = export_hint(self.study.experiment)
        if self._button is None:
            return hint
        return mo.hstack([hint, self._button], justify="start", align="end", gap=1.5, wrap=True)

    def still(self) -> None:
        """Return nothing: this is the file."""

    def _write(self) -> None:
        mo.output.replace(stacked([self.page(), write_log(self.study.experiment)]))
