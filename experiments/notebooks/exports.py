"""The export section: how this page becomes one file that opens anywhere, and a button that writes it."""

from __future__ import annotations

import html
import shlex
import subprocess
import sys
from typing import Any

import marimo as mo

from experiments.notebooks.context import NotebookContext
from experiments.notebooks.launching import page_permit
from experiments.notebooks.styles import heading, styled
from experiments.project.redaction import mask_text


def export_hint(experiment: NotebookContext) -> mo.Html:
    """Return the command that writes this notebook as one HTML file into the project's log folder."""
    command = f"uv run experiments export {shlex.quote(experiment.workspace.shown(experiment.path))}"
    words = "Write this page as one file that opens anywhere with the network off, into `experiments/log`:"
    return mo.vstack([heading("Export"), mo.md(words), mo.plain_text(command)])


def export_control() -> Any:
    """Return the button that writes the log; None where nobody works in an editor."""
    return None if page_permit() is None else mo.ui.run_button(label="Write the log")


def export_clicked(experiment: NotebookContext, button: Any) -> mo.Html | None:
    """Write the log if its button was pressed, and return what came of it."""
    return write_log(experiment) if button is not None and button.value else None


def write_log(experiment: NotebookContext) -> mo.Html | None:
    """Write the log and return what came of it; None where nobody works in an editor.

    The file is what counts: the notebook runs once more in a process of its own, which can launch nothing.
    """
    if page_permit() is None:
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
