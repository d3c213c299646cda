"""Sections that the generator's tests lift; they run without an account and without any other part of Experiments."""

from __future__ import annotations

import math
from collections.abc import Sequence

import marimo as mo

from experiments.types import BaseExperimentConfig, JobRef

CELLS = {
    "setup": ("title",),
    "state": ("tracked",),
    "analysis": ("threshold_input", "score_table", "summary"),
    "scratch": ("notes",),
}
UNITS = ("agent steps", "reward")


def title(config: BaseExperimentConfig) -> None:
    """Say what the notebook is for."""
    mo.md(f"# {heading(config)}")


def tracked(jobs: list[JobRef]) -> tuple[dict[str, JobRef]]:
    """Index the jobs by run."""
    # A run name is unique, so no job hides another.
    runs = {job.run: job for job in jobs}
    return (runs,)


def threshold_input() -> tuple[mo.ui.slider]:
    """Let the reader choose a threshold."""
    threshold = mo.ui.slider(0, 10, value=3, label="Threshold")
    mo.vstack([threshold])
    return (threshold,)


def score_table(runs: dict[str, JobRef], threshold: mo.ui.slider) -> tuple[list[float], str]:
    """Score every run."""

    scores = [math.sqrt(score(job)) for job in runs.values() if score(job) > threshold.value]
    _shown = [f"{value:.2f}" for value in scores]  # kept for the table only

    unit = UNITS[1]
    mo.ui.table(
        [{"score": value, "unit": unit} for value in _shown],
        label='scores, in "reward"',
    )
    return scores, unit


def summary(
    scores: list[float],
    unit: str,
) -> None:
    """Sum the scores up."""
    mo.md(f"Mean: {mean(scores):.1f} {unit}")


def notes() -> None:
    """Leave room."""
    mo.md("""
    ## Notes

    Write here.
    """)


def heading(config: BaseExperimentConfig) -> str:
    """Return the title of the page."""
    return config.description or "An experiment"


def score(job: JobRef) -> float:
    """Return the score of a job."""
    return float(job.seed)


def mean(values: Sequence[float]) -> float:
    """Return the mean, zero of nothing."""
    return sum(values) / len(values) if values else 0.0
