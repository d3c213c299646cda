"""Columns of history values that grow at their end: compact, sparse where a metric is, and cheap to hand out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from experiments.project.files import JsonValue, real_number

Values = npt.NDArray[Any]
Rows = npt.NDArray[np.int32]
Load = Callable[[], tuple[Rows | None, Values]]
_EXACT = 1 << 53
# Larger pieces are merged only when a whole column is wanted: freeing large arrays again and again scatters memory.
_LARGEST = 1 << 16


def as_float(value: object) -> float | None:
    """Return a JSON value as the number it is, exactly, or None where it is not one."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        return value
    if isinstance(value, int) and -_EXACT <= value <= _EXACT:
        return float(value)
    return None


@dataclass(frozen=True)
class _Piece:
    """Values of some rows: of all from `first` on where `rows` is None, else of those (ascending)."""

    first: int
    rows: Rows | None
    values: Values

    def all_rows(self) -> Rows:
        if self.rows is not None:
            return self.rows
        return np.arange(self.first, self.first + len(self.values), dtype=np.int32)

    @property
    def last(self) -> int:
        return int(self.rows[-1]) if self.rows is not None else self.first + len(self.values) - 1


class Column:
    """The values of one metric, each with the number of the row it stands in.

    Values are float64 as long as all are numbers that float64 holds exactly; from the first that is not, they are
    Python objects. A column of whole numbers is int64, for steps beyond 2^53. Pieces are merged as they grow, so that
    a column polled ten thousand times has a dozen of them.
    """

    def __init__(
        self, load: Load | None = None, below: int = 0, *, numeric: bool = True, is_whole: bool = False
    ) -> None:
        """Make a column that is empty, or whose values in the rows before `below` are loaded when they are needed."""
        self._is_whole = is_whole
        self._load = load
        self._below = below
        self._pieces: list[_Piece] = []
        self._buffer: Values | None = None  # memory of the last piece, with room to grow
        self._rows: list[int] = []
        self._values: list[JsonValue] = []
        self.numeric = numeric

    def __len__(self) -> int:
        self._loaded()
        return sum(len(piece.values) for piece in self._pieces) + len(self._rows)

    def append(self, row: int, value: JsonValue) -> None:
        """Add the value of a row, which is not before the last one; a row's second value replaces its first."""
        if self._rows and self._rows[-1] == row:
            self._values[-1] = value
            return
        self._rows.append(row)
        self._values.append(value)

    def extend(self, rows: npt.NDArray[Any], values: npt.NDArray[np.float64] | npt.NDArray[np.int64]) -> None:
        """Add numbers in ascending rows behind the last one."""
        self._seal()
        self._add(rows, values)

    def dense(self, count: int) -> tuple[Values, bool]:
        """Return the value of each row below `count`: float64 and NaN, or objects and None, where there is none.

        Also whether the array is the column's own, and not to be written to.
        """
        piece = self._whole()
        if piece is None:
            return np.full(count, np.nan), False
        if piece.rows is None and piece.first == 0 and len(piece.values) == count:
            return piece.values, True
        filled = np.full(count, np.nan if self.numeric else None, piece.values.dtype)
        filled[piece.all_rows()] = piece.values
        return filled, False

    def sparse(self) -> tuple[Rows, Values]:
        """Return the rows that have a value, ascending, and their values."""
        piece = self._whole()
        return (np.empty(0, np.int32), np.empty(0)) if piece is None else (piece.all_rows(), piece.values)

    def since(self, row: int) -> Iterator[tuple[int, JsonValue]]:
        """Yield (row, value) of the rows from `row` on, ascending."""
        for piece in self._from(row):
            yield from zip(piece.all_rows().tolist(), piece.values.tolist(), strict=True)

    def numbers_since(self, row: int) -> tuple[list[int], list[float]]:
        """Return rows from `row` on, ascending, and their numbers; booleans count as 0 and 1, other values not."""
        rows: list[int] = []
        values: list[float] = []
        for piece in self._from(row):
            found = piece.all_rows().tolist()
            held = piece.values.tolist()
            if not self.numeric:
                chosen = [at for at, value in enumerate(held) if isinstance(value, (int, float))]
                found, held = [found[at] for at in chosen], [real_number(held[at]) for at in chosen]
            rows += found
            values += held
        return rows, values

    def _from(self, row: int) -> list[_Piece]:
        """Return the pieces that reach to `row` or beyond, without what lies before it."""
        self._seal()
        if row < self._below:
            self._loaded()
        first = len(self._pieces)
        while first and self._pieces[first - 1].last >= row:
            first -= 1
        found = self._pieces[first:]
        if found and found[0].first < row:
            piece = found[0]
            if piece.rows is None:
                found[0] = _Piece(row, None, piece.values[row - piece.first :])
            else:
                start = int(np.searchsorted(piece.rows, row))
                found[0] = _piece(piece.rows[start:], piece.values[start:])
        return found

    def _whole(self) -> _Piece | None:
        self._seal()
        self._loaded()
        if len(self._pieces) > 1:
            self._pieces, self._buffer = [self._merged(self._pieces)], None
        return self._pieces[0] if self._pieces else None

    def _loaded(self) -> None:
        if self._load is None:
            return
        rows, values = self._load()
        self._load, self._below = None, 0
        if len(values):
            values = values if self.numeric or values.dtype == object else _objects(values.tolist())
            first = int(rows[0]) if rows is not None else 0
            self._pieces.insert(0, _Piece(first, rows, values) if rows is None else _piece(rows, values))

    def _seal(self) -> None:
        if not self._rows:
            return
        values = np.array(self._values, np.int64) if self._is_whole else self._as_array(self._values)
        rows = np.array(self._rows, np.int32)
        self._rows, self._values = [], []
        self._add(rows, values)

    def _as_array(self, held: Sequence[JsonValue]) -> Values:
        numbers = [as_float(value) for value in held] if self.numeric else [None]
        return _objects(held) if None in numbers else np.array(numbers, np.float64)

    def _add(self, rows: npt.NDArray[Any], values: Values) -> None:
        if self.numeric and values.dtype == object:
            self.numeric = False
            self._pieces = [_Piece(piece.first, piece.rows, _objects(piece.values.tolist())) for piece in self._pieces]
        elif not self.numeric and values.dtype != object:
            values = _objects(values.tolist())
        piece = _piece(rows, values)
        if self.numeric and self._continues(piece):
            self._grow(values)
            return
        self._buffer = None
        self._pieces.append(piece)
        while len(self._pieces) > 1:
            before, last = len(self._pieces[-2].values), len(self._pieces[-1].values)
            if last * 2 <= before or before + last > _LARGEST:
                break
            self._pieces[-2:] = [self._merged(self._pieces[-2:])]

    def _continues(self, piece: _Piece) -> bool:
        if piece.rows is not None or not self._pieces:
            return False
        last = self._pieces[-1]
        small = self._buffer is not None or len(last.values) <= _LARGEST
        return last.rows is None and last.last + 1 == piece.first and small

    def _grow(self, values: Values) -> None:
        """Add values to the last piece, in place where nobody else holds its memory."""
        piece = self._pieces.pop()
        first, size = piece.first, len(piece.values)
        need = size + len(values)
        buffer, self._buffer = self._buffer if self._buffer is not None else piece.values, None
        del piece  # the buffer cannot grow in place while a view of it is around
        if need > len(buffer) or not buffer.flags.owndata:
            room = need + need // 16 + 16
            try:
                buffer.resize(room)
            except ValueError:  # a frame shares the memory, so it stays as it is
                buffer = np.concatenate([buffer[:size], np.empty(room - size, buffer.dtype)])
        buffer[size:need] = values
        self._buffer = buffer
        self._pieces.append(_Piece(first, None, buffer[:need]))

    @staticmethod
    def _merged(pieces: Sequence[_Piece]) -> _Piece:
        values = np.concatenate([piece.values for piece in pieces])
        if all(piece.rows is None for piece in pieces) and all(
            before.last + 1 == after.first for before, after in pairwise(pieces)
        ):
            return _Piece(pieces[0].first, None, values)
        return _piece(np.concatenate([piece.all_rows() for piece in pieces]), values)


