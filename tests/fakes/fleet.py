"""A fleet of jobs that exist nowhere: what the sources would say of them, as snapshots."""

from __future__ import annotations

import time

from experiments.jobs.watch.snapshots import Snapshot, SourceState, write_live
from experiments.types import JobStatus

STATES = ("running", "running", "running", "pending", "succeeded", "succeeded", "failed", "cancelled", "recovering")
TOTAL = 1_000_000


def fleet_jobs(experiments: int = 50, jobs: int = 10, *, tick: int = 0, now: float | None = None) -> list[JobStatus]:
    """Return the statuses of a fleet at one tick; the running jobs are 1,000 steps further with each."""
    at = time.time() if now is None else now
    return [
        _job(f"study-{e:02d}", number, e * jobs + number, tick, at)
        for e in range(experiments)
        for number in range(jobs)
    ]


def fleet_snapshot(
    experiments: int = 50, jobs: int = 10, *, tick: int = 0, now: float | None = None, **more
) -> Snapshot:
    """Return all of a fleet as the Monitor would publish it."""
    at = time.time() if now is None else now
    found = tuple(fleet_jobs(experiments, jobs, tick=tick, now=at))
    sources = tuple(
        SourceState(name=name, kind=kind, as_of=at) for name, kind in (("local", "launcher"), ("offline", "store"))
    )
    values = {"jobs": found, "sources": sources, "written_at": at, "monitor_pid": 1, **more}
    return Snapshot(versions={job.run_name: f"{job.step}" for job in found}, **values)


def publish(live, snapshot: Snapshot) -> None:
    """Write a snapshot as the Monitor does."""
    live.mkdir(parents=True, exist_ok=True)
    write_live(live, snapshot, with_metrics=True)


def _job(experiment: str, number: int, index: int, tick: int, now: float) -> JobStatus:
    state = STATES[index % len(STATES)]
    step = {"pending": None, "succeeded": TOTAL}.get(state, 10_000 + 1_000 * (index % 7))
    if state == "running":
        step = 10_000 + 1_000 * (index % 7) + 1_000 * tick
    began = None if state == "pending" else now - 3_600 - index
    ended = now - 60 if state in {"succeeded", "failed", "cancelled"} else None
    return JobStatus(
        run_name=f"ada.{experiment}.arm-{number % 2}.s{number // 2}.{index:08x}",
        experiment=experiment,
        arm=f"arm-{number % 2}",
        seed=number // 2,
        launcher="local" if index % 3 else "skypilot",
        scheduler=state.upper(),
        tracker="running",
        verdict=state,
        reason="exit code 1" if state == "failed" else "",
        step=step,
        total_steps=TOTAL,
        reward=None if state == "pending" else round(0.001 * index + 0.01 * tick, 4),
        sps=12_345.0 + index if state == "running" else None,
        started_at=began,
        ended_at=ended,
        cost_usd=round(0.37 * index, 2) if index % 3 == 0 else 0.0,
        as_of=now,
    )
