"""Learning curves: seeds thin, the statistic over them thick with its interval, and every lost seed in sight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from experiments.notebooks.charts import layers
from experiments.notebooks.charts.axes import ValueAxis, clear_of, step_axis, value_axis
from experiments.notebooks.charts.captions import caption_of, interval_name, per_arm
from experiments.notebooks.charts.layers import Mark
from experiments.notebooks.charts.runs import RunCurve, axis_sentence, metric_of, origin_words, problems, runs_of
from experiments.notebooks.charts.theme import empty_chart, palette_of, sentences, styled, words_of
from experiments.project import look
from experiments.project.look import counted
from experiments.runs.store import REWARD_KEY
from experiments.statistics import (
    Band,
    Curve,
    FloatArray,
    Statistic,
    band,
    common_grid,
    count_of,
    methods_sentence,
    same_seeds,
    shown,
)
from experiments.types import TERMINAL_VERDICTS

MOST_POINTS = 24_000
"""Points of all runs together in one chart; zooming shows more of fewer steps."""

_GRID = 200
_MOST_BANDS = 8
_HALF_LIVES = 6


@dataclass(frozen=True)
class CurveOptions:
    """What a reader may choose.

    Attributes:
        metric: What y is.
        unit: Of the metric, where its trainer says one.
        statistic: Of the thick line, over the seeds of an arm.
        smoothing: Half-life of the drawn lines, as a share of the whole x-range; 0 draws values as they are.
        log: Logarithmic y-axis.
        safe: Cut the y-axis where a few values would squeeze all others; they are marked at its edge.
        window: Part of the x-axis that is looked at, in its unit; None for all.
        by_run: Every run for itself, with no statistic over seeds.
        selected: Runs that stand out; empty for none.
        only: Runs that are drawn; None for all.
        arms: All arms of the experiment, in order, so that colours stay the same where some are not drawn.
        height: Of the plot, in pixels.
        note: What a reader has to know first, such as which runs were left out.
        dark: Colours of a dark page.
    """

    metric: str = REWARD_KEY
    unit: str = ""
    statistic: Statistic = "mean"
    smoothing: float = 0.0
    log: bool = False
    safe: bool = True
    window: tuple[float, float] | None = None
    by_run: bool = False
    selected: tuple[str, ...] = ()
    only: tuple[str, ...] | None = None
    arms: tuple[str, ...] = ()
    height: int = 320
    note: str = ""
    dark: bool = False


DEFAULTS = CurveOptions()


def learning_curves(
    runs: Sequence[RunCurve], options: CurveOptions = DEFAULTS, *, marks: Sequence[Mark] = (), origin: str = ""
) -> Any:
    """Return the curves of one metric as a chart, or one sentence where there is nothing to draw.

    Args:
        runs: Every run that was planned, also those without a value: they are counted in the caption.
        marks: What happened on the way.
        origin: Where the rows come from, in words, where the runs themselves do not say it.
    """
    palette = palette_of(dark=options.dark)
    arms = options.arms or tuple(dict.fromkeys(run.arm for run in runs))
    chosen = [run for run in runs if options.only is None or run.run in set(options.only)]
    drawn = [run for run in chosen if len(run.curve.steps)]
    name = words_of(options.metric, options.unit)
    if not drawn:
        return empty_chart(_nothing(runs, chosen, name), palette)
    unit = drawn[0].curve.unit
    if len({run.curve.unit for run in drawn}) > 1:
        units = sorted({run.curve.unit for run in drawn})
        return empty_chart(f"These runs count their steps in different units ({', '.join(units)}).", palette)
    half_life = _half_life(drawn, options)
    bands = {} if options.by_run else bands_of(chosen, options, half_life)
    axis = _axis_of(drawn, bands, options, half_life)
    base = layers.Layers(
        arms, _chosen_arms(drawn, options), palette, step_axis(unit), axis, name, half_life, options.window
    )
    first, *rest = [
        *layers.seeds(base, drawn, options.selected, _budget(drawn), several=bool(bands)),
        *layers.bands(base, bands),
        *layers.statistics(base, bands),
        *layers.counts(base, bands, options.height),
        *layers.endings(base, drawn),
        *layers.cut_values(base, axis.beyond),
        *layers.marks(base, drawn, marks),
    ]
    first.name = "seeds"  # else altair numbers its views, and no two charts are alike
    chart = alt.layer(first, *rest)
    shown_marks = any(mark.run == run.run for mark in marks for run in drawn)
    restarts = "Dotted: where a run was started again" if shown_marks else ""
    words = caption_of(
        chosen,
        _methods(chosen, bands, axis, half_life, unit),
        restarts,
        method=_in_few_words(chosen, bands),
        note=options.note,
        n=[int(found.alive.max()) for found in bands.values()],
        origin=origin,
    )
    return styled(
        chart,
        words,
        palette,
        description=f"Learning curves: {name} over {unit}. {words.text}",
        pick=layers.pick(unit, name),
        width="container",
        height=options.height,
        params=layers.params_of(base),
    )


def axis_note(runs: Sequence[RunCurve], options: CurveOptions = DEFAULTS) -> str:
    """Return what the y-axis of `learning_curves` leaves out or cuts, for a text that stands elsewhere."""
    drawn = [run for run in runs if len(run.curve.steps) and (options.only is None or run.run in options.only)]
    if len({run.curve.unit for run in drawn}) != 1:
        return ""
    half_life = _half_life(drawn, options)
    bands = {} if options.by_run else bands_of(drawn, options, half_life)
    return _axis_of(drawn, bands, options, half_life).note


def _axis_of(drawn: Sequence[RunCurve], bands: dict[str, Band], options: CurveOptions, half_life: float) -> ValueAxis:
    axis = value_axis(drawn, log=options.log, safe=options.safe, window=options.window)
    means, ends = layers.reach(bands, half_life, options.window)
    values = [run.curve.values[run.within(options.window)] for run in drawn]
    return clear_of(axis, [*values, *means], ends, options.window)


def bands_of(runs: Sequence[RunCurve], options: CurveOptions, half_life: float = 0.0) -> dict[str, Band]:
    """Return the statistic over seeds of each arm with several seeds, from values as logged, on one common grid.

    Where only a window is looked at, the grid begins some half-lives before it, so that a smoothed line is the same
    line in and out of it.
    """
    by_arm: dict[str, list[Curve]] = {}
    for run in runs:
        if run.curve.counts:
            by_arm.setdefault(run.arm, []).append(run.curve)
    several = {arm: curves for arm, curves in by_arm.items() if len({curve.seed for curve in curves}) > 1}
    if len(several) > _MOST_BANDS:
        wanted = {run.arm for run in runs if run.run in set(options.selected)}
        several = {arm: curves for arm, curves in several.items() if arm in wanted}
    curves = [curve for own in several.values() for curve in own]
    grid = _grid_of(curves)
    if options.window is not None and len(grid):
        low, high = max(options.window[0], grid[0]), min(options.window[1], grid[-1])
        step = (high - low) / _GRID
        before = min(_GRID, int(_HALF_LIVES * half_life / step), int((low - grid[0]) / step)) if step > 0 else 0
        grid = np.linspace(low - before * step, high, _GRID + before) if high > low else grid[:0]
    if not len(grid):
        return {}
    made = {arm: band(own, options.statistic, grid=grid) for arm, own in several.items()}
    return {arm: found for arm, found in made.items() if not found.problem}


def _grid_of(curves: Sequence[Curve]) -> FloatArray:
    """Return where to compare curves: their own steps where they share few, else multiples of a round number.

    As runs grow these stay, so that a page that is open gets what is new of a band.
    """
    grid = common_grid(curves, _GRID)
    if len(grid) < _GRID or any(grid is curve.steps for curve in curves):
        return grid
    low, high = grid[0], grid[-1]
    power = 10.0 ** np.floor(np.log10((high - low) / _GRID))
    width = power * next(digit for digit in (1, 2, 5, 10) if power * digit * _GRID >= high - low)
    return np.unique(np.concatenate([[low], np.arange(np.ceil(low / width), high / width) * width, [high]]))


def _in_few_words(runs: Sequence[RunCurve], bands: dict[str, Band]) -> str:
    if not bands:
        return "one line a run, no interval"
    statistics = " and ".join(sorted({found.statistic for found in bands.values()}))
    alone = len({run.arm for run in runs}) > len(bands)
    return f"{statistics}, {interval_name(list(bands.values()), some_without=alone)}"


def _methods(
    runs: Sequence[RunCurve],
    bands: dict[str, Band],
    axis: ValueAxis,
    half_life: float,
    unit: str,
) -> str:
    """Return what the chart is made of: statistic, interval, seeds, smoothing, axis, origin and age."""
    smoothed = f"EMA, half-life {shown(half_life)} {unit}" if half_life else ""
    if bands:
        names = sorted({found.statistic for found in bands.values()})
        what = f"Thick lines: {', '.join(names)} over seeds; thin lines: runs"
        methods = methods_sentence(list(bands.values()), x_axis=unit, smoothing=smoothed)
        notes = per_arm((arm, note) for arm, found in bands.items() for note in found.notes)
    else:
        single = "one seed an arm, no interval" if len({run.arm for run in runs}) == len(runs) else "no interval"
        what = f"One line a run ({single})"
        methods = f"Smoothed for display only ({smoothed})" if smoothed else "Nothing is smoothed"
        notes = []
    many = len(dict.fromkeys(run.arm for run in runs)) > len(look.LIGHT.arms)
    return sentences(
        what,
        f"In the order of {over}, not of time: scores and claims rest on steps" if (over := metric_of(unit)) else "",
        "Grey, since there are many arms: select rows of the table, or point at a line, to colour some" if many else "",
        seed_counts(runs) if not bands or len(bands) < len({run.arm for run in runs}) else "",
        methods,
        "; ".join(notes),
        "; ".join(same_seeds(run.curve for run in runs)),
        axis_sentence(runs),
        axis.note,
        problems(runs),
        origin_words(runs),
    )


def seed_counts(runs: Sequence[RunCurve], most: int = 8) -> str:
    """Return what became of the seeds of each arm; of many arms the total."""
    by_arm: dict[str, list[RunCurve]] = {}
    for run in runs:
        by_arm.setdefault(run.arm, []).append(run)
    if len(by_arm) > most:
        total = count_of([run.curve for run in runs])
        return f"{counted(len(by_arm), 'arm')}, {counted(len(runs), 'run')}: {total.sentence}"
    counts = {arm: count_of([run.curve for run in own]) for arm, own in by_arm.items()}
    return "; ".join(f"{arm}: {count.sentence}" if arm else count.sentence for arm, count in counts.items())


def _nothing(runs: Sequence[RunCurve], chosen: Sequence[RunCurve], name: str) -> str:
    if not runs:
        return "No runs yet. Launch one, and its curve appears here."
    if not chosen:
        return f"None of the {counted(len(runs), 'run')} is chosen. Choose some in the table, or clear the selection."
    what = f"No values of {name} yet. They appear here as the runs log them"
    if all(run.is_unread for run in chosen):
        what = f"The values of {name} could not be read"
    elif all(run.state in TERMINAL_VERDICTS for run in chosen):
        what = f"No run has a value of {name}, and all have ended"
    return sentences(what, seed_counts(chosen), problems(chosen))


def _chosen_arms(runs: Sequence[RunCurve], options: CurveOptions) -> list[str]:
    selected = set(options.selected)
    return list(dict.fromkeys(run.arm for run in runs if run.run in selected))


def _half_life(runs: Sequence[RunCurve], options: CurveOptions) -> float:
    """Return that of smoothing, in the unit of x; of two digits, so that a smoothed line seldom changes as it grows."""
    return float(f"{options.smoothing * _span(runs):.2g}") if options.smoothing > 0 else 0.0


def _span(runs: Sequence[RunCurve]) -> float:
    ends: FloatArray = np.array([[run.curve.steps[0], run.curve.steps[-1]] for run in runs])
    return float(ends[:, 1].max() - ends[:, 0].min())


def _budget(runs: Sequence[RunCurve]) -> int:
    return int(np.clip(MOST_POINTS // len(runs), 40, 2_000))


def curve_chart(table: pd.DataFrame, metric: str, *, dark: bool = False) -> Any:
    """Return the learning curves of a table as `metrics_frame` returns it, with the origin that it carries."""
    lacking = [run for run, keys in table.attrs.get("without", {}).items() if metric in keys]
    named = f"{', '.join(lacking[:3])}{' and others' if len(lacking) > 3 else ''}"
    note = f"{metric} was not logged by {counted(len(lacking), 'run')} ({named})" if lacking else ""
    options = CurveOptions(metric=metric, note=note, dark=dark)
    runs, origin = runs_of(table, metric), str(table.attrs.get("origin", ""))
    if not runs and (note or origin):  # the runs are there, and the table has no row of them
        return empty_chart(sentences(f"No values of {metric}", note, origin), palette_of(dark=dark))
    return learning_curves(runs, options, origin=origin)
