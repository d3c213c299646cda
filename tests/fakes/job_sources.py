"""Launchers and run stores whose every answer a test sets, and a clock that moves when it is told to."""

from __future__ import annotations

import threading

from experiments.jobs.launchers.base import SchedulerStatus
from experiments.jobs.watch.poller import Sources
from experiments.runs.store import RunInfo, RunUpdate
from experiments.types import TrainingJob, TrainingJobConfig


class FakeClock:
    """Seconds that pass only by `pass_s`; both the wall clock and the one that never jumps."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def pass_s(self, seconds: float) -> None:
        self.now += seconds


class FakeLauncher:
    """Answers what `words` holds; counts its polls; fails with `error` or hangs on `gate` where one is set."""

    def __init__(self, name: str = "local", **words: str | SchedulerStatus) -> None:
        self.name, self.words, self.asked = name, dict(words), []
        self.error: Exception | None = None
        self.gate: threading.Event | None = None

    def poll(self, jobs):
        self.asked.append(sorted(jobs))
        if self.gate is not None:
            self.gate.wait(10)
        if self.error is not None:
            raise self.error
        known = {run: self.words[run] for run in jobs if run in self.words}
        return {
            run: word if isinstance(word, SchedulerStatus) else SchedulerStatus(word) for run, word in known.items()
        }


class FakeStore:
    """Holds one RunInfo a run; counts its polls; fails with `error` and tells of `damage` where a test sets them."""

    def __init__(self, *infos: RunInfo, name: str = "offline") -> None:
        self.name, self.runs, self.asked = name, {info.name: info for info in infos}, []
        self.error: Exception | None = None
        self.damage = ""

    def poll(self, runs, keys, since=None):
        self.asked.append(sorted(runs))
        if self.error is not None:
            raise self.error
        known = {run: self.runs[run] for run in runs if run in self.runs}
        return {run: RunUpdate(info, {}, 1, repr(info), damage=self.damage) for run, info in known.items()}


def job(
    run: str, *, launcher: str = "local", tracker: str = "offline", state: str = "submitted", **more
) -> TrainingJob:
    """Return a job of the ledger."""
    config = more.pop("config", TrainingJobConfig(curriculum="arena"))
    values = {"experiment": "exp", "arm": "base", "seed": 0, "config": config, "launcher_id": run, **more}
    return TrainingJob(run_name=run, launcher=launcher, tracker=tracker, state=state, **values)


def info(run: str, state: str = "running", *, step: int | None = None, total: int | None = None, **more) -> RunInfo:
    """Return what a store says of a run."""
    summary = {} if step is None else {"metric/agent_step": step, "overview/reward": 1.5, "overview/sps": 100.0}
    config = {} if total is None else {"trainer": {"total_timesteps": total}}
    return RunInfo(name=run, state=state, **{"summary": summary, "config": config, **more})


def sources(jobs, *parts, **more) -> Sources:
    """Return sources over a list of jobs (which a test may change) and fake launchers and stores, found by name."""
    launchers = {part.name: part for part in parts if isinstance(part, FakeLauncher)}
    stores = {part.name: part for part in parts if isinstance(part, FakeStore)}
    return Sources(lambda: list(jobs), launchers.__getitem__, stores.__getitem__, **more)
