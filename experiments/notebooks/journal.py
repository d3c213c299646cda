"""The log, export and scratch sections: text that belongs to the experiment and is kept in its file."""

from __future__ import annotations

import shlex

import marimo as mo

from experiments.notebooks.context import NotebookContext

CELLS = {"log": ("hypothesis", "notes"), "export": ("export_command",), "scratch": ("scratch",)}


def hypothesis() -> None:
    """Text to edit: it is saved in this file, so git keeps it."""
    mo.md("""
    ## Log

    **Hypothesis.** What do you expect, and why?

    **Metric and rule.** Which number decides, in which direction, by how much?
    """)


def notes() -> None:
    """Text to edit as the runs go on."""
    mo.md("""
    **Notes.** What happened, with dates.

    **Verdict.** Confirmed, rejected or undecided?
    """)


def export_command(experiment: NotebookContext) -> None:
    """Show how this page becomes a file."""
    export_hint(experiment)


def scratch() -> None:
    """Leave room for quick experiments."""
    mo.md("""
    ## Scratch

    Cells that you add anywhere in this notebook are kept when it is made again.
    """)


def export_hint(experiment: NotebookContext) -> mo.Html:
    """Return the command that writes this notebook as an HTML file into the project's log folder."""
    notebook = experiment.workspace.shown(experiment.path)
    target = f"experiments/log/{experiment.name}.html"
    command = f"uv run marimo export html {shlex.quote(notebook)} -o {shlex.quote(target)}"
    return mo.vstack(
        [
            mo.md("## Export"),
            mo.md("Write this page, with its charts, to a file (marimo's own export; opening it needs a network):"),
            mo.plain_text(command),
        ]
    )
