"""Columns of history values that grow at their end: compact, sparse where a metric is, and cheap to hand out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from experiments.runs.store import JsonValue

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int32]
_EXACT = 1 << 53


def as_float(value: object) -> float | None:
    """Return a JSON value as the number it is, exactly, or None where it is not one."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        return value
    if isinstance(value, int) and -_EXACT <= value <= _EXACT:
        return float(value)
    return None


class Column:
    """The values of one metric, each with the number of the row it stands in.

    Values are float64 as long as all are numbers that float64 holds exactly; from the first that is not, they are
    Python objects. Pieces are merged as they grow, so that a column polled ten thousand times has a dozen of them.
    """

    def __init__(self) -> None:
        self._pieces: list[tuple[Rows, npt.NDArray[Any]]] = []
        self._rows: list[int] = []
        self._values: list[Any] = []
        self.numeric = True

    def __len__(self) -> int:
        return sum(len(rows) for rows, _ in self._pieces) + len(self._rows)

    def append(self, row: int, value: JsonValue) -> None:
        """Add the value of a row, which is not before the last one; a row's second value replaces its first."""
        if self._rows and self._rows[-1] == row:
            self._values[-1] = value
            return
        self._rows.append(row)
        self._values.append(value)

    def extend(self, rows: Rows, values: Floats) -> None:
        """Add numbers in ascending rows behind the last one."""
        self._seal()
        self._add(rows, values)

    def arrays(self) -> tuple[Rows, npt.NDArray[Any]]:
        """Return rows (int32, ascending) and values (float64 or object) as one array each."""
        self._seal()
        if len(self._pieces) != 1:
            self._pieces = [self._merged(self._pieces)]
        return self._pieces[0]

    def since(self, row: int) -> Iterator[tuple[int, Any]]:
        """Yield (row, value) of the rows from `row` on, ascending."""
        self._seal()
        first = len(self._pieces)
        while first and self._pieces[first - 1][0][-1] >= row:
            first -= 1
        for rows, values in self._pieces[first:]:
            start = int(np.searchsorted(rows, row))
            yield from zip(rows[start:].tolist(), values[start:].tolist(), strict=True)

    def _seal(self) -> None:
        if not self._rows:
            return
        rows = np.array(self._rows, np.int32)
        numbers = [as_float(value) for value in self._values]
        if self.numeric and None not in numbers:
            values: npt.NDArray[Any] = np.array(numbers, np.float64)
        else:
            values = _objects(self._values)
        self._rows, self._values = [], []
        self._add(rows, values)

    def _add(self, rows: Rows, values: npt.NDArray[Any]) -> None:
        if self.numeric and values.dtype == object:
            self.numeric = False
            self._pieces = [(piece_rows, _objects(piece.tolist())) for piece_rows, piece in self._pieces]
        elif not self.numeric and values.dtype != object:
            values = _objects(values.tolist())
        self._pieces.append((rows, values))
        while len(self._pieces) > 1 and len(self._pieces[-1][0]) * 2 > len(self._pieces[-2][0]):
            self._pieces[-2:] = [self._merged(self._pieces[-2:])]

    def _merged(self, pieces: Sequence[tuple[Rows, npt.NDArray[Any]]]) -> tuple[Rows, npt.NDArray[Any]]:
        if not pieces:
            return np.empty(0, np.int32), np.empty(0, np.float64)
        return np.concatenate([rows for rows, _ in pieces]), np.concatenate([values for _, values in pieces])


def _objects(values: Sequence[Any]) -> npt.NDArray[Any]:
    array = np.empty(len(values), object)
    for index, value in enumerate(values):
        array[index] = value
    return array
