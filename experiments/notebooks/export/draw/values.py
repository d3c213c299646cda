"""Anything that a cell shows, as HTML: the one place that decides what is drawn how."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import marimo as mo

from experiments.notebooks.export.draw import pictures
from experiments.notebooks.export.draw.charts import chart_html, spec_html
from experiments.notebooks.export.draw.html import markup_html
from experiments.notebooks.export.draw.objects import (
    element_html,
    is_chart,
    is_element,
    is_picture,
    is_widget,
    live_objects,
)
from experiments.notebooks.export.draw.sheet import Sheet
from experiments.notebooks.export.draw.tables import grid_of, is_frame, table_html
from experiments.notebooks.export.draw.widgets import widget_html
from experiments.notebooks.export.privacy import Cleaner
from experiments.project.files import parse_json
from experiments.project.redaction import MASK, is_telling

MAX_TEXT = 100_000
MAX_ENTRIES = 500
MAX_NESTING = 6
_SIMPLE = (str, int, float, bool, type(None))
_RICHEST_FIRST = (
    "application/vnd.vegalite.v6+json",
    "application/vnd.vegalite.v5+json",
    "text/markdown",
    "text/html",
    "image/svg+xml",
    "image/png",
    "image/jpeg",
    "image/gif",
    "image/webp",
    "application/json",
    "text/latex",
    "text/plain",
)


def new_sheet(root: Path | None = None, *, cell: str = "", cache_dir: Path | None = None) -> Sheet:
    """Return an empty page on which anything can be drawn.

    Args:
        root: The project's folder: files in it are shown by their path from there.
    """
    return Sheet(Cleaner(root), value_html, mime_html, live_objects, cell=cell, cache_dir=cache_dir)


def value_html(sheet: Sheet, value: Any, depth: int = 0) -> str:
    """Return any value as HTML; what cannot be shown is a sentence in its place, never an error."""
    try:
        return _drawn(sheet, value, depth)
    except RecursionError:
        return sheet.note(f"A value of type {_type_name(value)} is nested too deeply to be shown.")
    except Exception as error:  # noqa: BLE001 - anyone's object; the rest of the page must stand
        reason = f"{type(error).__name__}: {error}"[:300]
        return sheet.note(f"A value of type {_type_name(value)} cannot be shown ({reason}).")


def _drawn(sheet: Sheet, value: Any, depth: int) -> str:
    if value is None:
        return ""
    for applies, draw in _DRAWERS:
        if applies(value):
            return draw(sheet, value)
    if isinstance(value, str):
        return text_html(sheet, value)
    if isinstance(value, (list, tuple, set, frozenset, Mapping)):
        return _nested(sheet, value, depth)
    return _by_protocol(sheet, value)


def _table(sheet: Sheet, value: Any) -> str:
    grid = grid_of(value)
    return _by_protocol(sheet, value) if grid is None else table_html(sheet, grid)


_DRAWERS: tuple[tuple[Callable[[Any], bool], Callable[[Sheet, Any], str]], ...] = (
    (is_chart, chart_html),
    (is_widget, widget_html),
    (is_element, element_html),
    (lambda value: isinstance(value, mo.Html), lambda sheet, value: markup_html(sheet, value.text)),
    (is_frame, _table),
    (is_picture, pictures.picture_html),
)


def text_html(sheet: Sheet, text: str, kind: str = "value") -> str:
    """Return plain text as it is, with its lines."""
    if len(text) > MAX_TEXT:
        cut = f"{text[: MAX_TEXT // 2]}\n…\n{text[-MAX_TEXT // 2 :]}"
        said = sheet.note(f"A text of {len(text):,} characters is shown without its middle.")
        return f'<pre class="{kind}">{sheet.text(cut)}</pre>{said}'
    return f'<pre class="{kind}">{sheet.text(text)}</pre>'


def bundle_html(sheet: Sheet, bundle: Mapping[str, Any]) -> str:
    """Return the richest of several forms of one value that a log can show."""
    for kind in [*_RICHEST_FIRST, *(kind for kind in bundle if kind not in _RICHEST_FIRST)]:
        if kind in bundle:
            return mime_html(sheet, kind, bundle[kind])
    return ""


def mime_html(sheet: Sheet, kind: str, data: Any) -> str:
    """Return data of a mime type; one that no log can show is named."""
    read: dict[str, Callable[[Any], str]] = {
        "application/vnd.marimo+mimebundle": lambda text: bundle_html(sheet, _json(text)),
        "text/html": lambda text: markup_html(sheet, str(text)),
        "text/markdown": lambda text: markup_html(sheet, str(text)),
        "text/latex": lambda text: pictures.formula_html(sheet, str(text)),
        "application/json": lambda text: value_html(sheet, _json(text)),
    }
    if kind.startswith("application/vnd.vegalite"):
        return spec_html(sheet, _json(data))
    if kind.startswith("image/"):
        return _image(sheet, kind, data)
    if kind in read:
        return read[kind](data)
    if kind.startswith("text/"):
        return text_html(sheet, str(data))
    return sheet.note(f"Data of type {kind[:80]!r} cannot be shown in a log.")


def _json(data: Any) -> Any:
    return parse_json(data) if isinstance(data, (str, bytes)) else data


def _image(sheet: Sheet, kind: str, data: Any) -> str:
    if isinstance(data, (bytes, bytearray, memoryview)):
        return pictures.image_html(sheet, kind, bytes(data))
    if (drawn := pictures.from_data_url(sheet, str(data))) is not None:
        return drawn
    raw = str(data).encode() if kind == "image/svg+xml" else base64.b64decode(str(data))
    return pictures.image_html(sheet, kind, raw)


def _nested(sheet: Sheet, value: Any, depth: int) -> str:
    if depth >= MAX_NESTING:
        return text_html(sheet, repr(value)[:2_000])
    entries: Iterable[tuple[object, object]]
    if isinstance(value, Mapping):
        entries = value.items()
    else:
        # A set has no order of its own, and the same page must be the same bytes.
        ordered = sorted(value, key=repr) if isinstance(value, (set, frozenset)) else value
        entries = enumerate(ordered)
    rows = []
    for at, (name, entry) in enumerate(entries):
        if at == MAX_ENTRIES:
            rows.append(
                sheet.note(f"{type(value).__name__} of {len(value):,} entries: the first {MAX_ENTRIES} are shown.")
            )
            break
        if isinstance(value, Mapping) and isinstance(entry, str) and is_telling(str(name)):
            entry = MASK  # noqa: PLW2901 - what is shown of it
        shown = sheet.text(repr(entry)[:2_000]) if isinstance(entry, _SIMPLE) else value_html(sheet, entry, depth + 1)
        rows.append(f"<dt>{sheet.text(name)}</dt><dd>{shown}</dd>")
    if not rows:
        return text_html(sheet, repr(value))
    return f'<dl class="tree" aria-label="{sheet.text(type(value).__name__)}">{"".join(rows)}</dl>'


def _by_protocol(sheet: Sheet, value: Any) -> str:
    """Draw a value as notebooks agree on: `_display_`, `_mime_`, `_repr_mimebundle_`, `_repr_*_`; else its `repr`."""
    if isinstance(value, type):
        return text_html(sheet, repr(value))
    if callable(display := getattr(value, "_display_", None)):
        return value_html(sheet, display(), 1)
    if callable(mime := getattr(value, "_mime_", None)):
        return mime_html(sheet, *mime())
    if callable(bundled := getattr(value, "_repr_mimebundle_", None)) and (found := bundled()):
        return bundle_html(sheet, found[0] if isinstance(found, tuple) else found)
    for name, kind in (
        ("_repr_markdown_", "text/markdown"),
        ("_repr_html_", "text/html"),
        ("_repr_svg_", "image/svg+xml"),
        ("_repr_png_", "image/png"),
        ("_repr_jpeg_", "image/jpeg"),
        ("_repr_latex_", "text/latex"),
    ):
        if callable(form := getattr(value, name, None)) and (data := form()) is not None:
            return markup_html(sheet, mo.md(data).text) if kind == "text/markdown" else mime_html(sheet, kind, data)
    return text_html(sheet, value if isinstance(value, str) else repr(value))


def _type_name(value: object) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
