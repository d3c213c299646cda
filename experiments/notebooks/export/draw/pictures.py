"""Pictures and formulas as part of the page: PIL, matplotlib, what other libraries give as an image, and TeX."""

from __future__ import annotations

import base64
import io
import re
from typing import Any
from xml.etree import ElementTree as ET

from experiments.notebooks.export.draw.sheet import Sheet
from experiments.project.look import size

MAX_BYTES = 8_000_000
"""Size above which a picture is left out: it would be most of the file."""

_TYPES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml", "image/bmp", "image/avif"})
_MAX_FORMULA = 10_000
_DATA_URL = re.compile(r"data:([a-z]+/[a-z0-9.+-]+)((?:;[a-z0-9=-]+)*),", re.IGNORECASE)


def picture_html(sheet: Sheet, value: Any) -> str:
    """Return a picture of PIL or matplotlib."""
    figure = getattr(value, "figure", None) or value
    buffer = io.BytesIO()
    if hasattr(value, "convert"):
        mode = value if value.mode in {"1", "L", "LA", "P", "RGB", "RGBA"} else value.convert("RGB")
        mode.save(buffer, format="PNG")
        what = f"Picture, {value.width} by {value.height} pixels"
    else:
        # No date and no software name: the same figure is the same bytes.
        figure.savefig(buffer, format="png", dpi=144, bbox_inches="tight", metadata={"Software": None})
        what = "Figure"
    return image_html(sheet, "image/png", buffer.getvalue(), alt=what)


def image_html(sheet: Sheet, kind: str, data: bytes, *, alt: str = "", style: str = "") -> str:
    """Return an image, or a sentence where it is of no known kind or too large."""
    label = alt or "A picture"
    if kind not in _TYPES:
        return sheet.note(f"A picture of type {kind[:60]!r} cannot be shown.")
    if len(data) > MAX_BYTES:
        return sheet.note(
            f"{label} is left out: it has {size(len(data))}, and a log takes pictures up to {size(MAX_BYTES)}."
        )
    if kind == "image/svg+xml" and sheet.cleaner.holds_secret(data):
        return sheet.note(f"{label} is left out: it holds what looks like a secret.")
    text = base64.b64encode(data).decode()
    styled = f' style="{sheet.text(style)}"' if style else ""
    html = f'<img src="data:{kind};base64,{text}" alt="{sheet.text(alt)}"{styled}>'
    return sheet.piece("image", label, html) if len(data) > 20_000 else html


def from_data_url(sheet: Sheet, url: str, *, alt: str = "", style: str = "") -> str | None:
    """Return the image in a `data:` address; None where it is no such address, or holds no image."""
    decoded = decode(url)
    if decoded is None or not decoded[0].startswith("image/"):
        return None
    return image_html(sheet, *decoded, alt=alt, style=style)


def decode(url: str) -> tuple[str, bytes] | None:
    """Return the type and the bytes of a `data:` address."""
    from urllib.parse import unquote_to_bytes

    match = _DATA_URL.match(url)
    if match is None:
        return None
    body = url[match.end() :]
    try:
        data = base64.b64decode(body, validate=False) if "base64" in match[2].lower() else unquote_to_bytes(body)
    except ValueError:
        return None
    return match[1].lower(), data


def formula_html(sheet: Sheet, text: str) -> str:
    """Return a formula as marimo writes it (`||(x^2||)`, `||[x^2||]` on a line of its own) as MathML.

    What cannot be converted is shown as its source, and named.
    """
    tex, is_block = text.strip(), False
    wraps = (("||(", "||)"), ("||[", "||]"), ("\\(", "\\)"), ("\\[", "\\]"), ("$$", "$$"))
    for start, end in wraps:
        if tex.startswith(start) and tex.endswith(end) and len(tex) >= len(start) + len(end):
            tex, is_block = tex[len(start) : -len(end)].strip(), is_block or start[-1] in "[$"
    try:
        markup = _mathml(tex, is_block=is_block)
    except Exception as error:  # noqa: BLE001 - a library for the whole of TeX; the source is readable too
        sheet.note(f"a formula is shown as its source, since it cannot be drawn ({type(error).__name__})")
        return f'<code class="tex">{sheet.text(tex)}</code>'
    kind = "div" if is_block else "span"
    return f'<{kind} class="formula">{markup}</{kind}>'


def _mathml(tex: str, *, is_block: bool) -> str:
    """Return one formula as a `math` element that also carries its TeX, so that it can be copied."""
    if len(tex) > _MAX_FORMULA:
        raise ValueError(f"a formula of {len(tex):,} characters")
    from latex2mathml.converter import convert

    markup = convert(tex, display="block" if is_block else "inline")
    root = ET.fromstring(markup)  # noqa: S314 - written by the library from our own text
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        if not re.fullmatch(r"m[a-z]+|math", element.tag):
            raise ValueError(f"unexpected {element.tag!r}")
        for name in list(element.attrib):
            if name.startswith("on") or "href" in name or "src" in name:
                del element.attrib[name]
    root.set("aria-label", tex)
    root.attrib.pop("xmlns", None)
    return ET.tostring(root, encoding="unicode")
