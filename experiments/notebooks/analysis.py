"""The analysis section: learning curves, scores, speed and runs, each with the origin of its numbers.

Charts are drawn into elements that stay: new data, a slider or a selection change what is in them, and zoom, brush and
hidden arms survive. Brushing keeps the runs inside, in the table and the other charts; a click shows the replay nearest
to it; rows selected in the table stand out in the curves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import marimo as mo
import pandas as pd

from experiments.errors import ExperimentsError
from experiments.look import counted
from experiments.notebooks.chart_cells import (
    clicked_note,
    comparison_note,
    draw_curves,
    draw_scores,
    follow_chart,
    standing_out,
)
from experiments.notebooks.chart_inputs import controls_view, curve_controls, note_metrics
from experiments.notebooks.chart_reading import arms_of
from experiments.notebooks.charts import curve_chart
from experiments.notebooks.charts.theme import colours_of
from experiments.notebooks.choices import choice_of
from experiments.notebooks.context import NotebookContext
from experiments.notebooks.diffs import diff_inputs, diff_inputs_view, diff_view
from experiments.notebooks.drawing import chart_widget, on_page
from experiments.notebooks.further_charts import draw_more, view_tabs
from experiments.notebooks.groups import group_picker, group_picker_view, group_view
from experiments.notebooks.monitoring import watched_metrics
from experiments.notebooks.paper_kit import paper_kit_view
from experiments.notebooks.run_names import Run, ref_of
from experiments.notebooks.run_table import run_table, selected_runs, table_downloads
from experiments.runs.store import AGENT_STEP, SPS_KEYS, Origin, RunQuery, RunStore
from experiments.types import JobRef, JobStatus
from experiments.wandb_utils import default_store

CELLS = {
    "analysis": (
        "data_version",
        "brushing",
        "metric_names",
        "new_metrics",
        "analysis_inputs",
        "curve_area",
        "chart_events",
        "learning_curves",
        "clicked_run",
        "score_area",
        "scores",
        "comparison",
        "more_inputs",
        "more_area",
        "more_charts",
        "run_summary",
        "run_files",
        "group_keys_input",
        "grouped_runs",
        "diff_choice",
        "run_differences",
        "for_a_paper",
    )
}

SUMMARY_COLUMNS = {
    "reward": ("overview/reward",),
    "eval_reward": ("eval/reward",),
    "random_reward": ("eval/random_reward",),
    "policy_loss": ("losses/policy_loss",),
    "value_loss": ("losses/value_loss",),
    "entropy": ("losses/entropy",),
    "explained_variance": ("losses/explained_variance",),
}


def data_version(experiment: NotebookContext) -> Any:
    """Follow the runs' data: what depends on this name runs again when new rows were read."""
    metrics_file = watched_metrics(experiment)
    return metrics_file


def brushing() -> tuple[Any, Any]:
    """Keep the runs that were brushed in the curves, so that table and charts follow them."""
    brushed, set_brushed = mo.state(())
    return brushed, set_brushed


def metric_names() -> tuple[Any, Any]:
    """Keep the names of the metrics, so that the controls offer what runs begin to log."""
    known_metrics, set_known_metrics = mo.state(())
    return known_metrics, set_known_metrics


def new_metrics(
    experiment: NotebookContext,
    tracked_jobs: list[JobRef],
    known_metrics: Any,
    set_known_metrics: Any,
    metrics_file: Any,
) -> None:
    """Look for metrics that were not there before."""
    note_metrics(experiment, tracked_jobs, known_metrics(), set_known_metrics, metrics_file)


def analysis_inputs(experiment: NotebookContext, tracked_jobs: list[JobRef], known_metrics: Any) -> Any:
    """Let the reader choose what the charts show."""
    known_metrics()
    controls = curve_controls(experiment, tracked_jobs)
    controls_view(controls)
    return controls


def curve_area(experiment: NotebookContext) -> Any:
    """Make the place of the learning curves once, so that zoom and brush outlive every change of the data."""
    curve_view = chart_widget(experiment, can_select=True)
    on_page(curve_view)
    return curve_view


def chart_events(
    curve_view: Any,
    experiment: NotebookContext,
    tracked_jobs: list[JobRef],
    controls: Any,
    set_brushed: Any,
    set_clicked_point: Any,
) -> None:
    """Pass on what was brushed and clicked."""
    follow_chart(curve_view, experiment, tracked_jobs, controls, set_brushed, set_clicked_point)


def learning_curves(
    curve_view: Any,
    experiment: NotebookContext,
    tracked_jobs: list[JobRef],
    controls: Any,
    metrics_file: Any,
    run_rows: Any,
    brushed: Any,
    clicked_point: Any,
) -> None:
    """Draw the chosen metric; rows selected in the table stand out, else the runs that were brushed or clicked."""
    _standing = standing_out(run_rows, brushed(), clicked_point())
    draw_curves(curve_view, experiment, tracked_jobs, controls, metrics_file, selected=_standing)


