"""HTML that a cell shows, as a log may carry it: nh3 takes out what acts, then marimo's elements become plain ones."""

from __future__ import annotations

import base64
import html
import re
import string
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import nh3

from experiments.notebooks.export.draw import pictures
from experiments.notebooks.export.draw.objects import TAG, control_html, is_holder, kept, label_of
from experiments.notebooks.export.draw.sheet import Sheet, attributes, words
from experiments.notebooks.export.draw.tables import grid_of, table_html
from experiments.project.files import parse_json
from experiments.project.look import size

MAX_DEPTH = 500
"""Depth from which a page is read as its text: nobody nests so deep, and the reader of HTML takes minutes for it."""

_PLAIN_NAMES = """
a abbr address article aside b bdi blockquote br caption cite code col colgroup dd del details dfn
div dl dt em figcaption figure footer h1 h2 h3 h4 h5 h6 header hr i ins kbd li main mark nav ol p
pre q s samp section small span strong sub summary sup table tbody td tfoot th thead time tr u ul
var wbr center font label legend fieldset
"""
_PLAIN = frozenset(_PLAIN_NAMES.split())
_SVG_NAMES = """
svg g path rect circle ellipse line polyline polygon text tspan textPath title desc defs use symbol
marker pattern clipPath mask image linearGradient radialGradient stop filter feBlend feColorMatrix
feGaussianBlur feOffset
"""
_SVG = frozenset(_SVG_NAMES.split())
_MEDIA = frozenset({"img", "audio", "video", "source", "iframe"})
_VOID = frozenset({"br", "col", "hr", "img", "source", "wbr"})
_ATTRIBUTE_NAMES = """
align aria-hidden aria-label class colspan datetime dir lang open reversed role rowspan scope span
start style tabindex title
"""
_ATTRIBUTES = frozenset(_ATTRIBUTE_NAMES.split())
_READ = frozenset({"src", "alt", "width", "height", "href", "srcdoc", "icon", "object-id"})
_HEADINGS = {"h1": 2, "h2": 2, "h3": 3}
_STYLE_NAME = re.compile(r"[a-z][a-z-]{1,40}")
# What loads something, what covers the page, and what hides one of these two.
_STYLE_BAD = re.compile(r"url\s*\(|image-set|expression|@|\\|/\*|javascript:|fixed|sticky|absolute", re.IGNORECASE)
_MARIMO = re.compile(r"<(marimo-[a-z0-9-]+)", re.IGNORECASE)
_CODE = re.compile(r"<(script|object|embed|applet|frame|frameset)\b", re.IGNORECASE)
_TAG = re.compile(r"<(/?)([a-z][a-z0-9-]*)[^>]*?(/?)>", re.IGNORECASE)
_ADDRESS = re.compile(r"(?:https?://|mailto:)\S+", re.IGNORECASE)
_SMALL = 20_000


def markup_html(sheet: Sheet, text: str) -> str:
    """Return any HTML as a log may carry it."""
    if _depth(text) > MAX_DEPTH:
        return f"<p>{sheet.text(words(text))}</p>{sheet.note('HTML nested without end is shown as its text.')}"
    writer = _Writer(sheet)
    writer.feed(cleaned(text))
    writer.close()
    names = dict.fromkeys(name.lower() for name in _CODE.findall(text))
    said = [sheet.note(f"A <{name}> element is left out: a log runs no code of a cell.") for name in names]
    return "".join([*said, *writer.open[0].children])


def cleaned(text: str) -> str:
    """Return HTML with known elements and attributes only, each element closed."""
    return nh3.clean(
        text,
        tags={*_PLAIN, *_SVG, *_MEDIA, TAG, "iconify-icon", *(name.lower() for name in _MARIMO.findall(text))},
        clean_content_tags={"script", "style", "template", "noscript"},
        attributes={},
        # Every name, so that the filter, which knows the element, decides.
        generic_attribute_prefixes=set(string.ascii_lowercase),
        attribute_filter=_attribute,
        url_schemes={"http", "https", "mailto", "data"},
        link_rel=None,
    )


def _attribute(tag: str, name: str, value: str) -> str | None:
    if tag in _SVG:
        acts = name.startswith(("on", "xmlns")) or (name == "href" and not value.startswith("#"))
        return None if acts else value
    if name in _ATTRIBUTES:
        return safe_style(value) or None if name == "style" else value
    return value if name in _READ or name.startswith("data-") else None


