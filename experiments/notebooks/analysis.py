"""Training speed, and one row a run, for scripts and for cells of one's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import marimo as mo
import pandas as pd

from experiments.jobs.finding import Runs, here, known_runs, refs_of
from experiments.jobs.ledger import open_ledger
from experiments.monitoring import job_statuses
from experiments.notebooks.charts import curve_chart
from experiments.notebooks.charts.theme import colours_of
from experiments.notebooks.context import NotebookContext
from experiments.notebooks.controls import choice_of
from experiments.notebooks.shared import arms_of
from experiments.notebooks.tables.runs import run_table
from experiments.results.frames import tidy_frame
from experiments.results.rows import is_awaited, missing_word
from experiments.runs.axes import counters_of
from experiments.runs.opening import default_store
from experiments.runs.roles import metrics_of, roles_of, speed_keys
from experiments.runs.store import RunQuery, RunStore
from experiments.types import JobRef, JobStatus
from experiments.wandb_utils import fetch_metrics as fetch_metrics  # noqa: PLC0414 - looked for here, too
from experiments.wandb_utils import histories

SUMMARY_COLUMNS = {
    "reward": ("overview/reward",),
    "eval_reward": ("eval/reward",),
    "random_reward": ("eval/random_reward",),
    "policy_loss": ("losses/policy_loss",),
    "value_loss": ("losses/value_loss",),
    "entropy": ("losses/entropy",),
    "explained_variance": ("losses/explained_variance",),
}


def runs_table(
    experiment: NotebookContext, jobs: Sequence[JobRef], controls: Any, brushed: Sequence[str], _news: object = None
) -> Any:
    """Return the table of runs, of those that were brushed where some were; a sentence where there is none."""
    kept = [job for job in jobs if not brushed or job.run in set(brushed)]
    if not kept:
        return mo.md("No run yet. Once one is launched, it appears here.")
    return run_table(experiment, kept, [choice_of(controls).metric], colours=colours_of(arms_of(jobs)))


def plot_sps(runs: Runs, *, store: RunStore | None = None, dark: bool = False) -> Any:
    """Return the training speed of one run or several over their steps.

    The first that a run has logged is taken, of those that its trainer names and of `SPS_KEYS`.

    Raises:
        StoreError: A name is no run; names all that are none. Or the server cannot be reached.

    Example:
        >>> from experiments import find_training_jobs, plot_sps
        >>> chart = plot_sps(find_training_jobs())
        >>> type(chart).__name__.endswith("Chart")
        True
    """
    place = store or default_store()
    known = known_runs(runs, place, here() if store is None else None)
    refs = refs_of(runs)
    keys = speed_keys(refs)
    counters = dict.fromkeys(key for ref in refs for key in counters_of(metrics_of(ref).step))
    read = histories(place, [ref.run for ref in refs if ref.run in known], [*counters, *keys], complete=False)
    notes = [f"{ref.run}: it has not begun to log" for ref in refs if ref.run not in known]
    table = tidy_frame(refs, read, keys, notes)
    first = table[list(keys)].bfill(axis=1).iloc[:, 0] if len(table) else pd.Series(dtype=float)
    merged = table[["run", "arm", "seed", "step"]].assign(**{keys[0]: first})
    lacking = {run: keys[:1] for run, without in table.attrs["without"].items() if len(without) == len(keys)}
    merged.attrs = {**table.attrs, "without": lacking}
    return curve_chart(merged, keys[0], dark=dark)


def create_run_summary_table(
    runs: Runs,
    metrics: str | Sequence[str] | None = (),
    *,
    store: RunStore | None = None,
    statuses: Mapping[str, JobStatus] | None = None,
) -> pd.DataFrame:
    """Return one row a run.

    Args:
        runs: One run or several: names, or jobs as `launch_training` returns them.
        metrics: Summary keys to show beside the usual ones.
        statuses: What is known of each job by run name; without it the tracker's own word is shown, and what the
            launcher says of a job that has not begun to log.

    Returns:
        Columns `run_name`, `arm`, `seed`, `role` where some run is no seed, `state`, `duration_s` (seconds),
        `total_steps` (agent steps), the columns of `SUMMARY_COLUMNS`, then `metrics`; None where there is no value.
        `attrs["missing"]` says why, by run and metric: `not logged` by a run that ended, `no value yet`, `no run yet`
        of a job that goes on, `no run found`. The state is `NOT FOUND` where nobody knows a run of the name.

    Raises:
        StoreError: The server cannot be reached.
        LedgerError: The ledger cannot be read.

    Example:
        >>> from experiments import create_run_summary_table
        >>> table = create_run_summary_table(["ada.study.a.s0.abcdefgh", "ada.study.b.s2.abcdefgh"])
        >>> table[["arm", "seed", "state", "total_steps"]].values.tolist()
        [['a', 0, 'finished', 300], ['b', 2, 'finished', 300]]
    """
    jobs, wanted = refs_of(runs), [metrics] if isinstance(metrics, str) else list(metrics or ())
    query = RunQuery(names=[job.run for job in jobs], limit=None)
    found = {info.name: info for info in (store or default_store()).find(query)} if jobs else {}
    silent = [job.run for job in jobs if job.run not in found]
    known = {**(_launched(silent) if silent and store is None else {}), **(statuses or {})}
    rows, missing = [], {}
    for job in jobs:
        info, status = found.get(job.run), known.get(job.run)
        summary = info.summary if info else {}
        row: dict[str, Any] = {
            "run_name": job.run,
            "arm": job.arm,
            "seed": job.seed,
            "state": status.verdict if status else info.state if info else "NOT FOUND",
            "duration_s": summary.get("_runtime"),
            "total_steps": summary.get(roles_of(summary, metrics_of(job)).step or ""),
        }
        row |= {name: _first(summary, keys) for name, keys in SUMMARY_COLUMNS.items()}
        rows.append(row | {key: summary.get(key) for key in wanted})
        awaited = is_awaited(status)
        missing[job.run] = {key: missing_word(info, key, awaited=awaited) for key in wanted if key not in summary}
    columns = ["run_name", "arm", "seed", "state", "duration_s", "total_steps", *SUMMARY_COLUMNS, *wanted]
    table = pd.DataFrame(rows, columns=columns)
    if not all(job.counts for job in jobs):
        table.insert(3, "role", [job.role_words or "seed" for job in jobs])
    table.attrs["missing"] = {run: words for run, words in missing.items() if words}
    return table


def _launched(runs: Sequence[str]) -> dict[str, JobStatus]:
    """Return the status of those of `runs` that the project of the working folder has launched."""
    project = here()
    with open_ledger(project, read_only=True) as ledger:
        names = {job.run_name for job in ledger.rows(run_names=runs)}
    return {status.run_name: status for status in job_statuses(project.state, sorted(names))} if names else {}


def _first(summary: Mapping[str, Any], keys: Sequence[str]) -> Any:
    return next((summary[key] for key in keys if key in summary), None)
