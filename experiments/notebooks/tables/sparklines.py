"""Curves as small as a word, for tables: a line on a page, eight heights of text wherever only text goes."""

from __future__ import annotations

from collections.abc import Sequence

import marimo as mo
import numpy as np
import numpy.typing as npt

BLOCKS = "▁▂▃▄▅▆▇█"
_BINS = 20
_WIDTH, _HEIGHT = 96, 20


class Sparkline(mo.Html):
    """A curve in a table's cell; as text it is its blocks."""

    def __init__(self, points: Sequence[float], low: float, high: float, text: str, colour: str) -> None:
        self.blocks = text
        super().__init__(_svg(points, low, high, colour))

    def __str__(self) -> str:
        return self.blocks


def thinned(values: npt.ArrayLike) -> list[float]:
    """Return at most 40 values of a curve, with the lowest and highest of each part in their order: spikes stay."""
    found = np.asarray(values, dtype=np.float64)
    found = found[np.isfinite(found)]
    if len(found) <= 2 * _BINS:
        return [float(value) for value in found]
    kept: list[float] = []
    for part in np.array_split(found, _BINS):
        first, last = sorted((int(part.argmin()), int(part.argmax())))
        kept += [float(part[first]), float(part[last])]
    return kept


def blocks(points: Sequence[float], low: float, high: float) -> str:
    """Return a curve as text, one mark for each of at most 20 parts; empty where there is no value."""
    if not points:
        return ""
    width = high - low
    parts = np.array_split(np.asarray(points, dtype=np.float64), min(_BINS, len(points)))
    heights = [(float(part.mean()) - low) / width if width > 0 else 0.5 for part in parts]
    return "".join(BLOCKS[min(7, max(0, int(height * 8)))] for height in heights)


def scale_of(curves: Sequence[Sequence[float]]) -> tuple[float, float]:
    """Return the range that all curves of a column share, so that heights can be compared between rows."""
    values = [value for curve in curves for value in curve]
    return (min(values), max(values)) if values else (0.0, 0.0)


def _svg(points: Sequence[float], low: float, high: float, colour: str) -> str:
    if not points:
        return ""
    width = high - low
    across = _WIDTH / max(1, len(points) - 1)
    places = [
        (at * across, _HEIGHT - 2 - (_HEIGHT - 4) * ((value - low) / width if width > 0 else 0.5))
        for at, value in enumerate(points)
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    end_x, end_y = places[-1]
    return (
        f'<svg width="{_WIDTH + 4}" height="{_HEIGHT}" viewBox="-1 0 {_WIDTH + 4} {_HEIGHT}" aria-hidden="true" '
        f'style="display: block"><polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.5" '
        f'stroke-linejoin="round"/><circle cx="{end_x:.1f}" cy="{end_y:.1f}" r="2" fill="{colour}"/></svg>'
    )
