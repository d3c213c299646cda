"""Which experiment a notebook is, which jobs its file does not name yet, where their code comes from; and launching."""

from __future__ import annotations

import html
import shlex
from collections.abc import Sequence

import marimo as mo

from experiments.launch import launch_multiple_training_runs as launch_multiple_training_runs  # noqa: PLC0414 - looked for here, too
from experiments.launch import launch_training as launch_training  # noqa: PLC0414 - looked for here, too
from experiments.notebooks.context import NotebookContext
from experiments.notebooks.launching import page_permit as page_permit  # noqa: PLC0414 - looked for here
from experiments.notebooks.styles import as_markdown, heading, sentence, styled
from experiments.project.errors import ExperimentsError
from experiments.project.look import counted
from experiments.project.run_root import files_of
from experiments.types import JobRef


def notebook_heading(experiment: NotebookContext) -> mo.Html:
    """Return the notebook's title, what it is for and how it is made again."""
    parts = [heading(experiment.name, 1)]
    if experiment.config.description:
        parts.append(sentence(experiment.config.description))
    return mo.vstack(parts)


def jobs_note(experiment: NotebookContext, jobs: Sequence[JobRef]) -> mo.Html | None:
    """Return a line about jobs that this file does not name yet, or that cannot be read; None where it names all."""
    if problem := experiment.launched().problem:
        return mo.callout(sentence(problem), kind="danger")
    missing = len(experiment.unrecorded(jobs))
    if not missing:
        return None
    what = f"{counted(missing, 'job')} {'is' if missing == 1 else 'are'}"
    notebook = shlex.quote(experiment.workspace.shown(experiment.path))
    command = as_markdown(f"uv run experiments record {notebook}")
    return mo.callout(mo.md(f"{what} not in this file yet: <code>{command}</code>"), kind="neutral")


def code_note(experiment: NotebookContext, jobs: list[JobRef]) -> mo.Html | None:
    """Return, folded, the code that the newest jobs ran, doubts about that of others, and where the files are."""
    try:
        found, doubts = experiment.provenance(jobs), experiment.code_words(jobs)
    except ExperimentsError as error:
        return mo.callout(sentence(f"Where the code comes from: {error}"), kind="danger")
    if found is None and not doubts:
        return None
    lines = [*(("of all", doubt) for doubt in doubts), *(found.lines() if found is not None else [])]
    launchers = dict.fromkeys(job.launcher for job in jobs)
    lines += [(f"files ({launcher})", files_of(launcher, experiment.workspace)) for launcher in launchers]
    rows = "".join(f"<tr><th>{html.escape(label)}</th><td>{html.escape(text)}</td></tr>" for label, text in lines)
    return mo.accordion({"Where the code comes from, and where the files are": styled(f"<table>{rows}</table>")})