class LoadedColumns(dict[str, Column]):
    """Columns that are made when they are first asked for: of a thousand runs a page shows two of a hundred each."""

    def __init__(self, numbers: Mapping[str, int], make: Callable[[int], Column]) -> None:
        """Know the columns of these names, each of which `make` makes by its number."""
        super().__init__(dict.fromkeys(numbers, _UNMADE))
        self._numbers, self._make = numbers, make

    def __getitem__(self, name: str) -> Column:
        """Return a column, which is made once."""
        column = super().__getitem__(name)
        if column is _UNMADE:
            column = self[name] = self._make(self._numbers[name])
        return column

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - as `dict`
        """Return a column, or `default` where there is none."""
        return self[name] if name in self else default  # noqa: SIM401 - this is `get`

    def items(self) -> list[tuple[str, Column]]:  # type: ignore[override]
        """Return all, made."""
        return [(name, self[name]) for name in self]

    def values(self) -> list[Column]:  # type: ignore[override]
        """Return all, made."""
        return [self[name] for name in self]


_UNMADE = Column()


def _piece(rows: npt.NDArray[Any], values: Values) -> _Piece:
    first, last = int(rows[0]), int(rows[-1])
    gapless = last - first + 1 == len(rows)
    return _Piece(first, None if gapless else rows.astype(np.int32), values)


def _objects(values: Sequence[JsonValue]) -> Values:
    array = np.empty(len(values), object)
    for index, value in enumerate(values):  # assigning all at once would take lists for rows of a table
        array[index] = value
    return array
