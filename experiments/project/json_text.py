"""JSON of others: files, servers and programs may have written anything."""

from __future__ import annotations

import json
import math
import re
from typing import Any

_HALF = re.compile(r"\\u[dD][89a-fA-F]|[\ud800-\udfff]")


def parse_json(text: str | bytes) -> Any:  # noqa: ANN401 - any JSON
    """Return what a JSON text says, with a replacement sign for each half of a character.

    JSON can spell such a half, but no file, table, page or terminal can hold one. A bare NaN or Infinity is a number,
    as W&B has it.

    Raises:
        ValueError: It is no JSON, or nested too deeply for Python's parser, which itself raises another error.
    """
    try:
        text = text.decode() if isinstance(text, bytes) else text
        found = json.loads(text)
        return _whole(found) if _HALF.search(text) else found
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def real_number(value: float) -> float:
    """Return a number of JSON as a float: one beyond all floats is infinite, as `1e999` is."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _whole(value: Any) -> Any:  # noqa: ANN401 - any JSON, returned in kind
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_whole(name): _whole(entry) for name, entry in value.items()}
    return [_whole(entry) for entry in value] if isinstance(value, list) else value