def safe_style(style: str) -> str:
    """Return the declarations of a `style` attribute that load nothing and cover nothing."""
    pairs = [(name.strip().lower(), value) for name, _, value in (part.partition(":") for part in style.split(";"))]
    kept_ones = [f"{name}: {value.strip()}" for name, value in pairs if _STYLE_NAME.fullmatch(name) and value.strip()]
    return "; ".join(declaration for declaration in kept_ones if not _STYLE_BAD.search(declaration))


def _depth(text: str) -> int:
    """Return how deep elements stand in each other at most, where none closes by itself."""
    deepest = depth = 0
    if text.count("<") > MAX_DEPTH:
        for closes, name, alone in _TAG.findall(text):
            depth += -1 if closes else 0 if alone or name.lower() in _VOID else 1
            deepest = max(deepest, depth)
    return deepest


@dataclass
class _Node:
    """An element that is being read.

    Attributes:
        start: Its tag as it was cleaned.
        shown: What is shown in its place, whatever it holds.
        children: Its texts and elements, written already.
    """

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    start: str = ""
    shown: str | None = None
    children: list[str] = field(default_factory=list)

    @property
    def inner(self) -> str:
        return "".join(self.children)

    def data(self, name: str, default: Any = None) -> Any:
        """Return one argument of marimo's element; the default where it is missing or is no JSON."""
        try:
            return parse_json(self.attributes.get(f"data-{name}", "null")) or default
        except ValueError:
            return default


class _Writer(HTMLParser):
    """Writes cleaned HTML again, from its leaves up."""

    def __init__(self, sheet: Sheet) -> None:
        super().__init__(convert_charrefs=True)
        self.sheet = sheet
        self.open = [_Node("")]
        self.svgs = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = _Node(tag, {name: value or "" for name, value in attrs}, self.get_starttag_text() or "")
        # What stands in the place of an element is not drawn a second time from its HTML.
        node.shown = _instead(self.sheet, node) if self.open[-1].shown is None else ""
        self.svgs += tag == "svg"
        self.open.append(node)
        if tag in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        node = self.open.pop()
        if tag == "source":
            self.open[-1].attributes.setdefault("src", node.attributes.get("src", ""))
        self.svgs -= tag == "svg"
        if node.shown is not None:
            written = node.shown
        elif self.svgs:
            name = node.start[1:].split(" ")[0].rstrip(">")
            written = f"{node.start.replace('&nbsp;', '&#160;')}{node.inner}</{name}>"
        else:
            written = _written(self.sheet, node)
        self.open[-1].children.append(written)

    def handle_data(self, data: str) -> None:
        if self.open[-1].shown is None:
            self.open[-1].children.append(self.sheet.text(data))


def _written(sheet: Sheet, node: _Node) -> str:
    if node.tag in _ELEMENTS:
        return _ELEMENTS[node.tag](sheet, node)
    if node.tag.startswith("marimo-"):
        return _unknown(sheet, node)
    if node.tag not in _PLAIN:
        return node.inner
    values = sorted(node.attributes.items())
    start = node.tag + attributes({name: sheet.text(value) for name, value in values if name in _ATTRIBUTES})
    if node.tag in _VOID:
        return f"<{start}>"
    element = f"<{start}>{node.inner}</{node.tag}>"
    return f'<div class="table">{element}</div>' if node.tag == "table" else element


def _instead(sheet: Sheet, node: _Node) -> str | None:
    """Return what Python still has of an element: all of a table, not the rows that its HTML holds."""
    if node.tag == TAG:
        return sheet.draw(kept(node.attributes.get("data-key", "")))
    if node.tag == "marimo-anywidget":
        found = sheet.live_object(str(node.data("model-id", "")))
        return sheet.draw(found) if found else sheet.note("A widget that no longer exists is not shown.")
    found = sheet.live_object(node.attributes.get("object-id", "")) if node.tag == "marimo-ui-element" else None
    return None if found is None or is_holder(found) else sheet.draw(found)


def _heading(sheet: Sheet, node: _Node) -> str:
    text = words(node.inner)
    return "" if node.tag == "h1" and text and text == sheet.title else sheet.heading(_HEADINGS[node.tag], node.inner)


def _link(sheet: Sheet, node: _Node) -> str:
    """Return a link as its text and its address: a log leads nowhere by a click."""
    address = node.attributes.get("href", "").strip()
    if not _ADDRESS.fullmatch(address) or sheet.cleaner.text(address) == words(node.inner):
        return f"<span>{node.inner}</span>"
    return f'<span>{node.inner} <span class="address">({sheet.text(address)})</span></span>'


