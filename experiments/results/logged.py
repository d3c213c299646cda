"""Which metrics an experiment has, and which of them it is about where nobody has chosen one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from experiments.runs.roles import REWARDS, likely_rewards
from experiments.runs.store import REWARD_KEY, RunInfo
from experiments.runs.wandb_file.table import is_media_part
from experiments.types import JobRef

_FEW = 20


def logged_metrics(infos: Sequence[RunInfo]) -> list[str]:
    """Return the names of the numbers that runs have logged, sorted; W&B's own keys are left out."""
    found = {
        key
        for info in infos
        for key, value in info.summary.items()
        if _is_number(value) and not key.startswith("_") and not is_media_part(key, info.summary)
    }
    return sorted(found)


def first_metric(logged: Sequence[str], jobs: Sequence[JobRef] = ()) -> str:
    """Return what a page shows before anybody chose: what the jobs' trainer is about, else what was found for it."""
    named = primary_of(jobs)
    if named is not None:
        return named
    known = [name for name in REWARDS if name in logged]
    return REWARD_KEY if not logged else [*known, *likely_rewards(logged), *logged][0]


def found_metric(jobs: Sequence[JobRef], infos_of: Callable[[Sequence[JobRef]], Sequence[RunInfo]]) -> str:
    """Return what jobs are about where nobody says: what their trainer does, else what was found for it.

    What runs have logged is looked at only then, and of a few first: most have what is found for the others, too.
    """
    if (named := primary_of(jobs)) is not None:
        return named
    logged = logged_metrics(infos_of(jobs[:_FEW]))
    if REWARDS[0] not in logged and len(jobs) > _FEW:
        logged = sorted({*logged, *logged_metrics(infos_of(jobs[_FEW:]))})
    return first_metric(logged)


def primary_of(jobs: Sequence[JobRef]) -> str | None:
    """Return the primary metric that the trainer of the first job that names one says."""
    return next((job.metrics.primary for job in jobs if job.metrics and job.metrics.primary), None)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
