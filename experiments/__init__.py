"""Reproducible reinforcement-learning experiments as reactive marimo notebooks.

Every public name is loaded when it is first used, so that a command line starts without pandas, marimo or W&B.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from experiments.arms import Ablation, Grid
    from experiments.direct import launch_multiple_training_runs, launch_training
    from experiments.errors import (
        ExperimentsError,
        LaunchError,
        LaunchRefused,
        LedgerError,
        NotebookError,
        StoreError,
        UsageError,
    )
    from experiments.experiment import Experiment
    from experiments.launch import allow_launch
    from experiments.monitoring import monitor_training_statuses
    from experiments.notebooks.analysis import create_run_summary_table, plot_sps
    from experiments.notebooks.replays import get_available_replays, show_replay
    from experiments.notebooks.sections import Section
    from experiments.types import BaseExperimentConfig, Control, JobRef, JobStatus, Plan, TrainingJob, TrainingJobConfig
    from experiments.wandb_utils import fetch_metrics, find_training_jobs
    from experiments.workspace import Workspace

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
    "Section",
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
    **dict.fromkeys(_ERRORS, "errors"),
    **dict.fromkeys(_VALUES, "types"),
    **dict.fromkeys(("create_run_summary_table", "plot_sps"), "notebooks.analysis"),
    **dict.fromkeys(("get_available_replays", "show_replay"), "notebooks.replays"),
    **dict.fromkeys(("launch_multiple_training_runs", "launch_training"), "direct"),
    **dict.fromkeys(("fetch_metrics", "find_training_jobs"), "wandb_utils"),
    "Ablation": "arms",
    "Experiment": "experiment",
    "Grid": "arms",
    "Section": "notebooks.sections",
    "Workspace": "workspace",
    "allow_launch": "launch",
    "monitor_training_statuses": "monitoring",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a module's attribute can be anything
    if name in _HOME:
        return getattr(import_module(f"experiments.{_HOME[name]}"), name)
    raise AttributeError(f"module 'experiments' has no attribute {name!r}; it has: {', '.join(__all__)}")


def __dir__() -> list[str]:
    return __all__
