"""When each cell of the map was first seen by an agent."""

from __future__ import annotations

import numpy as np

from widgets.replay.codec.columns import Array
from widgets.replay.codec.replay import Replay

_MOST_CELLS = 1_000_000
_DISC_VERSION = 4
"""From this version of the format on, agents see a disc; before, a square."""


def explored(replay: Replay) -> Array | None:
    """Return the step at which some agent first saw each cell, row by row, the number of steps for never: int32.

    None where the replay does not say how far agents see, and for maps of more than a million cells.
    """
    width, height = replay.map_size
    vision = replay.columns.get("vision_size")
    if vision is None or width * height > _MOST_CELLS:
        return None
    # Who sees farther than this sees the whole map from anywhere.
    sizes = np.minimum(vision.base[replay.agents], 2 * (width + height))
    first = np.full((height, width), replay.steps, np.int32)
    for size in np.unique(sizes):
        stood = np.full((height, width), replay.steps, np.int32)
        for row in replay.agents[sizes == size]:
            steps, places = _stays(replay, int(row))
            np.minimum.at(stood, (places[:, 1], places[:, 0]), steps)
        _spread(stood, half_widths(int(size), replay.version), first)
    return first.ravel()


def half_widths(vision: int, version: int) -> Array:
    """Return how far an agent sees to both sides, in each row from the first to the last that it sees.

    A disc has a tip three cells wide on each of its four sides.
    """
    reach = vision // 2
    rows = np.abs(np.arange(-reach, reach + 1))
    if version < _DISC_VERSION:
        return np.full(rows.size, reach)
    wide: Array = np.sqrt(reach**2 - rows**2).astype(np.int64)
    if reach > 1:
        wide[rows == reach] = 1
        wide[rows == 1] = reach
    return wide


def _stays(replay: Replay, row: int) -> tuple[Array, Array]:
    """Return the steps at which an object came to a place and the places, of the time that it is on the map."""
    steps, places = replay.location.of(row)
    alive = replay.columns.get("alive")
    if alive is None:
        return steps, places
    lives = alive.of(row)
    every = np.union1d(steps, lives[0])
    there = held(lives, every) != 0
    return every[there], held((steps, places), every)[there]


def held(of: tuple[Array, Array], at: Array) -> Array:
    """Return the value of a row of a column (its `of`) at each of some steps."""
    steps, values = of
    found: Array = values[np.searchsorted(steps, at, side="right") - 1]
    return found


def _spread(stood: Array, wide: Array, first: Array) -> None:
    """Lower `first` to the step at which somebody stood where a cell is seen from."""
    height, width = stood.shape
    reach = wide.size // 2
    for dy in range(-min(reach, height - 1), min(reach, height - 1) + 1):
        half = min(int(wide[dy + reach]), width - 1)
        for dx in range(-half, half + 1):
            seen = first[max(0, dy) : height + min(0, dy), max(0, dx) : width + min(0, dx)]
            source = stood[max(0, -dy) : height - max(0, dy), max(0, -dx) : width - max(0, dx)]
            np.minimum(seen, source, out=seen)
