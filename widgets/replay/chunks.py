"""Columns of one chunk: narrowed, differenced, and cut into stretches of time (see wire.py)."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

import msgspec
import numpy as np

from widgets.replay.columns import Array, Column
from widgets.replay.encoded import LEVEL, Chunk


class ChunkWriter:
    """Gathers the columns of one chunk."""

    def __init__(self) -> None:
        self.columns: dict[str, tuple[str, int, bytes]] = {}

    def add(self, name: str, values: Array) -> None:
        """Add a column in the narrowest type; empty ones are left out."""
        if values.size:
            values = narrow(values)
            self.columns[name] = (values.dtype.str[1:], values.size, values.tobytes())

    def add_xy(self, name: str, values: Array) -> None:
        """Add a column of numbers, or two of pairs."""
        if values.ndim == 2:
            self.add(name + "x", values[:, 0])
            self.add(name + "y", values[:, 1])
        else:
            self.add(name, values)

    def add_json(self, name: str, text: bytes) -> None:
        """Add a column of JSON text."""
        self.columns[name] = ("json", len(text), text)

    def chunk(self, name: str, kind: str, **more: object) -> Chunk:
        """Return the columns as a chunk; `more` goes into its line of the header's directory."""
        length = 64 + sum(len(column) + 40 for column in self.columns)
        offset = start = _padded(8 + length)
        entries = {}
        for column, (dtype, size, data) in self.columns.items():
            entries[column] = (dtype, size, offset)
            offset += _padded(len(data))
        directory = msgspec.json.encode(entries).ljust(start - 8)
        parts = [struct.pack("<II", len(directory), 0), directory]
        for _, _, data in self.columns.values():
            parts += [data, bytes(_padded(len(data)) - len(data))]
        raw = b"".join(parts)
        packed = zlib.compress(raw, LEVEL)
        return Chunk({"id": name, "kind": kind, **more, "size": len(packed), "raw": len(raw)}, packed)


def _padded(size: int) -> int:
    return (size + 7) & ~7


def narrow(values: Array) -> Array:
    """Return numbers in the narrowest little-endian type that holds all of them exactly."""
    if values.dtype.kind == "f":
        with np.errstate(over="ignore"):
            single = values.astype("<f4")
        return single if np.array_equal(single, values) else values.astype("<f8")
    low, high = int(values.min()), int(values.max())
    for kind in ("i1", "u1", "i2", "u2", "i4", "u4"):
        info = np.iinfo(kind)
        if info.min <= low and high <= info.max:
            return values.astype("<" + kind)
    raise AssertionError(f"values {low} to {high} do not fit 32 bits")


def differences(values: Array) -> Array:
    """Return running differences, the first from 0; sums of them give the values back."""
    return np.diff(values.astype(np.int64), axis=0, prepend=np.zeros((1, *values.shape[1:]), np.int64))


@dataclass(frozen=True, slots=True)
class Split:
    """The change points of one column by stretch of time.

    Attributes:
        column: The column.
        counts: Points of each changing row in each stretch: int64 (m, k).
        order: Positions of the points, ordered by stretch, then row, then step.
    """

    column: Column
    counts: Array
    order: Array

    @staticmethod
    def of(column: Column, bounds: Array) -> Split:
        """Cut a column at the bounds of the stretches, from 0 to the number of steps."""
        stretches = bounds.size - 1
        part = np.searchsorted(bounds[1:-1], column.steps, side="right").astype(np.int16)
        rows = np.repeat(np.arange(column.index.size), column.counts)
        counts = np.bincount(rows * stretches + part, minlength=column.index.size * stretches)
        return Split(column, counts.reshape(column.index.size, stretches), np.argsort(part, kind="stable"))

    def entry(self, stretch: int) -> Array:
        """Return the value of each changing row just before a stretch."""
        column = self.column
        values = column.base[column.index].copy()
        passed = self.counts[:, :stretch].sum(axis=1)
        rows = np.flatnonzero(passed)
        values[rows] = column.values[column.offsets[:-1][rows] + passed[rows] - 1]
        return values

    def points(self, stretch: int) -> Array:
        """Return the positions of a stretch's points."""
        start = int(self.counts[:, :stretch].sum())
        return self.order[start : start + int(self.counts[:, stretch].sum())]


def stretches(columns: list[Column], steps: int, points: int) -> Array:
    """Return the bounds of stretches of time with about `points` change points each, from 0 to `steps`: int64."""
    by_step = np.zeros(steps, np.int64)
    for column in columns:
        if column.steps.size:
            by_step += np.bincount(column.steps, minlength=steps)
    total = np.cumsum(by_step)
    count = max(1, -(-int(total[-1]) // points))
    wanted = total[-1] * np.arange(1, count) / count
    inner = np.searchsorted(total, wanted, side="left") + 1
    return np.unique(np.concatenate([[0], inner[inner < steps], [steps]])).astype(np.int64)


def step_differences(steps: Array, counts: Array, start: int) -> Array:
    """Return steps as differences within each row, the first of a row from `start`."""
    found = np.diff(steps, prepend=steps[:1])
    firsts = row_starts(counts)
    found[firsts] = steps[firsts] - start
    return found


def row_starts(counts: Array) -> Array:
    """Return where the points of each row with any begin."""
    starts: Array = (np.cumsum(counts) - counts)[counts > 0]
    return starts
