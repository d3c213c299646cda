"""One run from its `.wandb` file, live: what W&B wrote so far, without importing W&B."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from experiments.runs import records
from experiments.runs.columns import Column, as_float
from experiments.runs.framing import LogTail
from experiments.runs.run_facts import RunFacts
from experiments.runs.store import JsonValue

if TYPE_CHECKING:
    import pandas as pd

STEP, TIMESTAMP, RUNTIME = "_step", "_timestamp", "_runtime"


@dataclass(frozen=True)
class ConsoleLine:
    """One line that the run printed.

    Attributes:
        time: Unix seconds at which it began.
        stream: `stdout` or `stderr`.
        text: Without its newline; what a carriage return overwrote is gone.
    """

    time: float
    stream: str
    text: str


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


class RunLog:
    """Reader of one `.wandb` file, of an online or an offline run.

    `poll` takes in what is new; everything else answers from what was taken in.

    Attributes:
        rows: History rows so far.
        generation: Grows when the file turned out to be another one and the reader started over.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.rows = 0
        self.facts = RunFacts()
        self._tail = LogTail(path)
        self._columns: dict[str, Column] = {STEP: Column()}
        self._last_step = -1
        self.generation = 0

    @property
    def version(self) -> str:
        """A text that changes whenever something was taken in."""
        return f"{self.generation}-{self._tail.offset}"

    @property
    def config(self) -> dict[str, Any]:
        """Nested JSON values."""
        return self.facts.config

    @property
    def summary(self) -> dict[str, Any]:
        """Latest value of each key, flattened with dots."""
        return self.facts.summary

    @property
    def tags(self) -> tuple[str, ...]:
        """Tags as last set."""
        return self.facts.tags

    @property
    def exit_code(self) -> int | None:
        """What the run ended with; None while it runs, and for ever where it was killed."""
        return self.facts.exit_code

    @property
    def modified(self) -> float | None:
        """Unix seconds of the file's last change; None before it was seen."""
        return self._tail.modified

    @property
    def identity(self) -> tuple[int, int] | None:
        """Device and inode of the file; None before it was seen."""
        return self._tail.identity

    @property
    def keys(self) -> list[str]:
        """Names of the columns, sorted, without W&B's own (`_step`, ...)."""
        return sorted(key for key in self._columns if not key.startswith("_"))

    @property
    def first_step(self) -> int:
        """W&B's step of the first row; 0 where there is none."""
        return int(next(self._columns[STEP].since(0), (0, 0))[1])

    @property
    def last_step(self) -> int:
        """W&B's step of the last row; -1 where there is none."""
        return self._last_step

    @property
    def damage(self) -> str:
        """What could not be read, in words; empty where all could."""
        text = str(self._tail.damage)
        if self.exit_code is not None and self._tail.pending:
            text += f"{'; ' if text else ''}{self._tail.pending} bytes at the end are not a whole record"
        return text

    def poll(self) -> int:
        """Take in what was written since the last call and return the number of new history rows.

        A file that is missing or empty has no rows; a record whose end is not written yet waits for the next call.
        """
        if not self._tail.changed():
            return 0
        before = self.rows
        while True:
            batch = self._tail.read()
            if self.generation != self._tail.generation:
                self._restart()
                before = 0
            if not batch:
                return self.rows - before
            self._take(batch)

    def history(self, keys: Sequence[str] | None = None) -> pd.DataFrame:
        """Return all rows taken in so far, in the order logged.

        Returns:
            `_step` (int64), `_timestamp` (Unix seconds) and `_runtime` (seconds), float64, where the run has them, then
            one column for each of `keys` (all, sorted, where None). Numbers are float64, NaN where a row lacks the
            key; other values (texts, booleans, lists, integers beyond 2^53) are objects, None where lacking. A key
            that was never logged is a column of NaN. The index counts rows from 0.
        """
        import pandas as pd

        wanted = [STEP, *(key for key in (TIMESTAMP, RUNTIME) if key in self._columns)]
        wanted += [key for key in (self.keys if keys is None else keys) if key not in wanted]
        data = {key: self._dense(key) for key in wanted}
        return pd.DataFrame(data, index=pd.RangeIndex(self.rows))

    def since(self, row: int, keys: Sequence[str]) -> dict[str, list[tuple[int, float]]]:
        """Return (step, value) of each key's numbers in the rows from `row` on; booleans count as 0 and 1."""
        if row >= self.rows:
            return {key: [] for key in keys}
        steps = dict(self._columns[STEP].since(row))
        found: dict[str, list[tuple[int, float]]] = {}
        for key in keys:
            column = self._columns.get(key)
            values = column.since(row) if column else ()
            found[key] = [(int(steps[at]), float(value)) for at, value in values if isinstance(value, (int, float))]
        return found

    def console(self, last: int | None = None) -> list[ConsoleLine]:
        """Return the lines that the run printed, oldest first; the last may still be growing."""
        lines = join_console(self._records(records.OUTPUT_RAW, records.OUTPUT))
        return lines if last is None else lines[-last:] if last > 0 else []

    def media(self, kind: str | None = None) -> list[Media]:
        """Return the files that the run logged, oldest first, all or those of one W&B type (`html-file`)."""
        steps = dict(self._columns[STEP].since(0)) if self.rows else {}
        found: list[Media] = []
        for name, column in self._columns.items():
            if not name.endswith("._type"):
                continue
            key = name.removesuffix("._type")
            for row, word in column.since(0):
                value = {
                    other.removeprefix(f"{key}."): self._at(other, row)
                    for other in self._columns
                    if other.startswith(f"{key}.")
                }
                path = value.get("path")
                if isinstance(path, str) and kind in (None, word):
                    place = self.path.parent / "files" / path
                    found.append(Media(int(steps[row]), key, str(word), place, row, value))
        return sorted(found, key=lambda media: (media.row, media.key))

    def system_metrics(self) -> pd.DataFrame:
        """Return what W&B measured of the machine: `_timestamp` (Unix seconds) and one float64 column a measure."""
        import pandas as pd

        rows: list[dict[str, float | None]] = []
        for message in self._records(records.STATS):
            parts = [(number, value) for number, value in records.fields(message[1]) if isinstance(value, bytes)]
            time = next((records.timestamp(value) for number, value in parts if number == 2), None)
            row: dict[str, float | None] = {TIMESTAMP: time}
            row.update({path[0]: as_float(value) for path, value in records.items(message[1], 3)})
            rows.append(row)
        return pd.DataFrame(rows, columns=None if rows else [TIMESTAMP])

    def _records(self, *kinds: int) -> Iterator[tuple[int, bytes]]:
        """Yield the records of some kinds from a scan of their own, up to where `poll` has come."""
        tail = LogTail(self.path)
        tail.changed()
        while tail.offset < self._tail.offset and (batch := tail.read()):
            for record in batch:
                try:
                    kind, message = records.content(record)
                except ValueError:
                    continue
                if kind in kinds:
                    yield kind, message

    def _restart(self) -> None:
        self.generation = self._tail.generation
        self.rows, self._last_step = 0, -1
        self.facts = RunFacts()
        self._columns = {STEP: Column()}

    def _take(self, batch: Sequence[bytes]) -> None:
        for record in batch:
            try:
                kind, message = records.content(record)
                if kind == records.HISTORY:
                    self._take_row(message)
                else:
                    self.facts.apply(kind, message)
            except ValueError:
                self._tail.damage.undecodable += 1

    def _take_row(self, message: bytes) -> None:
        row = {".".join(path): value for path, value in records.items(message)}
        step = row.pop(STEP, None)
        if not isinstance(step, int) or isinstance(step, bool):
            step = records.history_step(message) or self._last_step + 1
        self._columns[STEP].append(self.rows, step)
        for key, value in row.items():
            column = self._columns.get(key)
            if column is None:
                column = self._columns[key] = Column()
            if value is not None:
                column.append(self.rows, value)
        self._last_step = step
        self.rows += 1

    def _dense(self, key: str) -> npt.NDArray[Any]:
        column = self._columns.get(key)
        if column is None or not len(column):
            return np.full(self.rows, np.nan)
        rows, values = column.arrays()
        if len(rows) < self.rows:
            dense = np.full(self.rows, None if values.dtype == object else np.nan, values.dtype)
            dense[rows] = values
            values = dense
        return values.astype(np.int64) if key == STEP else values

    def _at(self, key: str, row: int) -> JsonValue:
        return next((value for at, value in self._columns[key].since(row) if at == row), None)


