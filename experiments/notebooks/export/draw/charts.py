"""Altair charts: a still picture that everything can show, and beside it what vega needs to draw the chart alive.

The data stay out of the specification: each table is kept once in the page, by columns, and charts share it.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from experiments.notebooks.charts.figures import FigureError, draw
from experiments.notebooks.export.draw.sheet import Sheet, attributes

MAX_ROWS = 200_000
"""Rows above which a chart is named instead of drawn: no browser draws it as fast as one reads."""

_STILL_ROWS = 20_000
_STILL_BYTES = 300_000
# Letters are measured here in a narrower font than most browsers have: without room labels lose their first letters.
_STILL_PADDING = {"left": 28, "right": 12, "top": 5, "bottom": 5}
_STILL_WIDTH = 900
_SIMPLE = (str, int, float, list, dict)
_LINE = re.compile(r' d="[^"]*"')
_DIGITS = re.compile(r"(\.\d)\d+")
_UNSAFE = frozenset({"usermeta", "href"})
_MARK_WORDS = {
    "line": "Line chart",
    "bar": "Bar chart",
    "point": "Scatter plot",
    "circle": "Scatter plot",
    "rect": "Heat map",
}
_MAX_NAMES = 8

Columns = dict[str, list[Any]]


class _TooLargeError(Exception):
    def __init__(self, rows: int) -> None:
        super().__init__(rows)
        self.rows = rows


def chart_html(sheet: Sheet, chart: Any) -> str:
    """Return an altair chart; one with too many rows is named."""
    import altair as alt

    tables: dict[str, Columns] = {}

    def take(data: Any, **_options: Any) -> dict[str, Any]:
        columns = columns_of(data)
        if (rows := _length(columns)) > MAX_ROWS:
            raise _TooLargeError(rows)
        name = f"data-{hashlib.sha256(msgspec.json.encode(columns)).hexdigest()[:16]}"
        tables[name] = columns
        return {"name": name}

    alt.data_transformers.register("experiments-log", take)
    try:
        with alt.data_transformers.enable("experiments-log"):
            spec = chart.to_dict(validate=False)  # altair checked it as it was made
    except _TooLargeError as error:
        return _too_large(sheet, error.rows)
    return _drawn(sheet, spec, tables)


def spec_html(sheet: Sheet, spec: Mapping[str, Any]) -> str:
    """Return a chart that is given as a Vega-Lite specification."""
    return _drawn(sheet, copy.deepcopy(dict(spec)), {})


def columns_of(data: Any) -> Columns:
    """Return a table by columns, with what vega reads: numbers, texts, and times as ISO text."""
    import pandas as pd
    from altair.utils import sanitize_pandas_dataframe

    if isinstance(data, pd.DataFrame):
        frame = sanitize_pandas_dataframe(data)
        return {str(name): frame[name].tolist() for name in frame.columns}
    if isinstance(data, Mapping):
        values = data.get("values", [])
        return _of_rows(values if isinstance(values, list) else [values])
    import narwhals.stable.v2 as nw
    from altair.utils.core import sanitize_narwhals_dataframe

    found = sanitize_narwhals_dataframe(nw.from_native(data, eager_only=True))
    return {str(name): found[name].to_list() for name in found.columns}


def _of_rows(rows: Sequence[Any]) -> Columns:
    records = [row if isinstance(row, Mapping) else {"data": row} for row in rows]
    names = list(dict.fromkeys(name for row in records for name in row))
    return {str(name): [row.get(name) for row in records] for name in names}


def _drawn(sheet: Sheet, spec: dict[str, Any], tables: dict[str, Columns]) -> str:
    for name, rows in spec.pop("datasets", {}).items():
        tables[str(name)] = _of_rows(rows)
    if isinstance(rows := (spec.get("data") or {}).get("values"), (list, tuple)):
        tables["data-inline"], spec["data"] = _of_rows(rows), {"name": "data-inline"}
    count = sum(map(_length, tables.values()))
    if count > MAX_ROWS:
        return _too_large(sheet, count)
    address = next((part["url"] for part in _parts(spec) if isinstance(part.get("url"), str)), None)
    if address is not None:
        return sheet.note(f"A chart whose data stand at {address[:200]!r} cannot be shown: a log reads no address.")
    meta = sheet.cleaner.json(spec.get("usermeta") or {})
    line, text = (str(meta.get(name, "")) for name in ("summary", "caption"))
    if line:  # then the page has the words, and the drawing need not
        spec.pop("title", None)
    spec = sheet.cleaner.json(_without_unsafe(spec))
    tables = {name: _clean(sheet, columns) for name, columns in tables.items()}
    if (sentence := _only_text(spec, tables)) is not None:
        return f'<p class="quiet">{sheet.text(sentence)}</p>'
    words = described(spec, tables, text)
    still = still_picture(spec, tables, count)
    picture = f'<img class="still" src="{still}" alt="{sheet.text(words)}">' if still else f"<p>{sheet.text(words)}</p>"
    plan, needs = _plan(sheet, spec, tables, meta)
    figure = attributes({"class": "chart", "data-chart": plan, "aria-label": sheet.text(words)})
    below = _folded(sheet, line, text) if line else ""
    html = f'<figure{figure}><div class="live" hidden></div><div class="fixed">{picture}</div>{below}</figure>'
    return sheet.piece("chart", f"The chart ({words})", html, needs=(plan, *needs))


def _folded(sheet: Sheet, line: str, text: str) -> str:
    """Return the words beneath a chart: a line that opens to all of them."""
    return f"<figcaption><details><summary>{sheet.text(line)}</summary>{sheet.text(text)}</details></figcaption>"


def _only_text(spec: Mapping[str, Any], tables: Mapping[str, Columns]) -> str | None:
    """Return the sentence of a chart that has nothing to draw and says so in words."""
    mark = spec.get("mark")
    kind = mark.get("type") if isinstance(mark, Mapping) else mark
    field = spec.get("encoding", {}).get("text", {}).get("field")
    texts = [value for columns in tables.values() for value in columns.get(str(field), ())]
    if kind != "text" or len(texts) != 1:
        return None
    return " ".join(map(str, texts[0])) if isinstance(texts[0], list) else str(texts[0])


def _plan(
    sheet: Sheet, spec: dict[str, Any], tables: Mapping[str, Columns], meta: Mapping[str, Any]
) -> tuple[str, list[str]]:
    """Pack what the page needs to draw a chart; one that says what can be pointed at is drawn by our chart widget."""
    widget = None
    needs = []
    if isinstance(pick := meta.get("pick"), dict):
        from widgets.charts.chart import ChartWidget

        names = _widget_names(tables)
        below = "" if meta.get("summary") else str(meta.get("caption", ""))
        words = {"caption": below, "description": str(spec.get("description", ""))}
        state = {name: trait.default() for name, trait in ChartWidget.class_traits(sync=True).items()}
        simple = {name: value for name, value in state.items() if isinstance(value, _SIMPLE)}
        spec = {name: value for name, value in _renamed(spec, names).items() if name not in {"title", "description"}}
        tables = {names[name]: columns for name, columns in tables.items()}
        esm = sheet.pack(str(ChartWidget._esm).encode())  # noqa: SLF001 - anywidget's own name for it
        sheet.styles.setdefault("charts", str(ChartWidget._css))  # noqa: SLF001 - anywidget's own name for it
        widget = {"pick": pick, "esm": esm, "state": {**simple, **words, "can_select": True}}
        needs = [esm]
    blocks = {name: sheet.pack(msgspec.json.encode(columns)) for name, columns in tables.items()}
    rows = sum(map(_length, tables.values()))
    plan = sheet.pack(msgspec.json.encode({"spec": spec, "tables": blocks, "rows": rows, "widget": widget}))
    return plan, [*needs, *blocks.values()]


def _widget_names(tables: Mapping[str, Columns]) -> dict[str, str]:
    """Return what the chart widget calls each table: by its columns, with a plus where that is taken."""
    from widgets.charts.chart import dataset_name

    names: dict[str, str] = {}
    for old, columns in tables.items():
        name = dataset_name(columns) if columns else "empty"
        while name in names.values():
            name += "+"
        names[old] = name
    return names


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    """Return a specification whose datasets are called otherwise."""
    if isinstance(value, dict):
        return {
            key: names.get(entry, entry) if _is_name(key, entry) else _renamed(entry, names)
            for key, entry in value.items()
        }
    return [_renamed(entry, names) for entry in value] if isinstance(value, list) else value


def _is_name(key: str, entry: object) -> bool:
    return key == "name" and isinstance(entry, str)


def still_picture(spec: Mapping[str, Any], tables: Mapping[str, Columns], rows: int) -> str | None:
    """Return a chart as a picture's address: SVG where that is small, else PNG; None where it cannot be drawn."""
    whole = {**spec, "datasets": {name: _rows(columns) for name, columns in tables.items()}}
    if whole.get("width") == "container":
        whole["width"] = _STILL_WIDTH
        whole.setdefault("padding", _STILL_PADDING)
    try:
        if rows <= _STILL_ROWS:
            svg = _LINE.sub(_rounded, draw(whole, "svg").decode()).encode()
            if len(svg) <= _STILL_BYTES:
                return f"data:image/svg+xml;base64,{base64.b64encode(svg).decode()}"
        return f"data:image/png;base64,{base64.b64encode(draw(whole, 'png')).decode()}"
    except FigureError:
        return None


