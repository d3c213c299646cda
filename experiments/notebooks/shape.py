"""How the arms learned, below their scores: still rising or not, where a next run will lie, what was lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from experiments.notebooks.context import NotebookContext
from experiments.notebooks.shared import leading_of, metrics_about, runs_with, score_options, standings
from experiments.notebooks.styles import Line
from experiments.project.errors import ExperimentsError
from experiments.project.look import counted
from experiments.results.rows import RunRow, run_rows
from experiments.results.shape import ArmShape, Shape, shape_of
from experiments.results.subject import is_search
from experiments.runs.roles import REWARDS, likely_rewards
from experiments.types import JobRef

_MOST = 8


def shape_lines(experiment: NotebookContext, jobs: Sequence[JobRef], controls: Any) -> list[Line]:
    """Return how the arms learned as lines: a row an arm, then what is wrong; none before the first run."""
    if not jobs:
        return []
    options = score_options(jobs, controls, ())
    try:
        planned = experiment.with_unlaunched(jobs)
    except ExperimentsError as error:
        return [Line(experiment.told(error), "strong")]
    curves = [run.curve for run in runs_with(experiment, planned, options.metric, "steps")]
    found = shape_of(
        curves,
        options.summary,
        rows=lambda: _rows(experiment, jobs),
        has_direction=_has_direction(jobs, options.metric),
    )
    trouble = [Line(found.trouble_words, "strong")] if found.trouble_words else []
    if is_search(jobs):  # trials stand beside each other in their own table, and nobody compares them
        return trouble
    notes = [Line(f"{'. '.join(found.notes)}.", "fine")] if found.notes else []
    return [*trouble, *_arm_rows(found, leading_of(experiment, jobs, controls)), *notes]


def _arm_rows(found: Shape, leading: Sequence[str]) -> list[Line]:
    """Return a row for each arm, of many for those that lead; those of which the same is missing share one."""
    said: dict[str, list[str]] = {}
    shown = [one for one in found.arms if len(found.arms) <= _MOST or one.arm in leading]
    for one in shown[:_MOST]:
        said.setdefault(_said(one, found), []).append(one.arm)
    more = len(found.arms) - len(shown[:_MOST])
    rest = [Line(f"and {counted(more, 'arm')} more", "row", "", muted=True)] if more > 0 else []
    return [*(Line(text, "row", ", ".join(arms)) for text, arms in said.items()), *rest]


def _said(one: ArmShape, found: Shape) -> str:
    pair = found.pairs.get(one.arm)
    return one.sentence if pair is None else f"{one.sentence} {pair.sentence}"


def _rows(experiment: NotebookContext, jobs: Sequence[JobRef]) -> list[RunRow] | None:
    try:
        return run_rows(jobs, experiment.store, statuses=standings(experiment, jobs))
    except ExperimentsError:
        return None


def _has_direction(jobs: Sequence[JobRef], metric: str) -> bool:
    """Tell whether more of a metric is known to be better, or less: of a loss or a speed nobody said."""
    return metrics_about(jobs, metric).primary == metric or metric in REWARDS or bool(likely_rewards([metric]))
