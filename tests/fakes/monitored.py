"""A real Monitor over sources that a test steers: it polls a fleet that exists nowhere, and its polls are counted."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from experiments.jobs.launchers.base import SchedulerStatus
from experiments.jobs.watch.monitor import Monitor
from experiments.jobs.watch.poller import Sources
from experiments.runs.store import RunInfo, RunUpdate
from experiments.types import TrainingJob, TrainingJobConfig
from tests.fakes.fleet import TOTAL


class Fleet:
    """Jobs, their launcher and their store, in one; every answer depends on `tick` alone.

    Attributes:
        tick: What the running jobs have done; a test moves it.
        polls: How often launcher and store were asked.
        poll_times: When the store was, in seconds that never jump.
        down: Whether every source is down.
    """

    name = "local"

    def __init__(self, experiments: int = 50, jobs: int = 10, running: int = 5) -> None:
        self.tick, self.polls, self.down = 0, {"launcher": 0, "store": 0}, False
        self.poll_times: list[float] = []
        self._began = time.time() + 3_000  # the Monitor asks about jobs every second as long as they are young
        config = TrainingJobConfig(curriculum="arena", additional_args=(f"trainer.total_timesteps={TOTAL}",))
        self.jobs = [
            TrainingJob(
                run_name=f"ada.study-{e:02d}.arm-{n % 2}.s{n // 2}.{e * jobs + n:08x}",
                experiment=f"study-{e:02d}",
                arm=f"arm-{n % 2}",
                seed=n // 2,
                config=config,
                launcher="local",
                launcher_id=f"{e * jobs + n}",
                state="submitted",
                created_at=time.time() - 100,
            )
            for e in range(experiments)
            for n in range(jobs)
        ]
        self._running = {job.run_name for number, job in enumerate(self.jobs) if number % 10 < running}
        self.last = self.jobs[-1].run_name

    def step_of(self, run: str, tick: int | None = None) -> int:
        """Return the steps that a run has done, now or at some tick."""
        return 10_000 + 1_000 * (self.tick if tick is None else tick) if run in self._running else TOTAL

    def sources(self) -> Sources:
        return Sources(lambda: self.jobs, lambda _: self, lambda _: _Store(self))

    def poll(self, jobs):
        self.polls["launcher"] += 1
        self._check()
        return {
            run: SchedulerStatus("RUNNING" if run in self._running else "SUCCEEDED", started_at=1.0) for run in jobs
        }

    def poll_store(self, runs):
        self.polls["store"] += 1
        self.poll_times.append(time.monotonic())
        self._check()
        tick = self.tick  # one answer is of one moment
        return {run: self._update(run, tick) for run in runs}

    def _check(self) -> None:
        if self.down:
            raise OSError("the source is down")

    def _update(self, run: str, tick: int) -> RunUpdate:
        step = self.step_of(run, tick)
        summary = {"metric/agent_step": step, "overview/reward": step / TOTAL, "overview/sps": 1_000.0}
        state = "running" if run in self._running else "finished"
        info = RunInfo(run, state, summary=summary, config={"trainer": {"total_timesteps": TOTAL}})
        return RunUpdate(info, {}, step, f"{step}")


class _Store:
    name = "offline"

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def poll(self, runs, keys, since=None):
        return self._fleet.poll_store(runs)


@contextlib.contextmanager
def monitored(state: Path, fleet: Fleet, *, move_every_s: float | None = None) -> Iterator[Monitor]:
    """Poll a fleet in this process and publish it, as the reader would, for as long as the block lasts."""
    (state / "live").mkdir(parents=True, exist_ok=True)
    monitor = Monitor(state, fleet.sources())
    first, stop = threading.Event(), threading.Event()

    def look(snapshot):
        if len(snapshot.jobs) == len(fleet.jobs) and snapshot.as_of is not None:
            first.set()

    def move():
        while not stop.wait(move_every_s):
            fleet.tick += 1

    subscription = monitor.subscribe(look)
    assert first.wait(30)
    mover = threading.Thread(target=move, daemon=True)
    if move_every_s:
        mover.start()
    try:
        yield monitor
    finally:
        stop.set()
        subscription.close()
