"""Single JSON values of a replay: decoding what one cannot trust, and repairing text that is nearly JSON."""

from __future__ import annotations

import codecs
import math
import re

import msgspec

from widgets.replay.codec.fields import INT32_MAX, INT32_MIN
from widgets.replay.codec.issues import IssueLog

DECODE_ERRORS = (msgspec.DecodeError, ValueError, TypeError, OverflowError, RecursionError)
"""What typed decoding and filling arrays raise on values of another kind; the careful reader takes over then."""

NOT_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
"""What a repaired text says where a number was not finite, which JSON has no words for."""

_TOKENS = tuple(name.encode() for name in NOT_FINITE)
_BEFORE_TOKEN = (b",", b":", b"[", b", ", b": ")
_MOST_SURROGATES = 100_000
_PIECE = 4 * 1024 * 1024
_SURROGATES = re.compile(
    rb"(?<!\\)((?:\\\\)*)(?:(\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2})|\\ud[89a-f][0-9a-f]{2})", re.IGNORECASE
)


class BadValueError(Exception):
    """A piece of JSON that cannot be decoded, not even repaired."""


def decode_any(raw: msgspec.Raw | bytes, log: IssueLog | None = None, path: str = "") -> object:
    """Decode one JSON value, repaired when it needs that, which is logged under `path`.

    Raises:
        BadValueError: It cannot be decoded.
    """
    try:
        return msgspec.json.decode(raw)
    except DECODE_ERRORS:
        pass
    try:
        value = msgspec.json.decode(repair(bytes(raw)))
    except DECODE_ERRORS as error:
        raise BadValueError(str(error)) from error
    if log is not None:
        log.add(path, "not valid JSON until repaired (NaN, infinities and broken characters)", severity="error")
    return value


def repair(text: bytes) -> bytes:
    """Return JSON text in which NaN and infinities are texts, and characters that UTF-8 cannot hold are replaced.

    A text of an agent that says `,NaN` is changed too: telling strings apart takes many times the time and memory.
    """
    text = _valid_utf8(text)
    for token in _TOKENS:
        if token in text:
            for before in _BEFORE_TOKEN:
                text = text.replace(before + token, before + b'"%s"' % token)
    if 0 < text.count(b"\\ud") + text.count(b"\\uD") <= _MOST_SURROGATES:
        text = _SURROGATES.sub(_paired, text)
    return text


def _valid_utf8(text: bytes) -> bytes:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    pieces = [decoder.decode(text[at : at + _PIECE]).encode() for at in range(0, len(text), _PIECE)]
    return b"".join([*pieces, decoder.decode(b"", final=True).encode()])


def _paired(match: re.Match[bytes]) -> bytes:
    """Return the escapes of a character as they are, and of half a character as the replacement character."""
    backslashes: bytes = match[1]
    return backslashes + (match[2] or b"\\ufffd")


def as_int(value: object) -> int | None:
    """Return a whole number within 32 bits, or None when `value` is none (booleans are not numbers here)."""
    if type(value) is float and math.isfinite(value) and value.is_integer():
        value = int(value)
    if type(value) is int and INT32_MIN <= value <= INT32_MAX:
        return value
    return None


def as_bool(value: object) -> int | None:
    """Return 0 or 1 for false, true, 0 or 1, else None."""
    return int(value) if value in (0, 1) and isinstance(value, (bool, int)) else None


def as_float(value: object) -> float | None:
    """Return a finite number, or None when `value` is none."""
    if type(value) is int:
        return float(value) if abs(value) < 2**1000 else None
    return value if type(value) is float and math.isfinite(value) else None


def not_finite(value: object) -> float:
    """Return the number that is known of `value` where `as_float` finds none: an infinity, or NaN."""
    return NOT_FINITE.get(value, math.nan) if isinstance(value, str) else math.nan


def name_of(value: float) -> str:
    """Return the name of a number that is not finite."""
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def as_pair(value: object) -> tuple[int, int] | None:
    """Return the first two of two or three whole numbers, or None."""
    if not isinstance(value, list) or len(value) not in (2, 3):
        return None
    first, second = as_int(value[0]), as_int(value[1])
    return None if first is None or second is None else (first, second)
