"""The bytes of one chunk of an encoded replay: a directory, and columns of numbers in the narrowest type (wire.py)."""

from __future__ import annotations

import struct
import zlib

import msgspec
import numpy as np

from widgets.replay.codec.columns import Array
from widgets.replay.codec.encoded import LEVEL, Chunk


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
        return single if np.array_equal(single, values, equal_nan=True) else values.astype("<f8")
    low, high = int(values.min()), int(values.max())
    for kind in ("i1", "u1", "i2", "u2", "i4", "u4"):
        info = np.iinfo(kind)
        if info.min <= low and high <= info.max:
            return values.astype("<" + kind)
    raise AssertionError(f"values {low} to {high} do not fit 32 bits")
