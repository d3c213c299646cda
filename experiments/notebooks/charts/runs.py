"""What charts are made of: one metric of each run, whole, with what became of the run and where its rows come from."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd

from experiments.clock import clock_words
from experiments.errors import ExperimentsError
from experiments.look import counted
from experiments.notebooks.charts.thinning import bucket_means, min_max, rounded
from experiments.runs.store import AGENT_STEP, Origin, RunStore
from experiments.statistics import Curve, Outcome, outcome_of
from experiments.statistics.values import FloatArray
from experiments.types import JobRef, JobStatus

UPDATE_KEYS = ("metric/update", "metric/epoch", "trainer/update", "trainer/epoch", "update", "epoch")
Axis = Literal["agent steps", "updates", "wall time", "cost"]
BUCKETS = 2_000
_DRAWINGS = 3
_HELD_BYTES = 256 << 20


@dataclass(frozen=True, eq=False)
class RunCurve:
    """One metric of one run as it was logged.

    Attributes:
        curve: Steps in the unit of the x-axis, and values; never smoothed. Empty where there is nothing.
        state: What became of the run, in the words of the job table.
        origin: Where the rows come from; None where they could not be read.
        problem: Why there is nothing, or what is missing; empty where all is well.
    """

    curve: Curve
    state: str = "succeeded"
    origin: Origin | None = None
    problem: str = ""

    @property
    def run(self) -> str:
        """Run name."""
        return self.curve.run

    @property
    def arm(self) -> str:
        """Configuration that the run belongs to."""
        return self.curve.arm

    @property
    def label(self) -> str:
        """Arm and seed, as a person calls the run."""
        return f"{self.arm} seed {self.curve.seed}" if self.arm else self.run

    @cached_property
    def buckets(self) -> tuple[FloatArray, FloatArray]:
        """Means of at most 2,000 stretches: what smoothing starts from."""
        return bucket_means(self.curve.steps, self.curve.values, BUCKETS)

    def within(self, window: tuple[float, float] | None) -> slice:
        """Return which points lie in a window, and the one on each side, so that lines reach its edges."""
        if window is None:
            return slice(0, len(self.curve.steps))
        low = int(np.searchsorted(self.curve.steps, window[0], side="left"))
        high = int(np.searchsorted(self.curve.steps, window[1], side="right"))
        return slice(max(0, low - 1), min(len(self.curve.steps), high + 1))

    def drawn(self, points: int, window: tuple[float, float] | None) -> tuple[list[float | None], list[float | None]]:
        """Return x and y of about so many points to draw, which keep every extreme; kept for the next drawing."""
        key = (points, window)
        kept: dict[object, Any] = self.__dict__.setdefault("_drawn", {})
        if key not in kept:
            inside = self.within(window)
            steps, values = self.curve.steps[inside], self.curve.values[inside]
            places = min_max(values, points)
            while len(kept) >= _DRAWINGS:
                kept.pop(next(iter(kept)), None)
            kept[key] = (rounded(steps[places], 7), rounded(values[places]))
        found: tuple[list[float | None], list[float | None]] = kept[key]
        return found


def read_runs(
    jobs: Sequence[JobRef],
    metric: str | Sequence[str],
    *,
    store: RunStore,
    axis: Axis = "agent steps",
    statuses: Mapping[str, JobStatus] | None = None,
    versions: Mapping[str, str] | None = None,
    place: str = "",
) -> list[RunCurve]:
    """Return one metric of every job, in their order; a run without it has an empty curve and says why.

    Args:
        metric: Its name, or several of which the first that a run has logged is taken.
        axis: What x is; a run that did not log it has an empty curve.
        statuses: What became of each run and what it has cost; without it the rows alone are looked at.
        versions: Data version of each run: what was read for it is kept in memory until it changes.
        place: Which project the versions belong to.
    """
    keys = (metric,) if isinstance(metric, str) else tuple(metric)
    found = []
    for job in jobs:
        status = (statuses or {}).get(job.run)
        version = (versions or {}).get(job.run)
        state = "" if status is None else status.verdict
        cost = status.cost_usd if status is not None and axis == "cost" else None
        outcome: Outcome = "finished" if status is None else outcome_of(status.verdict)
        key = (place, job, version, keys, axis, cost, state)
        run = _kept.get(key) if version else None
        if run is None:
            run = _read(job, keys, store, axis, cost, state, outcome)
            if version:
                _kept.put(key, run)
        found.append(run)
    return found


def runs_of(table: pd.DataFrame, metric: str, unit: str = "agent steps") -> list[RunCurve]:
    """Return the runs of a table as `metric_history` returns it."""
    if metric not in table:
        return []
    found = []
    for run, rows in table.groupby("run", sort=False):
        values = _floats(rows[metric])
        logged = ~np.isnan(values)
        steps = rows["step"].to_numpy(dtype=float)[logged]
        arm, seed = str(rows["arm"].iloc[0]), int(rows["seed"].iloc[0])
        found.append(RunCurve(Curve(steps, values[logged], arm=arm, seed=seed, unit=unit, run=str(run))))
    return found


def origin_words(runs: Sequence[RunCurve]) -> str:
    """Return where the rows of a chart come from, whether they are whole, and how old they are."""
    origins = [run.origin for run in runs if run.origin is not None]
    if not origins:
        return ""
    rows = sum(len(run.curve.steps) for run in runs)
    sampled = [origin for origin in origins if not origin.complete]
    whole = f"sampled or with rows lost in {counted(len(sampled), 'run')}" if sampled else "complete"
    places = ", ".join(dict.fromkeys(origin.source for origin in origins))
    oldest = clock_words(min(origin.as_of for origin in origins))
    read = f"{rows:,} values of {len(origins)} of {counted(len(runs), 'run')}"
    return f"{read} ({places}, {whole}), as of {oldest}"


def problems(runs: Sequence[RunCurve], shown: int = 3) -> str:
    """Return what is missing from a chart, run by run, the first few in words."""
    told = [f"{run.label}: {run.problem}" for run in runs if run.problem]
    more = f"; and {len(told) - shown} more" if len(told) > shown else ""
    return "; ".join(told[:shown]) + more


@dataclass
class _Kept:
    """Curves in memory, the least used dropped first."""

    limit: int
    used: int = 0
    entries: OrderedDict[object, RunCurve] = field(default_factory=OrderedDict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, key: object) -> RunCurve | None:
        with self.lock:
            found = self.entries.get(key)
            if found is not None:
                self.entries.move_to_end(key)
            return found

    def put(self, key: object, run: RunCurve) -> None:
        with self.lock:
            if key not in self.entries:
                self.entries[key] = run
                self.used += run.curve.steps.nbytes + run.curve.values.nbytes + 1024
            while self.used > self.limit and len(self.entries) > 1:
                _, gone = self.entries.popitem(last=False)
                self.used -= gone.curve.steps.nbytes + gone.curve.values.nbytes + 1024


_kept = _Kept(_HELD_BYTES)


def forget_runs() -> None:
    """Drop every curve that is kept in memory."""
    with _kept.lock:
        _kept.entries.clear()
        _kept.used = 0


def _read(
    job: JobRef, keys: Sequence[str], store: RunStore, axis: Axis, cost: float | None, state: str, outcome: Outcome
) -> RunCurve:
    def made(steps: FloatArray, values: FloatArray, origin: Origin | None, problem: str) -> RunCurve:
        arm = job.arm or job.run
        curve = Curve(steps, values, arm=arm, seed=job.seed, outcome=outcome, unit=axis, run=job.run)
        return RunCurve(curve, "diverged" if curve.outcome == "diverged" else state, origin, problem)

    nothing = np.empty(0)
    try:
        frame, origin = store.history(job.run, [*(UPDATE_KEYS if axis == "updates" else (AGENT_STEP,)), *keys])
    except ExperimentsError as error:
        return made(nothing, nothing, None, str(error))
    values = _first_logged(frame, keys)
    if values is None:
        return made(nothing, nothing, origin, f"no value of {keys[0]}")
    steps = _axis_values(frame, axis, cost)
    if steps is None:
        return made(nothing, nothing, origin, f"{axis} not known")
    lacking = np.isnan(values)
    if lacking.any():
        steps, values = steps[~lacking], values[~lacking]
    run = made(steps, values, origin, origin.damage)
    return run if len(run.curve.steps) else replace(run, problem=f"no finite value of {keys[0]}")


def _first_logged(frame: pd.DataFrame, keys: Sequence[str]) -> FloatArray | None:
    for key in keys:
        if key in frame:
            values = _floats(frame[key])
            if not np.isnan(values).all():
                return values
    return None


def _axis_values(frame: pd.DataFrame, axis: Axis, cost: float | None) -> FloatArray | None:
    """Return x of every row; None where it is not known. Time adds up over restarts, and cost goes with time."""
    if axis == "agent steps":
        return _filled(frame[AGENT_STEP]) if AGENT_STEP in frame else _floats(frame["_step"])
    if axis == "updates":
        known = [key for key in UPDATE_KEYS if key in frame and frame[key].notna().any()]
        return _filled(frame[known[0]]) if known else None
    if "_runtime" not in frame or frame["_runtime"].isna().all() or (axis == "cost" and not cost):
        return None
    seconds = _filled(frame["_runtime"])
    back = np.diff(seconds, prepend=seconds[:1]) < 0
    before = np.concatenate([[0.0], seconds[:-1]])
    hours = (seconds + np.cumsum(np.where(back, before, 0.0))) / 3600
    if axis == "wall time":
        return np.asarray(hours)
    return np.asarray(hours / hours[-1] * (cost or 0.0)) if hours[-1] > 0 else None


def _filled(column: Any) -> FloatArray:
    """Return a column as float64, each gap with the value before it."""
    values = _floats(column)
    return np.asarray(pd.Series(values).ffill().to_numpy()) if np.isnan(values).any() else values


def _floats(column: Any) -> FloatArray:
    """Return a column as float64; what is not a number is NaN."""
    if column.dtype == np.float64:
        return np.asarray(column.to_numpy())
    return np.asarray(pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan))
