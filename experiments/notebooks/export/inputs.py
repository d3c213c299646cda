"""Inputs of a notebook as readable text: what each was called, and what it was set to when the page was made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from experiments.look import MISSING
from experiments.notebooks.export.markup import Element, parse
from experiments.notebooks.export.sheet import Sheet
from experiments.notebooks.export.tables import Grid, grid_of, table_html

HOLDERS = frozenset({"tabs", "form", "array", "dictionary", "batch", "_batch_base", "download"})
"""Elements that are shown as what they hold."""

_NOT_SHOWN = {"plotly": "plotly chart", "panel": "panel", "chat": "chat", "file_browser": "browser of files"}

_BUTTONS = frozenset({"button", "run_button", "refresh"})
_BY_LABEL = frozenset({"dropdown", "multiselect", "radio"})
_MAX_CHARS = 2_000
_ROW_NUMBERS = "_marimo_row_id"  # marimo's own column


def element_html(sheet: Sheet, element: Any) -> str:
    """Return one of marimo's elements as text, or what it shows: a table, a chart, a widget."""
    from experiments.notebooks.export.values import value_html

    kind = type(element).__name__
    if kind == "table":
        return _table(sheet, element)
    if kind in {"dataframe", "data_editor"}:
        return value_html(sheet, element.value)
    if (shown := _shown_instead(element, kind)) is not None:
        return value_html(sheet, shown)
    if kind in _NOT_SHOWN:
        return sheet.note(f"A {_NOT_SHOWN[kind]} cannot be shown in a log.")
    if kind in HOLDERS:
        from experiments.notebooks.export.elements import component_html

        inner = parse(element.text)
        found = next((node for node in _walk(inner) if node.tag not in {"", "marimo-ui-element"}), inner)
        return component_html(sheet, found)
    label = sheet.cleaner.text(parse(getattr(element, "label", "") or "").text()).strip() or label_of(element.text)
    return control_html(sheet, kind, label, _value_text(element, kind))


def control_html(sheet: Sheet, kind: str, label: str, value: str) -> str:
    """Return the line for one input."""
    name = f"{sheet.text(label)}: " if label else ""
    if kind in _BUTTONS:
        return f'<span class="control button">{sheet.text(label or "button")}</span>'
    if len(value) > _MAX_CHARS:
        value = f"{value[:_MAX_CHARS]}… ({len(value):,} characters)"
    shown = sheet.text(value) if value else MISSING
    return f'<span class="control">{name}<b>{shown}</b></span>'


def label_of(markup: str) -> str:
    """Return the label that marimo has put into an element's HTML."""
    import json

    for node in _walk(parse(markup)):
        if "data-label" in node.attributes:
            try:
                label = json.loads(node.attributes["data-label"])
            except ValueError:
                return ""
            return parse(label).text().strip() if isinstance(label, str) else ""
    return ""


def _walk(node: Element) -> Any:
    yield node
    for child in node.children:
        if isinstance(child, Element):
            yield from _walk(child)


def _shown_instead(element: Any, kind: str) -> object | None:
    """Return the chart, table, widget or figure that an element is only the frame of."""
    names = {
        "altair_chart": "_chart",
        "anywidget": "widget",
        "mpl_interactive": "_figure",
        "matplotlib": "_ax",
        "data_explorer": "_data",
    }
    found: object | None = getattr(element, names[kind], None) if kind in names else None
    return found


def _table(sheet: Sheet, element: Any) -> str:
    grid = grid_of(element.data)
    if grid is None:
        return sheet.note(f"A table of {type(element.data).__name__} cannot be shown in a log.")
    formats = getattr(element, "_format_mapping", None)
    hidden = set(getattr(element, "_component_args", {}).get("hidden-columns") or ()) | {_ROW_NUMBERS}
    label = label_of(element.text)
    if isinstance(formats, Mapping):
        grid = replace(grid, formats={str(name): form for name, form in formats.items()})
    return table_html(sheet, _without(replace(grid, caption=label), hidden))


def _without(grid: Grid, hidden: set[Any]) -> Grid:
    kept = [at for at, name in enumerate(grid.columns) if name not in hidden]
    if len(kept) == len(grid.columns):
        return grid
    rows = [tuple(row[at] for at in kept) for row in grid.rows]
    lost = len(grid.columns) - len(kept)
    return replace(grid, columns=[grid.columns[at] for at in kept], rows=rows, total_columns=grid.total_columns - lost)


def _value_text(element: Any, kind: str) -> str:
    if getattr(element, "_component_args", {}).get("kind") == "password":
        return "•••" if element.value else ""
    value = getattr(element, "_value_frontend", None) if kind in _BY_LABEL else element.value
    return value_text(value)


def value_text(value: object) -> str:
    """Return the value of an input as people say it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(value_text, value))
    return str(value)
