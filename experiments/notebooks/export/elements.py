"""HTML that a cell shows, written again: known elements only, marimo's own elements as plain ones, links as text."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from typing import Any

from experiments.notebooks.export import pictures
from experiments.notebooks.export.formulas import formula_html
from experiments.notebooks.export.inputs import control_html, element_html, value_text
from experiments.notebooks.export.keeping import TAG, kept, live_objects
from experiments.notebooks.export.markup import VOID, Element, parse, safe_style, svg_text
from experiments.notebooks.export.sheet import Sheet

_PLAIN_TAGS = """
a abbr address article aside b bdi blockquote br caption cite code col colgroup dd del details dfn
div dl dt em figcaption figure footer h1 h2 h3 h4 h5 h6 header hr i ins kbd li main mark nav ol p
pre q s samp section small span strong sub summary sup table tbody td tfoot th thead time tr u ul
var wbr center font label legend fieldset
"""
_PLAIN = frozenset(_PLAIN_TAGS.split())
_ATTRIBUTE_NAMES = """
align aria-hidden aria-label class colspan datetime dir lang open reversed role rowspan scope span
start style tabindex title
"""
_ATTRIBUTES = frozenset(_ATTRIBUTE_NAMES.split())
_SILENT = frozenset({"head", "title", "link", "meta", "base", "template", "noscript", "style"})
_CODE = frozenset({"script", "object", "embed", "applet", "frame", "frameset"})
_HEADINGS = {"h1": 2, "h2": 2, "h3": 3}
_SMALL = 20_000
_TAGS = re.compile(r"<[^>]*>")
_ADDRESS = re.compile(r"(?:https?://|mailto:)\S+", re.IGNORECASE)


def markup_html(sheet: Sheet, text: str) -> str:
    """Return any HTML as a log may carry it."""
    return _inner(sheet, parse(text))


def component_html(sheet: Sheet, node: Element) -> str:
    """Return one element as a log may carry it."""
    if node.tag in _COMPONENTS:
        return _COMPONENTS[node.tag](sheet, node)
    if node.tag.startswith("marimo-"):
        return _unknown(sheet, node)
    if node.tag in _CODE:
        return sheet.note(f"A <{node.tag}> element is left out: a log runs no code of a cell.")
    if node.tag in _PLAIN:
        return _plain(sheet, node)
    return "" if node.tag in _SILENT else _inner(sheet, node)


def _plain(sheet: Sheet, node: Element) -> str:
    written = _attributes(sheet, node)
    if node.tag in VOID:
        return f"<{node.tag}{written}>"
    element = f"<{node.tag}{written}>{_inner(sheet, node)}</{node.tag}>"
    return f'<div class="table">{element}</div>' if node.tag == "table" else element


def _heading(sheet: Sheet, node: Element) -> str:
    text = sheet.cleaner.text(node.text()).strip()
    if node.tag == "h1" and text and text == sheet.title:
        return ""
    return sheet.heading(_HEADINGS[node.tag], _inner(sheet, node), text)


def _inner(sheet: Sheet, node: Element) -> str:
    return "".join(
        sheet.text(child) if isinstance(child, str) else component_html(sheet, child) for child in node.children
    )


def _attributes(sheet: Sheet, node: Element) -> str:
    kept_ones = []
    for name, value in sorted(node.attributes.items()):
        if name in _ATTRIBUTES:
            clean = safe_style(value) if name == "style" else value
            kept_ones.append(f' {name}="{sheet.text(clean)}"')
    return "".join(kept_ones)


def _link(sheet: Sheet, node: Element) -> str:
    """Return a link as its text and its address: a log leads nowhere by a click."""
    address = node.attributes.get("href", "").strip()
    inner = _inner(sheet, node)
    shown = sheet.cleaner.text(address)
    if not _ADDRESS.fullmatch(address) or shown == sheet.cleaner.text(node.text()).strip():
        return f"<span>{inner}</span>"
    return f'<span>{inner} <span class="address">({sheet.text(address)})</span></span>'


def _image(sheet: Sheet, node: Element) -> str:
    source, alt = node.attributes.get("src", ""), node.attributes.get("alt", "")
    style = safe_style(node.attributes.get("style", ""))
    for side in ("width", "height"):
        if re.fullmatch(r"\d{1,5}", node.attributes.get(side, "")):
            style += f"; {side}: {node.attributes[side]}px"
    drawn = pictures.from_data_url(sheet, source, alt=alt, style=style.strip("; "))
    if drawn is not None:
        return drawn
    return sheet.note(f"A picture at {source[:200] or 'no address'!r} is not in the file{f': {alt}' if alt else ''}.")


def _svg(sheet: Sheet, node: Element) -> str:
    label = next((child.text() for child in node.find("title")), "drawing")
    style = ""
    for side in ("width", "height"):
        if re.fullmatch(r"\d{1,5}(?:\.\d+)?(?:px|em|rem|%)?", node.attributes.get(side, "")):
            style += f"{side}: {node.attributes[side]}{'px' if node.attributes[side][-1].isdigit() else ''}; "
    return pictures.image_html(sheet, "image/svg+xml", svg_text(node).encode(), alt=label, style=style.strip("; "))


def _media(sheet: Sheet, node: Element) -> str:
    source = node.attributes.get("src") or next((child.attributes.get("src", "") for child in node.find("source")), "")
    decoded = pictures.decode(source)
    if decoded is None or not decoded[0].startswith(("audio/", "video/")):
        return sheet.note(f"A {node.tag} at {source[:200] or 'no address'!r} is not in the file.")
    if len(decoded[1]) > pictures.MAX_BYTES:
        return sheet.note(f"A {node.tag} of {pictures.size(len(decoded[1]))} is left out.")
    return sheet.piece("image", f"a {node.tag}", f'<{node.tag} controls src="{sheet.text(source)}"></{node.tag}>')


def _frame(sheet: Sheet, node: Element) -> str:
    inside = node.attributes.get("srcdoc", "")
    source = node.attributes.get("src", "")
    if not inside and (decoded := pictures.decode(source)) is not None and decoded[0] == "text/html":
        inside = decoded[1].decode("utf-8", errors="replace")
    if not inside:
        return sheet.note(f"A frame with {source[:200] or 'no address'!r} is not in the file.")
    if any(True for _ in parse(inside).find("script")):
        sheet.note("A frame is shown without its scripts: a log runs no code of a cell.")
    return f'<div class="frame">{markup_html(sheet, inside)}</div>'


def _data(node: Element, name: str, default: Any = None) -> Any:
    """Return one argument of marimo's element; the default where it is missing or is no JSON."""
    try:
        return json.loads(node.attributes.get(f"data-{name}", "null")) or default
    except ValueError:
        return default


