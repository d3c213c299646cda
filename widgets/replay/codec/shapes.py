"""The shapes that the values of a field can have: whole numbers, truth values, numbers, pairs.

Whole numbers are read from JSON text of a known outline without building an object for each. The outline of a text is
what stays when digits, signs and spaces are taken out: `[[0,1],[25,-3]]` has the outline `[[,],[,]]`. Where it is
right, the numbers can be read straight into an array: a third of the time, a twentieth of the memory. Where it is not,
the careful reader says what is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import msgspec
import numpy as np

from widgets.replay.codec.columns import Array, Points
from widgets.replay.codec.series import Shape
from widgets.replay.codec.values import as_bool, as_float, as_int, as_pair, not_finite

_NUMBERS = b"-0123456789 \t\r\n"


@dataclass(frozen=True, slots=True)
class Outline:
    """How the values of a field look in JSON, without their numbers.

    Attributes:
        single: A value that does not change: empty for a number, `[,]` for a pair.
        point: A change point: `[,]` or `[,[,]]`.
        width: How many numbers a value has.
    """

    single: bytes
    point: bytes
    width: int


NUMBER = Outline(b"", b"[,]", 1)
PAIR = Outline(b"[,]", b"[,[,]]", 2)
TRIPLE = Outline(b"[,,]", b"[,[,,]]", 3)


def read_flat(text: bytes, values: Sequence[msgspec.Raw], outline: Outline) -> tuple[Array, Array, Array, Array]:
    """Read the numbers of `values`, whose texts are joined by commas in `text`.

    Returns:
        Positions of the series among the values (s,), the number of points of each (s,), the values that do not change
        (len(values) - s, width), and the points of all series (p, 1 + width), the step first; all int64.

    Raises:
        ValueError: The outline is another, or a number is none.
    """
    series = _series(text, len(values), outline)
    brackets = outline.point.count(b"[")
    lengths = np.array([(bytes(values[at]).count(b"[") - 1) // brackets for at in series], np.int64)
    sizes = np.full(len(values), outline.width, np.int64)
    sizes[series] = lengths * (1 + outline.width)
    numbers = _numbers(text)
    if numbers.size != sizes.sum():
        raise ValueError("not as many numbers as there should be")
    if not series.size:
        return series, lengths, numbers.reshape(-1, outline.width), numbers[:0].reshape(0, 1 + outline.width)
    moving = np.zeros(len(values), np.bool_)
    moving[series] = True
    in_series = np.repeat(moving, sizes)
    still = numbers[~in_series].reshape(-1, outline.width)
    return series, lengths, still, numbers[in_series].reshape(-1, 1 + outline.width)


def _series(text: bytes, count: int, outline: Outline) -> Array:
    """Return which values are series, after checking that all are series or single values of the outline."""
    if not outline.single and b"[" not in text:
        shape = np.frombuffer(text.translate(None, _NUMBERS), np.uint8)
        if (shape != ord(",")).any() or shape.size != count - 1:
            raise ValueError("not numbers")
        return np.zeros(0, np.int64)
    rest = text.translate(None, _NUMBERS).replace(outline.point + b",", b"").replace(outline.point, b"p")
    rest = rest.replace(b"[p]", b"s")
    if outline.single:
        rest = rest.replace(outline.single, b"q")
    marks = np.frombuffer(rest, np.uint8)
    commas = marks == ord(",")
    is_series = marks == ord("s")
    known = commas | is_series | ((marks == ord("q")) if outline.single else False)
    if not known.all() or int(commas.sum()) != count - 1 or (~commas[1:] & ~commas[:-1]).any():
        raise ValueError("not the outline of the field")
    if outline.single and int((~commas).sum()) != count:
        raise ValueError("a value is missing")
    places: Array = np.cumsum(commas)[is_series].astype(np.int64)
    return places


def _numbers(text: bytes) -> Array:
    # A text that is no list of numbers ends the reading early or raises ValueError, depending on numpy's version.
    return np.fromstring(text.translate(None, b"[]"), np.int64, sep=",")


_FLOATS = msgspec.json.Decoder(list[float | list[tuple[int, float]]])


def is_list(value: object) -> bool:
    """Whether a decoded value is a list: a series, where single values are none."""
    return isinstance(value, list)


def is_series_of_lists(value: object) -> bool:
    """Whether a decoded value is a series of lists, where a single value is a list as well."""
    first = value[0] if isinstance(value, list) and value else None
    return isinstance(first, list) and len(first) == 2 and isinstance(first[1], list)


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
FLOATS = Shape(np.float64, 1, "a finite number", _floats, as_float, is_list, not_finite)
PAIRS = Shape(np.int32, 2, "two whole numbers", _pairs, as_pair, _is_list_of_lists)