def _sized(node: _Node) -> str:
    """Return the style of a picture that says how large it is."""
    sides = ((side, node.attributes.get(side, "")) for side in ("width", "height"))
    lengths = [
        f"{side}: {length}{'px' if length[-1].isdigit() else ''}"
        for side, length in sides
        if re.fullmatch(r"\d{1,5}(?:\.\d+)?(?:px|em|rem|%)?", length)
    ]
    own = [node.attributes["style"]] if node.tag == "img" and "style" in node.attributes else []
    return "; ".join([*own, *lengths])


def _image(sheet: Sheet, node: _Node) -> str:
    source, alt = node.attributes.get("src", ""), node.attributes.get("alt", "")
    drawn = pictures.from_data_url(sheet, source, alt=alt, style=_sized(node))
    if drawn is not None:
        return drawn
    return sheet.note(f"A picture at {source[:200] or 'no address'!r} is not in the file{f': {alt}' if alt else ''}.")


def _svg(sheet: Sheet, node: _Node) -> str:
    """Return a drawing as a picture: there it can run nothing."""
    spaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    svg = f"<svg {spaces}{node.start[4:].replace('&nbsp;', '&#160;')}{node.inner}</svg>"
    title = re.search(r"<title>(.*?)</title>", node.inner, re.DOTALL)
    alt = words(title[1]) if title else "drawing"
    return pictures.image_html(sheet, "image/svg+xml", svg.encode(), alt=alt, style=_sized(node))


def _media(sheet: Sheet, node: _Node) -> str:
    source = node.attributes.get("src", "")
    decoded = pictures.decode(source)
    if decoded is None or not decoded[0].startswith(("audio/", "video/")):
        return sheet.note(f"A {node.tag} at {source[:200] or 'no address'!r} is not in the file.")
    if len(decoded[1]) > pictures.MAX_BYTES:
        return sheet.note(f"A {node.tag} of {size(len(decoded[1]))} is left out.")
    return sheet.piece("image", f"a {node.tag}", f'<{node.tag} controls src="{sheet.text(source)}"></{node.tag}>')


def _frame(sheet: Sheet, node: _Node) -> str:
    inside, source = node.attributes.get("srcdoc", ""), node.attributes.get("src", "")
    if not inside and (decoded := pictures.decode(source)) is not None and decoded[0] == "text/html":
        inside = decoded[1].decode("utf-8", errors="replace")
    if not inside:
        return sheet.note(f"A frame with {source[:200] or 'no address'!r} is not in the file.")
    return f'<div class="frame">{markup_html(sheet, inside)}</div>'


def _json(sheet: Sheet, node: _Node) -> str:
    return sheet.draw(_untagged(node.data("json-data")))


