"""The shapes that the values of a field can have: whole numbers, truth values, numbers, pairs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import msgspec
import numpy as np

from widgets.replay.columns import Points
from widgets.replay.flat import NUMBER, PAIR, TRIPLE, Outline, read_flat
from widgets.replay.series import Shape
from widgets.replay.values import as_bool, as_float, as_int, as_pair

_FLOATS = msgspec.json.Decoder(list[float | list[tuple[int, float]]])


def is_list(value: object) -> bool:
    """Whether a decoded value is a list: a series, where single values are none."""
    return isinstance(value, list)


def _is_list_of_lists(value: object) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], list)


def _ints(text: bytes, values: Sequence[msgspec.Raw]) -> Points:
    return _flat_points(text, values, NUMBER)


def _bools(text: bytes, values: Sequence[msgspec.Raw]) -> Points:
    points = _flat_points(text.replace(b"true", b"1").replace(b"false", b"0"), values, NUMBER)
    if any(part.size and (part.min() < 0 or part.max() > 1) for part in (points.singles, points.values)):
        raise ValueError("not a truth value")
    return points


def _pairs(text: bytes, values: Sequence[msgspec.Raw]) -> Points:
    try:
        return _flat_points(text, values, PAIR)
    except ValueError:
        return _flat_points(text, values, TRIPLE)


def _flat_points(text: bytes, values: Sequence[msgspec.Raw], outline: Outline) -> Points:
    series, lengths, singles, points = read_flat(text, values, outline)
    still = np.delete(np.arange(len(values)), series)
    owners = np.repeat(series, lengths)
    if outline.width == 1:
        return Points(still, singles[:, 0], owners, points[:, 0], points[:, 1])
    return Points(still, singles[:, :2], owners, points[:, 0], points[:, 1:3])


def _floats(text: bytes, _values: Sequence[msgspec.Raw]) -> Points:
    points = _float_points(_FLOATS.decode(b"[%s]" % text))
    if not (np.isfinite(points.singles).all() and np.isfinite(points.values).all()):
        raise ValueError("not finite")
    return points


def _float_points(values: list[float | list[tuple[int, float]]]) -> Points:
    """Split decoded numbers from series of (step, number)."""
    series = {at: value for at, value in enumerate(values) if isinstance(value, list)}
    at = np.array(list(series), np.int64)
    singles = np.array([value for value in values if not isinstance(value, list)], np.float64)
    lengths = np.fromiter(map(len, series.values()), np.int64, len(series))
    flat = np.fromiter(chain.from_iterable(chain.from_iterable(series.values())), np.float64, 2 * int(lengths.sum()))
    if flat.size and np.abs(flat[::2]).max() >= 2**31:
        raise OverflowError("a step does not fit 32 bits")
    still = np.delete(np.arange(len(values)), at)
    return Points(still, singles, np.repeat(at, lengths), flat[::2].astype(np.int64), flat[1::2].copy())


INTS = Shape(np.int32, 1, "a whole number", _ints, as_int, is_list)
BOOLS = Shape(np.uint8, 1, "true or false", _bools, as_bool, is_list)
FLOATS = Shape(np.float64, 1, "a finite number", _floats, as_float, is_list)
PAIRS = Shape(np.int32, 2, "two whole numbers", _pairs, as_pair, _is_list_of_lists)
