"""What a chart writes in the room that its page has: ticks, names and titles by the width in which it is drawn.

All of it is expressions that the browser works out, so one chart holds for a wide page, a phone and a printed one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

_LETTER = 7
"""Pixels that a letter of 12 px takes at most, on the average of a name."""

_TICK = 52
_TIGHT = 8
_SYMBOL = 30
_AXIS = 70
_MOST_COLUMNS = 4
_IS_NARROW = "room < 600"
_AFTER = "lastindexof(datum.label, ' (')"
"""Where what is said of an arm begins, in `arm (said)`."""


def param() -> alt.VariableParameter:
    """Return the param that the others ask: the width of the page's place for a chart, or of a picture's plot."""
    return alt.VariableParameter(name="room", expr="containerSize()[0] || width || 900")


def ticks(most: int) -> alt.ExprRef:
    """Return how many ticks a horizontal axis has: as many as their numbers have room."""
    return alt.ExprRef(f"max(2, min({most}, floor(width / {_TICK})))")


def legend(names: Sequence[str]) -> alt.Legend:
    """Return a legend above a chart: columns as names fit beside each other, and no name wider than the page."""
    limit = alt.ExprRef(f"room - {_AXIS}")
    return alt.Legend(orient="top", values=list(names), columns=columns(names), labelLimit=limit)


def columns(names: Sequence[str]) -> alt.ExprRef:
    """Return in how many columns names of a legend fit."""
    each = _SYMBOL + _LETTER * max(map(len, names), default=0)
    return alt.ExprRef(f"max(1, min({_MOST_COLUMNS}, floor((room - {_AXIS}) / {each})))")


def last_part(begins: str) -> alt.ExprRef:
    """Return what is written of the field `t`: on a narrow page its last part alone, which begins so."""
    return alt.ExprRef(f"{_IS_NARROW} ? slice(datum.t, max(0, lastindexof(datum.t, '{begins}'))) : datum.t")


def rows() -> alt.Axis:
    """Return the axis of rows `arm (said)`: on a narrow page in two lines, a long name without its middle."""
    letters = f"floor(room * 0.45 / {_LETTER})"
    name = f"truncate(slice(datum.label, 0, max(0, {_AFTER})), {letters}, 'center')"
    said = f"slice(datum.label, {_AFTER} + 1)"
    return alt.Axis(
        labelExpr=f"{_IS_NARROW} ? [{name}, {said}] : datum.label",
        labelLimit=alt.ExprRef(f"{_IS_NARROW} ? room * 0.45 : room * 0.4"),
        labelLineHeight=12,
        ticks=False,
        domain=False,
        grid=False,
    )


def names_beside(count: int, width: str = "room") -> dict[str, Any]:
    """Return how so many names stand beside each other at an axis: without their beginning, since their ends differ."""
    each = f"{width} / {max(1, count)} - {_TIGHT}"
    return {
        "labelExpr": f"truncate(datum.label, max(4, floor(({each}) / {_LETTER})), 'left')",
        "labelAngle": 0,
        "labelOverlap": True,
    }


def title() -> dict[str, Any]:
    """Return how the title of a horizontal axis stands: at its right end, to have the room below names of rows, too."""
    return {"titleAnchor": "end", "titleLimit": alt.ExprRef("room - 12")}