def join_console(output: Iterator[tuple[int, bytes]]) -> list[ConsoleLine]:
    """Join the fragments that W&B records of each stream into lines, as a terminal would show them."""
    lines: list[ConsoleLine] = []
    open_lines: dict[str, tuple[float, str]] = {}
    for _, message in output:
        time, stream, text = _fragment(message)
        began, held = open_lines.pop(stream, (time, ""))
        *whole, rest = (held + text).split("\n")
        for line in whole:
            lines.append(ConsoleLine(began, stream, _overwritten(line)))
            began = time
        if rest:
            open_lines[stream] = (began, rest)
    lines += [ConsoleLine(began, stream, _overwritten(rest)) for stream, (began, rest) in open_lines.items()]
    return lines


def _fragment(message: bytes) -> tuple[float, str, str]:
    time, stream, text = 0.0, "stderr", ""
    for number, value in records.fields(message):
        if number == 1 and value == 1:
            stream = "stdout"
        elif number == 2 and isinstance(value, bytes):
            time = records.timestamp(value)
        elif number == 3 and isinstance(value, bytes):
            text = value.decode(errors="replace")
    return time, stream, text


def _overwritten(line: str) -> str:
    """Return what a terminal shows of a line with carriage returns."""
    if "\r" not in line:
        return line
    shown = ""
    for part in line.split("\r"):
        shown = part + shown[len(part) :]
    return shown


def run_id_of(path: Path | str) -> str:
    """Return the run id that a `.wandb` file's name carries."""
    return os.path.basename(path).removeprefix("run-").removesuffix(".wandb")  # noqa: PTH119 - ten thousand at once
