"""Reading one field of many objects: typed and fast when the values are right, careful where they are not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec
import numpy as np

from widgets.replay.codec.columns import Array, Points
from widgets.replay.codec.issues import IssueLog
from widgets.replay.codec.limits import Limits
from widgets.replay.codec.values import DECODE_ERRORS, BadValueError, as_int, decode_any

_BATCH_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Raws:
    """The undecoded values of one field.

    Attributes:
        rows: Object index of each, ascending.
        values: The JSON text of each.
    """

    rows: Sequence[int]
    values: Sequence[msgspec.Raw]


@dataclass(slots=True)
class Reader:
    """What reading needs besides the values: the limits, how much of them is used, and where issues go."""

    limits: Limits
    log: IssueLog
    points: int = 0

    def take(self, points: int) -> None:
        """Count `points` change points against the limit of the whole replay."""
        self.points += points
        self.limits.check("points", self.points, f"the replay has {self.points:,} change points or more")

    def guard(self, path: str, raw: msgspec.Raw) -> None:
        """Refuse one series that holds more values than the limits allow, before it is decoded."""
        if len(memoryview(raw)) > self.limits.series_values:
            commas = bytes(raw).count(b",")
            self.limits.check("series_values", commas, f"{path}: one series has {commas:,} values or more")


@dataclass(frozen=True, slots=True)
class Shape:
    """How the values of a field look: how many at once are read, and how one is.

    Attributes:
        dtype: Array type of the values.
        width: 1, or 2 for values that are pairs.
        wants: What a value should be, in words.
        fast: Reads many values, which are also given joined by commas; raises one of `DECODE_ERRORS` if one is wrong.
        parse: Returns one decoded value as it is kept, or None when it is of another shape.
        is_series: Whether a decoded value is a list of change points rather than one value.
        unknown: Returns what is kept where `parse` finds nothing, so that the value before does not seem to hold on;
            None where such a value is left out.
    """

    dtype: type[np.generic]
    width: int
    wants: str
    fast: Callable[[bytes, Sequence[msgspec.Raw]], Points]
    parse: Callable[[object], object]
    is_series: Callable[[object], bool]
    unknown: Callable[[object], object] | None = None


def read(shape: Shape, raws: Raws, path: str, reader: Reader) -> Points:
    """Decode the values of one field; what is not of its shape is left out and logged under `path`."""
    parts = [
        _relative(shape, raws.values[start:stop], raws.rows[start:stop], path, reader)
        for start, stop in batches(raws.values, path, reader)
    ]
    if len(parts) == 1:
        return parts[0]
    return Points(*(_concatenate([getattr(part, name) for part in parts], shape) for name in Points.__slots__))


def _concatenate(arrays: list[Array], shape: Shape) -> Array:
    return np.concatenate(arrays) if arrays else np.zeros(0, shape.dtype)


def _lengths(values: Sequence[msgspec.Raw]) -> list[int]:
    return [len(memoryview(raw)) for raw in values]


def batches(values: Sequence[msgspec.Raw], path: str, reader: Reader) -> Iterator[tuple[int, int]]:
    """Yield ranges of `values` of about 8 MB of text: decoded values are some twenty times that."""
    if sum(_lengths(values)) <= min(_BATCH_BYTES, reader.limits.series_values):
        yield 0, len(values)
        return
    start, size = 0, 0
    for at, (raw, length) in enumerate(zip(values, _lengths(values), strict=True)):
        if length > reader.limits.series_values:
            reader.guard(path, raw)
        if size and size + length > _BATCH_BYTES:
            yield start, at
            start, size = at, 0
        size += length
    yield start, len(values)


def _relative(shape: Shape, values: Sequence[msgspec.Raw], rows: Sequence[int], path: str, reader: Reader) -> Points:
    try:
        points = shape.fast(b",".join(values), values)
        reader.take(points.owners.size)
    except DECODE_ERRORS:
        points = _careful(shape, values, rows, path, reader)
    objects = np.asarray(rows, np.int64)
    return Points(
        objects[points.rows],
        _narrow(points.singles, shape, path, reader),
        objects[points.owners],
        points.steps,
        _narrow(points.values, shape, path, reader),
    )


def _narrow(values: Array, shape: Shape, path: str, reader: Reader) -> Array:
    """Return values in the shape's type, whole numbers brought within 32 bits."""
    if shape.dtype is not np.int32 or values.size == 0:
        return values.astype(shape.dtype)
    limits = np.iinfo(np.int32)
    outside = (values < limits.min) | (values > limits.max)
    if outside.any():
        reader.log.add(path, "does not fit 32 bits", int(outside.sum()), int(values[outside][0]), "error")
        values = np.clip(values, limits.min, limits.max)
    return values.astype(np.int32)


