"""Reproducible reinforcement-learning experiments as reactive marimo notebooks.

Every public name is loaded when it is first used, so that a command line starts without pandas, marimo or W&B.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from experiments.project import old_paths
from experiments.project.streams import quiet_while_loading

if TYPE_CHECKING:
    from experiments.experiment import Experiment
    from experiments.jobs.arms import Ablation, Grid
    from experiments.jobs.permits import allow_launch
    from experiments.launch import launch_multiple_training_runs, launch_training
    from experiments.monitoring import monitor_training_statuses
    from experiments.notebooks.analysis import create_run_summary_table, plot_sps
    from experiments.notebooks.replays import get_available_replays, show_replay
    from experiments.project.errors import (
        ExperimentsError,
        LaunchError,
        LaunchRefused,
        LedgerError,
        NotebookError,
        StoreError,
        UsageError,
    )
    from experiments.project.workspace import Workspace
    from experiments.results.frames import metrics_frame
    from experiments.types import BaseExperimentConfig, Control, JobRef, JobStatus, Plan, TrainingJob, TrainingJobConfig
    from experiments.wandb_utils import fetch_metrics, find_training_jobs

__all__ = [
    "Ablation",
    "BaseExperimentConfig",
    "Control",
    "Experiment",
    "ExperimentsError",
    "Grid",
    "JobRef",
    "JobStatus",
    "LaunchError",
    "LaunchRefused",
    "LedgerError",
    "NotebookError",
    "Plan",
    "StoreError",
    "TrainingJob",
    "TrainingJobConfig",
    "UsageError",
    "Workspace",
    "allow_launch",
    "create_run_summary_table",
    "fetch_metrics",
    "find_training_jobs",
    "get_available_replays",
    "launch_multiple_training_runs",
    "launch_training",
    "metrics_frame",
    "monitor_training_statuses",
    "plot_sps",
    "show_replay",
]

_ERRORS = (
    "ExperimentsError",
    "LaunchError",
    "LaunchRefused",
    "LedgerError",
    "NotebookError",
    "StoreError",
    "UsageError",
)
_VALUES = ("BaseExperimentConfig", "Control", "JobRef", "JobStatus", "Plan", "TrainingJob", "TrainingJobConfig")
_HOME = {
    **dict.fromkeys(_ERRORS, "project.errors"),
    **dict.fromkeys(_VALUES, "types"),
    **dict.fromkeys(("create_run_summary_table", "plot_sps"), "notebooks.analysis"),
    **dict.fromkeys(("get_available_replays", "show_replay"), "notebooks.replays"),
    **dict.fromkeys(("launch_multiple_training_runs", "launch_training"), "launch"),
    **dict.fromkeys(("fetch_metrics", "find_training_jobs"), "wandb_utils"),
    "Ablation": "jobs.arms",
    "Experiment": "experiment",
    "Grid": "jobs.arms",
    "Workspace": "project.workspace",
    "allow_launch": "jobs.permits",
    "metrics_frame": "results.frames",
    "monitor_training_statuses": "monitoring",
}


quiet_while_loading()
old_paths.install()


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a module's attribute can be anything
    if name in _HOME:
        return getattr(import_module(f"experiments.{_HOME[name]}"), name)
    if name == "Section":  # recipes of version 0.1 import it
        from experiments.notebooks.template import GONE

        raise ImportError(GONE)
    raise AttributeError(f"module 'experiments' has no attribute {name!r}; it has: {', '.join(__all__)}")


def __dir__() -> list[str]:
    return __all__