def _rounded(line: re.Match[str]) -> str:
    """Return the path of a line to a tenth of a pixel: half of its bytes."""
    return _DIGITS.sub(r"\1", line[0])


def _rows(columns: Columns) -> list[dict[str, Any]]:
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _length(columns: Columns) -> int:
    return len(next(iter(columns.values()), ()))


def _clean(sheet: Sheet, columns: Columns) -> Columns:
    return {sheet.cleaner.text(name): _clean_column(sheet, values) for name, values in columns.items()}


def _clean_column(sheet: Sheet, values: list[Any]) -> list[Any]:
    if not any(isinstance(value, (str, dict, list)) for value in values):
        return values
    if all(isinstance(value, str) for value in values):
        return sheet.cleaner.texts(values)
    return [sheet.cleaner.json(value) for value in values]


def _parts(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every object in a specification."""
    if isinstance(value, dict):
        yield value
        for entry in value.values():
            yield from _parts(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _parts(entry)


def _without_unsafe(value: Any) -> Any:
    """Return a specification without links, and without the options by which one could give vega its eval back."""
    if isinstance(value, dict):
        return {name: _without_unsafe(entry) for name, entry in value.items() if name not in _UNSAFE}
    return [_without_unsafe(entry) for entry in value] if isinstance(value, list) else value


def _too_large(sheet: Sheet, rows: int) -> str:
    return sheet.note(
        f"A chart of {rows:,} rows is left out: a log draws up to {MAX_ROWS:,}. Thin the data before charting them."
    )


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
