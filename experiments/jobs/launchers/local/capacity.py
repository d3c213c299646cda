"""How many jobs run at once on this machine, and with how many threads each: what fits, where nobody says it."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from experiments.jobs.launchers.local import memory
from experiments.jobs.launchers.local.cgroups import most_cores
from experiments.jobs.launchers.local.device_locks import PARTS, parts_of
from experiments.jobs.launchers.local.devices import asked_for, devices, wanted
from experiments.project.errors import LaunchError
from experiments.types import PlannedJob, TrainingJob

if TYPE_CHECKING:
    from experiments.project.settings import Settings


def cores() -> int:
    """Return how many cores this process may use: those it may run on, and no more than the quotas of its cgroups."""
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = most_cores()
    return there if math.isinf(quota) else max(1, min(there, math.ceil(quota)))


def slots() -> int:
    """Return how many jobs without a GPU run at once where no setting says it: one a core, and one a GB of memory."""
    return max(1, int(min(cores(), memory.of_machine() / memory.GB)))


def at_once(jobs: Sequence[PlannedJob | TrainingJob], settings: Settings) -> int:
    """Return how many of some jobs run at once on this machine while no others do."""
    lent = _lent(jobs, settings)
    wishes = Counter(wanted(job, settings.gpus_per_job) for job in jobs)
    fits = sum(min(count, _fitting(amount, lent, settings)) for amount, count in wishes.items())
    return max(1, min(fits, settings.max_parallel or fits))


def threads(jobs: Sequence[PlannedJob | TrainingJob], settings: Settings) -> list[int]:
    """Return how many threads each of some local jobs computes with: the cores, divided by how many like it fit.

    It is the same for a job alone and for one of many: with other threads it would compute other last digits.
    """
    if settings.threads_per_job is not None:
        return [settings.threads_per_job] * len(jobs)
    lent, there = _lent(jobs, settings), cores()
    amounts = [wanted(job, settings.gpus_per_job) for job in jobs]
    fits = {amount: _fitting(amount, lent, settings) for amount in set(amounts)}
    return [max(1, there // fits[amount]) for amount in amounts]


def _fitting(amount: float, lent: int, settings: Settings) -> int:
    most = settings.max_parallel
    if not amount or not lent:
        return most or slots()
    fits = max(1, int(lent / amount) if amount >= 1 else lent * (PARTS // parts_of(amount)))
    return min(fits, most or fits)


def _lent(jobs: Sequence[PlannedJob | TrainingJob], settings: Settings) -> int:
    if not any(wanted(job, settings.gpus_per_job) for job in jobs):
        return 0
    try:
        return len(devices(asked_for(settings.gpus)))
    except LaunchError:  # whoever launches them is told
        return 0
