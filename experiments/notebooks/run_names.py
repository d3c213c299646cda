"""What people may give for a run: its name, a notebook's reference to it, or its job."""

from __future__ import annotations

import re

from experiments.types import JobRef, TrainingJob

Run = str | JobRef | TrainingJob


def ref_of(run: Run) -> JobRef:
    """Return a reference to a run; arm and seed are read out of a run name of ours, and empty for any other."""
    if isinstance(run, JobRef):
        return run
    if isinstance(run, TrainingJob):
        return run.ref()
    match = re.fullmatch(r"[^.]+\.[^.]+\.([^.]+)\.s(\d+)\.[a-z2-7]{8}", run)
    return JobRef(run=run, arm=match[1], seed=int(match[2])) if match else JobRef(run=run, arm=run)


def counted(number: int, noun: str) -> str:
    """Return `1 seed`, `2 seeds`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
