"""A chart in words, for those who cannot see it and for files that lost it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_MARK_WORDS = {
    "line": "Line chart",
    "bar": "Bar chart",
    "point": "Scatter plot",
    "circle": "Scatter plot",
    "rect": "Heat map",
}
_MAX_NAMES = 8


def described(spec: Mapping[str, Any], tables: Mapping[str, Mapping[str, list[Any]]], caption: str = "") -> str:
    """Return one or two sentences: what kind of chart, of what over what, which series, and its caption.

    A chart that describes itself has the last word.
    """
    if isinstance(own := spec.get("description"), str) and own:
        return own
    views = list(_views(spec))
    marks = [view["mark"] if isinstance(view["mark"], str) else view["mark"].get("type", "") for view in views]
    kind = next((_MARK_WORDS[mark] for mark in marks if mark in _MARK_WORDS), "Chart")
    x, y = _title(views, "x"), _title(views, "y")
    of = f" of {y}" if y else ""
    over = f" over {x}" if x else ""
    series = _series(views, tables)
    caption = caption or _caption(spec)
    return f"{kind}{of}{over}{series}.{f' {caption}' if caption else ''}"


def _views(spec: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if "mark" in spec:
        yield spec
    for name in ("layer", "hconcat", "vconcat", "concat"):
        for part in spec.get(name, ()):
            yield from _views({"encoding": spec.get("encoding", {}), **part})
    if isinstance(spec.get("spec"), Mapping):
        yield from _views(spec["spec"])


def _title(views: list[Mapping[str, Any]], channel: str) -> str:
    for view in views:
        found = view.get("encoding", {}).get(channel)
        if not isinstance(found, Mapping):
            continue
        axis = found.get("axis") if isinstance(found.get("axis"), Mapping) else {}
        for title in (found.get("title"), (axis or {}).get("title"), found.get("field"), found.get("aggregate")):
            if isinstance(title, str) and title:
                return title
    return ""


def _series(views: list[Mapping[str, Any]], tables: Mapping[str, Mapping[str, list[Any]]]) -> str:
    for view in views:
        field = (view.get("encoding", {}).get("color") or {}).get("field")
        if not isinstance(field, str):
            continue
        values = dict.fromkeys(str(value) for columns in tables.values() for value in columns.get(field, ()))
        names = list(values)
        if len(names) > 1:
            more = f" and {len(names) - _MAX_NAMES} more" if len(names) > _MAX_NAMES else ""
            return f", by {field}: {', '.join(names[:_MAX_NAMES])}{more}"
    return ""


def _caption(spec: Mapping[str, Any]) -> str:
    title = spec.get("title")
    text = title.get("text") if isinstance(title, Mapping) else title
    return " ".join(map(str, text)) if isinstance(text, list) else str(text or "")