def _careful(shape: Shape, values: Sequence[msgspec.Raw], rows: Sequence[int], path: str, reader: Reader) -> Points:
    """Decode values one by one, leaving out and logging what is not of the shape."""
    owners: list[int] = []
    steps: list[int] = []
    moving: list[Any] = []
    at: list[int] = []
    singles: list[Any] = []
    for position, raw in enumerate(values):
        for step, value in careful_points(
            raw, shape.parse, shape.is_series, shape.wants, path, rows[position], reader, shape.unknown
        ):
            if step is None:
                at.append(position)
                singles.append(value)
            else:
                owners.append(position)
                steps.append(step)
                moving.append(value)
    tail = (-1, 2) if shape.width == 2 else (-1,)
    wide = np.float64 if shape.dtype is np.float64 else np.int64
    return Points(
        np.array(at, np.int64),
        np.array(singles, wide).reshape(tail),
        np.array(owners, np.int64),
        np.array(steps, np.int64),
        np.array(moving, wide).reshape(tail),
    )


def careful_points(
    raw: msgspec.Raw,
    parse: Callable[[object], Any],
    is_series: Callable[[object], bool],
    wants: str,
    path: str,
    row: int,
    reader: Reader,
    unknown: Callable[[object], Any] | None = None,
) -> Iterator[tuple[int | None, Any]]:
    """Yield (step, value) of one object's field, or (None, value) for a single value; log the rest.

    Args:
        unknown: As of `Shape`.
    """
    try:
        value = decode_any(raw, reader.log, path)
    except BadValueError as error:
        reader.log.add(path, "cannot be decoded", 1, f"objects[{row}]: {error}", "error")
        return
    if value is None:
        return
    if isinstance(value, list):
        reader.take(len(value))
    if not is_series(value):
        parsed, known = _kept(value, parse, unknown)
        if not known:
            reader.log.add(path, f"is not {wants}", 1, partial(where, row, value), "error")
        if parsed is not None:
            yield None, parsed
        return
    assert isinstance(value, list)
    wrong: list[object] = []
    yield from _careful_series(value, parse, unknown, wrong)
    if wrong:
        rule = f"a change point is not [step, {wants.removeprefix('a ')}]"
        reader.log.add(path, rule, len(wrong), partial(where, row, wrong[0]), "error")


def _careful_series(
    series: list[Any],
    parse: Callable[[object], Any],
    unknown: Callable[[object], Any] | None,
    wrong: list[object],
) -> Iterator[tuple[int, Any]]:
    """Yield the change points of a series; what is none goes into `wrong`."""
    for point in series:
        step = as_int(point[0]) if isinstance(point, list) and len(point) == 2 else None
        parsed, known = (None, False) if step is None else _kept(point[1], parse, unknown)
        if not known:
            wrong.append(point)
        if step is not None and parsed is not None:
            yield step, parsed


def _kept(value: object, parse: Callable[[object], Any], unknown: Callable[[object], Any] | None) -> tuple[Any, bool]:
    """Return what is kept of a value, None for nothing, and whether the value is of its shape."""
    parsed = parse(value)
    if parsed is not None:
        return parsed, True
    return (None if unknown is None else unknown(value)), False


def where(row: int, value: object) -> str:
    """Return the place and value of an issue's example."""
    return f"objects[{row}]: {excerpt(value)}"


def excerpt(value: object) -> str:
    """Return the beginning of a decoded value as JSON, for messages."""
    return msgspec.json.encode(value)[:120].decode("utf-8", "replace")
