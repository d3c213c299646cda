"""Launch training, cancel and retry it: what a script calls.

`submission` launches the jobs of a plan, `direct` plans them without a recipe, `permits` says who may.
"""

from __future__ import annotations

from experiments.jobs.direct import launch_multiple_training_runs, launch_training
from experiments.jobs.handover import Reconciled, launcher_for, reconcile, statuses
from experiments.jobs.permits import Permit, allow_launch, command_permit, implicit_permit, notebook_permit, read_only
from experiments.jobs.submission import cancel, newest_attempt, next_repeat, retry, start_next, submit

__all__ = [
    "Permit",
    "Reconciled",
    "allow_launch",
    "cancel",
    "command_permit",
    "implicit_permit",
    "launch_multiple_training_runs",
    "launch_training",
    "launcher_for",
    "newest_attempt",
    "next_repeat",
    "notebook_permit",
    "read_only",
    "reconcile",
    "retry",
    "start_next",
    "statuses",
    "submit",
]
