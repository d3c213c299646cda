"""Runs in groups that share settings, each with its statistic, its interval and how many runs it rests on."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from typing import Any

import marimo as mo
import pandas as pd

from experiments.notebooks.context import NotebookContext
from experiments.notebooks.controls import choice_of
from experiments.notebooks.shared import scored_once
from experiments.notebooks.styles import styled, warning
from experiments.notebooks.tables.runs import downloads
from experiments.project import look
from experiments.project.errors import ExperimentsError
from experiments.results.rows import config_differences, groups_of, run_rows, short_names
from experiments.results.scores import FINAL, known_statuses
from experiments.runs.store import REWARD_KEY
from experiments.statistics import SeedCount, Statistic, Summary
from experiments.types import JobRef

ARM = "arm"


def group_picker(
    experiment: NotebookContext, jobs: Sequence[JobRef], then: Callable[[list[Any]], None] | None = None
) -> Any:
    """Return a choice of what to group runs by: the arm, and each setting in which runs differ (never the seed).

    Args:
        then: Called with each new choice.
    """
    try:
        rows = run_rows(jobs, experiment.store)
    except ExperimentsError:
        rows = []  # the table says what could not be read
    keys = list(config_differences(rows))
    options = {ARM: ARM} | {name: key for key, name in short_names(keys).items() if name != ARM}
    return mo.ui.multiselect(options, value=[ARM], label="Group runs by", on_change=then)


def group_view(
    experiment: NotebookContext,
    jobs: Sequence[JobRef],
    keys: Sequence[str],
    controls: Any = None,
) -> mo.Html | None:
    """Return one row a group of runs; nothing where there is no run or nothing to group by.

    Args:
        keys: `arm`, or dotted settings.
        controls: What the reader chose above the charts: metric, score and statistic.
    """
    if not jobs or not keys:
        return None
    chosen = choice_of(controls)
    try:
        frame = group_frame(experiment, jobs, keys, chosen.metric, summary=chosen.summary, statistic=chosen.statistic)
    except ExperimentsError as error:
        return warning(error)
    numbers = [str(name) for name in frame.columns if pd.api.types.is_float_dtype(frame[name])]
    table = mo.ui.table(
        frame,
        selection=None,
        pagination=len(frame) > 20,
        show_column_summaries=False,
        show_data_types=False,
        show_download=False,
        format_mapping=dict.fromkeys(numbers, _shown),
        text_justify_columns=dict.fromkeys(numbers, "right"),
    )
    origin = styled(f'<p class="small muted">{html.escape(frame.attrs["origin"])}</p>')
    return mo.vstack([table, origin, downloads(frame, f"{experiment.name}-groups")], gap=0.5)


def group_frame(
    experiment: NotebookContext,
    jobs: Sequence[JobRef],
    keys: Sequence[str],
    metric: str = REWARD_KEY,
    *,
    summary: Summary = FINAL,
    statistic: Statistic = "mean",
) -> pd.DataFrame:
    """Return the statistic of a metric over the runs that share the values of some settings.

    Returns:
        One column a key, then the statistic by its name, `low`, `high` (float64, missing where there is no interval),
        `runs` (text: `4 of 5 finished, 1 failed`, after
        `interim:` while some are out), `interval` (its method, or why there is none). `attrs["origin"]`
        says what was scored, and where the rows come from.

    Raises:
        StoreError: The server cannot be reached.
    """
    statuses = known_statuses(experiment.workspace.state)
    rows = run_rows(jobs, experiment.store, statuses=statuses)
    runs = scored_once(experiment, jobs, metric, summary)
    names = short_names(list(keys))
    records: list[dict[str, Any]] = []
    for group in groups_of(rows, runs, keys, statistic):
        found, (low, high) = group.estimate, group.estimate.interval.bounds or (None, None)
        pooled = f"; {len(group.arms)} arms pooled" if len(group.arms) > 1 else ""
        pooled += f"; {group.codes}" if group.codes else ""
        records.append(
            {names[key]: look.MISSING if value is None else value for key, value in group.values.items()}
            | {statistic: found.value, "low": low, "high": high, "runs": _interim(found.count)}
            | {"interval": f"{found.interval.words}{pooled}"}
        )
    columns = [*(names[key] for key in keys), statistic, "low", "high", "runs", "interval"]
    frame = pd.DataFrame(records, columns=list(dict.fromkeys(columns)))
    frame = frame.astype(dict.fromkeys((statistic, "low", "high"), "float64"))
    attempts = [note for scores in runs.scores.values() for note in scores.attempts]
    frame.attrs["origin"] = "; ".join([f"{metric}: {summary.words}; {runs.origin}", *runs.notes, *attempts])
    return frame


def _interim(count: SeedCount) -> str:
    return f"interim: {count.sentence}" if count.waiting else count.sentence


def _shown(value: object) -> str:
    return look.quantity(value if isinstance(value, (int, float)) else None)
