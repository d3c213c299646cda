"""`experiments curve`: one metric of runs over their steps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import tyro

from experiments.cli.cutting import Long
from experiments.cli.envelope import Answer, Shown
from experiments.cli.terminal import FittedColumn, FittedTable, console
from experiments.project.errors import UsageError
from experiments.project.look import counted, quantity
from experiments.project.workspace import Workspace

if TYPE_CHECKING:
    from experiments.statistics import FloatArray

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
    from experiments.results.frames import metrics_frame
    from experiments.results.sides import side_of

    if not runs:
        raise UsageError("no run is named. Name runs, arms or experiments: experiments curve METRIC --runs EXPERIMENT")
    if not 2 <= points <= _MOST_POINTS:
        raise UsageError(f"--points {points}: from 2 to {_MOST_POINTS:,} can be had. Try --points 200.")
    workspace = Workspace.find(Path.cwd())
    refs = {ref.run: ref for name in runs for ref in side_of(workspace, name).runs}
    frame = metrics_frame(list(refs.values()), metric, workspace=workspace)
    found = []
    for run, rows in frame.groupby("run", sort=False):
        ref = refs[str(run)]
        steps, values = rows["step"].to_numpy("float64"), rows[metric].to_numpy("float64")
        found.append(_thinned(ref.run, ref.arm, ref.seed, steps, values, points))
    drawn = {one.run for one in found if one.rows}
    answer = Curves(
        metric=metric,
        axis=str(frame.attrs["axis"]),
        curves=tuple(one for one in found if one.rows),
        without=tuple(run for run in refs if run not in drawn),
        origin=str(frame.attrs["origin"]),
    )
    return Answer(answer, _print_curves)


def _thinned(run: str, arm: str, seed: int, steps: FloatArray, values: FloatArray, points: int) -> CurveOf:
    import numpy as np

    logged = ~np.isnan(steps) & ~np.isnan(values)
    kept = logged & np.isfinite(steps) & np.isfinite(values)
    steps, values = np.ascontiguousarray(steps[kept]), np.ascontiguousarray(values[kept])
    rows = len(steps)
    if rows > points:
        from tsdownsample import MinMaxLTTBDownsampler

        chosen = MinMaxLTTBDownsampler().downsample(steps, values, n_out=points)
        steps, values = steps[chosen], values[chosen]
    return CurveOf(
        run=run,
        arm=arm,
        seed=seed,
        steps=tuple(map(float, steps)),
        values=tuple(map(float, values)),
        rows=rows,
        not_finite=int((~kept).sum()),
    )


def _print_curves(found: Curves) -> None:
    table = FittedTable([FittedColumn(each, is_right=each != "run") for each in _COLUMNS], _COLUMNS)
    for one in found.curves:
        ends = (one.values[0], min(one.values), max(one.values), one.values[-1])
        note = f"{counted(one.not_finite, 'value')} that is no finite number left out" if one.not_finite else ""
        table.add(one.run, *map(quantity, ends), quantity(one.steps[-1]), str(one.rows), note=note)
    out = console()
    out.print(f"{found.metric} over {found.axis}" if found.curves else f"No run has logged {found.metric}.")
    if found.curves:
        out.print(table)
    if found.without and found.curves:
        out.print(f"Without it: {', '.join(found.without)}", soft_wrap=True)
    out.print(found.origin, style="dim", soft_wrap=True)
