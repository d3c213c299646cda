"""Several texts written in one line, and read back as they were."""

from __future__ import annotations

import json
from collections.abc import Iterable


def join_tags(items: Iterable[str]) -> str:
    """Return texts as one line that `split_tags` reads back, whatever they hold."""
    return ", ".join(item if _is_plain(item) else json.dumps(item) for item in items)


def split_tags(text: str) -> list[str]:
    """Return the texts in a line: separated by commas, spaces around them dropped, JSON strings taken as they are."""
    items: list[str] = []
    while text := text.strip():
        quoted = _leading_string(text)
        if quoted is None:
            item, _, text = text.partition(",")
            items += [item.strip()] if item.strip() else []
        else:
            item, text = quoted
            items.append(item)
    return items


def _leading_string(text: str) -> tuple[str, str] | None:
    """Return the JSON string that `text` starts with and what follows its comma; None where there is no such string."""
    if not text.startswith('"'):
        return None
    try:
        item, end = json.JSONDecoder().raw_decode(text)
    except ValueError:
        return None  # a stray quote is text like any other
    rest = text[end:].lstrip()
    return (item, rest[1:]) if not rest or rest.startswith(",") else None


def _is_plain(item: str) -> bool:
    return bool(item) and item == item.strip() and item.isprintable() and "," not in item and not item.startswith('"')
