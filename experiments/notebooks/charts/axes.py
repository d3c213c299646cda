"""Axes of curves: SI ticks, a logarithm that survives zeros, and an end where a few values would hide all others."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import altair as alt
import numpy as np

from experiments.notebooks.charts import room
from experiments.notebooks.charts.runs import RunCurve, metric_of
from experiments.notebooks.charts.theme import NUMBERS
from experiments.project.look import counted
from experiments.statistics import FloatArray, shown

_SAMPLE = 500
_FAR = 3.0
_MOST_MARKS = 200
_TICKS = 6
_LEAST = 1e-290
Ends = tuple[float, float]
_HOURS = (
    "datum.value == 0 ? '0' : abs(datum.value) < 1/30 ? format(datum.value * 3600, '.3~g') + ' s' : "
    "abs(datum.value) < 2 ? format(datum.value * 60, '.3~g') + ' m' : format(datum.value, '.3~g') + ' h'"
)


@dataclass(frozen=True)
class ValueAxis:
    """The y-axis of curves.

    Attributes:
        kind: `linear`, `log` or `symlog`.
        domain: Both ends, where the axis is cut; None where it holds all values and intervals.
        beyond: Values outside: columns `x`, `end` (`high` or `low`), one a value, for at most 200 of them.
        note: What the axis leaves out or how it is made, for the caption.
        zero: Whether 0 is shown, where all of x is looked at.
        constant: Where a symmetric logarithm turns linear.
    """

    kind: Literal["linear", "log", "symlog"]
    domain: tuple[float, float] | None
    beyond: tuple[tuple[float, str], ...]
    note: str
    zero: bool
    constant: float = 1.0

    def encoding(self, name: str, title: str, *, called: str = "y") -> Any:
        """Return the axis as a channel of a field, for a chart that has its `params`.

        Args:
            called: What its params begin with.
        """
        more: dict[str, Any] = {}
        if self.kind == "symlog":
            more["constant"] = alt.ExprRef(f"{called}_constant")
        elif self.kind == "linear":
            more["zero"] = alt.ExprRef(f"{called}_zero && x_from === null")
        scale = moving_scale(called, type=self.kind, **more)
        axis = alt.Axis(title=title, labelExpr=NUMBERS, grid=True, gridOpacity=0.6, tickCount=6)
        return alt.Y(f"{name}:Q", scale=scale, axis=axis)

    def params(self, called: str = "y") -> list[Any]:
        """Return what of the axis comes from values, as params of its chart."""
        found = {f"{called}_zero": self.zero, f"{called}_constant": self.constant}
        return [*end_params(called, self.domain), *(alt.VariableParameter(name=n, value=v) for n, v in found.items())]


def moving_scale(called: str, **more: Any) -> alt.Scale:
    """Return a scale that ends where the params `end_params` say, and at its values where these say nothing.

    As values of the scale itself, the ends would make another form of chart of each new row, to be drawn from anew.
    """
    return alt.Scale(
        domainMin=alt.ExprRef(f"{called}_from"),
        domainMax=alt.ExprRef(f"{called}_to"),
        nice=alt.ExprRef(f"{called}_from === null"),
        **more,
    )


def end_params(called: str, ends: Ends | None) -> list[Any]:
    """Return both ends of a `moving_scale` as params of a chart."""
    low, high = ends or (None, None)
    return [alt.VariableParameter(name=f"{called}_{end}", value=value) for end, value in (("from", low), ("to", high))]


def step_axis(unit: str, ticks: int | alt.ExprRef | None = None) -> Any:
    """Return the x-axis as a channel of the field `x`; the page sets its ends when a person zooms."""
    more: dict[str, Any] = {"tickCount": room.ticks(10) if ticks is None else ticks, "titleLimit": alt.ExprRef("width")}
    titles = {"wall time": "wall time", "cost": "cost (USD)"}
    expression = _HOURS if unit == "wall time" else "format(datum.value, '~s')"
    scale = alt.Scale(zero=False, nice=False, domainMin=alt.ExprRef("x_from"), domainMax=alt.ExprRef("x_to"))
    axis = alt.Axis(title=titles.get(unit, metric_of(unit) or unit), labelExpr=expression, grid=False, **more)
    return alt.X("x:Q", scale=scale, axis=axis)


def value_axis(
    runs: Sequence[RunCurve], *, log: bool, safe: bool, window: tuple[float, float] | None = None
) -> ValueAxis:
    """Return the y-axis for some runs.

    With `safe` it ends three times the spread of the middle 98 % beyond them, where values lie further out.
    """
    parts = [run.curve.values[run.within(window)] for run in runs]
    every = [part for part in parts if len(part)]
    if not every:
        return ValueAxis("linear", None, (), "", zero=True)
    low, high = min(float(part.min()) for part in every), max(float(part.max()) for part in every)
    if log:
        return _logarithmic(every, low)
    zero = low <= 0 <= high or min(abs(low), abs(high)) < 0.5 * max(abs(low), abs(high))
    plain = ValueAxis("linear", None, (), "", zero=zero)
    if not safe:
        return plain
    sample = np.concatenate([part[:: max(1, len(part) // _SAMPLE)] for part in every])
    bottom, top = np.quantile(sample, [0.01, 0.99])
    reach = _FAR * float(top - bottom)
    ends = (max(low, float(bottom) - reach), min(high, float(top) + reach))
    if reach <= 0 or (ends[0] <= low and ends[1] >= high):
        return plain
    if plain.zero and window is None:
        ends = (min(ends[0], 0.0), max(ends[1], 0.0))
    outside = [_outside(run, window, ends) for run in runs]
    number = sum(count for count, _ in outside)
    if not number:
        return plain
    note = (
        f"The y-axis is cut: {counted(number, 'value')} of {counted(sum(1 for n, _ in outside if n), 'run')} beyond it "
        f"(lowest {shown(low)}, highest {shown(high)}), marked at its edge"
    )
    beyond = [mark for _, marks in outside for mark in marks]
    return ValueAxis("linear", ends, tuple(beyond[:: max(1, -(-len(beyond) // _MOST_MARKS))]), note, zero=plain.zero)


def clear_of(
    axis: ValueAxis, values: Sequence[FloatArray], intervals: Mapping[str, Ends], window: Ends | None
) -> ValueAxis:
    """Return the axis so that it ends at values, and does not stretch to intervals that reach far beyond them.

    Two seeds have an interval many times as wide as their difference, which would press all curves into a line. Since
    the axis ends at values, what is never negative is not drawn below 0 either.

    Args:
        values: What is drawn of each arm besides its interval: runs, and the statistic over them.
        intervals: Lowest and highest end of each arm's interval, as drawn.
    """
    known = [ends for part in values if (ends := _finite_ends(part)) is not None]
    if not known:
        return axis
    low, high = min(ends[0] for ends in known), max(ends[1] for ends in known)
    if axis.kind == "linear" and axis.zero and window is None:
        low, high = min(low, 0.0), max(high, 0.0)
    ends = axis.domain or round_ends(low, high, log=axis.kind == "log")
    note = beyond_words("band", intervals, ends, "y-axis")
    if not note:
        return axis
    return replace(axis, domain=ends, note=f"{axis.note}. {note}" if axis.note else note)


def _finite_ends(values: FloatArray) -> Ends | None:
    """Return the lowest and highest finite value; None where none is finite."""
    if not len(values):
        return None
    low, high = float(values.min()), float(values.max())
    if math.isfinite(low) and math.isfinite(high):  # nearly always, and to leave values out means to copy the others
        return low, high
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if len(finite) else None


def beyond_words(noun: str, intervals: Mapping[str, Ends], ends: Ends, axis: str) -> str:
    """Return which intervals are cut at the ends of an axis, and how far they reach; nothing where none is."""
    cut = {
        arm: (low, high) for arm, (low, high) in intervals.items() if high > low and (low < ends[0] or high > ends[1])
    }
    if not cut:
        return ""
    reach = ", ".join(f"{arm} from {shown(low)} to {shown(high)}".strip() for arm, (low, high) in cut.items())
    verb = f"The {noun} goes" if len(cut) == 1 else f"{noun.capitalize()}s go"
    return f"{verb} beyond the {axis}, which is made for runs and means: {reach}"


def round_ends(low: float, high: float, *, log: bool = False) -> Ends:
    """Return both ends of an axis for some values, at round numbers: never below 0 for values that are not.

    So an axis stays where it is while rows come in.
    """
    if log:
        ends = math.floor(4 * math.log10(low)), math.ceil(4 * math.log10(high))
        return 10 ** (ends[0] / 4), 10 ** (max(ends[1], ends[0] + 1) / 4)
    span = high - low or abs(high)
    span = span if span > _LEAST else 1.0
    size = 10.0 ** math.floor(math.log10(span / _TICKS))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= span / _TICKS)
    bottom, top = math.floor(low / step) * step, math.ceil(high / step) * step
    return (bottom, top) if top > bottom else (bottom, bottom + step)


def with_intervals(values: FloatArray, intervals: Sequence[Ends]) -> Ends:
    """Return both ends of a linear axis for values and intervals; these may be as far out as the values are apart.

    A usual interval is drawn whole, one of two seeds is cut; none is drawn below 0 where no value is.
    """
    low, high = float(values.min()), float(values.max())
    apart = high - low or abs(high) or 1.0
    bottom = max(min([low, *(ends[0] for ends in intervals)]), low - apart)
    top = min(max([high, *(ends[1] for ends in intervals)]), high + apart)
    return round_ends(max(bottom, 0.0) if low >= 0 else bottom, min(top, 0.0) if high <= 0 else top)


def _logarithmic(parts: Sequence[FloatArray], low: float) -> ValueAxis:
    if low > 0:
        return ValueAxis("log", None, (), "Logarithmic y-axis", zero=False)
    sizes = np.abs(np.concatenate([part[:: max(1, len(part) // _SAMPLE)] for part in parts]))
    sizes = sizes[sizes > 0]
    constant = float(np.quantile(sizes, 0.1)) if len(sizes) else 1.0
    note = f"Symmetric logarithmic y-axis, linear within {shown(constant)} of 0, since some values are not above 0"
    return ValueAxis("symlog", None, (), note, zero=False, constant=constant)


def _outside(
    run: RunCurve, window: tuple[float, float] | None, ends: tuple[float, float]
) -> tuple[int, list[tuple[float, str]]]:
    """Return how many values of a run lie beyond the axis, and some of them."""
    inside = run.within(window)
    steps, values = run.curve.steps[inside], run.curve.values[inside]
    marks: list[tuple[float, str]] = []
    number = 0
    for end, found in (("low", values < ends[0]), ("high", values > ends[1])):
        places = np.flatnonzero(found)
        number += len(places)
        marks += [(float(steps[at]), end) for at in places[:: max(1, len(places) // 20)]]
    return number, marks
