"""What pydantic refuses, in words of one line."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ValidationError

_MOST = 3
_LONGEST = 80


def reasons(error: ValidationError) -> str:
    """Return what was refused and why: `gpus 5000: Input should be less than or equal to 4096`."""
    items = error.errors(include_url=False, include_context=False)
    said = []
    for item in items[:_MOST]:
        field = ".".join(map(str, item["loc"]))
        said.append(f"{shown(field, item['input'])}: {message(item['msg'])}".removeprefix(": "))
    more = f"; and {len(items) - _MOST} more" if len(items) > _MOST else ""
    return "; ".join(said) + more


def message(text: str) -> str:
    """Return pydantic's sentence as one line, without its word for an error that a validator of ours raised."""
    return " ".join(text.removeprefix("Value error, ").removeprefix("Assertion failed, ").split()).rstrip(".")


def shown(field: str, value: object) -> str:
    """Return a field with what was given to it; a whole object is left out, and a long value is cut."""
    if isinstance(value, Mapping):
        return field
    text = ascii(value) if isinstance(value, str) and not value.isprintable() else repr(value)
    return f"{field} {text if len(text) <= _LONGEST else text[: _LONGEST - 1] + '…'}".strip()
