"""History rows as columns, from the records of a `.wandb` file: many at once where possible, one by one else.

Of a file that was logged W&B makes columns: its type, its path, its size (`media_of`).
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt

from experiments.project.files import JsonValue
from experiments.runs.wandb_file import batches as vector
from experiments.runs.wandb_file import records
from experiments.runs.wandb_file.columns import Column
from experiments.runs.wandb_file.records import KeyPath, leaves, names_of

STEP = "_step"
_NO_STEP = np.iinfo(np.int64).min

Pairs = list[tuple[int, JsonValue]]


class HistoryTable:
    """All history rows of a file.

    Attributes:
        rows: Number of rows.
        columns: By name; `_step` has a whole number in every row. Of a nested value (a mapping, a file that was logged)
            each leaf is a column, whichever way W&B wrote it: as items of their own, or up to 0.17 as one JSON object.
        renamed: How often a column got another name, because a path came that would have had the same.
        first_step: W&B's step of the first row; 0 before it.
        last_step: W&B's step of the last row; -1 before the first.
        undecodable: Records that were not understood.
    """

    def __init__(self) -> None:
        self.rows = 0
        self.columns: dict[str, Column] = {STEP: Column(is_whole=True)}
        self.renamed = 0
        self.first_step = 0
        self.last_step = -1
        self.undecodable = 0
        self._firsts: dict[str, float] = {}
        self._names: dict[KeyPath, str] = {}
        self._spelt: dict[str, list[KeyPath]] | None = None

    @property
    def names(self) -> dict[KeyPath, str]:
        """Name of each path's column, without `_step`."""
        return dict(self._names)

    def resume(self, names: Mapping[KeyPath, str], columns: dict[str, Column]) -> None:
        """Take in columns as they were held before, and the names of their paths, without `_step`."""
        self._names, self._spelt, self.columns = dict(names), None, columns

    def take(
        self, batch: Sequence[bytes], items: vector.Items | None = None, keys: vector.KeyTable | None = None
    ) -> None:
        """Append the rows of history records, whose items may have been found already."""
        if items is not None and keys is not None and items.slow.sum() * 4 <= len(batch):
            try:
                self._take_many(batch, items, keys)
            except ValueError:  # nothing was appended yet; one by one, only the bad record is lost
                pass
            else:
                return
        for record in batch:
            self._take_one(record)

    def steps_since(self, row: int) -> list[int]:
        """Return W&B's steps of the rows from `row` on."""
        return [int(step) for step in self.columns[STEP].numbers_since(row)[1]]

    def step_at(self, row: int) -> int:
        """Return W&B's step of a row."""
        return int(self.columns[STEP].sparse()[1][row])

    def first_number(self, key: str) -> float | None:
        """Return the first value of a metric; None where it has none, or not only numbers."""
        if key == STEP:
            return self.first_step if self.rows else None
        column = self.columns.get(key)
        if column is None or not column.numeric:
            return None
        # Asked with every poll: the values of a column that grows are not to be gathered for its first.
        if key not in self._firsts and len(column):
            self._firsts[key] = float(column.sparse()[1][0])
        return self._firsts.get(key)

    def rows_before(self, key: str, limit: float) -> int:
        """Return how many rows come before the first whose number of a metric reaches `limit`."""
        rows, values = self.columns[key].sparse()
        reached = np.flatnonzero(values >= limit)
        return int(rows[reached[0]]) if len(reached) else self.rows

    def since(self, row: int, keys: Sequence[str]) -> dict[str, list[tuple[int, float]]]:
        """Return (step, number) of some metrics in the rows from `row` on; booleans count as 0 and 1."""
        if row >= self.rows:
            return {key: [] for key in keys}
        steps = self.steps_since(row)
        found: dict[str, list[tuple[int, float]]] = {}
        for key in keys:
            rows, values = self.columns[key].numbers_since(row) if key in self.columns else ([], [])
            of_rows = steps if len(rows) == len(steps) else [steps[at - row] for at in rows]
            found[key] = list(zip(of_rows, values, strict=True))
        return found

    def _take_one(self, record: bytes) -> None:
        try:
            row, step = _read(record)
        except ValueError:
            self.undecodable += 1
            return
        self.last_step = self.last_step + 1 if step is None else step
        if self.rows == 0:
            self.first_step = self.last_step
        self.columns[STEP].append(self.rows, self.last_step)
        for path, value in row.items():
            column = self._column(path)
            if value is not None:
                column.append(self.rows, value)
        self.rows += 1

    def _take_many(self, batch: Sequence[bytes], items: vector.Items, keys: vector.KeyTable) -> None:
        """Append a batch most of whose records have W&B's usual shape.

        Raises:
            ValueError: A key or a value is not text or JSON; nothing was appended.
        """
        dropped, late, steps = self._read_slow(batch, np.flatnonzero(items.slow))
        row_of = self.rows - 1 + np.cumsum(~dropped)
        found: dict[KeyPath, list[tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], Pairs]]] = {}
        values, numeric = vector.numbers_of(items)
        for number, places in vector.by_key(items.number):
            path = keys.path(number)
            rows = items.row[places]
            exact = numeric[places]
            others: Pairs = []
            for at in places[~exact].tolist():
                row, value = int(items.row[at]), items.parsed(at)
                if isinstance(value, dict) and value:
                    for leaf, inner in leaves(value, path):
                        late.setdefault(leaf, []).append((row, inner))
                else:
                    others.append((row, value))
            if exact.any() or others:
                found.setdefault(path, []).append((rows[exact], values[places[exact]], others))
        for rows, numbers, others in found.pop((STEP,), ()):
            whole = np.abs(numbers) < 1 << 53
            steps[rows[whole]] = numbers[whole].astype(np.int64)
            for row, value in others:
                steps[row] = _NO_STEP if (step := _as_step(value)) is None else step
        self._append_steps(batch, steps, dropped)
        for path in [*found, *(path for path in late if path not in found)]:
            self._extend(self._column(path), found.get(path, []), late.get(path, []), row_of)
        self.rows += len(batch) - int(dropped.sum())

    def _read_slow(
        self, batch: Sequence[bytes], slow: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.bool_], dict[KeyPath, Pairs], npt.NDArray[np.int64]]:
        dropped = np.zeros(len(batch), np.bool_)
        steps = np.full(len(batch), _NO_STEP)
        late: dict[KeyPath, Pairs] = {}
        for at in slow.tolist():
            try:
                row, step = _read(batch[at])
            except ValueError:
                dropped[at] = True
                continue
            steps[at] = _NO_STEP if step is None else step
            for path, value in row.items():
                late.setdefault(path, []).append((at, value))
        return dropped, late, steps

    def _append_steps(
        self, batch: Sequence[bytes], steps: npt.NDArray[np.int64], dropped: npt.NDArray[np.bool_]
    ) -> None:
        self.undecodable += int(dropped.sum())
        previous = self.last_step
        for at in np.flatnonzero((steps == _NO_STEP) & ~dropped).tolist():
            step = records.history_step(records.content(batch[at])[1])
            before = steps[:at][~dropped[:at]]
            previous = int(before[-1]) if len(before) else self.last_step
            steps[at] = previous + 1 if step is None else step
        kept = steps[~dropped]
        if len(kept):
            rows = np.arange(self.rows, self.rows + len(kept))
            self.columns[STEP].extend(rows, kept)
            if self.rows == 0:
                self.first_step = int(kept[0])
            self.last_step = int(kept[-1])

    @staticmethod
    def _extend(
        column: Column,
        parts: Iterable[tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], Pairs]],
        late: Pairs,
        row_of: npt.NDArray[np.int64],
    ) -> None:
        parts = list(parts)
        if len(parts) == 1 and not late and not parts[0][2]:
            rows, numbers, _ = parts[0]
            again = rows[1:] == rows[:-1]  # a key twice in a row: the later value counts
            if again.any():
                rows, numbers = rows[np.append(~again, True)], numbers[np.append(~again, True)]
            if len(rows):
                column.extend(row_of[rows], numbers)
            return
        merged: dict[int, JsonValue] = {}
        for rows, numbers, others in parts:
            merged.update(zip(rows.tolist(), numbers.tolist(), strict=True))
            merged.update(others)
        merged.update(late)
        for row in sorted(merged):
            if merged[row] is not None:
                column.append(int(row_of[row]), merged[row])

    def _column(self, path: KeyPath) -> Column:
        name = self._names.get(path)
        if name is None:
            name = self._named(path)
            self.columns[name] = Column()
        return self.columns[name]

    def _named(self, path: KeyPath) -> str:
        """Return the name of a path that was not met before; one that it would share is changed for both."""
        if self._spelt is None:
            self._spelt = {}
            for known in self._names:
                self._spelt.setdefault(".".join(known), []).append(known)
        alike = self._spelt.setdefault(".".join(path), [])
        alike.append(path)
        for other, name in names_of(alike).items():
            before = self._names.get(other, name)
            if before != name:
                self.columns[name] = self.columns[before]
                del self.columns[before]
                self._firsts.pop(before, None)
                self.renamed += 1
            self._names[other] = name
        return self._names[path]


