"""Keep what a notebook puts into layouts whole: by itself marimo turns a table into its first ten rows of HTML.

While `keeping` is on, a table, chart, picture or widget that stands inside a layout leaves a mark in the HTML, and the
object stays here. marimo is pinned: its registry of formatters is not public.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator
from typing import Any

from experiments.notebooks.export.tables import is_frame

TAG = "experiments-object"

_kept: list[object] = []


@contextlib.contextmanager
def keeping() -> Iterator[None]:
    """Keep the objects of layouts that are made within the block; render the page before the next block."""
    from marimo._output import formatting

    registry = formatting.OPINIONATED_FORMATTERS
    before = registry.get_formatter

    def get_formatter(value: object) -> Any:
        return _mark if is_kept_whole(value) else before(value)

    _kept.clear()
    vars(registry)["get_formatter"] = get_formatter
    try:
        yield
    finally:
        del vars(registry)["get_formatter"]


def kept(key: str) -> object:
    """Return the object behind a mark; None where there is none."""
    return _kept[int(key)] if key.isdigit() and int(key) < len(_kept) else None


def is_kept_whole(value: object) -> bool:
    """Say whether a value loses something when marimo makes HTML of it."""
    return is_frame(value) or is_chart(value) or is_widget(value) or is_picture(value)


def is_chart(value: object) -> bool:
    """Say whether a value is an altair chart."""
    return _is_of(value, "altair", "TopLevelMixin")


def is_widget(value: object) -> bool:
    """Say whether a value is an anywidget."""
    return _is_of(value, "anywidget", "AnyWidget")


def is_picture(value: object) -> bool:
    """Say whether a value is a picture of PIL or of matplotlib."""
    return (
        _is_of(value, "PIL", "Image") or _is_of(value, "matplotlib", "Figure") or _is_of(value, "matplotlib", "Artist")
    )


def _is_of(value: object, package: str, name: str) -> bool:
    return _has_base(type(value), package, name)


def _has_base(kind: type, package: str, name: str) -> bool:
    return any(base.__name__ == name and str(base.__module__).partition(".")[0] == package for base in kind.__mro__)


def live_objects() -> dict[str, object]:
    """Return the elements of the page that still exist by their id in the HTML, and widgets by their model's id."""
    from marimo._plugins.ui._core.ui_element import UIElement

    found: dict[str, object] = {}
    wanted = {kind: issubclass(kind, UIElement) for kind in {type(item) for item in gc.get_objects()} if _is_live(kind)}
    for item in gc.get_objects():
        is_element = wanted.get(type(item))
        if is_element:
            found[str(getattr(item, "_id", ""))] = item
        elif is_element is False and (comm := getattr(item, "comm", None)) is not None:
            found[str(getattr(comm, "comm_id", ""))] = item
    return found


def _is_live(kind: type) -> bool:
    return _has_base(kind, "marimo", "UIElement") or _has_base(kind, "anywidget", "AnyWidget")


def _mark(value: object) -> tuple[str, str]:
    _kept.append(value)
    return "text/html", f"<{TAG} data-key='{len(_kept) - 1}'></{TAG}>"
