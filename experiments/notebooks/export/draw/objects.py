"""marimo's own objects: kept whole where they stand in layouts, found again by their id, and inputs as readable text.

By itself marimo turns a table in a layout into its first ten rows of HTML. While `keeping` is on, a table, chart,
picture or widget in a layout leaves a mark in the HTML, and the object stays here. marimo is pinned: its registry of
formatters is not public.
"""

from __future__ import annotations

import contextlib
import gc
import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from experiments.notebooks.export.draw.sheet import Sheet, words
from experiments.notebooks.export.draw.tables import grid_of, is_frame, table_html
from experiments.project.files import parse_json
from experiments.project.look import MISSING

TAG = "experiments-object"

_HOLDERS = frozenset({"tabs", "form", "array", "dictionary", "batch", "_batch_base", "download"})
_NOT_SHOWN = {"plotly": "plotly chart", "panel": "panel", "chat": "chat", "file_browser": "browser of files"}
# Elements that are only the frame of a chart, table, widget or figure, and where they have it.
_FRAMES = {
    "altair_chart": "_chart",
    "anywidget": "widget",
    "mpl_interactive": "_figure",
    "matplotlib": "_ax",
    "data_explorer": "_data",
    "dataframe": "value",
    "data_editor": "value",
}
_BUTTONS = frozenset({"button", "run_button", "refresh"})
_BY_LABEL = frozenset({"dropdown", "multiselect", "radio"})
_MAX_CHARS = 2_000
_ROW_NUMBERS = "_marimo_row_id"  # marimo's own column
_LABEL = re.compile(r"""data-label=(["'])(.*?)\1""", re.DOTALL)

_kept: list[object] = []


@contextlib.contextmanager
def keeping() -> Iterator[None]:
    """Keep the objects of layouts that are made within the block; render the page before the next block."""
    from marimo._output import formatting

    registry = formatting.OPINIONATED_FORMATTERS
    before = registry.get_formatter

    def get_formatter(value: object) -> Any:
        is_kept_whole = is_frame(value) or is_chart(value) or is_widget(value) or is_picture(value)
        return _mark if is_kept_whole else before(value)

    _kept.clear()
    vars(registry)["get_formatter"] = get_formatter
    try:
        yield
    finally:
        del vars(registry)["get_formatter"]


def _mark(value: object) -> tuple[str, str]:
    _kept.append(value)
    return "text/html", f"<{TAG} data-key='{len(_kept) - 1}'></{TAG}>"


def kept(key: str) -> object:
    """Return the object behind a mark; None where there is none."""
    return _kept[int(key)] if key.isdigit() and int(key) < len(_kept) else None


def is_chart(value: object) -> bool:
    """Say whether a value is an altair chart."""
    return _has_base(type(value), "altair", "TopLevelMixin")


def is_widget(value: object) -> bool:
    """Say whether a value is an anywidget."""
    return _has_base(type(value), "anywidget", "AnyWidget")


def is_element(value: object) -> bool:
    """Say whether a value is one of marimo's inputs, or a table, form or the like of its."""
    return _has_base(type(value), "marimo", "UIElement")


def is_picture(value: object) -> bool:
    """Say whether a value is a picture of PIL or of matplotlib."""
    bases = (("PIL", "Image"), ("matplotlib", "Figure"), ("matplotlib", "Artist"))
    return any(_has_base(type(value), package, name) for package, name in bases)


def is_holder(element: object) -> bool:
    """Say whether an element is shown as what it holds."""
    return type(element).__name__ in _HOLDERS


def _has_base(kind: type, package: str, name: str) -> bool:
    return any(base.__name__ == name and str(base.__module__).partition(".")[0] == package for base in kind.__mro__)


def live_objects() -> dict[str, object]:
    """Return the elements of the page that still exist by their id in the HTML, and widgets by their model's id."""
    everything = gc.get_objects()
    kinds = {type(item) for item in everything}
    elements = {kind for kind in kinds if _has_base(kind, "marimo", "UIElement")}
    widgets = {kind for kind in kinds if _has_base(kind, "anywidget", "AnyWidget")}
    found = {str(getattr(item, "_id", "")): item for item in everything if type(item) in elements}
    for item in everything:
        if type(item) in widgets and (comm := getattr(item, "comm", None)) is not None:
            found[str(getattr(comm, "comm_id", ""))] = item
    return found


def element_html(sheet: Sheet, element: Any) -> str:
    """Return one of marimo's elements as text, or what it shows: a table, a chart, a widget."""
    kind = type(element).__name__
    if kind == "table":
        return _table(sheet, element)
    if (shown := getattr(element, _FRAMES.get(kind, ""), None)) is not None:
        return sheet.draw(shown)
    if kind in _NOT_SHOWN:
        return sheet.note(f"A {_NOT_SHOWN[kind]} cannot be shown in a log.")
    if kind in _HOLDERS:
        return sheet.draw_mime("text/html", element.text)
    value = getattr(element, "_value_frontend", None) if kind in _BY_LABEL else element.value
    if getattr(element, "_component_args", {}).get("kind") == "password":
        value = "•••" if element.value else ""
    return control_html(sheet, kind, label_of(element.text), value)


def control_html(sheet: Sheet, kind: str, label: str, value: object) -> str:
    """Return the line for one input, or for what is made only when it is opened."""
    if kind == "lazy":
        return sheet.note("Not opened when this was written: the notebook opens it.")
    if kind in _BUTTONS:
        return f'<span class="control button">{sheet.text(label or "button")}</span>'
    text = _value_text(value)
    if len(text) > _MAX_CHARS:
        text = f"{text[:_MAX_CHARS]}… ({len(text):,} characters)"
    name = f"{sheet.text(label)}: " if label else ""
    return f'<span class="control">{name}<b>{sheet.text(text) if text else MISSING}</b></span>'


def label_of(markup: str) -> str:
    """Return the label that marimo has put into an element's HTML."""
    found = _LABEL.search(markup)
    try:
        label = parse_json(html.unescape(found[2])) if found else ""
    except ValueError:
        return ""
    return words(label) if isinstance(label, str) else ""


def _table(sheet: Sheet, element: Any) -> str:
    grid = grid_of(element.data)
    if grid is None:
        return sheet.note(f"A table of {type(element.data).__name__} cannot be shown in a log.")
    formats = getattr(element, "_format_mapping", None)
    if isinstance(formats, Mapping):
        grid = replace(grid, formats={str(name): form for name, form in formats.items()})
    hidden = {*(getattr(element, "_component_args", {}).get("hidden-columns") or ()), _ROW_NUMBERS}
    return table_html(sheet, replace(grid, caption=label_of(element.text)).without(hidden))


def _value_text(value: object) -> str:
    """Return the value of an input as people say it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "on" if value else "off"
    return ", ".join(map(_value_text, value)) if isinstance(value, (list, tuple)) else str(value)