def _read(record: bytes) -> tuple[dict[KeyPath, JsonValue], int | None]:
    """Return a record's values by path, and its step where it says one."""
    _, message = records.content(record)
    row = {leaf: inner for path, value in records.items(message) for leaf, inner in leaves(value, path)}
    step = _as_step(row.pop((STEP,), None))
    return row, records.history_step(message) if step is None else step


def _as_step(value: JsonValue) -> int | None:
    """Return a step that int64 holds; one that is written as a float counts only where float64 is exact."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if abs(value) < 1 << 63 else None
    return int(value) if isinstance(value, float) and abs(value) < 1 << 53 else None


@dataclass(frozen=True)
class Media:
    """One file that the run logged.

    Attributes:
        step: W&B's step of the row.
        key: Metric name, `replays/link`.
        kind: W&B's type, `html-file`.
        path: The file on this machine; it may not exist.
        row: Number of the history row.
    """

    step: int
    key: str
    kind: str
    path: Path
    row: int
    value: dict[str, Any]


def is_media_part(key: str, known: Container[str]) -> bool:
    """Say whether a key is what W&B notes of a file that was logged (its size, its hash), and no metric.

    Args:
        known: All keys of the run's summary or history.
    """
    return f"{key.rpartition('.')[0]}._type" in known


def _is_inside(path: str) -> bool:
    """Say whether a path leads nowhere but below the folder it is taken from."""
    parts = PurePosixPath(path).parts
    return bool(parts) and parts[0] != "/" and ".." not in parts and "\0" not in path


def media_of(table: HistoryTable, files: Path, kind: str | None) -> list[Media]:
    """Return the files that the rows of a table name, below the folder `files`, all or those of one W&B type."""
    steps = table.steps_since(0)
    columns = table.columns
    found: list[Media] = []
    for name in [name for name in columns if name.endswith("._type")]:
        key = name.removesuffix("_type")
        parts = {other.removeprefix(key): dict(columns[other].since(0)) for other in columns if other.startswith(key)}
        for row, word in parts["_type"].items():
            path = parts.get("path", {}).get(row)
            if isinstance(path, str) and _is_inside(path) and kind in (None, word):
                value = {part: held[row] for part, held in parts.items() if row in held}
                found.append(Media(steps[row], key.removesuffix("."), str(word), files / path, row, value))
    return sorted(found, key=lambda media: (media.row, media.key))
