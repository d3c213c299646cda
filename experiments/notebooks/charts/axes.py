"""Axes of curves: SI ticks, a logarithm that survives zeros, and an end where a few values would hide all others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import altair as alt
import numpy as np

from experiments.look import counted
from experiments.notebooks.charts.runs import RunCurve
from experiments.notebooks.charts.theme import NUMBERS
from experiments.statistics.values import FloatArray, shown

_SAMPLE = 500
_FAR = 3.0
_MOST_MARKS = 200
_HOURS = (
    "datum.value == 0 ? '0' : abs(datum.value) < 1/30 ? format(datum.value * 3600, '.3~g') + ' s' : "
    "abs(datum.value) < 2 ? format(datum.value * 60, '.3~g') + ' m' : format(datum.value, '.3~g') + ' h'"
)


@dataclass(frozen=True)
class ValueAxis:
    """The y-axis of curves.

    Attributes:
        kind: `linear`, `log` or `symlog`.
        domain: Both ends, where the axis is cut; None where it holds all values.
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

    def encoding(self, name: str, title: str) -> Any:
        """Return the axis as a channel of a field."""
        more: dict[str, Any] = {"constant": self.constant} if self.kind == "symlog" else {}
        if self.domain is not None:
            more |= {"domain": list(self.domain), "nice": False}
        elif self.kind == "linear":
            more["zero"] = alt.ExprRef("x_from === null") if self.zero else False
        scale = alt.Scale(type=self.kind, **more)
        axis = alt.Axis(title=title, labelExpr=NUMBERS, grid=True, gridOpacity=0.6, tickCount=6)
        return alt.Y(f"{name}:Q", scale=scale, axis=axis)


def step_axis(unit: str, ticks: int = 10) -> Any:
    """Return the x-axis as a channel of the field `x`; the page sets its ends when a person zooms."""
    titles = {"wall time": "wall time", "cost": "cost (USD)"}
    expression = _HOURS if unit == "wall time" else "format(datum.value, '~s')"
    scale = alt.Scale(zero=False, nice=False, domainMin=alt.ExprRef("x_from"), domainMax=alt.ExprRef("x_to"))
    axis = alt.Axis(title=titles.get(unit, unit), labelExpr=expression, grid=False, tickCount=ticks)
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
