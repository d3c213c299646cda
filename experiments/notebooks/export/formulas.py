"""TeX as MathML, which every browser draws by itself."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from experiments.notebooks.export.sheet import Sheet

_WRAPS = (("||(", "||)", False), ("||[", "||]", True), ("\\(", "\\)", False), ("\\[", "\\]", True), ("$$", "$$", True))
_MAX_CHARS = 10_000


def formula_html(sheet: Sheet, text: str) -> str:
    """Return a formula as marimo writes it (`||(x^2||)`, `||[x^2||]` on a line of its own) as MathML.

    What cannot be converted is shown as its source, and named.
    """
    tex, is_block = unwrapped(text)
    try:
        markup = mathml(tex, is_block=is_block)
    except Exception as error:  # noqa: BLE001 - a library for the whole of TeX; the source is readable too
        sheet.note(f"a formula is shown as its source, since it cannot be drawn ({type(error).__name__})")
        return f'<code class="tex">{sheet.text(tex)}</code>'
    return f'<span class="formula">{markup}</span>' if not is_block else f'<div class="formula">{markup}</div>'


def unwrapped(text: str) -> tuple[str, bool]:
    """Return the TeX within marimo's or TeX's own marks, and whether it stands on a line of its own."""
    tex = text.strip()
    is_block = False
    for start, end, block in _WRAPS:
        if tex.startswith(start) and tex.endswith(end) and len(tex) >= len(start) + len(end):
            tex, is_block = tex[len(start) : -len(end)].strip(), is_block or block
    return tex, is_block


def mathml(tex: str, *, is_block: bool) -> str:
    """Return one formula as a `math` element that also carries its TeX, so that it can be copied.

    Raises:
        ValueError: It is longer than any formula, or cannot be converted.
    """
    if len(tex) > _MAX_CHARS:
        raise ValueError(f"a formula of {len(tex):,} characters")
    from latex2mathml.converter import convert

    markup = convert(tex, display="block" if is_block else "inline")
    root = ET.fromstring(markup)  # noqa: S314 - written by the library from our own text
    for element in root.iter():
        tag = element.tag.rpartition("}")[2]
        if not re.fullmatch(r"m[a-z]+|math", tag):
            raise ValueError(f"unexpected {tag!r}")
        element.tag = tag
        for name in list(element.attrib):
            if name.startswith("on") or "href" in name or "src" in name:
                del element.attrib[name]
    root.set("aria-label", tex)
    root.attrib.pop("xmlns", None)
    return ET.tostring(root, encoding="unicode")
