"""`experiments curve`: one metric of runs over their steps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import tyro

from experiments.cli.cutting import Long
from experiments.cli.envelope import Answer, Shown
from experiments.cli.terminal import FittedColumn, FittedTable, console
from experiments.project.errors import ExperimentsError, UsageError
from experiments.project.look import MISSING, counted, quantity
from experiments.project.workspace import Workspace

if TYPE_CHECKING:
    from experiments.runs.store import RunStore
    from experiments.statistics import FloatArray
    from experiments.types import JobRef

_MOST_POINTS = 10_000
_COLUMNS = ("run", "first", "lowest", "highest", "last", "steps", "rows")


class CurveOf(Shown):
    """One run's metric over its steps, thinned so that the lowest and highest values of every stretch stay.

    Attributes:
        rows: How many values it has that are numbers.
        not_finite: How many it has that are none, which are left out.
    """

    run: str
    arm: str
    seed: int
    steps: tuple[float, ...]
    values: tuple[float, ...]
    rows: int
    not_finite: int


class Curves(Long):
    """One metric of several runs.

    Attributes:
        axis: What steps count.
        without: Runs that have not logged it.
        origin: Where the rows come from, in words.
    """

    ITEMS: ClassVar[str] = "curves"
    KEY: ClassVar[str] = "run"

    metric: str
    axis: str
    curves: tuple[CurveOf, ...]
    without: tuple[str, ...]
    origin: str


def curve(
    metric: tyro.conf.Positional[Annotated[str, tyro.conf.arg(metavar="METRIC")]],
    *,
    runs: Annotated[tuple[str, ...], tyro.conf.arg(metavar="[RUN|ARM|EXPERIMENT ...]", help_behavior_hint="")] = (),
    points: Annotated[int, tyro.conf.arg(metavar="N")] = 200,
) -> Answer[Curves]:
    """Show one metric of runs over their steps.

    Args:
        metric: Its key, such as overview/reward.
        runs: Runs, by name or launcher id; arms, or EXPERIMENT/ARM; experiments, or EXPERIMENT/.
        points: At most so many of each run, with the extremes of every stretch.
    """
    from experiments.results.sides import side_of

    if not runs:
        raise UsageError("no run is named. Name runs, arms or experiments: experiments curve METRIC --runs EXPERIMENT")
    if not 4 <= points <= _MOST_POINTS:
        raise UsageError(f"--points {points}: from 4 to {_MOST_POINTS:,} can be had. Try --points 200.")
    workspace = Workspace.find(Path.cwd())
    refs = {ref.run: ref for name in runs for ref in side_of(workspace, name).runs}
    answer, notes = _read(workspace, list(refs.values()), metric, points)
    return Answer(answer, _print_curves, notes=notes)


def _read(workspace: Workspace, refs: Sequence[JobRef], metric: str, points: int) -> tuple[Curves, list[str]]:
    """Return the curves, and why runs could not be read.

    Raises:
        UsageError: All runs have ended, and none has logged the metric.
    """
    from experiments.runs.axes import axes_of, axis_words, common_axis, counters_of, logged_over
    from experiments.runs.opening import default_store
    from experiments.runs.roles import metrics_of

    store = default_store(workspace.root)
    histories, notes = {}, []
    for ref in refs:
        try:
            histories[ref.run] = store.history(ref.run, [*counters_of(metrics_of(ref).step), metric])
        except ExperimentsError as error:
            notes.append(f"{ref.run}: {error}")
    axis = common_axis(
        axes_of(histories[ref.run][0], metric, step=metrics_of(ref).step) for ref in refs if ref.run in histories
    )
    found = []
    for ref in refs:
        if ref.run in histories:
            rows, origin = histories[ref.run]
            steps, values = logged_over(rows, metric, axis, origin.nan_steps.get(metric, ()))
            found.append(thinned(ref, steps, values, points))
    drawn = tuple(one for one in found if one.rows or one.not_finite)
    if not drawn:
        _refuse_unlogged(store, refs, metric)
    sampled = sum(not origin.complete for _, origin in histories.values())
    how = f"sampled in {counted(sampled, 'run')}" if sampled else "complete"
    number = sum(one.rows + one.not_finite for one in drawn)
    curves = Curves(
        metric=metric,
        axis=axis_words(axis),
        curves=drawn,
        without=tuple(ref.run for ref in refs if ref.run not in {one.run for one in drawn}),
        origin=f"{number:,} rows of {len(drawn)} of {counted(len(refs), 'run')}, {how}",
    )
    return curves, notes


def _refuse_unlogged(store: RunStore, refs: Sequence[JobRef], metric: str) -> None:
    from experiments.project.state_words import TRACKER_ENDS
    from experiments.results.frames import unlogged_words
    from experiments.runs.store import RunQuery

    infos = store.find(RunQuery(names=[ref.run for ref in refs], limit=None))
    if len(infos) == len(refs) and all(info.state in TRACKER_ENDS for info in infos):
        raise UsageError(unlogged_words(metric, {key for info in infos for key in info.summary}, len(refs)))


def thinned(ref: JobRef, steps: FloatArray, values: FloatArray, points: int) -> CurveOf:
    """Return a run's curve in at most so many points, its extremes among them; what is no finite number is counted."""
    import numpy as np

    from experiments.runs.thinning import min_max

    kept = np.isfinite(steps) & np.isfinite(values)
    not_finite = int((~kept).sum())
    steps, values = np.ascontiguousarray(steps[kept]), np.ascontiguousarray(values[kept])
    rows = len(steps)
    chosen = min_max(values, points)
    steps, values = steps[chosen], values[chosen]
    return CurveOf(
        run=ref.run,
        arm=ref.arm,
        seed=ref.seed,
        steps=tuple(map(float, steps)),
        values=tuple(map(float, values)),
        rows=rows,
        not_finite=not_finite,
    )


def _print_curves(found: Curves) -> None:
    table = FittedTable([FittedColumn(each, is_right=each != "run") for each in _COLUMNS], _COLUMNS)
    for one in found.curves:
        ends = (one.values[0], min(one.values), max(one.values), one.values[-1]) if one.values else ()
        note = f"{counted(one.not_finite, 'value')} that is no finite number left out" if one.not_finite else ""
        numbers = [*map(quantity, (*ends, one.steps[-1]))] if one.values else [MISSING] * 5
        table.add(one.run, *numbers, str(one.rows), note=note)
    out = console()
    out.print(f"{found.metric} over {found.axis}" if found.curves else f"No run has logged {found.metric}.")
    if found.curves:
        out.print(table)
    if found.without and found.curves:
        out.print(f"Without it: {', '.join(found.without)}", soft_wrap=True)
    out.print(found.origin, style="dim", soft_wrap=True)
