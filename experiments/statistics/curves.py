"""Learning curves of single runs, cleaned once, and put on a common grid without extrapolation.

Smoothing is for the eye: no statistic takes what comes out of it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from experiments.project.look import counted
from experiments.project.standing import Role, counts_as_seed, role_words, seed_number
from experiments.statistics.values import WAITING, FloatArray, IntArray, Outcome, SeedCount, numbers
from experiments.types import Verdict

if TYPE_CHECKING:
    import pandas as pd

GRID_POINTS = 200
_LARGEST_EXPONENT = 500.0  # half-lives that can be held in one product without overflow


@dataclass(frozen=True, eq=False)
class Curve:
    """One metric of one run, as it was logged: never smoothed.

    Points whose step or value is not a finite number are left out and counted. Steps come out in ascending order; of
    several values at one step the last one logged stays. A finished curve whose last value is not finite has diverged;
    one that goes on may come back. A finished curve without any value has the outcome `no value`.

    Attributes:
        steps: float64 (T,), ascending, in `unit`.
        values: float64 (T,).
        arm: Configuration that the run belongs to.
        seed: Of the run.
        outcome: What became of the run.
        unit: Of the steps, in words: curves of different units cannot be aligned.
        run: Run name.
        metric: What `values` are of; empty where it has no name.
        role: What the run is to its seed: see `experiments.types.Standing`.
        replicate: 0 for the seed's own run.
        code: Which code it ran: equal for the same code, empty where nobody knows, None where nobody asked.
        asked: What it was asked to compute: equal for the same; empty where nobody knows.
        lost: Number of points that were left out.
    """

    steps: FloatArray
    values: FloatArray
    arm: str = ""
    seed: int = 0
    outcome: Outcome = "finished"
    unit: str = "agent steps"
    run: str = ""
    metric: str = ""
    role: Role = "seed"
    replicate: int = 0
    code: str | None = None
    asked: str = ""
    lost: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        steps, values = numbers(self.steps).ravel(), numbers(self.values).ravel()
        if self.outcome == "finished" and not min(len(steps), len(values)):
            object.__setattr__(self, "outcome", "no value")
        if len(steps) == len(values) and not np.isnan(values).any() and (np.diff(steps) > 0).all():
            # Nothing to clean, as in nearly every log: a tenth of the time for a long one.
            object.__setattr__(self, "steps", steps)
            object.__setattr__(self, "values", values)
            return
        given = max(len(steps), len(values))
        steps, values = (row[: min(len(steps), len(values))] for row in (steps, values))
        order = np.argsort(steps, kind="stable")
        known = order[~np.isnan(steps[order])]
        if self.outcome == "finished" and len(known) and math.isnan(values[known[-1]]):
            object.__setattr__(self, "outcome", "diverged")
        kept = known[~np.isnan(values[known])]
        last = np.diff(steps[kept], append=np.inf) > 0
        object.__setattr__(self, "lost", given - len(kept))
        object.__setattr__(self, "steps", steps[kept][last])
        object.__setattr__(self, "values", values[kept][last])

    @property
    def counts(self) -> bool:
        """Whether the run is one of its arm's seeds: not one that a look made needless."""
        return counts_as_seed(self.role) and self.outcome != "spared"

    @property
    def seed_words(self) -> str:
        """What to call the seed in a sentence."""
        return f"seed {seed_number(self.seed)}{f' of {self.arm}' if self.arm else ''}"

    @property
    def name(self) -> str:
        """What to call the run in a sentence."""
        return " ".join(
            filter(None, [self.arm, f"seed {seed_number(self.seed)}", role_words(self.role, self.replicate)])
        )


def outcome_of(verdict: Verdict) -> Outcome:
    """Return what a job's verdict means for its seed; what nobody knows has not ended as far as anybody knows."""
    meanings: dict[Verdict, Outcome] = {"succeeded": "finished", "failed": "failed", "cancelled": "cancelled"}
    return meanings.get(verdict, "unfinished")


def curves_of(
    table: pd.DataFrame,
    metric: str,
    *,
    outcomes: Mapping[str, Outcome] | None = None,
    unit: str | None = None,
) -> list[Curve]:
    """Return one curve a run of a metric.

    Args:
        table: Columns `run`, `arm`, `seed`, `step` and one named `metric`, as `metrics_frame` returns. A row without
            the metric is a row that logged something else, not a lost point.
        outcomes: What became of each run; one that is not listed counts as finished. Which runs are no seeds says the
            table (`attrs["roles"]`).
        unit: Of `step`; None for what the table says (`attrs["axis"]`).

    Returns:
        Curves in the order in which runs first appear; none where the table has no such column. A run without any
        value has an empty curve, so that it is counted.
    """
    if metric not in table:
        return []
    curves = []
    roles: Mapping[str, tuple[Role, int]] = table.attrs.get("roles", {})
    for run, rows in table.groupby("run", sort=False):
        logged = rows[rows[metric].notna()]
        role, replicate = roles.get(str(run), ("seed", 0))
        curves.append(
            Curve(
                logged["step"].to_numpy(),
                logged[metric].to_numpy(),
                arm=str(rows["arm"].iloc[0]),
                seed=int(rows["seed"].iloc[0]),
                outcome=(outcomes or {}).get(str(run), "finished"),
                unit=unit or table.attrs.get("axis", "agent steps"),
                run=str(run),
                metric=metric,
                role=role,
                replicate=replicate,
            )
        )
    return curves


