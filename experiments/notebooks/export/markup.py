"""A small tree of HTML, read from any text and written again only in the parts that are known to do no harm."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

MAX_DEPTH = 120
"""Depth below which elements stand beside each other: a page of a hundred thousand open tags must still be read."""

VOID = frozenset({"area", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})
CLOSES_ITSELF = {
    "li": ("li",),
    "tr": ("tr", "td", "th"),
    "td": ("td", "th"),
    "th": ("td", "th"),
    "dt": ("dt", "dd"),
    "dd": ("dt", "dd"),
    "option": ("option",),
}
_STYLE_NAME = re.compile(r"[a-z][a-z-]{1,40}")
# What loads something, what covers the page, and what hides one of these two.
_STYLE_BAD = re.compile(r"url\s*\(|image-set|expression|@|\\|/\*|javascript:|fixed|sticky|absolute", re.IGNORECASE)
# Names of SVG that are written with capitals; the parser gives them in small letters.
_SVG_WORDS = """
viewBox preserveAspectRatio linearGradient radialGradient clipPath textPath gradientUnits
gradientTransform patternUnits patternTransform clipPathUnits markerWidth markerHeight markerUnits
refX refY spreadMethod startOffset textLength lengthAdjust feGaussianBlur stdDeviation feOffset
feBlend feColorMatrix foreignObject
"""
_SVG_NAMES = {name.lower(): name for name in _SVG_WORDS.split()}


@dataclass
class Element:
    """One element: its tag in small letters, its attributes as the page would read them, and what it holds."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Element | str] = field(default_factory=list)

    def text(self) -> str:
        """Return all text in it."""
        return "".join(child if isinstance(child, str) else child.text() for child in self.children)

    def find(self, tag: str) -> Iterator[Element]:
        """Yield the elements of a kind in it, in order."""
        for child in self.children:
            if isinstance(child, Element):
                if child.tag == tag:
                    yield child
                yield from child.find(tag)


def parse(text: str) -> Element:
    """Return the tree of any text; what is never closed is closed where its parent is."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return reader.root


def safe_style(style: str) -> str:
    """Return the declarations of a `style` attribute that load nothing and cover nothing."""
    kept = []
    for declaration in style.split(";"):
        name, colon, value = declaration.partition(":")
        if colon and _STYLE_NAME.fullmatch(name.strip().lower()) and not _STYLE_BAD.search(value):
            kept.append(f"{name.strip().lower()}: {value.strip()}")
    return "; ".join(kept)


def svg_text(element: Element) -> str:
    """Return an `svg` element as a file of its own, which a page may show as an image: there it can run nothing."""
    from html import escape

    def written(node: Element | str) -> str:
        if isinstance(node, str):
            return escape(node, quote=False)
        name = _SVG_NAMES.get(node.tag, node.tag)
        attributes = "".join(
            f' {_SVG_NAMES.get(key, key)}="{escape(value)}"'
            for key, value in node.attributes.items()
            if re.fullmatch(r"[a-z][a-z0-9:_-]*", key) and not key.startswith("on") and key != "xmlns"
        )
        space = (
            ' xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"' if node is element else ""
        )
        return f"<{name}{space}{attributes}>{''.join(map(written, node.children))}</{name}>" if _is_name(name) else ""

    element.attributes.pop("xmlns:xlink", None)
    return written(element)


def _is_name(name: str) -> bool:
    return re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", name) is not None and name.lower() != "script"


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("")
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self.open[-1].tag in CLOSES_ITSELF.get(tag, ()):
            self.open.pop()
            if tag == "tr" and self.open[-1].tag == "tr":
                self.open.pop()
        element = Element(tag, {name: value or "" for name, value in reversed(attrs)})
        self.open[-1].children.append(element)
        if tag not in VOID and len(self.open) < MAX_DEPTH:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Element(tag, {name: value or "" for name, value in reversed(attrs)}))

    def handle_endtag(self, tag: str) -> None:
        for depth in range(len(self.open) - 1, 0, -1):
            if self.open[depth].tag == tag:
                del self.open[depth:]
                return

    def handle_data(self, data: str) -> None:
        children = self.open[-1].children
        if children and isinstance(children[-1], str):
            # A secret that the parser took apart must be seen whole.
            children[-1] += data
        else:
            children.append(data)
