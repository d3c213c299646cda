"""Change-point columns: a value at step 0 for every object, and the points at which some of them change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """The values of one field, for n objects over all steps.

    A change point holds until the next one. There are none at step 0 (that is `base`) and none that repeats the value
    before it (NaN repeats NaN), so a row that is in `index` really changes.

    Attributes:
        base: Value at step 0: (n,), or (n, 2) for locations (x, y).
        index: Rows that change, ascending: int32 (m,).
        offsets: Where the points of each of them begin: int64 (m + 1,).
        steps: Step of each point, ascending within a row, at least 1: int32 (p,).
        values: Value from that step on: (p,) or (p, 2), dtype as `base`.
    """

    base: Array
    index: Array
    offsets: Array
    steps: Array
    values: Array

    @property
    def counts(self) -> Array:
        """Number of points of each changing row: int64 (m,)."""
        return np.diff(self.offsets)

    def last_before(self, step: int) -> tuple[Array, Array]:
        """Return the changing rows that have a point at or before `step`, and the position of their last one.

        Returns:
            Rows as positions in `index`, and positions in `values`; both int64 of one length.
        """
        if self.index.size == 0:
            empty = np.zeros(0, np.int64)
            return empty, empty
        passed = np.add.reduceat(self.steps <= step, self.offsets[:-1], dtype=np.int64)
        rows = np.flatnonzero(passed)
        return rows, self.offsets[:-1][rows] + passed[rows] - 1

    def at(self, step: int) -> Array:
        """Return the values of all objects at `step`, as an array like `base`."""
        values = self.base.copy()
        rows, points = self.last_before(step)
        values[self.index[rows]] = self.values[points]
        return values

    def of(self, row: int) -> tuple[Array, Array]:
        """Return the steps and values of one row, step 0 included."""
        found = int(np.searchsorted(self.index, row))
        if found == self.index.size or self.index[found] != row:
            return np.zeros(1, np.int32), self.base[row : row + 1]
        points = slice(int(self.offsets[found]), int(self.offsets[found + 1]))
        steps = np.concatenate([np.zeros(1, np.int32), self.steps[points]])
        return steps, np.concatenate([self.base[row : row + 1], self.values[points]])


@dataclass(frozen=True, slots=True, eq=False)
class Inventory:
    """What objects hold: one row for each pair of object and item that is held at some step.

    Attributes:
        objects: Object of each pair, ascending: int32 (q,).
        items: Item id of each pair: int32 (q,).
        counts: How many: a `Column` of int32 over the q pairs.
    """

    objects: Array
    items: Array
    counts: Column

    def at(self, step: int) -> Array:
        """Return the count of each pair at `step`: int32 (q,)."""
        return self.counts.at(step)


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Values read from a file for one field, before they are put in order.

    Attributes:
        rows: Row of each single value: int64 (s,).
        singles: Values that hold from step 0 on: (s,) or (s, 2).
        owners: Row of each change point: int64 (p,), ascending.
        steps: Step of each change point: int64 (p,).
        values: Value of each change point: (p,) or (p, 2).
    """

    rows: Array
    singles: Array
    owners: Array
    steps: Array
    values: Array


def constant(base: Array) -> Column:
    """Return a column in which nothing changes."""
    empty = np.zeros(0, np.int32)
    return Column(base, empty, np.zeros(1, np.int64), empty, np.zeros((0, *base.shape[1:]), base.dtype))


def column(base: Array, owners: Array, steps: Array, values: Array) -> Column:
    """Build a column from points ordered by owner, then strictly by step.

    Points at step 0 replace `base` (which is changed in place); points that repeat the value before them are dropped.
    """
    if owners.size == 0:
        return constant(base)
    at_start = steps == 0
    base[owners[at_start]] = values[at_start]
    first = np.empty(owners.size, np.bool_)
    first[0] = True
    np.not_equal(owners[1:], owners[:-1], out=first[1:])
    before = np.empty_like(values)
    before[1:] = values[:-1]
    before[first] = base[owners[first]]
    changed = values != before
    if values.dtype.kind == "f":
        changed &= ~(np.isnan(values) & np.isnan(before))
    if changed.ndim == 2:
        changed = changed.any(axis=1)
    changed &= ~at_start
    owners, steps, values = owners[changed], steps[changed], values[changed]
    index, counts = _runs(owners)
    offsets = np.zeros(index.size + 1, np.int64)
    np.cumsum(counts, out=offsets[1:])
    return Column(base, index.astype(np.int32), offsets, steps.astype(np.int32), values)


def _runs(owners: Array) -> tuple[Array, Array]:
    """Return the distinct owners of an ascending array and how often each occurs."""
    if owners.size == 0:
        return owners, owners
    starts = np.flatnonzero(np.concatenate([[True], owners[1:] != owners[:-1]]))
    return owners[starts], np.diff(np.append(starts, owners.size))


def in_order(owners: Array, steps: Array) -> bool:
    """Whether the points are ordered by owner, then strictly by step."""
    if owners.size < 2:
        return True
    same = owners[1:] == owners[:-1]
    return bool(np.all(np.where(same, steps[1:] > steps[:-1], owners[1:] > owners[:-1])))


def put_in_order(owners: Array, steps: Array) -> Array:
    """Return positions that order points by owner and step; of several at one step, the last given stays."""
    order = np.lexsort((steps, owners))
    owners, steps = owners[order], steps[order]
    last = np.ones(order.size, np.bool_)
    last[:-1] = (owners[1:] != owners[:-1]) | (steps[1:] != steps[:-1])
    return order[last]