def clicked_run(tracked_jobs: list[JobRef], clicked_point: Any) -> None:
    """Say what was clicked."""
    clicked_note(tracked_jobs, clicked_point())


def score_area(experiment: NotebookContext) -> Any:
    """Make the place of the scores."""
    score_view = chart_widget(experiment)
    on_page(score_view)
    return score_view


def scores(
    score_view: Any,
    experiment: NotebookContext,
    tracked_jobs: list[JobRef],
    controls: Any,
    metrics_file: Any,
    run_rows: Any,
    brushed: Any,
) -> None:
    """Draw one score a seed, with the interval of each arm."""
    draw_scores(
        score_view,
        experiment,
        tracked_jobs,
        controls,
        metrics_file,
        selected=selected_runs(run_rows),
        only=brushed(),
    )


def comparison(experiment: NotebookContext, tracked_jobs: list[JobRef], controls: Any, metrics_file: Any) -> None:
    """Say how each arm compares with the first."""
    comparison_note(experiment, tracked_jobs, controls, metrics_file)


def more_inputs(tracked_jobs: list[JobRef], controls: Any) -> Any:
    """Let the reader choose a further chart; only that one is computed."""
    more_tabs = view_tabs(tracked_jobs, controls)
    more_tabs
    return more_tabs


def more_area(experiment: NotebookContext) -> Any:
    """Make the place of the further charts."""
    more_view = chart_widget(experiment)
    on_page(more_view)
    return more_view


def more_charts(
    more_view: Any,
    experiment: NotebookContext,
    tracked_jobs: list[JobRef],
    more_tabs: Any,
    controls: Any,
    metrics_file: Any,
    run_rows: Any,
    brushed: Any,
) -> None:
    """Draw the chosen chart: speed, small charts of many metrics, profile, probability of improvement."""
    draw_more(
        more_view,
        experiment,
        tracked_jobs,
        more_tabs,
        controls,
        metrics_file,
        selected=selected_runs(run_rows),
        only=brushed(),
    )


def run_summary(
    experiment: NotebookContext, tracked_jobs: list[JobRef], controls: Any, metrics_file: Any, brushed: Any
) -> Any:
    """Show one row a run; selected rows stand out in the curves."""
    run_rows = runs_table(experiment, tracked_jobs, controls, brushed(), metrics_file)
    run_rows
    return run_rows


def run_files(experiment: NotebookContext, run_rows: Any) -> None:
    """Offer the table as a file."""
    table_downloads(run_rows, f"{experiment.name}-runs")


def group_keys_input(experiment: NotebookContext, tracked_jobs: list[JobRef]) -> Any:
    """Let the reader choose what to group runs by."""
    group_keys = group_picker(experiment, tracked_jobs)
    group_picker_view(group_keys) if tracked_jobs else None
    return group_keys


def grouped_runs(
    experiment: NotebookContext, tracked_jobs: list[JobRef], group_keys: Any, controls: Any, metrics_file: Any
) -> None:
    """Show each group with its statistic, interval and count."""
    group_view(experiment, tracked_jobs, group_keys.value, controls, metrics_file)


def diff_choice(tracked_jobs: list[JobRef]) -> Any:
    """Let the reader choose two runs or arms."""
    diff_pair = diff_inputs(tracked_jobs)
    diff_inputs_view(diff_pair) if len(tracked_jobs) > 1 else None
    return diff_pair


def run_differences(experiment: NotebookContext, tracked_jobs: list[JobRef], diff_pair: Any, metrics_file: Any) -> None:
    """Show what differs between them: settings, code, packages and metrics."""
    diff_view(experiment, tracked_jobs, diff_pair, metrics_file)


def for_a_paper(experiment: NotebookContext, tracked_jobs: list[JobRef], controls: Any, metrics_file: Any) -> None:
    """Show the results table and the methods sentence, and offer figure and table as files."""
    paper_kit_view(experiment, tracked_jobs, controls, metrics_file)


def runs_table(
    experiment: NotebookContext, jobs: Sequence[JobRef], controls: Any, brushed: Sequence[str], _changed: object = None
) -> Any:
    """Return the table of runs, of those that were brushed where some were; a sentence where there is none."""
    kept = [job for job in jobs if not brushed or job.run in set(brushed)]
    if not kept:
        return mo.md("No run yet. Once one is launched, it appears here.")
    return run_table(experiment, kept, [choice_of(controls).metric], _changed, colours=colours_of(arms_of(jobs)))


