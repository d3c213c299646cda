"""What a job printed, and why jobs failed: text on the page, never HTML, with a way to try failed ones again."""

from __future__ import annotations

import functools
import html
import time
from collections.abc import Callable, Sequence
from typing import Any

import marimo as mo

from experiments.jobs.ledger import open_ledger
from experiments.jobs.once_more import retry_job
from experiments.jobs.permits import page_permit
from experiments.jobs.submission import newest_attempt
from experiments.jobs.watch.logs import Failures, LogReader, failures_of
from experiments.notebooks.context import NotebookContext
from experiments.notebooks.page import Changing, LaunchOutcome, Subject, stacked
from experiments.notebooks.styles import as_markdown, heading, styled, typed, warning
from experiments.project import look
from experiments.project.errors import ExperimentsError
from experiments.project.look import counted
from experiments.project.redaction import mask_text
from experiments.project.workspace import Workspace
from experiments.results.scores import known_statuses
from experiments.types import JobRef

LINES = {"last 200 lines": 200, "last 1,000 lines": 1_000, "last 10,000 lines": 10_000}
_PATIENCE_S = 2.0  # a page waits so long for a scheduler; what comes later is shown by "Read the log again"
SetLaunches = Callable[[Callable[[tuple[LaunchOutcome, ...]], tuple[LaunchOutcome, ...]]], None]
_SHOWN_RUNS = 20
_SECOND_CLICK_S = 20.0


def lines_dropdown() -> mo.ui.dropdown:
    """Return a choice of how much of a log to show, from its end."""
    return mo.ui.dropdown(LINES, value=next(iter(LINES)), label="Log")


def log_view(experiment: NotebookContext, jobs: Sequence[JobRef], selected: Sequence[str], lines: int) -> Any:
    """Return the log of the first selected job, or of the newest one; a sentence where there is none.

    Args:
        selected: Run names selected in the job table.
    """
    return stacked(captioned_log(experiment, jobs, selected, lines))


def captioned_log(
    experiment: NotebookContext, jobs: Sequence[JobRef], selected: Sequence[str], lines: int
) -> tuple[mo.Html, mo.Html | None]:
    """Return what `log_view` shows as a line that says whose log it is, and the log; None where there is none."""
    run = next(iter(selected), jobs[-1].run if jobs else None)
    if run is None:
        return mo.md("No job yet. Once one is launched, its output appears here."), None
    try:
        found, note = _lines_of(experiment, next((job for job in jobs if job.run == run), JobRef(run=run)), lines + 1)
    except ExperimentsError as error:
        return warning(error), None
    if not found:
        return mo.md(f"{as_markdown(run)} has printed nothing so far. {as_markdown(note)}".rstrip()), None
    whole = len(found) <= lines
    shown = counted(len(found) if whole else lines, "line")
    said = f"{run}: {shown}" if whole else f"{run}: the last {shown}; more can be chosen"
    masked = mask_text("\n".join(look.plain_text(line) for line in found[-lines:]))
    text = "\n".join(map(look.without_middle, masked.split("\n")))
    said += f"; {note}" if note else ""
    # Reversed, so that the box opens at its end, where a log is read.
    name = html.escape(run, quote=True)
    block = f'<div tabindex="0" role="log" aria-label="log of {name}" class="log"><pre>{html.escape(text)}</pre></div>'
    return styled(f'<p class="small">{html.escape(said)}</p>'), styled(block)


def failures_in(experiment: NotebookContext, jobs: Sequence[JobRef]) -> list[Failures]:
    """Return the failed runs of a notebook in groups; none where none failed, or where nobody knows."""
    try:
        with open_ledger(experiment.workspace, read_only=True) as ledger:
            retried = {job.retry_of for job in ledger.rows(experiment=experiment.name) if job.retry_of}
    except ExperimentsError:
        retried = set()
    return failures_of(jobs, known_statuses(experiment.workspace.state), experiment.store, retried=retried)


def retry_buttons(experiment: NotebookContext, failures: Sequence[Failures], set_launches: SetLaunches) -> Any:
    """Return one button a group, whose click launches its runs once more; None where none failed.

    Whether a click may launch is found out at the click: it is the act of a person, a cell's re-run is not.
    """
    if not failures:
        return None
    return mo.ui.array(
        [
            mo.ui.button(
                label=f"Retry {'this run' if len(group.runs) == 1 else f'these {len(group.runs)} runs'}",
                kind="neutral",
                on_click=_retry(group, experiment, set_launches),
            )
            for group in failures
        ]
    )


def triage_view(failures: Sequence[Failures], buttons: Any) -> mo.Html | None:
    """Return the groups with their lines and runs; nothing where no run failed."""
    if not failures:
        return None
    blocks = []
    for at, group in enumerate(failures):
        way = buttons[at] if buttons is not None else typed(group.retry_command)
        blocks.append(mo.vstack([styled(_group_html(group)), way], gap=0.25))
    number = sum(len(group.runs) for group in failures)
    title = f"{counted(number, 'failed run')}, {counted(len(failures), 'cause')}"
    return mo.vstack([heading(title, 3), *blocks], gap=1)


