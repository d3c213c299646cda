"""The jobs of a study: their live table, and what one of them printed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import marimo as mo

from experiments.notebooks.logs import LINES, log_view
from experiments.notebooks.monitoring import job_actions, watch
from experiments.notebooks.page import Changing, Section, on_a_page, stacked
from experiments.notebooks.styles import heading
from experiments.notebooks.subject import Subject
from experiments.notebooks.training import code_note, jobs_note
from experiments.notebooks.triage import failures_in, retry_buttons, triage_view
from experiments.types import JobRef
from widgets.jobs import JobTable

if TYPE_CHECKING:
    from experiments.jobs.watch.monitor import Subscription

ACTIONS = ("cancel", "retry", "note", "tag", "untag")


class Jobs(Section):
    """Every job, live; in an open editor jobs can also be cancelled, retried, noted and tagged.

    Attributes:
        table: `table.value["selected"]` names the runs that are selected.
    """

    def __init__(self, study: Subject) -> None:
        super().__init__(study)
        handler = job_actions(study.experiment)
        widget = JobTable(actions=list(ACTIONS) if handler else [])
        if handler is not None and on_a_page():
            widget.on_request(handler)
        self._widget: JobTable = widget
        self.table = mo.ui.anywidget(widget)
        self._shown: tuple[JobRef, ...] | None = None
        self._watching: Subscription | None = None

    def offer(self, jobs: Sequence[JobRef]) -> None:
        """Have the table show these jobs."""
        if self._shown == (wanted := tuple(jobs)):
            return
        if self._watching is not None:
            self._watching.close()
        self._shown = wanted
        self._watching = watch(self._widget, self.study.experiment.workspace.state, wanted)

    def page(self) -> mo.Html:
        """Return what there is to say of the jobs, and their table."""
        study = self.study
        notes = [jobs_note(study.experiment, study.recorded), code_note(study.experiment, study.jobs)]
        return stacked([heading("Jobs"), notes[0], self.table, notes[1]])


class JobLog(Changing):
    """What the selected job printed, and why jobs failed."""

    def __init__(self, study: Subject) -> None:
        super().__init__(study)
        self.selected: Sequence[str] = ()
        self._lines = next(iter(LINES.values()))
        self._inputs: Any = None
        self._retries: Any = None  # marimo forgets an element that nobody holds

    def offer(self) -> None:
        """Make what is chosen with, in the cell that shows it."""
        if self._inputs is None:
            first = next(iter(LINES))
            more = mo.ui.dropdown(LINES, value=first, label="Log", on_change=self._chosen)
            again = mo.ui.button(label="Read the log again", on_change=lambda _: mo.output.replace(self))
            self._inputs = mo.hstack([more, again], justify="start")
            self._kept = (more, again)

    def page(self) -> mo.Html:
        """Return the log above the failures; in an open editor each group of these can be tried again."""
        study = self.study
        failures = failures_in(study.experiment, study.jobs)
        self._retries = retry_buttons(study.experiment, failures, study.tell_launch) if study.may_launch else None
        return stacked([self._inputs, self._log(), triage_view(failures, self._retries)])

    def still(self) -> mo.Html:
        """Return the log and the failures without anything to press."""
        return stacked([self._log(), triage_view(failures_in(self.study.experiment, self.study.jobs), None)])

    def _log(self) -> Any:
        return log_view(self.study.experiment, self.study.jobs, self.selected, self._lines)

    def _chosen(self, lines: int) -> None:
        self._lines = lines
        mo.output.replace(self)
