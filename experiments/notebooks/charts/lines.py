"""The lines of learning curves: the runs as they were logged and smoothed, and behind them arms that do not lead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np

from experiments.notebooks.charts.layers import HIDDEN, Layers, Rows
from experiments.notebooks.charts.runs import RunCurve
from experiments.notebooks.charts.theme import data_of
from experiments.project.look import counted
from experiments.runs.thinning import min_max, rounded
from experiments.statistics import Band, FloatArray


def seeds(
    base: Layers,
    runs: Sequence[RunCurve],
    selected: Sequence[str],
    points: int,
    others: Mapping[str, Band],
    several: Mapping[str, Band],
    firsts: Mapping[str, str],
) -> Iterable[Any]:
    """Yield the runs as they were logged, and above them as they are smoothed; behind them arms that do not lead.

    Args:
        selected: Runs that stand out.
        points: At most so many of each line.
        others: The arms of which one line stands for all seeds.
        several: The arms whose statistic over seeds is drawn above their runs.
        firsts: The run of each arm that its line means.
    """
    raw: Rows = []
    smooth: Rows = []
    logged = points // 4 if base.half_life else points
    for number, one in enumerate(others.values(), len(runs)):
        raw += _along(one, base, one.value, logged, "y", number)
        smooth += _along(one, base, base.line(one.grid, one.value), logged, "s", number) if base.half_life else []
    for number, run in enumerate(runs):
        raw += [{"x": x, "y": y, "k": number} for x, y in zip(*run.drawn(logged, base.window), strict=True)]
        if base.half_life:
            at, means = run.buckets
            seen = base.inside(at)
            at, means = at[seen], base.line(at, means)[seen]
            kept = min_max(means, points // 2)
            pairs = zip(rounded(at[kept], 7), rounded(means[kept]), strict=True)
            smooth += [{"x": x, "s": s, "k": number} for x, s in pairs]
    wanted = set(selected)
    # Where a whole arm is in front, its thick line is: its runs stay thin.
    whole = {run.arm for run in runs if run.arm in several} - {run.arm for run in runs if run.run not in wanted}
    table = [
        _run_row(number, run, wanted, base, several=run.arm in several, is_whole=run.arm in whole)
        for number, run in enumerate(runs)
    ]
    table += [
        _arm_row(number, arm, one, firsts[arm], base, is_quiet=bool(wanted))
        for number, (arm, one) in enumerate(others.items(), len(runs))
    ]
    yield _lines(base, raw, table, "y", "o")
    if smooth:
        yield _lines(base, smooth, table, "s", "p")


def _lines(base: Layers, rows: Rows, table: Rows, field: str, opacity: str) -> Any:
    fields = ["arm", "run", "label", "state", "o", "p", "w"]
    lines = alt.Chart(data_of(rows)).mark_line(clip=True, strokeJoin="bevel")
    looked_up = alt.LookupData(data=data_of(table), key="k", fields=fields)
    conditions: list[Any] = [{"test": "datum.k === hovered", "value": 1}]
    if base.has_legend:
        conditions.append({"test": HIDDEN, "value": 0.03})
    return lines.transform_lookup("k", from_=looked_up).encode(
        x=base.x,
        y=base.y(field),
        detail="k:N",
        color=base.colour,
        strokeDash=base.dash,
        opacity=alt.Opacity(f"{opacity}:Q", scale=None, legend=None, condition=conditions),
        strokeWidth=alt.StrokeWidth("w:Q", scale=None, legend=None),
    )


def _run_row(
    number: int, run: RunCurve, selected: set[str], base: Layers, *, several: bool, is_whole: bool
) -> dict[str, Any]:
    """Return what lines need to know of a run: opacity as logged (o) and smoothed (p), and width (w)."""
    usual, width = (0.3, 1.0) if several else (0.9, 1.6)
    if selected:
        usual, width = (0.6, 1.0) if is_whole else (1.0, 2.2) if run.run in selected else (0.12, 1.0)
    elif len(base.arms) > len(base.palette.arms):
        usual = min(usual, 0.5)
    return {
        "k": number,
        "arm": run.arm,
        "run": run.run,
        "label": run.label,
        "state": run.state or run.curve.outcome,
        "o": round(usual * (0.3 if base.half_life else 1.0), 3),
        "p": usual,
        "w": width,
    }


def _along(one: Band, base: Layers, values: FloatArray, points: int, field: str, number: int) -> Rows:
    """Return the rows of a line that stands for an arm."""
    inside = base.inside(one.grid) & np.isfinite(values)
    kept = min_max(values[inside], points)
    pairs = zip(rounded(one.grid[inside][kept], 7), rounded(values[inside][kept]), strict=True)
    return [{"x": x, field: value, "k": number} for x, value in pairs]


def _arm_row(number: int, arm: str, one: Band, run: str, base: Layers, *, is_quiet: bool) -> dict[str, Any]:
    """Return the same of the line that stands for an arm."""
    usual = 0.18 if is_quiet else 0.3
    label = f"{arm}: {one.statistic} of {counted(int(one.alive.max(initial=0)), 'seed')}"
    shown = round(usual * (0.3 if base.half_life else 1.0), 3)
    return {"k": number, "arm": arm, "run": run, "label": label, "state": "", "o": shown, "p": usual, "w": 1.0}