@dataclass(frozen=True, eq=False)
class Aligned:
    """Curves on one grid; a curve has values only between its own first and last step.

    Attributes:
        grid: float64 (G,), ascending.
        values: float64 (curves, G); NaN outside of a curve's own range.
        alive: int64 (G,), how many curves have a value there.
        curves: The curves that are rows of `values`, in order.
        count: What became of the runs.
        unit: Of the grid.
        notes: What a reader has to know besides: curves that end early, points that were left out.
        problem: Why there is nothing to show; then the grid is empty.
    """

    grid: FloatArray
    values: FloatArray
    alive: IntArray
    curves: tuple[Curve, ...]
    count: SeedCount
    unit: str
    notes: tuple[str, ...] = ()
    problem: str = ""


def common_grid(curves: Sequence[Curve], points: int = GRID_POINTS) -> FloatArray:
    """Return where to compare curves: their own steps where all share them and they are few, else even steps.

    Even steps run from the first to the last step of any curve. Empty where no curve has a point.
    """
    drawn = [curve.steps for curve in curves if len(curve.steps)]
    if not drawn:
        return np.empty(0)
    longest = max(drawn, key=len)
    if len(longest) <= points and all(np.isin(steps, longest).all() for steps in drawn):
        return longest
    low, high = min(steps[0] for steps in drawn), max(steps[-1] for steps in drawn)
    return np.linspace(low, high, points) if high > low else np.array([low])


def align(curves: Sequence[Curve], *, grid: npt.ArrayLike | None = None, points: int = GRID_POINTS) -> Aligned:
    """Put the curves of one arm on a common grid, by interpolation inside each curve's own range.

    Args:
        grid: Where to compare; by default `common_grid`. Give several arms the same one.
        points: At most so many.
    """
    standing = standing_curves(curves)
    kept, count = [one.curve for one in standing], count_of(curves)
    units = sorted({curve.unit for curve in kept})
    at = common_grid(kept, points) if grid is None else np.unique(_finite(grid))
    problem = ""
    if len(units) > 1:
        problem = f"the curves have different step units: {', '.join(units)}"
    elif not any(len(curve.steps) for curve in kept):
        problem = "no run has a value of this metric" if kept else "no runs"
    if problem:
        at = np.empty(0)
    values = np.full((len(kept), len(at)), np.nan)
    for row, curve in zip(values, kept, strict=True):
        inside = (at >= curve.steps[0]) & (at <= curve.steps[-1]) if len(curve.steps) else np.zeros(len(at), bool)
        row[inside] = np.interp(at[inside], curve.steps, curve.values) if inside.any() else np.nan
    alive = (~np.isnan(values)).sum(axis=0)
    notes = () if problem else (*_endings(kept, at), *_losses(kept), *(one.note for one in standing if one.note))
    return Aligned(at, values, alive, tuple(kept), count, units[0] if units else "", notes, problem)


@dataclass(frozen=True)
class Standing:
    """The run that stands for a seed, of all that were made for it.

    Attributes:
        attempt: Which of them it is, from 1.
        replaced: How many before it were lost with their machine, so that it takes their place.
        aside: How many others were left aside.
    """

    curve: Curve
    attempt: int = 1
    replaced: int = 0
    aside: int = 0

    @property
    def note(self) -> str:
        """What a reader has to know of other attempts at the seed; empty where there is nothing to say."""
        if self.replaced:
            return f"{self.curve.seed_words}: attempt {self.attempt}, after the machine failed"
        if self.aside and self.curve.outcome not in {"finished", *WAITING}:
            said = _STAYS.get(self.curve.outcome, self.curve.outcome)
            return f"{self.curve.seed_words}: {said}; a later attempt does not take its place"
        return ""


_STAYS: dict[Outcome, str] = {
    "failed": "it failed, and not by its machine as far as is known",
    "cancelled": "a person ended it",
}


