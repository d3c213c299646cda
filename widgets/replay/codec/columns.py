"""Change-point columns: a value at step 0 for every object, and the points at which some of them change.

`Builder` makes them of values as they were read: checked, sorted and brought inside the replay.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from widgets.replay.codec.fields import Field
from widgets.replay.codec.issues import IssueLog

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

    @property
    def owners(self) -> Array:
        """Row of each point: int64 (p,)."""
        return np.repeat(self.index.astype(np.int64), self.counts)

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


def together(columns: Sequence[Column], steps: int) -> tuple[Array, Array, Array, Array]:
    """Return columns side by side: values at step 0, and owners, steps and values of what is a point of any."""
    keys = [each.owners * steps + each.steps for each in columns]
    points = np.unique(np.concatenate(keys))
    owners = points // steps
    held = []
    for each, own in zip(columns, keys, strict=True):
        at = np.searchsorted(own, points, side="right") - 1
        known = at >= 0
        known[known] = own[at[known]] // steps == owners[known]
        found = each.base[owners].copy()
        found[known] = each.values[at[known]]
        held.append(found)
    return np.stack([each.base for each in columns], axis=1), owners, points % steps, np.stack(held, axis=1)


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


@dataclass(frozen=True, slots=True)
class Builder:
    """Builds the columns of one replay.

    Attributes:
        count: Number of objects.
        steps: Recorded steps, or the most there may be while that is not known.
        log: Where issues go.
    """

    count: int
    steps: int
    log: IssueLog

    def column(self, points: Points, default: int, path: str) -> Column:
        """Return the column of `points`; objects without a value have `default`."""
        base = np.full((self.count, *points.singles.shape[1:]), default, points.singles.dtype)
        base[points.rows] = points.singles
        points = self._ordered(self._inside(points, path), path)
        first = np.ones(points.owners.size, np.bool_)
        np.not_equal(points.owners[1:], points.owners[:-1], out=first[1:])
        late = first & (points.steps != 0)
        if late.any():
            self._log(points, late, path, "the first change point is not at step 0", "warning")
        return column(base, points.owners, points.steps, points.values)

    def _inside(self, points: Points, path: str) -> Points:
        outside = (points.steps < 0) | (points.steps >= self.steps)
        if not outside.any():
            return points
        self._log(points, outside, path, f"a change point outside steps 0 to {self.steps - 1}", "error")
        return _chosen(points, np.flatnonzero(~outside))

    def _ordered(self, points: Points, path: str) -> Points:
        if in_order(points.owners, points.steps):
            return points
        wrong = np.zeros(points.owners.size, np.bool_)
        wrong[1:] = (points.owners[1:] == points.owners[:-1]) & (points.steps[1:] <= points.steps[:-1])
        self._log(points, wrong, path, "change points are not in strictly ascending order of steps", "error")
        return _chosen(points, put_in_order(points.owners, points.steps))

    def _log(self, points: Points, which: Array, path: str, rule: str, severity: str) -> None:
        at = int(np.flatnonzero(which)[0]) if which.any() else 0
        example = f"objects[{points.owners[at]}]: step {points.steps[at]}"
        self.log.add(path, rule, int(which.sum()), example, "error" if severity == "error" else "warning")

    def in_range(self, points: Points, field: Field, names: int, path: str) -> Points:
        """Bring values to what the field allows; an action without a name becomes -1."""
        low, high = field.low, field.high
        if field.names == "actions":
            high = names - 1
        singles = self._clipped(points.singles, points.rows, field, low, high, path)
        values = self._clipped(points.values, points.owners, field, low, high, path)
        return replace(points, singles=singles, values=values)

    def _clipped(self, values: Array, owners: Array, field: Field, low: int, high: int, path: str) -> Array:
        if values.size == 0 or values.dtype.kind != "i":
            return values
        wrong = (values < low) | (values > high)
        if not wrong.any():
            return values
        at = int(np.flatnonzero(wrong)[0])
        allowed = f"{low} to {high}" if high < 2**31 - 1 else f"at least {low}"
        self.log.add(path, f"is not {allowed}", int(wrong.sum()), f"objects[{owners[at]}]: {values[at]}", "error")
        return np.where(wrong, -1, values) if field.names else np.clip(values, low, high)


def _chosen(points: Points, at: Array) -> Points:
    return replace(points, owners=points.owners[at], steps=points.steps[at], values=points.values[at])
