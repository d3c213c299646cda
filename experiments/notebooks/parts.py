"""The smaller parts of a study's page: its head, the table of runs, and how the page becomes one file."""

from __future__ import annotations

import html
import shlex
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import marimo as mo

from experiments.jobs.permits import is_edited
from experiments.jobs.shelf import archived_runs
from experiments.notebooks.charts.theme import colours_of
from experiments.notebooks.context import NotebookContext
from experiments.notebooks.controls import choice_of
from experiments.notebooks.page import Changing, Chosen, Section, Subject, stacked
from experiments.notebooks.shared import arms_of
from experiments.notebooks.styles import heading, sentence, styled
from experiments.notebooks.tables.runs import run_table, table_downloads
from experiments.notebooks.training import (
    notebook_heading,
)
from experiments.project.look import counted
from experiments.project.redaction import mask_text

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


class Runs(Changing):
    """One row a run; rows that are selected stand out in the charts.

    Attributes:
        away: How many runs have no row because they are archived.
        columns: What somebody chose as columns, as a pattern; empty for the settings in which runs differ.
    """

    def __init__(self, study: Subject) -> None:
        super().__init__(study)
        self.chosen = Chosen()
        self.table: Any = None
        self.away, self.columns = 0, ""
        self._picker: Any = None
        self._files: mo.Html | None = None

    def offer(self) -> None:
        """Make the table of what there is by now; what was selected stays selected."""
        study, brushed = self.study, set(self.chosen.runs)
        put_away = archived_runs(study.experiment.workspace)
        found = [job for job in study.jobs if not brushed or job.run in brushed]
        kept = [job for job in found if job.run not in put_away]
        self.away = len(found) - len(kept)
        metric = choice_of(self.chosen).metric
        colours = colours_of(arms_of(study.jobs))
        if self._picker is None:
            words = "losses/*, learning_rate"
            self._picker = mo.ui.text(label="Columns", placeholder=words, on_change=self._choose)
        self.table = (
            run_table(
                study.experiment,
                kept,
                [metric],
                colours=colours,
                selected=study.selected,
                columns=self.columns,
                then=study.select,
            )
            if kept
            else None
        )
        self._files = table_downloads(self.table, f"{study.experiment.name}-runs")

    def page(self) -> mo.Html:
        """Return the table and its files."""
        if self.table is None:
            nothing = "All runs are archived." if self.away else "No run yet. Once one is launched, it appears here."
            return stacked([heading("Runs"), self._away(), sentence(nothing)])
        title = heading("Runs")
        top = title if self._files is None else mo.hstack([title, self._files], align="end")
        return stacked([top, self._away(), self._picker, self.table])

    def still(self) -> mo.Html:
        """Return the same with the files below: a file rules a line over each heading, as wide as the page."""
        return self.page() if self.table is None else stacked([heading("Runs"), self._away(), self.table, self._files])

    def _choose(self, columns: str) -> None:
        self.columns = columns
        self.made(self.offer)
        mo.output.replace(self)

    def _away(self) -> mo.Html | None:
        if not self.away:
            return None
        what = f"{counted(self.away, 'archived run')} {'has' if self.away == 1 else 'have'} no row"
        return sentence(f"{what}; curves, scores and the verdict count them as before.")


def export_hint(experiment: NotebookContext) -> mo.Html:
    """Return the command that writes this notebook as one HTML file into the project's log folder."""
    command = f"uv run experiments export {shlex.quote(experiment.workspace.shown(experiment.path))}"
    words = "Write this page as one file that opens anywhere with the network off, into `experiments/log`:"
    return mo.vstack([heading("Export"), mo.md(words), mo.plain_text(command)])


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
        return mo.hstack([hint, self._button], justify="start", align="end", gap=1.5)

    def still(self) -> None:
        """Return nothing: this is the file."""

    def _write(self) -> None:
        mo.output.replace(stacked([self.page(), write_log(self.study.experiment)]))