def standing_curves(curves: Sequence[Curve]) -> list[Standing]:
    """Return which run stands for each arm and seed, in the order in which these first appear.

    The first attempt stands. A later one takes its place only where a failure of the machine ended it: a seed whose
    training failed, or that a person ended, would otherwise be drawn again until it succeeds, and one that finished
    until its score is liked. Of several that finished only one that got further takes the place of an earlier one, as
    it goes on from there; one that was asked for just the same is drawn again, however far it got.

    A run that is no seed (a replicate, a reproduction, a fork) stands for none, whatever became of the others: it is
    no new draw; nor does one that was cancelled since a look had decided without its seed. Every statistic over seeds
    starts here, so this is where it is decided for all of them.

    Args:
        curves: Of one seed the earlier attempt first.
    """
    found: dict[tuple[str, int], Standing] = {}
    attempts: Counter[tuple[str, int]] = Counter()
    for curve in curves:
        if not curve.counts:
            continue
        key = (curve.arm, curve.seed)
        attempts[key] += 1
        number, before = attempts[key], found.get(key)
        if before is None:
            found[key] = Standing(curve)
        elif before.curve.outcome == "machine failed":
            found[key] = Standing(curve, number, before.replaced + 1, before.aside)
        else:
            finished = before.curve.outcome == curve.outcome == "finished"
            again = bool(curve.asked) and curve.asked == before.curve.asked
            further = finished and not again and _reach(curve) > _reach(before.curve)
            kept = (curve, number) if further else (before.curve, before.attempt)
            found[key] = Standing(*kept, before.replaced, before.aside + 1)
    return list(found.values())


def count_of(curves: Sequence[Curve]) -> SeedCount:
    """Return what became of the seeds of some runs, and which runs are no seeds."""
    found = standing_curves(curves)
    seeds = SeedCount.of(
        (one.curve.outcome for one in found),
        duplicates=sum(one.aside for one in found),
        metric=next((one.curve.metric for one in found), ""),
    )
    return seeds.beside((curve.role, curve.outcome) for curve in curves)


def _reach(curve: Curve) -> float:
    return float(curve.steps[-1]) if len(curve.steps) else -math.inf


def _endings(curves: Sequence[Curve], grid: FloatArray) -> list[str]:
    end = grid[-1] - 0.01 * np.ptp(grid) if len(grid) else -math.inf  # the last rows of runs are never quite the same
    early = [curve for curve in curves if not len(curve.steps) or curve.steps[-1] < end]
    if not early:
        return []
    verb = "ends" if len(early) == 1 else "end"
    return [f"{counted(len(early), 'run')} of {len(curves)} {verb} early; beyond it only the others are counted"]


def _losses(curves: Sequence[Curve]) -> list[str]:
    lost = sum(curve.lost for curve in curves)
    return [f"{counted(lost, 'point')} without a finite number left out"] if lost else []


def _finite(values: npt.ArrayLike) -> FloatArray:
    found = numbers(values).ravel()
    return found[~np.isnan(found)]


def smoothed_for_display(steps: npt.ArrayLike, values: npt.ArrayLike, half_life: float) -> FloatArray:
    """Return an exponential moving average of a curve, for drawing only.

    The weight of a value halves with every `half_life` steps that have passed since, however often it was logged, and
    weights are divided by their sum, so that the start is not drawn towards 0.

    Args:
        steps: (T,), ascending.
        values: (T,); one that is not a finite number has no weight.
        half_life: In the unit of the steps; 0 returns the values as they are.

    Returns:
        float64 (T,); NaN before the first finite value.
    """
    at, given = numbers(steps).ravel(), numbers(values).ravel()
    size = min(len(at), len(given))
    at, given = at[:size], given[:size]
    if not half_life > 0 or size == 0:
        return given
    known = ~np.isnan(given) & ~np.isnan(at)
    if not known.any():
        return given
    age = np.where(known, at, -np.inf)
    age = (np.maximum.accumulate(age) - at[known][0]) / half_life
    age = np.where(np.isfinite(age), age, 0.0)
    filled = np.where(known, given, 0.0)
    result = np.full(size, np.nan)
    total, weight, until = 0.0, 0.0, 0.0
    starts = np.flatnonzero(np.diff(np.floor(age / _LARGEST_EXPONENT), prepend=-1))
    for start, end in zip(starts, [*starts[1:], size], strict=True):
        first = age[start]
        faded = 0.5 ** min(first - until, 1000.0)
        growth = np.exp2(age[start:end] - first)
        sums = total * faded + np.cumsum(growth * filled[start:end])
        weights = weight * faded + np.cumsum(growth * known[start:end])
        with np.errstate(invalid="ignore", divide="ignore"):
            result[start:end] = sums / weights
        total, weight, until = sums[-1] / growth[-1], weights[-1] / growth[-1], age[end - 1]
    return result
