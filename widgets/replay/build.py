"""From values as read to columns in order: steps checked, sorted and brought inside the replay."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from widgets.replay.columns import Array, Column, Points, column, in_order, put_in_order
from widgets.replay.fields import Field
from widgets.replay.issues import IssueLog


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
