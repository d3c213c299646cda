"""What a job printed, as text on the page: never HTML, never more than was asked for."""

from __future__ import annotations

import functools
import html
from collections.abc import Sequence
from typing import Any

import marimo as mo

from experiments.jobs.watch.logs import LogReader
from experiments.notebooks.context import NotebookContext
from experiments.notebooks.styles import as_markdown, styled, warning
from experiments.project import look
from experiments.project.errors import ExperimentsError
from experiments.project.look import counted
from experiments.project.redaction import mask_text
from experiments.project.workspace import Workspace
from experiments.types import JobRef

LINES = {"last 200 lines": 200, "last 1,000 lines": 1_000, "last 10,000 lines": 10_000}

_PATIENCE_S = 2.0  # a page waits so long for a scheduler; what comes later is shown by "Read the log again"


def lines_dropdown() -> mo.ui.dropdown:
    """Return a choice of how much of a log to show, from its end."""
    return mo.ui.dropdown(LINES, value=next(iter(LINES)), label="Log")


def log_view(experiment: NotebookContext, jobs: Sequence[JobRef], selected: Sequence[str], lines: int) -> Any:
    """Return the log of the first selected job, or of the newest one; a sentence where there is none.

    Args:
        selected: Run names selected in the job table.
    """
    run = next(iter(selected), jobs[-1].run if jobs else None)
    if run is None:
        return mo.md("No job yet. Once one is launched, its output appears here.")
    try:
        found, note = _lines_of(experiment, next((job for job in jobs if job.run == run), JobRef(run=run)), lines + 1)
    except ExperimentsError as error:
        return warning(error)
    if not found:
        return mo.md(f"{as_markdown(run)} has printed nothing yet. {as_markdown(note)}".rstrip())
    whole = len(found) <= lines
    shown = counted(len(found) if whole else lines, "line")
    said = f"{run}: {shown}" if whole else f"{run}: the last {shown}; choose more above"
    masked = mask_text("\n".join(look.plain_text(line) for line in found[-lines:]))
    text = "\n".join(map(look.without_middle, masked.split("\n")))
    said += f"; {note}" if note else ""
    # Reversed, so that the box opens at its end, where a log is read.
    name = html.escape(run, quote=True)
    block = f'<div tabindex="0" role="log" aria-label="log of {name}" class="log"><pre>{html.escape(text)}</pre></div>'
    return styled(f'<p class="small">{html.escape(said)}</p>{block}')


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
