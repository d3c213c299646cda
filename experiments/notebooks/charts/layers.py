"""The layers of learning curves, one function each; a layer without data is no layer.

Fields have short names of their own (`x`, `y`, `k`, `arm`), and texts of users are only ever values of rows, so no name
can be taken for a path or an expression. `k` numbers the runs of a chart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import altair as alt
import numpy as np
import numpy.typing as npt

from experiments.notebooks.charts.axes import ValueAxis
from experiments.notebooks.charts.room import columns, last_part
from experiments.notebooks.charts.runs import RunCurve
from experiments.notebooks.charts.theme import colour_by_arm, dash_by_arm, data_of
from experiments.project import look
from experiments.results.recoveries import recovery_marks
from experiments.runs.store import RunStore
from experiments.runs.thinning import rounded
from experiments.statistics import Band, FloatArray, smoothed_for_display
from experiments.types import JobRef

Rows: TypeAlias = list[dict[str, Any]]
# Shape at the end of a curve, and the state whose colour it has.
_ENDS = {
    "failed": ("cross", "failed"),
    "diverged": ("diamond", "failed"),
    "cancelled": ("stroke", "cancelled"),
    "running": ("circle", "running"),
    "recovering": ("triangle-up", "recovering"),
    "pending": ("circle", "pending"),
    "unknown": ("square", "unknown"),
    "unfinished": ("triangle-right", "unknown"),
}
_MOST_COUNTS = 20
_LETTER = 0.011  # of the width of a chart
_COLUMNS = {"points": "k-x-y", "runs": "arm-k-label-o-p-run-state-w"}
_ARMS = "arms"
HIDDEN = {"not": {"param": _ARMS}}


@dataclass(frozen=True)
class Mark:
    """Something that happened to a run, shown on its curve: a preemption, a recovery.

    Attributes:
        x: In the unit of the x-axis.
        text: What it was, for the tooltip.
    """

    run: str
    x: float
    text: str


@dataclass(frozen=True)
class Layers:
    """What all layers of one chart share.

    Attributes:
        arms: All arms of the experiment, in order.
        chosen: Arms in colour, in the order of the colours.
        x: The x channel, of the field `x`.
        value: The y-axis.
        name: What y is, in words.
        half_life: Of smoothing, in the unit of x; 0 for none.
        window: Part of x that is looked at; None for all.
    """

    arms: Sequence[str]
    chosen: Sequence[str]
    palette: look.Palette
    x: Any
    value: ValueAxis
    name: str
    half_life: float = 0.0
    window: tuple[float, float] | None = None

    @property
    def colour(self) -> Any:
        """The colour channel of the field `arm`."""
        return colour_by_arm(self.arms, self.palette, self.chosen)

    @property
    def dash(self) -> Any:
        """The dash channel of the field `arm`."""
        return dash_by_arm(self.arms, self.chosen)

    @property
    def has_legend(self) -> bool:
        """Whether arms can be chosen in a legend."""
        return len(self.arms) > 1 and (len(self.arms) <= len(self.palette.arms) or bool(self.chosen))

    def y(self, field: str) -> Any:
        """The y channel of a field."""
        return self.value.encoding(field, self.name)

    def opacity(self, shown: float, hidden: float) -> Any:
        """The opacity channel: `shown`, and `hidden` for arms that are not chosen in the legend."""
        if not self.has_legend:
            return alt.OpacityValue(shown)  # `alt.value` is looked up among all of altair's classes, each time
        return alt.OpacityValue(shown, condition={"test": HIDDEN, "value": hidden})

    def line(self, steps: FloatArray, values: FloatArray) -> FloatArray:
        """Return values as they are drawn."""
        return smoothed_for_display(steps, values, self.half_life) if self.half_life else values

    def held(self, values: FloatArray) -> FloatArray:
        """Return values cut at the ends of the y-axis: a logarithm has no place for an end below 0."""
        return values if self.value.domain is None else np.clip(values, *self.value.domain)

    def inside(self, steps: FloatArray) -> npt.NDArray[np.bool_]:
        """Tell which steps are looked at."""
        if self.window is None:
            return np.ones(len(steps), np.bool_)
        return np.asarray((steps >= self.window[0]) & (steps <= self.window[1]))


def params_of(base: Layers) -> list[Any]:
    """Return the params of the y-axis, and those that a page sets.

    These are both ends of x, the run under the pointer and the arms chosen in the legend.
    """
    values = (("x_from", None), ("x_to", None), ("hovered", -1))
    params: list[Any] = [alt.VariableParameter(name=name, value=value) for name, value in values]
    params += base.value.params()
    if base.has_legend:
        kind = alt.PointSelectionConfig(type="point", fields=["arm"])
        params.append(alt.TopLevelSelectionParameter(name=_ARMS, select=kind, bind="legend", views=["seeds"]))
    return params


def pick(x: str, y: str) -> dict[str, str]:
    """Return what a widget may point at: the points of the seeds."""
    return {**_COLUMNS, "x": {"wall time": "hours", "cost": "USD"}.get(x, x), "y": y}


def bands(base: Layers, found: Mapping[str, Band]) -> Iterable[Any]:
    """Yield the intervals, at 18 %."""
    rows: Rows = []
    for arm, one in found.items():
        known = ~np.isnan(one.low) & ~np.isnan(one.high)
        seen = base.inside(one.grid)
        if not known.any():
            continue
        ends = (rounded(base.held(base.line(one.grid, values))[seen]) for values in (one.low, one.high))
        for x, low, high, there in zip(rounded(one.grid[seen]), *ends, known[seen].tolist(), strict=True):
            rows.append({"x": x, "low": low if there else None, "high": high if there else None, "arm": arm})
    if rows:
        area = _data(rows).mark_area(clip=True, line=False)
        yield area.encode(
            x=base.x, y=base.y("low"), y2=alt.Y2("high:Q"), color=base.colour, opacity=base.opacity(0.18, 0.02)
        )


def reach(
    found: Mapping[str, Band], half_life: float, window: tuple[float, float] | None
) -> tuple[list[FloatArray], dict[str, tuple[float, float]]]:
    """Return the statistic of each arm as drawn, and the lowest and highest end of its interval."""
    lines, ends = [], {}
    for arm, one in found.items():
        seen = slice(None) if window is None else (one.grid >= window[0]) & (one.grid <= window[1])
        value, low, high = (
            (smoothed_for_display(one.grid, row, half_life) if half_life else row)[seen]
            for row in (one.value, one.low, one.high)
        )
        lines.append(value)
        known = np.isfinite(one.low)[seen] & np.isfinite(one.high)[seen]
        if known.any():
            ends[arm] = (float(low[known].min()), float(high[known].max()))
    return lines, ends


def statistics(base: Layers, found: Mapping[str, Band]) -> Iterable[Any]:
    """Yield the statistic over the seeds of each arm, at 2 px."""
    rows: Rows = []
    for arm, one in found.items():
        seen = base.inside(one.grid)
        columns = (rounded(one.grid[seen]), rounded(base.line(one.grid, one.value)[seen]), one.alive[seen].tolist())
        rows += [
            {"x": x, "m": m, "n": n, "arm": arm, "at": look.quantity(x), "said": look.quantity(m)}
            for x, m, n in zip(*columns, strict=True)
        ]
    if rows:
        tips = [
            alt.Tooltip("arm:N", title="arm"),
            alt.Tooltip("at:N", title="x"),
            alt.Tooltip("said:N", title="statistic over seeds"),
            alt.Tooltip("n:Q", title="seeds"),
        ]
        yield (
            _data(rows)
            .mark_line(strokeWidth=2.2, clip=True)
            .encode(
                x=base.x,
                y=base.y("m"),
                color=base.colour,
                strokeDash=base.dash,
                opacity=base.opacity(1.0, 0.08),
                tooltip=tips,
            )
        )


def counts(base: Layers, found: Mapping[str, Band], height: int) -> Iterable[Any]:
    """Yield how many seeds are left, where that changes along a curve: a dot on it, the number at the bottom.

    Of changes so near each other that their numbers would be printed over each other the last is told: seeds that log
    at their own steps begin and end one after the other.
    """
    rows: Rows = []
    for line, (arm, one) in enumerate(found.items()):
        drawn, seen = base.line(one.grid, one.value), base.inside(one.grid)
        changes = (np.flatnonzero(np.diff(one.alive)) + 1).tolist()
        told = [at for at in changes if one.alive[at] and seen[at] and np.isfinite(drawn[at])]
        end, width = (float(one.grid[seen][-1]), float(np.ptp(one.grid[seen]))) if told else (0.0, 0.0)
        room = _LETTER * len(f"{arm} n = 000") * width
        for at in _apart(told, one.grid, room, end)[:_MOST_COUNTS]:
            row = {"x": float(one.grid[at]), "c": float(drawn[at]), "arm": arm}
            side = "right" if end - one.grid[at] < room else "left"  # else it would be cut at the edge
            rows.append({**row, "t": f"{arm} n = {one.alive[at]}".strip(), "at": height - 8 - 13 * line, "side": side})
    if not found:
        return
    # Also where there is none now: as seeds log one after the other counts come and go, and with a layer a page would
    # draw the whole chart anew and forget which arms a person has hidden.
    none = {"x": None, "c": None, "arm": "", "t": "", "at": 0, "side": ""}
    dots = _data(rows or [none]).mark_point(size=26, filled=True, opacity=1, clip=True)
    yield dots.encode(x=base.x, y=base.y("c"), color=base.colour)
    sides: tuple[tuple[Literal["left", "right"], int], ...] = (("left", 3), ("right", -3))
    for side, away in sides:
        own = [row for row in rows if row["side"] == side]
        text = _data(own or [none]).mark_text(fontSize=11, align=side, dx=away, clip=True, text=last_part("n = "))
        colour = alt.ColorValue(base.palette.muted)
        yield text.encode(x=base.x, y=alt.Y("at:Q", scale=None), color=colour)


def _apart(places: Sequence[int], grid: FloatArray, room: float, end: float) -> list[int]:
    """Return those of some places on a grid that keep so much room to the next one, the last among them."""
    kept: list[int] = []
    for at in reversed(places):
        # What stands at the left of the edge needs room of its own beside that of what is before it.
        if not kept or grid[kept[-1]] - grid[at] >= room * (2 if end - grid[kept[-1]] < room else 1):
            kept.append(at)
    return kept[::-1]


def endings(base: Layers, runs: Sequence[RunCurve]) -> Iterable[Any]:
    """Yield a mark, with its word in the legend, where a run ends that did not finish."""
    rows: Rows = []
    for run in runs:
        word = run.state if run.state in _ENDS else run.curve.outcome
        if word in _ENDS and base.inside(run.curve.steps[-1:])[0]:
            steps, values = run.buckets if base.half_life else (run.curve.steps[-1:], run.curve.values[-1:])
            height = float(base.line(steps, values)[-1])
            rows.append({"x": float(run.curve.steps[-1]), "e": height, "state": word, "run": run.label})
    if rows:
        words = [word for word in _ENDS if any(row["state"] == word for row in rows)]
        shapes = alt.Scale(domain=words, range=[_ENDS[word][0] for word in words])
        signs = [look.STATES[_ENDS[word][1]] for word in words]
        is_dark = base.palette is look.DARK
        colours = alt.Scale(domain=words, range=[sign.dark if is_dark else sign.light for sign in signs])
        legend = alt.Legend(orient="bottom", title=None, columns=columns(words))  # arms may need the whole width
        yield (
            _data(rows)
            .mark_point(size=50, strokeWidth=1.6, opacity=1, clip=True)
            .encode(
                x=base.x,
                y=base.y("e"),
                shape=alt.Shape("state:N", scale=shapes, legend=legend),
                stroke=alt.Stroke("state:N", scale=colours, legend=legend),
                tooltip=[alt.Tooltip("run:N", title="run"), alt.Tooltip("state:N", title="state")],
            )
        )


def cut_values(base: Layers, beyond: Sequence[tuple[float, str]]) -> Iterable[Any]:
    """Yield a triangle at the edge of the plot for values that lie beyond it."""
    for end, shape, place in (("high", "triangle-up", 5), ("low", "triangle-down", "height")):
        rows: Rows = [{"x": x, f"cut_{end}": 1} for x, which in beyond if which == end]
        if rows:
            points = _data(rows).mark_point(shape=shape, size=36, filled=True, opacity=0.8, clip=False)
            yield points.encode(x=base.x, y=alt.value(place), color=alt.ColorValue(base.palette.muted))


def marks(base: Layers, runs: Sequence[RunCurve], found: Sequence[Mark]) -> Iterable[Any]:
    """Yield what happened to runs on the way: a thin rule with its word, and a small mark on the curve."""
    known = {run.run: run for run in runs}
    rows: Rows = []
    for mark in found:
        run = known.get(mark.run)
        if run is not None and np.isfinite(mark.x):
            height = float(np.interp(mark.x, run.curve.steps, run.curve.values, left=np.nan, right=np.nan))
            there = None if np.isnan(height) else height
            rows.append({"x": float(mark.x), "h": there, "what": mark.text, "run": run.label})
    if rows:
        tips = [alt.Tooltip("run:N", title="run"), alt.Tooltip("what:N", title="what")]
        rules = _data(rows).mark_rule(strokeWidth=1.2, strokeDash=[2, 3], opacity=0.8, clip=True)
        yield rules.encode(x=base.x, color=alt.ColorValue(look.STATES["recovering"].light), tooltip=tips)
    if on_curves := [row for row in rows if row["h"] is not None]:
        points = _data(on_curves).mark_point(shape="triangle-up", size=60, filled=True, opacity=1, clip=True)
        colour = alt.ColorValue(look.STATES["recovering"].light)
        yield points.encode(x=base.x, y=base.y("h"), color=colour, tooltip=tips)


def marks_on(
    runs: Sequence[RunCurve], by_own_step: Sequence[RunCurve], jobs: Sequence[JobRef], store: RunStore
) -> list[Mark]:
    """Return where runs were started again, in the unit of the curves' x-axis.

    Args:
        runs: The curves that are drawn.
        by_own_step: The same curves, each over the counter that the run goes by.
        jobs: Their jobs.
        store: Where the runs are read.
    """
    drawn = {run.run: run.curve.steps for run in runs}
    steps = {run.run: run.curve.steps for run in by_own_step}
    marks = []
    found = recovery_marks(jobs, store)
    for run, step, text in zip(found["run"].tolist(), found["step"].tolist(), found["text"].tolist(), strict=True):
        along, across = steps.get(run), drawn.get(run)
        if along is None or across is None or not len(along) or len(along) != len(across):
            continue
        # Over its own steps a recovery may lie before the first value, as rewards come with the first episodes' ends.
        x = float(step) if np.array_equal(along, across) else float(np.interp(step, along, across))
        marks.append(Mark(run, x, text))
    return marks


def _data(rows: Rows) -> alt.Chart:
    return alt.Chart(data_of(rows))
