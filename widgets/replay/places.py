"""Where objects are: locations, and the rows and columns of version 1, brought inside the map."""

from __future__ import annotations

import numpy as np

from widgets.replay.build import Builder
from widgets.replay.columns import Array, Column, column, constant
from widgets.replay.issues import IssueLog
from widgets.replay.limits import Limits
from widgets.replay.series import Raws, Reader, read
from widgets.replay.shapes import INTS, PAIRS

_PATH = "objects[].location"
_MISSING = "missing; 0 is taken"


def read_locations(columns: dict[str, Raws], builder: Builder, reader: Reader) -> Column:
    """Read the cells of all objects, from `location` where there is any, else from `c` and `r`."""
    raws = columns.pop("location", None)
    if raws is not None:
        builder.log.add(_PATH, _MISSING, builder.count - len(raws.rows), severity="error")
        return builder.column(read(PAIRS, raws, _PATH, reader), 0, _PATH)
    if "c" not in columns and "r" not in columns:
        builder.log.add(_PATH, _MISSING, builder.count, severity="error")
        return constant(np.zeros((builder.count, 2), np.int32))
    sides = [_side(columns.pop(key, None), f"objects[].{key}", builder, reader) for key in ("c", "r")]
    return _joined(sides[0], sides[1], builder.steps)


def _side(raws: Raws | None, path: str, builder: Builder, reader: Reader) -> Column:
    if raws is None:
        builder.log.add(path, _MISSING, builder.count, severity="error")
        return constant(np.zeros(builder.count, np.int32))
    builder.log.add(path, _MISSING, builder.count - len(raws.rows), severity="error")
    return builder.column(read(INTS, raws, path, reader), 0, path)


def _joined(x: Column, y: Column, steps: int) -> Column:
    """Join two independent columns: a point of either is a point of both."""
    keys = [np.repeat(part.index.astype(np.int64), part.counts) * steps + part.steps for part in (x, y)]
    both = np.sort(np.concatenate(keys), kind="stable")
    both = both[np.diff(both, prepend=-1) != 0]
    owners = both // steps
    values = np.stack([_held(part, key, both, owners, steps) for part, key in zip((x, y), keys, strict=True)], axis=1)
    return column(np.stack([x.base, y.base], axis=1), owners, both % steps, values)


def _held(part: Column, keys: Array, wanted: Array, owners: Array, steps: int) -> Array:
    """Return the value that a column holds at each wanted key (owner * steps + step)."""
    if keys.size == 0:
        return part.base[owners]
    at = np.searchsorted(keys, wanted, side="right") - 1
    inside = (at >= 0) & (keys[at] // steps == owners)
    return np.where(inside, part.values[at], part.base[owners])


def extent(location: Column) -> tuple[int, int]:
    """Return the width and height that hold every location."""
    width, height = 1, 1
    for cells in (location.base, location.values):
        if cells.size:
            width, height = max(width, int(cells[:, 0].max()) + 1), max(height, int(cells[:, 1].max()) + 1)
    return width, height


def fit(
    location: Column, declared: tuple[int, int] | None, limits: Limits, log: IssueLog
) -> tuple[Column, tuple[int, int]]:
    """Return the locations brought inside the map, and the map's size; without a declared size it is their extent.

    Raises:
        LimitError: The extent is larger than the limits allow.
    """
    size = declared or extent(location)
    for side in size:
        limits.check("map_side", side, f"the locations need a map of {size[0]:,} x {size[1]:,} cells")
    limits.check("map_area", size[0] * size[1], f"the locations need a map of {size[0]:,} x {size[1]:,} cells")
    last = np.array(size, np.int32) - 1
    inside = [_within(cells, last) for cells in (location.base, location.values)]
    outside = sum(int((~part).sum()) for part in inside)
    if not outside:
        return location, size
    rule = f"outside the map of {size[0]} x {size[1]}; moved to its edge"
    log.add(_PATH, rule, outside, _first(location, inside), "error")
    owners = np.repeat(location.index.astype(np.int64), location.counts)
    base, values = np.clip(location.base, 0, last), np.clip(location.values, 0, last)
    return column(base, owners, location.steps, values), size


def _within(cells: Array, last: Array) -> Array:
    inside: Array = np.all((cells >= 0) & (cells <= last), axis=1)
    return inside


def _first(location: Column, inside: list[Array]) -> str:
    if not inside[0].all():
        row = int(np.flatnonzero(~inside[0])[0])
        return f"objects[{row}]: {location.base[row].tolist()}"
    at = int(np.flatnonzero(~inside[1])[0])
    row = int(location.index[np.searchsorted(location.offsets, at, side="right") - 1])
    return f"objects[{row}]: {location.values[at].tolist()} at step {location.steps[at]}"
