"""What charts are made of: one metric of each run, whole, with what became of the run and where its rows come from."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd

from experiments.jobs.ran import Mark, code_words
from experiments.project.errors import ExperimentsError
from experiments.project.look import clock_words, counted
from experiments.results.scores import outcome_of_job
from experiments.runs.axes import (
    ROW_STEP,
    as_numbers,
    axes_of,
    axis_note,
    axis_words,
    common_axis,
    counters_of,
    filled,
    holding,
    steps_along,
)
from experiments.runs.evaluations import is_of_evaluations
from experiments.runs.roles import metrics_of
from experiments.runs.store import Origin, RunStore, columns_of
from experiments.runs.thinning import bucket_means, min_max, rounded
from experiments.statistics import Curve, FloatArray, Outcome
from experiments.types import TERMINAL_VERDICTS, JobRef, JobStatus

if TYPE_CHECKING:
    from experiments.runs.axes import Rows

UPDATE_KEYS = ("metric/update", "metric/epoch", "trainer/update", "trainer/epoch", "update", "epoch")
Axis: TypeAlias = str
"""What a reader may choose: `steps` (which counter these are is said by the unit of the curves), `updates`,
`wall time`, `cost`, or a metric as `over_metric` names it."""

_METRIC = "metric "

BUCKETS = 2_000
_DRAWINGS = 3
_HELD_BYTES = 256 << 20


def over_metric(key: str) -> Axis:
    """Return a logged metric as an axis: by a word of its own, so that a metric called `cost` is not the cost."""
    return f"{_METRIC}{key}"


def metric_of(axis: Axis) -> str | None:
    """Return the metric that an axis is; None where it is none."""
    return axis.removeprefix(_METRIC) if axis.startswith(_METRIC) else None


@dataclass(frozen=True, eq=False)
class RunCurve:
    """One metric of one run as it was logged.

    Attributes:
        curve: Steps in the unit of the x-axis, and values; never smoothed. Empty where there is nothing.
        state: What became of the run, in the words of the job table.
        origin: Where the rows come from; None where they could not be read.
        problem: Why there is nothing; empty where there are values.
        counters: What it could be drawn over, the best first, where it is drawn over steps.
        code: Which code it ran; None where nobody asked, or where it has not started.
        parent: Run that it forks or reproduces; empty for none.
        step: The counter that its trainer names; empty where it names none.
    """

    curve: Curve
    state: str = "succeeded"
    origin: Origin | None = None
    problem: str = ""
    counters: tuple[str, ...] = ()
    code: Mark | None = None
    parent: str = ""
    step: str = ""

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
        """Arm and seed, as a person calls the run, and what it is where it is no seed."""
        name = self.curve.name if self.arm else self.run
        return f"{name} of {self.parent}" if self.parent else name

    @property
    def is_unread(self) -> bool:
        """Whether its rows could not be read: then nobody knows what it has logged."""
        return self.origin is None and bool(self.problem)

    @property
    def is_over_own(self) -> bool:
        """Whether it is drawn over the counter that the run itself goes by."""
        return bool(self.counters) and self.curve.unit == axis_words(self.counters[0])

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
    axis: Axis = "steps",
    statuses: Mapping[str, JobStatus] | None = None,
    versions: Mapping[str, str] | None = None,
    place: str = "",
    codes: Mapping[str, Mark] | None = None,
) -> list[RunCurve]:
    """Return one metric of every job, in their order; a run without it has an empty curve and says why.

    Steps are those of the best counter that all runs with a value have logged; `axis_sentence` says which.

    Args:
        metric: Its name, or several of which the first that a run has logged is taken.
        axis: What x is; a run that did not log it has an empty curve.
        statuses: What became of each run and what it has cost; a run that is not in it has not ended as far as anybody
            knows. Without it the rows alone are looked at, as those of runs that finished.
        versions: Data version of each run: what was read for it is kept in memory until it changes.
        place: Which project the versions belong to.
        codes: Which code each run ran, for the captions.
    """
    keys = (metric,) if isinstance(metric, str) else tuple(metric)

    def read(job: JobRef, counter: str | None = None) -> RunCurve:
        status = (statuses or {}).get(job.run)
        # Evaluations may come long after the run has ended, which its version does not tell.
        version = None if any(map(is_of_evaluations, keys)) else (versions or {}).get(job.run)
        state = status.verdict if status is not None else "" if statuses is None else "unknown"
        cost = status.cost_usd if status is not None and axis == "cost" else None
        outcome: Outcome = "finished" if statuses is None else outcome_of_job(status)
        code = (codes or {}).get(job.run)
        key = (place, job, version, keys, axis, counter, cost, state, outcome, code)
        run = _kept.get(key) if version else None
        if run is None:
            run = _read(job, keys, store, axis, counter, cost, state, outcome)
            if code is not None:
                run = replace(run, code=code, curve=replace(run.curve, code=code.identity, asked=code.asked))
            if version and run.origin is not None:
                _kept.put(key, run)
        return run

    found = [read(job) for job in jobs]
    counter = common_axis(run.counters for run in found)
    unit = axis_words(counter)
    if axis != "steps" or all(run.curve.unit == unit for run in found):
        return found
    return [_over(run, unit) or read(job, counter) for job, run in zip(jobs, found, strict=True)]


def _over(run: RunCurve, unit: str) -> RunCurve | None:
    """Return a run over an axis where it need not be read again for it: it has that axis already, or no value."""
    if run.curve.unit == unit:
        return run
    return None if len(run.curve.steps) else replace(run, curve=replace(run.curve, unit=unit))


def axis_sentence(runs: Sequence[RunCurve]) -> str:
    """Return what the curves are drawn over and why, where it is not agent steps or what a reader chose."""
    return axis_note((run.counters for run in runs), {run.step for run in runs if run.step})


def runs_of(table: pd.DataFrame, metric: str) -> list[RunCurve]:
    """Return the runs of a table as `metrics_frame` returns it, over the axis that it says."""
    if metric not in table:
        return []
    found = []
    unit, roles = table.attrs.get("axis", "agent steps"), table.attrs.get("roles", {})
    for run, rows in table.groupby("run", sort=False):
        values = as_numbers(rows[metric])
        logged = ~np.isnan(values)
        steps = rows["step"].to_numpy(dtype=float)[logged]
        arm, seed = str(rows["arm"].iloc[0]), int(rows["seed"].iloc[0])
        role, replicate = roles.get(str(run), ("seed", 0))
        curve = Curve(
            *(steps, values[logged], arm, seed, "finished", unit, str(run), metric), role=role, replicate=replicate
        )
        found.append(RunCurve(curve, state=""))  # a table does not say what became of its runs
    return found


def origin_words(runs: Sequence[RunCurve]) -> str:
    """Return where the rows of a chart come from, whether they are whole, how old they are, and what else to know.

    Args:
        runs: Each curve that is drawn; of several metrics a run has several, and is one run.
    """
    origins = [run.origin for run in runs if run.origin is not None]
    if not origins:
        return ""
    rows = sum(len(run.curve.steps) for run in runs)
    sampled = {run.run for run in runs if run.origin is not None and not run.origin.complete}
    known, every = {run.run for run in runs if run.origin is not None}, {run.run for run in runs}
    whole = f"sampled or with rows lost in {counted(len(sampled), 'run')}" if sampled else "complete"
    places = ", ".join(dict.fromkeys(origin.source for origin in origins))
    oldest = clock_words(min(origin.as_of for origin in origins))
    read = f"{rows:,} values of {len(known)} of {counted(len(every), 'run')}"
    told = _first_few(
        [f"{run.label}: {run.origin.words}" for run in runs if run.origin is not None and run.origin.words]
    )
    words = "; ".join([f"{read} ({places}, {whole}), as of {oldest}", *code_words(codes_in(runs))])
    return f"{words}{'. ' if told else ''}{told}"


def codes_in(runs: Sequence[RunCurve]) -> list[tuple[str, Mark]]:
    """Return the arm and the code of each run that counts, once, where it was asked for and the run has started."""
    counting = [run for run in runs if run.curve.counts]
    return list({run.run: (run.arm, run.code) for run in counting if run.code is not None}.values())


def problems(runs: Sequence[RunCurve]) -> str:
    """Return what is missing from a chart, run by run, the first few in words."""
    return _first_few([f"{run.label}: {run.problem}" for run in runs if run.problem])


def _first_few(told: Sequence[str], shown: int = 3) -> str:
    once = list(dict.fromkeys(told))
    more = f"; and {len(once) - shown} more" if len(once) > shown else ""
    return "; ".join(once[:shown]) + more


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
    job: JobRef,
    keys: Sequence[str],
    store: RunStore,
    axis: Axis,
    counter: str | None,
    cost: float | None,
    state: str,
    outcome: Outcome,
) -> RunCurve:
    """Return one run's curve; over steps, it is over `counter`, or over the best that it has where None."""
    counters: tuple[str, ...] = ()
    named = metrics_of(job).step

    def made(
        steps: FloatArray, values: FloatArray, origin: Origin | None, problem: str, instead: Outcome = "finished"
    ) -> RunCurve:
        arm, became = job.arm or job.run, instead if outcome == "finished" else outcome
        unit = axis_words(counter or common_axis([counters])) if axis == "steps" else axis
        curve = Curve(
            *(steps, values, arm, job.seed, became, unit, job.run, keys[0]), role=job.role, replicate=job.replicate
        )
        shown = "diverged" if curve.outcome == "diverged" else state
        return RunCurve(curve, shown, origin, problem, counters, parent=job.parent or "", step=named or "")

    nothing = np.empty(0)
    logged = metric_of(axis)
    along = UPDATE_KEYS if axis == "updates" else counters_of(named) if logged is None else (logged,)
    try:
        frame, origin = columns_of(store, job.run, list(dict.fromkeys([*along, *keys])))
    except ExperimentsError as error:
        return made(nothing, nothing, None, str(error), "unread")
    key = _first_logged(frame, keys, origin.nan_steps)
    if key is None:
        never = state in TERMINAL_VERDICTS and set(keys) <= set(origin.absent)
        return made(nothing, nothing, origin, f"{keys[0]} was not logged" if never else f"no value of {keys[0]}")
    values = as_numbers(frame[key])
    if axis == "steps":
        counters = axes_of(frame, key, step=named)
        chosen = counter if counter is not None and counter in frame else next(iter(counters), ROW_STEP)
        steps: FloatArray | None = steps_along(frame, chosen)
    else:
        steps = _axis_values(frame, axis, cost)
    if steps is None:
        return made(nothing, nothing, origin, f"{logged or axis} not known", "unscored")
    rows = holding(frame, values, origin.nan_steps.get(key, ()))
    if not rows.all():
        steps, values = steps[rows], values[rows]
    run = made(steps, values, origin, "")
    return run if len(run.curve.steps) else replace(run, problem=f"no finite value of {keys[0]}")


