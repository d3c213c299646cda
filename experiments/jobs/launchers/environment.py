"""The environment that a trainer gets from us: how its run is named, grouped and stored. Made in this one place.

Nothing here is a secret. A key reaches the trainer because it inherits the environment of whoever launched it, and is
never written anywhere.
"""

from __future__ import annotations

import os
from pathlib import Path

from experiments.project.errors import UsageError
from experiments.project.redaction import mask_texts
from experiments.project.run_root import node_folder
from experiments.project.settings import Settings
from experiments.types import Plan, PlannedJob, TrainingJob

UNSET = (
    *("WANDB_RUN_ID", "WANDB_NAME", "WANDB_RUN_NAME", "WANDB_NOTES", "WANDB_DESCRIPTION", "WANDB_TAGS"),
    *("WANDB_RUN_GROUP", "WANDB_JOB_TYPE", "WANDB_JOB_NAME", "WANDB_RESUME", "WANDB_RESUME_FROM", "WANDB_FORK_FROM"),
    *("WANDB_SWEEP_ID", "WANDB_SWEEP_PARAM_PATH", "WANDB_SERVICE", "WANDB_DIR", "WANDB_RUN_DIR"),
    *("EXPERIMENTS_RUN_DIR", "EXPERIMENTS_RUN_NAME", "EXPERIMENTS_READ_ONLY"),
)
"""What a trainer must not inherit: the names of whatever run its launcher was part of (a job may launch others), and a
notebook's own wandb service, which would end with the notebook. What a job has of these is set for it."""

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def job_environment(plan: Plan, job: PlannedJob | TrainingJob, settings: Settings, run_dir: Path) -> dict[str, str]:
    """Return what is set for the trainer of `job` on top of the launcher's own environment; nothing of it is empty.

    W&B takes an empty variable for a value, and refuses most of them: what a job does not have is not set.

    Args:
        plan: Launcher, mode and tags.
        job: The job.
        settings: W&B's names, and where clusters keep runs.
        run_dir: The run's folder on this machine.

    Raises:
        UsageError: A tag holds a comma, which W&B takes for two tags, or a secret.
    """
    tags = tuple(dict.fromkeys((*plan.tags, *job.config.wandb_tags)))
    if wrong := [tag for tag in tags if "," in tag or not tag.strip()]:
        raise UsageError(f"W&B tag {wrong[0]!r} is empty or holds a comma. Give two tags instead.")
    if wrong := [shown for tag, shown in zip(tags, mask_texts(tags), strict=True) if shown != tag]:
        raise UsageError(f"W&B tag {wrong[0]!r} holds a secret, and tags are shown. Take another word.")
    folder = node_folder(plan.launcher, settings, job.run_name, run_dir)
    environment = {
        "WANDB_RUN_ID": job.run_name,
        "WANDB_NAME": job.run_name,
        "WANDB_RUN_GROUP": settings.wandb_group or plan.experiment,
        "WANDB_MODE": plan.wandb_mode,
        "WANDB_PROJECT": settings.wandb_project,
        "WANDB_ENTITY": settings.wandb_entity,
        "WANDB_TAGS": ",".join(tags),
        "WANDB_RESUME": "allow",
        "WANDB_DIR": folder,
        "EXPERIMENTS_RUN_DIR": folder,
        # The default of 15 s would make a live page look dead.
        "WANDB_X_TRANSACTION_LOG_FLUSH_INTERVAL": "1",
        "PYTHONUNBUFFERED": "1",
    }
    if plan.launcher == "local":
        # Several jobs share the machine: each with a pool of one thread per core would only slow the others down.
        environment |= {name: os.environ.get(name) or "1" for name in _THREADS}
    return {name: value for name, value in environment.items() if value}


def tracker_of(plan: Plan, settings: Settings) -> str:
    """Return where the plan's runs are read: `offline`, or `entity/project`; no entity is the key's own default."""
    if plan.wandb_mode == "offline":
        return "offline"
    return f"{settings.wandb_entity or ''}/{settings.wandb_project}"
