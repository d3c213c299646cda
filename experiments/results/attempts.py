"""Which attempt at a seed is meant where somebody names an arm: the one that every page counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from experiments.monitoring import poll_once, sources_of
from experiments.project.workspace import Workspace
from experiments.types import JobStatus, TrainingJob

if TYPE_CHECKING:
    from experiments.statistics import Curve

_LOST = frozenset({"failed", "cancelled", "diverged", "machine failed"})


def standing_attempts(workspace: Workspace, jobs: Sequence[TrainingJob]) -> list[TrainingJob]:
    """Return of what was tried several times in a plan the attempt that stands, in their order; all others as they are.

    The first stands, as in every statistic (`statistics.standing_curves`). Where what stands is lost, so that nothing
    of the seed counts, the newest is meant.
    """
    places = Counter(map(_place, jobs))
    several = [job for job in jobs if places[_place(job)] > 1]
    if not several:
        return list(jobs)
    polled = poll_once(workspace.state, sources=replace(sources_of(workspace.state), jobs=lambda: several))
    kept = _standing(several, {status.run_name: status for status in polled.jobs})
    return [job for job in jobs if places[_place(job)] == 1 or job.run_name in kept]


def _standing(jobs: Iterable[TrainingJob], statuses: Mapping[str, JobStatus]) -> set[str]:
    # Few have several attempts, and what every command imports that shows a job would cost it 40 MB.
    import numpy as np

    from experiments.results.scores import outcome_of_job
    from experiments.statistics import Curve, standing_curves

    tried: dict[tuple[object, ...], list[Curve]] = {}
    for job in sorted(jobs, key=lambda job: job.attempt):
        outcome = outcome_of_job(statuses.get(job.run_name))
        tried.setdefault(_place(job), []).append(Curve(np.empty(0), np.empty(0), outcome=outcome, run=job.run_name))
    kept = set()
    for curves in tried.values():
        standing = [one.curve for one in standing_curves(curves) if one.curve.outcome not in _LOST]
        kept.add((standing or curves[-1:])[0].run)
    return kept


def _place(job: TrainingJob) -> tuple[object, ...]:
    return (job.plan_key, job.arm, job.seed, job.role, job.replicate, job.parent)
