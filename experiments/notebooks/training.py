"""The setup, state and launch sections: which experiment this is, which jobs it has, and how to launch more."""

from __future__ import annotations

import html
import shlex
from typing import Any

import marimo as mo

from experiments.forms import config_form
from experiments.journal import Journal
from experiments.notebooks.context import NotebookContext, open_notebook
from experiments.notebooks.launching import (
    PlanPreview,
    launch_clicked,
    launch_control,
    launch_form,
    launch_outcome,
    page_permit,
    plan_preview,
    run_inputs,
)
from experiments.types import BaseExperimentConfig, JobRef

CELLS = {
    "setup": ("opened", "heading"),
    "state": ("launch_count", "clicked_curve", "tracked", "code"),
    "launch": ("plan_inputs", "plan_form", "planned", "launch_controls", "launched", "outcome"),
}


def opened(config: BaseExperimentConfig) -> NotebookContext:
    """Find the experiment, its project and its state from this file."""
    experiment = open_notebook(__file__, config)
    return experiment


def heading(experiment: NotebookContext) -> None:
    """Say what this notebook is."""
    notebook_heading(experiment)


def launch_count() -> tuple[Any, Any]:
    """Keep what came of this page's launches, so that what shows jobs follows them."""
    launches, set_launches = mo.state(())
    return launches, set_launches


def clicked_curve() -> tuple[Any, Any]:
    """Keep the point of a learning curve that was clicked last (run and agent steps), so that its replay is shown."""
    clicked_point, set_clicked_point = mo.state(None)
    return clicked_point, set_clicked_point


def tracked(experiment: NotebookContext, jobs: list[JobRef], launches: Any) -> list[JobRef]:
    """Join the references of this file with what was launched since."""
    launches()
    tracked_jobs = experiment.joined(jobs)
    jobs_note(experiment, jobs)
    return tracked_jobs


def code(experiment: NotebookContext, tracked_jobs: list[JobRef]) -> None:
    """Say where the code of the newest jobs comes from."""
    code_note(experiment, tracked_jobs)


def plan_inputs(experiment: NotebookContext, config: BaseExperimentConfig) -> tuple[Any, Any]:
    """Make the inputs of a plan; a re-run keeps what was typed."""
    config_inputs = config_form(config, name=experiment.name)
    how_inputs = run_inputs(experiment)
    return config_inputs, how_inputs


def plan_form(experiment: NotebookContext, config_inputs: Any, how_inputs: Any) -> None:
    """Show them, with what is wrong beside each; a page that may not launch says so instead."""
    launch_form(experiment, config_inputs, how_inputs)


def planned(experiment: NotebookContext, config_inputs: Any, how_inputs: Any, launches: Any) -> PlanPreview:
    """Show exactly what a launch would start; typing launches nothing."""
    launches()
    preview = plan_preview(experiment, config_inputs, how_inputs)
    preview.view() if page_permit() else None
    return preview


def launch_controls(preview: PlanPreview) -> Any:
    """Offer the launch; in a read-only page, an export or a script there is no button at all."""
    launch_button = launch_control(preview)
    launch_button
    return launch_button


def launched(
    preview: PlanPreview, launch_button: Any, experiment: NotebookContext, set_launches: Any, journal: Journal
) -> None:
    """Launch on a click, and record the hypothesis; a second click, a re-run or another tab finds the same jobs."""
    launch_clicked(preview, launch_button, experiment, set_launches, journal)


def outcome(launches: Any) -> None:
    """Say what came of the latest click."""
    launch_outcome(launches())


def notebook_heading(experiment: NotebookContext) -> mo.Html:
    """Return the notebook's title, what it is for and how it is made again."""
    parts = [mo.md(f"# {experiment.name}")]
    if experiment.config.description:
        parts.append(mo.plain_text(experiment.config.description))
    return mo.vstack(parts)


def jobs_note(experiment: NotebookContext, jobs: list[JobRef]) -> mo.Html | None:
    """Return a line about jobs that this file does not name yet; None where it names all."""
    missing = len(experiment.unrecorded(jobs))
    if not missing:
        return None
    what = "1 job is" if missing == 1 else f"{missing:,} jobs are"
    notebook = shlex.quote(experiment.workspace.shown(experiment.path))
    return mo.callout(mo.md(f"{what} not in this file yet: `uv run experiments record {notebook}`"), kind="neutral")


def code_note(experiment: NotebookContext, jobs: list[JobRef]) -> mo.Html | None:
    """Return the record of the code that the newest jobs run, folded; None where the ledger has none."""
    found = experiment.provenance(jobs)
    if found is None:
        return None
    rows = "".join(
        f"<tr><th style='text-align: left; padding-right: 16px; font-weight: normal'>{html.escape(label)}</th>"
        f"<td>{html.escape(text)}</td></tr>"
        for label, text in found.lines()
    )
    return mo.accordion({"Where the code comes from": mo.Html(f"<table>{rows}</table>")})