def _untagged(value: Any) -> Any:
    """Return JSON in which marimo's `type:data` texts are what they stand for."""
    import marimo as mo

    if isinstance(value, dict):
        return {name: _untagged(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [_untagged(entry) for entry in value]
    kind, colon, data = value.partition(":") if isinstance(value, str) else ("", "", "")
    if colon and kind in {"text/html", "text/markdown"}:
        return mo.Html(data)
    return data if colon and kind.startswith(("text/plain", "application/json")) else value


def _callout(sheet: Sheet, node: _Node) -> str:
    kind, title = str(node.data("kind", "neutral")), node.data("title", "")
    kind = kind if kind in {"neutral", "warn", "success", "info", "danger", "alert"} else "neutral"
    head = f"<b>{sheet.text(title)}</b>" if title else ""
    return f'<aside class="callout {kind}">{head}{markup_html(sheet, str(node.data("html", "")))}</aside>'


def _accordion(sheet: Sheet, node: _Node) -> str:
    expanded = node.data("expanded", [])
    return "".join(
        f"<details{' open' if str(at) in expanded else ''}>"
        f"<summary>{sheet.text(words(str(label)))}</summary>{content}</details>"
        for at, (label, content) in enumerate(zip(node.data("labels", []), node.children, strict=False))
    )


def _tabs(sheet: Sheet, node: _Node) -> str:
    titles = [sheet.text(words(str(label))) for label in node.data("tabs", [])]
    full = [at for at, content in enumerate(node.children) if "<img" in content or words(content)]
    if not full:  # tabs that only choose what another cell shows
        return f'<span class="control">{" · ".join(titles)}</span>'
    first = str(node.data("initial-value", "0"))
    parts = [
        f'<section class="tab" aria-label="{titles[at] if at < len(titles) else ""}"'
        f"{' data-first' if str(at) == first else ''}>{node.children[at]}</section>"
        for at in full
    ]
    return f'<div class="tabs">{"".join(parts)}</div>'


def _stat(sheet: Sheet, node: _Node) -> str:
    label, caption, slot = (node.data(name, "") for name in ("label", "caption", "slot"))
    arrow = {"increase": "▲ ", "decrease": "▼ "}.get(node.data("direction", ""), "")
    return (
        f'<div class="stat">{f"<small>{sheet.text(label)}</small>" if label else ""}'
        f"<b>{sheet.text(node.data('value', 0))}</b>"
        f"{f'<small>{arrow}{sheet.text(caption)}</small>' if caption else ''}"
        f"{markup_html(sheet, slot) if isinstance(slot, str) else ''}</div>"
    )


def _table(sheet: Sheet, node: _Node) -> str:
    """Return a table whose object is gone: the rows that its HTML still holds."""
    rows, total = node.data("data", []), node.data("total-rows", 0)
    grid = grid_of(parse_json(rows) if isinstance(rows, str) else rows)
    if grid is None:
        return ""
    cut = isinstance(total, int) and total > len(grid.rows)
    said = f"A table shows {len(grid.rows):,} of {total:,} rows: it stands in a text. Show it by itself."
    return table_html(sheet, grid) + (sheet.note(said) if cut else "")


def _diagram(sheet: Sheet, node: _Node) -> str:
    note = sheet.note("A mermaid diagram is shown as its source.")
    return f"<pre>{sheet.text(node.data('diagram', ''))}</pre>{note}"


def _download(sheet: Sheet, node: _Node) -> str:
    """Return a file that can be saved from the page: it is in the link itself."""
    name = str(node.data("filename", "") or "file")
    decoded = pictures.decode(str(node.data("data", "")))
    if decoded is None:
        return sheet.note(f"The file {name!r} that could be downloaded is not in the log.")
    data = sheet.cleaner.file(decoded[1])
    if data is None or len(data) > pictures.MAX_BYTES:
        return sheet.note(f"The file {name!r} is left out: it is too large, or holds what looks like a secret.")
    # Of no type that a browser would open.
    address = f"data:application/octet-stream;base64,{base64.b64encode(data).decode()}"
    label = words(str(node.data("label", ""))) or "Save"
    link = f'<a class="save" download="{sheet.text(name)}" href="{address}">{sheet.text(label)}</a>'
    return sheet.piece("image", f"The file {name}", link) if len(link) > _SMALL else link


def _unknown(sheet: Sheet, node: _Node) -> str:
    """Return an input whose object is gone as its label and value; anything else is named."""
    kind = node.tag.removeprefix("marimo-")
    if "data-initial-value" in node.attributes and not node.children:
        return control_html(sheet, kind.replace("-", "_"), label_of(node.start), node.data("initial-value"))
    return node.inner if words(node.inner) else sheet.note(f"An element of kind {kind!r} cannot be shown in a log.")


_ELEMENTS: dict[str, Callable[[Sheet, _Node], str]] = {
    "marimo-tex": lambda sheet, node: pictures.formula_html(sheet, html.unescape(node.inner)),
    "marimo-mime-renderer": lambda sheet, node: sheet.draw_mime(
        str(node.data("mime", "text/plain")), node.data("data", "")
    ),
    "marimo-json-output": _json,
    "marimo-callout-output": _callout,
    "marimo-accordion": _accordion,
    "marimo-tabs": _tabs,
    "marimo-stat": _stat,
    "marimo-table": _table,
    "marimo-mermaid": _diagram,
    "marimo-download": _download,
    "marimo-code-editor": lambda sheet, node: f"<pre>{sheet.text(node.data('initial-value', ''))}</pre>",
    "iconify-icon": lambda sheet, node: (
        f"<small>[{sheet.text(node.attributes.get('icon', 'icon').rpartition(':')[2])}]</small>"
    ),
    "marimo-ui-element": lambda _sheet, node: node.inner,
    "a": _link,
    **dict.fromkeys(_HEADINGS, _heading),
    "img": _image,
    "svg": _svg,
    "audio": _media,
    "video": _media,
    "iframe": _frame,
}