def _live(sheet: Sheet, node: Element) -> str:
    """Return an element that Python may still have, else what its HTML says."""
    found = _found(sheet, node.attributes.get("object-id", ""))
    return element_html(sheet, found) if found is not None else _inner(sheet, node)


def _found(sheet: Sheet, key: str) -> object | None:
    if sheet.live is None:
        sheet.live = live_objects()
    return sheet.live.get(key)


def _object(sheet: Sheet, node: Element) -> str:
    from experiments.notebooks.export.values import value_html

    return value_html(sheet, kept(node.attributes.get("data-key", "")))


def _widget(sheet: Sheet, node: Element) -> str:
    from experiments.notebooks.export.values import value_html

    found = _found(sheet, str(_data(node, "model-id", "")))
    return value_html(sheet, found) if found is not None else sheet.note("A widget that no longer exists is not shown.")


def _mime(sheet: Sheet, node: Element) -> str:
    from experiments.notebooks.export.values import mime_html

    return mime_html(sheet, str(_data(node, "mime", "text/plain")), _data(node, "data", ""))


def _json(sheet: Sheet, node: Element) -> str:
    from experiments.notebooks.export.values import value_html

    return value_html(sheet, _untagged(sheet, _data(node, "json-data")))


def _untagged(sheet: Sheet, value: Any) -> Any:
    """Return JSON in which marimo's `type:data` texts are what they stand for."""
    import marimo as mo

    if isinstance(value, dict):
        return {name: _untagged(sheet, entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [_untagged(sheet, entry) for entry in value]
    if isinstance(value, str):
        kind, colon, data = value.partition(":")
        if colon and kind in {"text/html", "text/markdown"}:
            return mo.Html(data)
        if colon and kind.startswith(("text/plain", "application/json")):
            return data
    return value


def _callout(sheet: Sheet, node: Element) -> str:
    kind = str(_data(node, "kind", "neutral"))
    kind = kind if kind in {"neutral", "warn", "success", "info", "danger", "alert"} else "neutral"
    title = _data(node, "title", "")
    head = f"<b>{sheet.text(title)}</b>" if title else ""
    return f'<aside class="callout {kind}">{head}{markup_html(sheet, str(_data(node, "html", "")))}</aside>'


def _slots(node: Element) -> list[Element]:
    return [child for child in node.children if isinstance(child, Element)]


def _accordion(sheet: Sheet, node: Element) -> str:
    labels, expanded = _data(node, "labels", []), _data(node, "expanded", [])
    parts = []
    for at, (label, content) in enumerate(zip(labels, _slots(node), strict=False)):
        state = " open" if str(at) in expanded else ""
        title = sheet.text(parse(str(label)).text().strip())
        parts.append(f"<details{state}><summary>{title}</summary>{component_html(sheet, content)}</details>")
    return "".join(parts)


def _tabs(sheet: Sheet, node: Element) -> str:
    labels = _data(node, "tabs", [])
    first = str(_data(node, "initial-value", "0") or "0")
    parts = []
    contents = [component_html(sheet, slot) for slot in _slots(node)]
    titles = [sheet.text(parse(str(label)).text().strip()) for label in labels]
    full = [at for at, content in enumerate(contents) if "<img" in content or _TAGS.sub("", content).strip()]
    if not full:
        # Tabs that only choose what another cell shows.
        return f'<span class="control">{" · ".join(titles)}</span>'
    for at in full:
        title = titles[at] if at < len(titles) else ""
        chosen = " data-first" if str(at) == first else ""
        parts.append(f'<section class="tab" aria-label="{title}"{chosen}>{contents[at]}</section>')
    return f'<div class="tabs">{"".join(parts)}</div>'


def _stat(sheet: Sheet, node: Element) -> str:
    label, caption, slot = (_data(node, name, "") for name in ("label", "caption", "slot"))
    direction = _data(node, "direction", "")
    arrow = {"increase": "▲ ", "decrease": "▼ "}.get(direction, "")
    value = _data(node, "value", 0)
    inner = markup_html(sheet, slot) if isinstance(slot, str) else ""
    return (
        f'<div class="stat">{f"<small>{sheet.text(label)}</small>" if label else ""}<b>{sheet.text(value)}</b>'
        f"{f'<small>{arrow}{sheet.text(caption)}</small>' if caption else ''}{inner}</div>"
    )


def _table(sheet: Sheet, node: Element) -> str:
    """Return a table whose object is gone: the rows that its HTML still holds."""
    from experiments.notebooks.export.tables import grid_of, table_html

    rows = _data(node, "data", [])
    grid = grid_of(json.loads(rows) if isinstance(rows, str) else rows)
    total = _data(node, "total-rows", 0)
    shown = table_html(sheet, grid) if grid is not None else ""
    if grid is not None and isinstance(total, int) and total > len(grid.rows):
        shown += sheet.note(
            f"A table shows {len(grid.rows):,} of {total:,} rows: it stands in a text. Show it by itself."
        )
    return shown


def _diagram(sheet: Sheet, node: Element) -> str:
    note = sheet.note("A mermaid diagram is shown as its source.")
    return f"<pre>{sheet.text(_data(node, 'diagram', ''))}</pre>{note}"


def _icon(sheet: Sheet, node: Element) -> str:
    return f"<small>[{sheet.text(node.attributes.get('icon', 'icon').rpartition(':')[2])}]</small>"


def _download(sheet: Sheet, node: Element) -> str:
    """Return a file that can be saved from the page: it is in the link itself."""
    name = str(_data(node, "filename", "") or "file")
    decoded = pictures.decode(str(_data(node, "data", "")))
    if decoded is None:
        return sheet.note(f"The file {name!r} that could be downloaded is not in the log.")
    data = _clean_bytes(sheet, decoded[1])
    if data is None or len(data) > pictures.MAX_BYTES:
        return sheet.note(f"The file {name!r} is left out: it is too large, or holds what looks like a secret.")
    text = base64.b64encode(data).decode()
    label = parse(str(_data(node, "label", ""))).text().strip() or "Save"
    # Of no type that a browser would open.
    address = f"data:application/octet-stream;base64,{text}"
    html = f'<a class="save" download="{sheet.text(name)}" href="{address}">{sheet.text(label)}</a>'
    return sheet.piece("image", f"The file {name}", html) if len(html) > _SMALL else html


def _clean_bytes(sheet: Sheet, data: bytes) -> bytes | None:
    try:
        return sheet.cleaner.text(data.decode("utf-8")).encode()
    except UnicodeDecodeError:
        return None if sheet.cleaner.holds_secret(data) else data


def _formula(sheet: Sheet, node: Element) -> str:
    return formula_html(sheet, node.text())


def _editor(sheet: Sheet, node: Element) -> str:
    return f"<pre>{sheet.text(value_text(_data(node, 'initial-value', '')))}</pre>"


def _unknown(sheet: Sheet, node: Element) -> str:
    """Return an input whose object is gone as its label and value; anything else is named."""
    kind = node.tag.removeprefix("marimo-")
    if "data-initial-value" in node.attributes and not node.children:
        label = parse(str(_data(node, "label", ""))).text().strip()
        return control_html(sheet, kind.replace("-", "_"), label, value_text(_data(node, "initial-value")))
    inner = _inner(sheet, node)
    return inner if inner.strip() else sheet.note(f"An element of kind {kind!r} cannot be shown in a log.")


_COMPONENTS: dict[str, Callable[[Sheet, Element], str]] = {
    TAG: _object,
    "marimo-ui-element": _live,
    "marimo-anywidget": _widget,
    "marimo-tex": _formula,
    "marimo-mime-renderer": _mime,
    "marimo-json-output": _json,
    "marimo-callout-output": _callout,
    "marimo-accordion": _accordion,
    "marimo-tabs": _tabs,
    "marimo-stat": _stat,
    "marimo-table": _table,
    "marimo-mermaid": _diagram,
    "marimo-download": _download,
    "iconify-icon": _icon,
    "marimo-code-editor": _editor,
    "a": _link,
    **dict.fromkeys(_HEADINGS, _heading),
    "img": _image,
    "svg": _svg,
    "audio": _media,
    "video": _media,
    "iframe": _frame,
}
