"""Learning curves: seeds thin, the statistic over them thick with its interval, and every lost seed in sight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from experiments.notebooks.charts import layers
from experiments.notebooks.charts.axes import ValueAxis, clear_of, step_axis, value_axis
from experiments.notebooks.charts.captions import caption_of, interval_name, per_arm
from experiments.notebooks.charts.layers import Mark
from experiments.notebooks.charts.leading import MOST_ARMS, leading_arms, leading_words
from experiments.notebooks.charts.lines import seeds
from experiments.notebooks.charts.runs import RunCurve, axis_sentence, metric_of, origin_words, problems, runs_of
from experiments.notebooks.charts.theme import empty_chart, palette_of, sentences, styled, words_of
from experiments.project.look import counted
from experiments.runs.store import REWARD_KEY
from experiments.statistics import (
    Band,
    Curve,
    FloatArray,
    Statistic,
    Summary,
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
_HALF_LIVES = 6


@dataclass(frozen=True)
class CurveOptions:
    """What a reader may choose.

    Attributes:
        metric: What y is.
        unit: Of the metric, where its trainer says one.
        statistic: Of the thick line, over the seeds of an arm.
        summary: What one run's score is, by which the best of many arms are found.
        smoothing: Half-life of the drawn lines, as a share of the whole x-range; 0 draws values as they are.
        log: Logarithmic y-axis.
        safe: Cut the y-axis where a few values would squeeze all others; they are marked at its edge.
        window: Part of the x-axis that is looked at, in its unit; None for all.
        by_run: Every run for itself, with no statistic over seeds.
        selected: Runs that stand out; empty for none.
        hidden: Runs that are not drawn; every statistic over seeds counts them all the same.
        leading: Arms in colour where there are more than eight, in that order; empty to find them by score.
        arms: All arms of the experiment, in order, so that colours stay the same where some are not drawn.
        height: Of the plot, in pixels.
        note: What a reader has to know first, such as which runs were left out.
        dark: Colours of a dark page.
    """

    metric: str = REWARD_KEY
    unit: str = ""
    statistic: Statistic = "mean"
    summary: Summary = field(default_factory=Summary)
    smoothing: float = 0.0
    log: bool = False
    safe: bool = True
    window: tuple[float, float] | None = None
    by_run: bool = False
    selected: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    leading: tuple[str, ...] = ()
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
    away = set(options.hidden)
    seen = {run.arm for run in runs if run.run not in away}
    chosen = [run for run in runs if run.arm in seen]
    drawn = [run for run in chosen if len(run.curve.steps)]
    name = words_of(options.metric, options.unit)
    if not drawn:
        return empty_chart(_nothing(runs, chosen, name), palette)
    unit = drawn[0].curve.unit
    if len({run.curve.unit for run in drawn}) > 1:
        units = sorted({run.curve.unit for run in drawn})
        return empty_chart(f"These runs count their steps in different units ({', '.join(units)}).", palette)
    half_life = _half_life(drawn, options)
    leading = _leading(runs, arms, options)
    several = {} if options.by_run else bands_of(chosen, options, half_life, leading)
    bands = {arm: several[arm] for arm in leading if arm in several}
    others = {arm: found for arm, found in several.items() if arm not in bands} if bands else {}
    singly = [run for run in drawn if run.run not in away and run.arm not in others]
    axis = _axis_of(drawn, bands, options, half_life)
    base = layers.Layers(arms, leading, palette, step_axis(unit), axis, name, half_life, options.window)
    first, *rest = [
        *seeds(base, singly, options.selected, _budget(len(singly) + len(others)), others, bands, _first(drawn)),
        *layers.bands(base, bands),
        *layers.statistics(base, bands),
        *layers.counts(base, bands, options.height),
        *layers.endings(base, singly),
        *layers.cut_values(base, axis.beyond),
        *layers.marks(base, singly, marks),
    ]
    first.name = "seeds"  # else altair numbers its views, and no two charts are alike
    chart = alt.layer(first, *rest)
    shown_marks = any(mark.run == run.run for mark in marks for run in singly)
    restarts = "Dotted: where a run was started again" if shown_marks else ""
    words = caption_of(
        chosen,
        _methods(chosen, bands, len(others), axis, half_life, unit),
        hidden_words(runs, options.hidden),
        restarts,
        method=_in_few_words(chosen, bands, len(arms)),
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
    drawn = [run for run in runs if len(run.curve.steps)]
    if len({run.curve.unit for run in drawn}) != 1:
        return ""
    half_life = _half_life(drawn, options)
    leading = leading_arms(runs, options.summary, options.statistic, options.selected)
    bands = {} if options.by_run else bands_of(drawn, options, half_life, leading)
    bands = {arm: found for arm, found in bands.items() if arm in leading}
    return _axis_of(drawn, bands, options, half_life).note


def _axis_of(drawn: Sequence[RunCurve], bands: dict[str, Band], options: CurveOptions, half_life: float) -> ValueAxis:
    axis = value_axis(drawn, log=options.log, safe=options.safe, window=options.window)
    means, ends = layers.reach(bands, half_life, options.window)
    values = [run.curve.values[run.within(options.window)] for run in drawn]
    return clear_of(axis, [*values, *means], ends, options.window)


def bands_of(
    runs: Sequence[RunCurve], options: CurveOptions, half_life: float = 0.0, leading: Sequence[str] | None = None
) -> dict[str, Band]:
    """Return the statistic over seeds of each arm with several seeds, from values as logged, on one common grid.

    Where only a window is looked at, the grid begins some half-lives before it, so that a smoothed line is the same
    line in and out of it.

    Args:
        leading: Arms whose statistic has an interval; None for all.
    """
    by_arm: dict[str, list[Curve]] = {}
    for run in runs:
        if run.curve.counts:
            by_arm.setdefault(run.arm, []).append(run.curve)
    several = {arm: curves for arm, curves in by_arm.items() if len({curve.seed for curve in curves}) > 1}
    curves = [curve for own in several.values() for curve in own]
    grid = _grid_of(curves)
    if options.window is not None and len(grid):
        low, high = max(options.window[0], grid[0]), min(options.window[1], grid[-1])
        step = (high - low) / _GRID
        before = min(_GRID, int(_HALF_LIVES * half_life / step), int((low - grid[0]) / step)) if step > 0 else 0
        grid = np.linspace(low - before * step, high, _GRID + before) if high > low else grid[:0]
    if not len(grid):
        return {}
    made = {
        arm: band(own, options.statistic, grid=grid, with_interval=leading is None or arm in leading)
        for arm, own in several.items()
    }
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


def _leading(runs: Sequence[RunCurve], arms: Sequence[str], options: CurveOptions) -> tuple[str, ...]:
    """Return the arms in colour where there are so many that not all are; else those with a selected run."""
    if len(arms) <= MOST_ARMS:
        return tuple(arms)
    if options.leading:
        return options.leading
    away = set(options.hidden)
    seen = {run.arm for run in runs if run.run not in away}
    hidden = set(arms) - seen
    return leading_arms(runs, options.summary, options.statistic, options.selected, hidden)


def _first(runs: Sequence[RunCurve]) -> dict[str, str]:
    """Return the first run of each arm, which a click on the arm's own line means."""
    found: dict[str, str] = {}
    for run in runs:
        found.setdefault(run.arm, run.run)
    return found


