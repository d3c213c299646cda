"""Reading values that repeat: texts of agents, tag lists, protocols; each distinct one is kept once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any

import msgspec
import numpy as np

from widgets.replay.codec.columns import Array, Column, Points
from widgets.replay.codec.fields import INT32_MAX, INT32_MIN
from widgets.replay.codec.issues import IssueLog, shorten
from widgets.replay.codec.limits import Limits
from widgets.replay.codec.series import Raws, Reader, batches, careful_points, excerpt
from widgets.replay.codec.shapes import is_list, is_series_of_lists
from widgets.replay.codec.values import DECODE_ERRORS, BadValueError, decode_any

_Step = Annotated[int, msgspec.Meta(ge=INT32_MIN, le=INT32_MAX)]
_TEXT_POINTS = msgspec.json.Decoder(list[tuple[_Step, msgspec.Raw]])
_VALUE_BYTES = 1024 * 1024
NOTHING = (b"null", b'""', b"{}", b"[]")
"""JSON values that stand for no text."""


@dataclass(frozen=True, slots=True, eq=False)
class TextColumn:
    """The texts of one field.

    Attributes:
        column: Position in `table` for each object and step, -1 for no text: a `Column` of int32.
        table: The distinct texts, each as valid JSON.
    """

    column: Column
    table: tuple[bytes, ...]

    def at(self, step: int) -> dict[int, Any]:
        """Return the decoded texts at `step` by object index; objects without a text are left out."""
        found = self.column.at(step)
        return {int(row): msgspec.json.decode(self.table[found[row]]) for row in np.flatnonzero(found >= 0)}


@dataclass(slots=True)
class Interner:
    """Gives each distinct JSON value a number, in the order met; -1 for none.

    Attributes:
        path: Where issues are logged.
        accept: Returns the JSON to keep for a decoded value, or None when it is of a wrong kind.
        limit: Name of the limit on the size of all values.
    """

    path: str
    accept: Callable[[object], bytes | None]
    limit: str
    limits: Limits
    log: IssueLog
    table: dict[bytes, int] = field(default_factory=dict)
    size: int = 0
    full: bool = False
    _known: dict[bytes, int] = field(default_factory=dict)

    def number(self, raw: bytes) -> int:
        """Return the number of a value given as JSON text."""
        known = self._known.get(raw)
        if known is not None:
            return known
        if raw in NOTHING:
            return -1
        if self.full:
            return self._left_out()
        if len(raw) > _VALUE_BYTES:
            self.log.add(self.path, f"left out: longer than {_VALUE_BYTES:,} bytes", 1, f"{len(raw):,} bytes", "error")
            return -1
        try:
            found = self.add(decode_any(raw, self.log, self.path))
        except BadValueError as error:
            self.log.add(self.path, "cannot be decoded", 1, str(error), "error")
            return -1
        if found >= 0:
            self._known[raw] = found
        return found

    def add(self, value: object) -> int:
        """Return the number of a decoded value, which is added when it is not known."""
        kept = self.accept(value)
        if kept is None:
            self.log.add(self.path, "is of a wrong kind", 1, partial(excerpt, value), "error")
            return -1
        if kept in NOTHING:
            return -1
        found = self.table.get(kept)
        if found is not None:
            return found
        if self.full or self.size + len(kept) > getattr(self.limits, self.limit):
            self.full = True
            return self._left_out()
        self.size += len(kept)
        self.table[kept] = len(self.table)
        return len(self.table) - 1

    def _left_out(self) -> int:
        rule = f"left out: all distinct values have more than {getattr(self.limits, self.limit):,} bytes"
        self.log.add(self.path, f"{rule} (limit '{self.limit}')", severity="error")
        return -1


def read_texts(raws: Raws, interner: Interner, reader: Reader) -> Points:
    """Decode a field whose values are texts or JSON objects."""
    gathered = _Gathered()
    for start, stop in batches(raws.values, interner.path, reader):
        for row, raw in zip(raws.rows[start:stop], raws.values[start:stop], strict=True):
            text = bytes(raw)
            if text[:1] != b"[":
                gathered.single(row, interner.number(text))
                continue
            try:
                points = _TEXT_POINTS.decode(text)
                numbers = [interner.number(bytes(value)) for _, value in points]
                gathered.series(row, [step for step, _ in points], numbers)
            except DECODE_ERRORS:
                _read_carefully(raw, row, interner, reader, gathered)
    reader.take(len(gathered.steps))
    return gathered.points()


def _read_carefully(raw: msgspec.Raw, row: int, interner: Interner, reader: Reader, gathered: _Gathered) -> None:
    for step, number in careful_points(raw, interner.add, is_list, "a text", interner.path, row, reader):
        if step is None:
            gathered.single(row, number)
        else:
            gathered.series(row, [step], [number])


def read_tables(raws: Raws, interner: Interner, reader: Reader) -> Points:
    """Decode a field whose values are lists; a series is a list of [step, list]."""
    gathered = _Gathered()
    known: dict[bytes, list[tuple[int | None, int]]] = {}
    for start, stop in batches(raws.values, interner.path, reader):
        for row, raw in zip(raws.rows[start:stop], raws.values[start:stop], strict=True):
            text = bytes(raw)
            points = known.get(text)
            if points is None:
                found = careful_points(raw, interner.add, is_series_of_lists, "a list", interner.path, row, reader)
                points = known[text] = list(found)
            for step, number in points:
                if step is None:
                    gathered.single(row, number)
                else:
                    gathered.series(row, [step], [number])
            reader.take(len(points))
    return gathered.points()


class _Gathered:
    """Points of several objects, in the order of the objects."""

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.singles: list[int] = []
        self.owners: list[int] = []
        self.steps: list[int] = []
        self.values: list[int] = []

    def single(self, row: int, value: int) -> None:
        self.rows.append(row)
        self.singles.append(value)

    def series(self, row: int, steps: list[int], values: list[int]) -> None:
        self.owners.extend([row] * len(steps))
        self.steps.extend(steps)
        self.values.extend(values)

    def points(self) -> Points:
        arrays: list[Array] = [np.array(part, np.int64) for part in (self.rows, self.singles, self.owners, self.steps)]
        return Points(arrays[0], arrays[1].astype(np.int32), arrays[2], arrays[3], np.array(self.values, np.int32))


def accept_list(value: object) -> bytes | None:
    """Return a list of the format (tags, capacities, protocols) as JSON, or None when it is none."""
    return msgspec.json.encode(value) if isinstance(value, list) else None


def accept_text(limits: Limits, log: IssueLog, path: str, *, plain: bool) -> Callable[[object], bytes | None]:
    """Return a function that brings a text to JSON, cut at the limit; `plain` allows strings only."""

    def accept(value: object) -> bytes | None:
        if plain and not isinstance(value, str):
            return None
        if isinstance(value, str) and len(value) > limits.text_chars:
            log.add(path, f"cut after {limits.text_chars} characters", severity="note")
            return msgspec.json.encode(shorten(value, limits.text_chars))
        text = msgspec.json.encode(value)
        if len(text) > 4 * limits.text_chars:
            log.add(path, f"cut after {limits.text_chars} characters", severity="note")
            return msgspec.json.encode(shorten(text.decode(), limits.text_chars))
        return text

    return accept
