"""What people may give for a run: its name, a notebook's reference to it, or its job."""

from __future__ import annotations

from experiments.planning import arm_and_seed
from experiments.types import JobRef, TrainingJob

Run = str | JobRef | TrainingJob


def ref_of(run: Run) -> JobRef:
    """Return a reference to a run; arm and seed are read out of a run name of ours, and empty for any other."""
    if isinstance(run, JobRef):
        return run
    if isinstance(run, TrainingJob):
        return run.ref()
    arm, seed = arm_and_seed(run) or (run, 0)
    return JobRef(run=run, arm=arm, seed=seed)