def hidden_words(runs: Sequence[RunCurve], hidden: Sequence[str]) -> str:
    """Return how many runs somebody hid, and what they count for; empty where none is."""
    away = len({run.run for run in runs} & set(hidden))
    return (
        f"{counted(away, 'run')} hidden by hand: statistics over seeds, scores and verdicts count them" if away else ""
    )


def _in_few_words(runs: Sequence[RunCurve], bands: dict[str, Band], arms: int) -> str:
    if not bands:
        return "one line a run, no interval"
    if arms > MOST_ARMS:
        few = list(bands.values())
        return f"{few[0].statistic}, {interval_name(few)} of {len(bands)} of {arms} arms"
    statistics = " and ".join(sorted({found.statistic for found in bands.values()}))
    alone = len({run.arm for run in runs}) > len(bands)
    return f"{statistics}, {interval_name(list(bands.values()), some_without=alone)}"


def _methods(
    runs: Sequence[RunCurve],
    bands: dict[str, Band],
    others: int,
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
    return sentences(
        what,
        f"In the order of {over}, not of time: scores and claims rest on steps" if (over := metric_of(unit)) else "",
        _many(len({run.arm for run in runs}), bands, others),
        seed_counts(runs) if not bands or len(bands) < len({run.arm for run in runs}) else "",
        methods,
        "; ".join(notes),
        "; ".join(same_seeds(run.curve for run in runs)),
        axis_sentence(runs),
        axis.note,
        problems(runs),
        origin_words(runs),
    )


def _many(arms: int, bands: dict[str, Band], others: int) -> str:
    """Return what is not drawn of many arms, and how to see it; empty where all is drawn."""
    if others:
        shown = leading_words(len(bands), arms, "In colour, with interval and seeds")
        grey = f"Grey: the {next(iter(bands.values())).statistic} alone of {counted(others, 'other arm')}"
        return f"{shown}. {grey}; click a line, or choose rows in the table of runs, to see one of them in colour"
    few = "Grey, since there are many arms: choose rows in the table of runs, or point at a line, to colour some"
    return few if arms > MOST_ARMS else ""


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
        return f"All {counted(len(runs), 'run')} are hidden. Show them again in the table of runs: Show all."
    what = f"No values of {name} yet. They appear here as the runs log them"
    if all(run.is_unread for run in chosen):
        what = f"The values of {name} could not be read"
    elif all(run.state in TERMINAL_VERDICTS for run in chosen):
        what = f"No run has a value of {name}, and all have ended"
    return sentences(what, seed_counts(chosen), problems(chosen))


def _half_life(runs: Sequence[RunCurve], options: CurveOptions) -> float:
    """Return that of smoothing, in the unit of x; of two digits, so that a smoothed line seldom changes as it grows."""
    return float(f"{options.smoothing * _span(runs):.2g}") if options.smoothing > 0 else 0.0


def _span(runs: Sequence[RunCurve]) -> float:
    ends: FloatArray = np.array([[run.curve.steps[0], run.curve.steps[-1]] for run in runs])
    return float(ends[:, 1].max() - ends[:, 0].min())


def _budget(lines: int) -> int:
    return int(np.clip(MOST_POINTS // max(1, lines), 40, 2_000))


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
