"""What only version 1 of the format writes, turned into what its successors write.

An object has its column and row apart, one series for each item that it holds, an action with its parameter in one
series, and the steps that it stays frozen instead of whether it is. Old runs have such files, so that they stay
readable. Columns, rows and actions are read in a file of any version that lacks their successors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from widgets.replay.codec.columns import Array, Builder, Column, Inventory, Points, column, constant
from widgets.replay.codec.inventories import from_series
from widgets.replay.codec.issues import MISSING
from widgets.replay.codec.series import Raws, Reader, read
from widgets.replay.codec.shapes import INTS, PAIRS

VERSION = 1
OBJECTS_KEY, TYPES_KEY, ITEMS_KEY = "grid_objects", "object_types", "inventory_items"
TOP_KEYS = frozenset({OBJECTS_KEY, TYPES_KEY, ITEMS_KEY})
OBJECT_KEYS = ("r", "c", "action")

DEFAULT_ITEMS = ("ore.red", "ore.blue", "ore.green", "battery", "heart", "armor", "laser", "blueprint")
"""Items of a replay that does not list its own."""

RENAMED_ACTIONS = {"put_recipe_items": "put_items", "get_output": "get_items"}
"""Actions that got another name later."""


def item_keys(name: str) -> tuple[str, str]:
    """Return the keys of an object that say how many of an item it holds."""
    return f"inv:{name}", f"agent:inv:{name}"


def read_cells(columns: dict[str, Raws], builder: Builder, reader: Reader) -> Column | None:
    """Read the cells of all objects from their columns and rows; None where there are neither."""
    if "c" not in columns and "r" not in columns:
        return None
    x, y = (_side(columns.pop(key, None), f"objects[].{key}", builder, reader) for key in ("c", "r"))
    # A point of either is a point of both.
    keys = [part.owners * builder.steps + part.steps for part in (x, y)]
    both = np.sort(np.concatenate(keys), kind="stable")
    both = both[np.diff(both, prepend=-1) != 0]
    owners, steps = np.divmod(both, builder.steps)
    held = [_held(part, key, both, owners, builder.steps) for part, key in zip((x, y), keys, strict=True)]
    return column(np.stack([x.base, y.base], axis=1), owners, steps, np.stack(held, axis=1))


def _side(raws: Raws | None, path: str, builder: Builder, reader: Reader) -> Column:
    if raws is None:
        builder.log.add(path, MISSING, builder.count, severity="error")
        return constant(np.zeros(builder.count, np.int32))
    builder.log.add(path, MISSING, builder.count - len(raws.rows), severity="error")
    return builder.column(read(INTS, raws, path, reader), 0, path)


def _held(part: Column, keys: Array, wanted: Array, owners: Array, steps: int) -> Array:
    """Return the value that a column holds at each wanted key (owner * steps + step)."""
    if keys.size == 0:
        return part.base[owners]
    at = np.searchsorted(keys, wanted, side="right") - 1
    inside = (at >= 0) & (keys[at] // steps == owners)
    return np.where(inside, part.values[at], part.base[owners])


def read_inventory(columns: dict[str, Raws], names: Sequence[str], builder: Builder, reader: Reader) -> Inventory:
    """Read one series for each object and item."""
    parts = [
        (item, read(INTS, columns.pop(key), f"objects[].{key}", reader))
        for item, name in enumerate(names)
        for key in item_keys(name)
        if key in columns
    ]
    width = max(len(names), 1)
    rows = [points.rows * width + item for item, points in parts]
    owners = [points.owners * width + item for item, points in parts]
    pairs = np.unique(np.concatenate([*rows, *owners, np.zeros(0, np.int64)]))
    joined = Points(
        np.searchsorted(pairs, _join(rows)),
        np.maximum(_join([points.singles for _, points in parts]), 0),
        np.searchsorted(pairs, _join(owners)),
        _join([points.steps for _, points in parts]),
        np.maximum(_join([points.values for _, points in parts]), 0),
    )
    order = np.argsort(joined.owners, kind="stable")
    joined = replace(joined, owners=joined.owners[order], steps=joined.steps[order], values=joined.values[order])
    series = replace(builder, count=pairs.size).column(joined, 0, "objects[].inv:*")
    return from_series(pairs // width, pairs % width, series)


def _join(arrays: list[Array]) -> Array:
    return np.concatenate(arrays) if arrays else np.zeros(0, np.int32)


def read_actions(raws: Raws, reader: Reader) -> dict[str, Points]:
    """Split the series of [action, parameter] into the fields that took its place."""
    points = read(PAIRS, raws, "objects[].action", reader)
    return {
        name: replace(points, singles=points.singles[:, part].copy(), values=points.values[:, part].copy())
        for part, name in enumerate(("action_id", "action_param"))
    }


def is_frozen(remaining: Column) -> Column:
    """Return whether an agent is frozen, from the steps that it stays so, which are counted down."""
    base, values = (remaining.base > 0).astype(np.uint8), (remaining.values > 0).astype(np.uint8)
    return column(base, remaining.owners, remaining.steps, values)