class JobLog(Changing):
    """What the selected job printed, and why jobs failed."""

    def __init__(self, study: Subject) -> None:
        super().__init__(study)
        self.selected: Sequence[str] = ()
        self._lines = next(iter(LINES.values()))
        self._inputs: tuple[Any, ...] = ()
        self._retries: Any = None  # marimo forgets an element that nobody holds

    def offer(self) -> None:
        """Make what is chosen with, in the cell that shows it."""
        if not self._inputs:
            first = next(iter(LINES))
            more = mo.ui.dropdown(LINES, value=first, label="Log", on_change=self._chosen)
            again = mo.ui.button(label="Read the log again", on_change=lambda _: mo.output.replace(self))
            self._inputs = (more, again)

    def page(self) -> mo.Html:
        """Return the log above the failures; in an open editor each group of these can be tried again."""
        study = self.study
        failures = failures_in(study.experiment, study.jobs)
        self._retries = retry_buttons(study.experiment, failures, study.tell_launch) if study.may_launch else None
        caption, log = captioned_log(study.experiment, study.jobs, self.selected, self._lines)
        top = mo.hstack([*self._inputs, caption], justify="start", align="center", wrap=True)
        return stacked([top, log, triage_view(failures, self._retries)])

    def still(self) -> mo.Html:
        """Return the log and the failures without anything to press."""
        log = log_view(self.study.experiment, self.study.jobs, self.selected, self._lines)
        return stacked([log, triage_view(failures_in(self.study.experiment, self.study.jobs), None)])

    def _chosen(self, lines: int) -> None:
        self._lines = lines
        mo.output.replace(self)


def _lines_of(experiment: NotebookContext, job: JobRef, last: int) -> tuple[list[str], str]:
    """Return the last lines of a job's log, and why there may be more."""
    if job.launcher != "skypilot":
        return experiment.store.logs(job.run, last=last), ""
    view = _reader(experiment.workspace).view(job, deadline_s=_PATIENCE_S)
    return view.lines[-last:] or experiment.store.logs(job.run, last=last), view.note


@functools.lru_cache(maxsize=8)
def _reader(workspace: Workspace) -> LogReader:
    """Return the one reader of a workspace, so that no log is read twice at once, however many pages show it."""
    from experiments.jobs.handover import launcher_for

    return LogReader(workspace, lambda name: launcher_for(name, workspace))


def _retry(group: Failures, experiment: NotebookContext, set_launches: SetLaunches) -> Callable[[object], int]:
    """Return what launches the runs of a group once more; a second click finds the same attempts."""

    # A function of its own, not a `partial`: marimo copies what an array's elements hold, and a store has locks.
    def launch(_value: object) -> int:
        done, refused, permit = 0, [], page_permit()
        changed: dict[str, None] = {}
        runs = _old_enough(group.runs, experiment)
        if not runs:
            text = "These runs were started a moment ago. Press again in a while to try them once more."
            set_launches(lambda before: (*before, LaunchOutcome(text, succeeded=True)))
            return 0
        for run in runs:
            try:
                _, notes = retry_job(run, permit, experiment.workspace)
                changed |= dict.fromkeys(notes)
                done += 1
            except ExperimentsError as error:
                refused.append(str(error))
        text = f"{done} of {counted(len(runs), 'run')} tried again. {' '.join([*refused[:3], *changed])}".strip()
        set_launches(lambda before: (*before, LaunchOutcome(text, succeeded=not refused)))
        return done

    return launch


def _old_enough(runs: Sequence[str], experiment: NotebookContext) -> list[str]:
    """Return those of `runs` that a click may mean.

    The second half of a double click would retry what the first one has started, where that failed at once.
    """
    with open_ledger(experiment.workspace, read_only=True) as ledger:
        newest = {job.run_name: newest_attempt(ledger, job) for job in ledger.jobs(run_names=runs)}
    now = time.time()
    fresh = {run for run, job in newest.items() if job.attempt > 1 and now - job.created_at < _SECOND_CLICK_S}
    return [run for run in runs if run not in fresh]


def _group_html(group: Failures) -> str:
    names = ", ".join(html.escape(run) for run in group.runs[:_SHOWN_RUNS])
    more = f" and {len(group.runs) - _SHOWN_RUNS} more" if len(group.runs) > _SHOWN_RUNS else ""
    example = "" if group.example == group.line else f"for example: {html.escape(group.example)}"
    return (
        f"<div><strong>{html.escape(group.words)}</strong>{_code(group.line)}"
        f'<div class="small muted">{example}</div>'
        f'<div class="small muted">{names}{more}</div></div>'
    )


def _code(text: str) -> str:
    return f"<pre>{html.escape(text)}</pre>"