def _first_logged(frame: Rows, keys: Sequence[str], nan_steps: Collection[str]) -> str | None:
    return next((key for key in keys if (key in nan_steps and key in frame) or _has_numbers(frame, key)), None)


def _has_numbers(frame: Rows, key: str) -> bool:
    return key in frame and not bool(np.isnan(as_numbers(frame[key])).all())


def _axis_values(frame: Rows, axis: Axis, cost: float | None) -> FloatArray | None:
    """Return x of every row; None where it is not known. Time adds up over restarts, and cost goes with time."""
    logged = metric_of(axis)
    if logged is not None:
        return filled(frame[logged]) if _has_numbers(frame, logged) else None
    if axis == "updates":
        known = [key for key in UPDATE_KEYS if _has_numbers(frame, key)]
        return filled(frame[known[0]]) if known else None
    if not _has_numbers(frame, "_runtime") or (axis == "cost" and not cost):
        return None
    seconds = filled(frame["_runtime"])
    back = np.diff(seconds, prepend=seconds[:1]) < 0
    if "_timestamp" in frame:  # of writers at once, rows in the order of steps may go back in time: no restart does
        times = filled(frame["_timestamp"])
        back &= ~(np.diff(times, prepend=times[:1]) < 0)
    before = np.concatenate([[0.0], seconds[:-1]])
    hours = (seconds + np.cumsum(np.where(back, before, 0.0))) / 3600
    if axis == "wall time":
        return np.asarray(hours)
    return np.asarray(hours / hours[-1] * (cost or 0.0)) if hours[-1] > 0 else None
