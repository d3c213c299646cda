"""What a job printed, as text on the page: never HTML, never more than was asked for."""

from __future__ import annotations

import functools
import html
import re
from collections.abc import Sequence
from typing import Any

import marimo as mo

from experiments import look
from experiments.errors import ExperimentsError
from experiments.job_logs import LogReader
from experiments.notebooks.context import NotebookContext
from experiments.notebooks.styles import warning
from experiments.redaction import mask_text
from experiments.types import JobRef
from experiments.workspace import Workspace

LINES = {"last 200 lines": 200, "last 1,000 lines": 1_000, "last 10,000 lines": 10_000}

_PATIENCE_S = 2.0  # a page waits so long for a scheduler; what comes later is shown by "Read the log again"
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


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
        return mo.md(f"`{run}` has printed nothing yet. {html.escape(note)}".rstrip())
    whole = len(found) <= lines
    said = f"{run}: {len(found):,} lines" if whole else f"{run}: the last {lines:,} lines; choose more above"
    text = "\n".join(plain_text(line) for line in found[-lines:])
    said += f"; {note}" if note else ""
    # Reversed, so that the box opens at its end, where a log is read.
    style = (
        "display: flex; flex-direction: column-reverse; max-height: 360px; overflow: auto; padding: 8px 12px; "
        f"border: 1px solid {look.LIGHT.hairline}40"
    )
    name = html.escape(run, quote=True)
    block = (
        f'<div tabindex="0" role="log" aria-label="log of {name}" style="{style}">'
        f'<pre style="margin: 0">{html.escape(mask_text(text))}</pre></div>'
    )
    return mo.vstack([mo.Html(f"<small>{html.escape(said)}</small>"), mo.Html(block)], gap=0.25)


def _lines_of(experiment: NotebookContext, job: JobRef, last: int) -> tuple[list[str], str]:
    """Return the last lines of a job's log, and why there may be more."""
    if job.launcher != "skypilot":
        return experiment.store.logs(job.run, last=last), ""
    view = _reader(experiment.workspace).view(job, deadline_s=_PATIENCE_S)
    return view.lines[-last:] or experiment.store.logs(job.run, last=last), view.note


@functools.lru_cache(maxsize=8)
def _reader(workspace: Workspace) -> LogReader:
    """Return the one reader of a workspace, so that no log is read twice at once, however many pages show it."""
    from experiments.launch import launcher_for

    return LogReader(workspace, lambda name: launcher_for(name, workspace))


def plain_text(line: str) -> str:
    """Return a line as a terminal would leave it: after its last carriage return, without escapes and controls."""
    shown = line.rstrip("\r").rsplit("\r", 1)[-1]
    return _CONTROLS.sub("", look.without_escapes(shown))
