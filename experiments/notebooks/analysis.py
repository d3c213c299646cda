"""The analysis section: learning curves, speed and a table of runs, each with the origin of its numbers."""

from __future__ import annotations

import html
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import marimo as mo
import pandas as pd

from experiments import look
from experiments.errors import ExperimentsError
from experiments.monitoring import snapshot
from experiments.notebooks.charts import curve_chart
from experiments.notebooks.context import NotebookContext
from experiments.notebooks.monitoring import watched_metrics
from experiments.notebooks.run_names import Run, counted, ref_of
from experiments.runs.store import Origin, RunQuery, RunStore
from experiments.snapshots import read_versions
from experiments.types import JobRef, JobStatus
from experiments.wandb_utils import default_store

CELLS = {"analysis": ("data_version", "analysis_inputs", "learning_curves", "speed", "run_summary")}

STEP = "metric/agent_step"
REWARD = "overview/reward"
SPS_KEYS = ("overview/sps", "sps", "steps_per_second", "train/sps", "timing/sps", "performance/sps")
SUMMARY_COLUMNS = {
    "reward": ("overview/reward",),
    "eval_reward": ("eval/reward",),
    "random_reward": ("eval/random_reward",),
    "policy_loss": ("losses/policy_loss",),
    "value_loss": ("losses/value_loss",),
    "entropy": ("losses/entropy",),
    "explained_variance": ("losses/explained_variance",),
}
_KEPT_DRAWINGS = 64
_drawn: dict[tuple[object, ...], Any] = {}
_drawing = threading.Lock()  # the sessions of one server are threads of one process


def data_version(experiment: NotebookContext) -> Any:
    """Follow the runs' data: what depends on this name runs again when new rows were read."""
    metrics_file = watched_metrics(experiment)
    return metrics_file


def analysis_inputs(experiment: NotebookContext, tracked_jobs: list[JobRef]) -> Any:
    """Let the reader pick what the learning curves show."""
    metric_picker = metric_dropdown(experiment, tracked_jobs)
    mo.vstack([mo.md("## Analysis"), metric_picker])
    return metric_picker


def learning_curves(
    experiment: NotebookContext, tracked_jobs: list[JobRef], metric_picker: Any, metrics_file: Any
) -> None:
    """Draw the chosen metric over agent steps."""
    curves_of(experiment, tracked_jobs, metric_picker.value, metrics_file)


def speed(experiment: NotebookContext, tracked_jobs: list[JobRef], metrics_file: Any) -> None:
    """Draw how fast the runs train."""
    speed_of(experiment, tracked_jobs, metrics_file)


def run_summary(experiment: NotebookContext, tracked_jobs: list[JobRef], metrics_file: Any) -> None:
    """Show one row a run with its latest numbers."""
    summary_of(experiment, tracked_jobs, metrics_file)


def metric_dropdown(experiment: NotebookContext, jobs: Sequence[JobRef]) -> mo.ui.dropdown:
    """Return a choice among the metrics that the runs have logged; the return per agent is chosen first."""
    query = RunQuery(names=[job.run for job in jobs], limit=None)
    try:
        found = experiment.store.find(query)
    except ExperimentsError:
        # A server that is down must not take the page with it; the charts say what could not be read.
        found = []
    logged = {key for info in found for key, value in info.summary.items() if _is_number(value)}
    names = sorted(key for key in logged | {REWARD} if not key.startswith("_"))
    return mo.ui.dropdown(names, value=REWARD, label="Metric", searchable=True)


def curves_of(experiment: NotebookContext, jobs: Sequence[JobRef], metric: str | None, _changed: object = None) -> Any:
    """Return the learning curves of a notebook's jobs.

    Args:
        _changed: Read by the cell only so that it runs again when the runs have new data.
    """
    if not jobs:
        return mo.md("No run yet. Launch one above, and its learning curve appears here.")
    chosen, dark = metric or REWARD, is_dark()

    def build() -> Any:
        return curve_chart(metric_history(jobs, [chosen], store=experiment.store), chosen, dark=dark)

    return drawn_once(experiment, jobs, ("curves", chosen, dark), build)


def speed_of(experiment: NotebookContext, jobs: Sequence[JobRef], _changed: object = None) -> Any:
    """Return the training speed of a notebook's jobs; nothing where there is no job."""
    dark = is_dark()
    if not jobs:
        return None
    return drawn_once(experiment, jobs, ("speed", dark), lambda: plot_sps(jobs, store=experiment.store, dark=dark))


def summary_of(experiment: NotebookContext, jobs: Sequence[JobRef], _changed: object = None) -> Any:
    """Return the summary of a notebook's jobs as a table for the page; nothing where there is no job."""
    if not jobs:
        return None

    def build() -> pd.DataFrame:
        statuses = {status.run_name: status for status in snapshot(experiment.workspace.state).jobs}
        return create_run_summary_table(jobs, store=experiment.store, statuses=statuses)

    try:
        table = drawn_once(experiment, jobs, ("summary",), build)
    except ExperimentsError as error:
        return mo.callout(mo.Html(html.escape(str(error))), kind="warn")
    whole: dict[str, Any] = {"total_steps": _whole, "duration_s": look.duration}
    formats: dict[str, Any] = {_heading(name): whole.get(name, _three_digits) for name in table.columns[4:]}
    return mo.ui.table(
        table.rename(columns=_heading),
        selection=None,
        pagination=len(table) > 20,
        show_download=True,
        format_mapping=formats,
        show_data_types=False,
    )


def drawn_once(
    experiment: NotebookContext, jobs: Sequence[JobRef], options: tuple[object, ...], build: Callable[[], Any]
) -> Any:
    """Return what `build` makes, made once for all viewers of the same data.

    The Monitor gives every run a data version; where it has none for a run (a script, an export), nothing is kept.
    """
    found = read_versions(experiment.workspace.state / "live")
    versions = tuple(found.get(job.run) for job in jobs)
    if not versions or None in versions:
        return build()
    key = (str(experiment.workspace.state), tuple(job.run for job in jobs), options, versions)
    with _drawing:
        if key not in _drawn:
            _drawn[key] = build()
            while len(_drawn) > _KEPT_DRAWINGS:
                del _drawn[next(iter(_drawn))]
        return _drawn[key]


def is_dark() -> bool:
    """Say whether the page is shown in dark colours."""
    return mo.app_meta().theme == "dark"


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
            history, origin = source.history(job.run, [STEP, *keys])
        except ExperimentsError as error:
            notes.append(f"{job.run}: {error}")
            continue
        present = [key for key in keys if key in history]
        rows = history.dropna(subset=present, how="all") if present else history.iloc[:0]
        step = rows[STEP].ffill() if STEP in rows else rows["_step"]
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
            "total_steps": summary.get(STEP),
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


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _heading(column: str) -> str:
    """Return a column's name in words; its unit is in the value."""
    return column.removesuffix("_s").replace("_", " ")


def _whole(value: object) -> str:
    return f"{value:,.0f}" if isinstance(value, (int, float)) and value == value else look.MISSING  # noqa: PLR0124 - NaN


def _three_digits(value: object) -> str:
    return look.quantity(value) if isinstance(value, (int, float)) else look.MISSING


def _first(summary: Mapping[str, Any], keys: Sequence[str]) -> Any:
    return next((summary[key] for key in keys if key in summary), None)