def metric_history(runs: Sequence[Run], keys: Sequence[str], *, store: RunStore | None = None) -> pd.DataFrame:
    """Return the history of several runs as one table.

    Args:
        store: Where to read; None for the project of the working folder.

    Returns:
        One row for each row of a run that holds at least one of `keys`: `run`, `arm` (object), `seed` (int64), `step`
        (float64, agent steps, ascending in a run), then one float64 column a key, NaN where the row lacks it. Empty
        with the same columns where no run has data. `attrs["origin"]` says in words where the rows come from.
    """
    frames: list[pd.DataFrame] = []
    notes: list[str] = []
    origins: list[Origin] = []
    source = store or default_store()
    for job in map(ref_of, runs):
        try:
            history, origin = source.history(job.run, [AGENT_STEP, *keys])
        except ExperimentsError as error:
            notes.append(f"{job.run}: {error}")
            continue
        present = [key for key in keys if key in history]
        rows = history.dropna(subset=present, how="all") if present else history.iloc[:0]
        step = rows[AGENT_STEP].ffill() if AGENT_STEP in rows else rows["_step"]
        data: dict[str, Any] = {"run": job.run, "arm": job.arm, "seed": job.seed, "step": step.astype("float64")}
        frames.append(rows.reindex(columns=list(keys)).assign(**data))
        origins.append(origin)
        if origin.damage:
            notes.append(f"{job.run}: {origin.damage}")
    columns = ["run", "arm", "seed", "step", *keys]
    table = pd.concat(frames, ignore_index=True)[columns] if frames else pd.DataFrame(columns=columns)
    rows_read = f"{len(table):,} rows of {len(frames)} of {len(runs)} runs, {_completeness(origins)}"
    table.attrs["origin"] = ". ".join([rows_read, *notes])
    return table


def plot_sps(runs: Sequence[Run], *, store: RunStore | None = None, dark: bool = False) -> Any:
    """Return the training speed of several runs over agent steps.

    The first of `SPS_KEYS` that a run has logged is taken, since trainers name it differently.
    """
    table = metric_history(runs, SPS_KEYS, store=store)
    first = table[list(SPS_KEYS)].bfill(axis=1).iloc[:, 0] if len(table) else pd.Series(dtype=float)
    merged = table[["run", "arm", "seed", "step"]].assign(**{SPS_KEYS[0]: first})
    merged.attrs = table.attrs
    return curve_chart(merged, SPS_KEYS[0], dark=dark)


def create_run_summary_table(
    runs: Sequence[Run],
    metrics: Sequence[str] = (),
    *,
    store: RunStore | None = None,
    statuses: Mapping[str, JobStatus] | None = None,
) -> pd.DataFrame:
    """Return one row a run.

    Args:
        metrics: Summary keys to show beside the usual ones.
        statuses: What is known of each job by run name; without it the tracker's own word is shown.

    Returns:
        Columns `run_name`, `arm`, `seed`, `state`, `duration_s` (seconds), `total_steps` (agent steps), the columns of
        `SUMMARY_COLUMNS`, then `metrics`; None where the run has not logged a value.
    """
    jobs = [ref_of(run) for run in runs]
    query = RunQuery(names=[job.run for job in jobs], limit=None)
    found = {info.name: info for info in (store or default_store()).find(query)}
    rows = []
    for job in jobs:
        info, status = found.get(job.run), (statuses or {}).get(job.run)
        summary = info.summary if info else {}
        row: dict[str, Any] = {
            "run_name": job.run,
            "arm": job.arm,
            "seed": job.seed,
            "state": status.verdict if status else info.state if info else "not found",
            "duration_s": summary.get("_runtime"),
            "total_steps": summary.get(AGENT_STEP),
        }
        row |= {name: _first(summary, keys) for name, keys in SUMMARY_COLUMNS.items()}
        rows.append(row | {key: summary.get(key) for key in metrics})
    columns = ["run_name", "arm", "seed", "state", "duration_s", "total_steps", *SUMMARY_COLUMNS, *metrics]
    return pd.DataFrame(rows, columns=columns)


def _completeness(origins: Sequence[Origin]) -> str:
    """Return `complete`, or how many rows a server chose from how many."""
    sampled = [origin for origin in origins if not origin.complete]
    if not sampled:
        return "complete"
    total = sum(origin.total or 0 for origin in sampled)
    whole = f" of {total:,}" if all(origin.total is not None for origin in sampled) else ""
    return f"sampled: {sum(origin.rows for origin in sampled):,}{whole} rows of {counted(len(sampled), 'run')}"


def _first(summary: Mapping[str, Any], keys: Sequence[str]) -> Any:
    return next((summary[key] for key in keys if key in summary), None)
