"""The whole page of a log, from what a notebook's cells showed."""

from __future__ import annotations

import gzip
import hashlib
import re
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from experiments.notebooks.export.assets import (
    SCRIPTS,
    chart_colours,
    frame_script,
    script_hash,
    static_text,
    style_sheet,
)
from experiments.notebooks.export.draw.sheet import MAX_BYTES, Chosen, Sheet
from experiments.notebooks.export.draw.values import new_sheet, text_html, value_html
from experiments.notebooks.export.head import Head, contents_html, tail_html, top_html
from experiments.project.look import counted
from widgets.charts.bundle import vega_script

if TYPE_CHECKING:
    from experiments.notebooks.export.run.running import CellRecord

_TRACEBACK_LINES = 60
_FRAMEWORK = re.compile(r"site-packages|/marimo/|notebooks/export/")


@dataclass(frozen=True)
class RenderedPage:
    """A log, whole.

    Attributes:
        html: UTF-8.
        shown: Hash of all that the cells show.
        dropped: What the size budget left out, each as a sentence.
        notes: What could not be shown, each as a sentence with the cell's name.
    """

    html: bytes
    shown: str = ""
    dropped: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def render_page(
    head: Head,
    cells: Sequence[CellRecord],
    *,
    include_code: bool = False,
    source: str = "",
    max_bytes: int = MAX_BYTES,
    notebook_name: str = "",
    root: Path | None = None,
    cache_dir: Path | None = None,
) -> RenderedPage:
    """Return a log as one HTML file that needs no network; the same input gives the same bytes.

    Args:
        include_code: Show each cell's code above what it shows.
        source: The notebook's file, folded away at the end with a button that copies it; empty for none.
        max_bytes: Size above which replays are left out, oldest first.
        notebook_name: File name of the notebook, without its folder.
        root: The project's folder: files in it are shown by their path from there.
        cache_dir: Where vega's script is kept between exports; without it each makes it again (2 s).
    """
    sheet = new_sheet(root, cache_dir=cache_dir)
    sheet.title = sheet.cleaner.text(head.record.title).strip()
    cells_html = "\n".join(part for cell in cells if (part := _cell_html(sheet, cell, include_code=include_code)))
    top, tail = top_html(sheet, head, cells_html), tail_html(sheet, head)
    source_part, notes = _source_html(sheet, source, notebook_name), _notes_html(sheet)
    body = (
        '<a class="skip" href="#main">Skip to the log</a>'
        f'<header class="top"><div>{top}</div><button id="theme" type="button">Dark</button></header>'
        f'{contents_html(sheet)}<main id="main">{cells_html}</main>{tail}{source_part}{notes}'
    )
    style = style_sheet() + "\n".join(text.replace("</", "<\\/") for text in sheet.styles.values())
    assets = _assets(sheet)
    empty = Chosen(dict.fromkeys(range(len(sheet.pieces)), ""), (), ())
    others = len(_document(sheet, head, sheet.fill(body, empty.html), style, empty, assets).encode())
    chosen = sheet.choose(others, max_bytes)
    html = _document(sheet, head, sheet.fill(body, chosen.html), style, chosen, assets)
    # Packed data is named by what it holds.
    shown = "\n".join([sheet.fill(cells_html, chosen.html), source_part, notes, *chosen.blocks])
    digest = hashlib.sha256(shown.encode()).hexdigest()
    return RenderedPage(html.encode(), digest, chosen.dropped, tuple(dict.fromkeys(sheet.notes)))


def _cell_html(sheet: Sheet, cell: CellRecord, *, include_code: bool) -> str:
    name = cell.name if cell.name not in {"", "_"} else "a cell without a name"
    with sheet.drawing(name):
        parts = [
            f'<details class="code"><summary class="quiet">Code</summary><pre>{sheet.text(cell.code)}</pre></details>'
            if include_code and cell.code
            else "",
            value_html(sheet, cell.output),
            _console(sheet, "printed", cell.stdout),
            _console(sheet, "printed as errors", cell.stderr),
            _error_html(sheet, name, cell.error) if cell.error is not None else "",
            f'<p class="note">{sheet.text(name)} did not run: {sheet.text(cell.skipped)}.</p>' if cell.skipped else "",
        ]
    inner = "".join(parts)
    return f'<section class="cell">{inner}</section>' if inner.strip() else ""


def _console(sheet: Sheet, what: str, text: str) -> str:
    if not text.strip():
        return ""
    return f'<div role="log" aria-label="{what}">{text_html(sheet, text, "console")}</div>'


def _error_html(sheet: Sheet, name: str, error: BaseException) -> str:
    """Return an error where its cell's output would be: what it says, and the lines of the notebook it came through."""
    said = sheet.text(str(error) or "no message")
    lines = _trace(error)
    trace = f"<details><summary>Where</summary><pre>{sheet.text(lines)}</pre></details>" if lines else ""
    title = f"<b>{sheet.text(type(error).__name__)}</b> in {sheet.text(name)}"
    return f'<div class="error" role="alert">{title}: {said}{trace}</div>'


def _trace(error: BaseException) -> str:
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not _FRAMEWORK.search(frame.filename)]
    lines = [f"{Path(frame.filename).name}:{frame.lineno} in {frame.name}\n    {frame.line or ''}" for frame in frames]
    return "\n".join(lines[-_TRACEBACK_LINES:])


def _source_html(sheet: Sheet, source: str, name: str) -> str:
    if not source:
        return ""
    title = sheet.heading(2, "Notebook")
    return (
        f'{title}<details class="source"><summary>{sheet.text(name or "Source of the notebook")}</summary>'
        '<p><button type="button" data-copies="source">Copy the source</button></p>'
        f'<pre id="source">{sheet.text(source)}</pre></details>'
    )


def _notes_html(sheet: Sheet) -> str:
    if not sheet.notes:
        return ""
    title = sheet.heading(2, "Not in this file")
    told = dict.fromkeys(sheet.notes)
    notes, lines = counted(len(told), "note"), "".join(f"<li>{sheet.text(note)}</li>" for note in told)
    return f'{title}<details><summary>{notes}</summary><ul class="quiet">{lines}</ul></details>'


def _assets(sheet: Sheet) -> dict[str, object]:
    """Pack what only some pages need, and return where scripts find it."""
    found: dict[str, object] = {}
    kinds = {piece.kind for piece in sheet.pieces}
    if "chart" in kinds:
        found |= {"vega": sheet.pack(gzip.decompress(vega_script(sheet.cache_dir))), **chart_colours()}
    if "widget" in kinds:
        found["frame"] = sheet.pack(frame_script().encode())
    return found


def _asset_blocks(assets: dict[str, object]) -> list[str]:
    return [str(assets[name]) for name in ("vega", "frame") if name in assets]


def _document(sheet: Sheet, head: Head, body: str, style: str, chosen: Chosen, assets: dict[str, object]) -> str:
    scripts = {name: static_text(name) for name in SCRIPTS}
    hashes = [script_hash(text) for text in (*scripts.values(), frame_script())]
    policy = (
        f"default-src 'none'; script-src {' '.join(hashes)} blob:; style-src 'unsafe-inline'; img-src data: blob:; "
        "media-src data:; font-src data:; base-uri 'none'; form-action 'none'"
    )
    early = [name for name in chosen.blocks if name in _chart_blocks(sheet)]
    late = [name for name in chosen.blocks if name not in early]
    described = msgspec.json.encode(assets).decode().replace("<", "\\u003c")
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="referrer" content="no-referrer">',
            f"<title>{sheet.text(head.record.title)}</title>\n<style>\n{style}</style>",
            f"<script>{scripts.pop('theme.js')}</script>\n</head>\n<body>\n{body}",
            f'<script type="application/json" id="log-assets">{described}</script>',
            *_blocks(sheet, [*_asset_blocks(assets), *early]),
            *(f"<script>{text}</script>" for text in scripts.values()),
            *_blocks(sheet, late),
            "</body>\n</html>\n",
        ]
    )


def _chart_blocks(sheet: Sheet) -> set[str]:
    return {name for piece in sheet.pieces if piece.kind == "chart" for name in piece.needs}


def _blocks(sheet: Sheet, names: Iterable[str]) -> list[str]:
    packed = [(name, *sheet.blocks[name]) for name in names]
    return [
        f'<script type="text/plain" id="data-{name}" data-packed="{how}">{text}</script>' for name, how, text in packed
    ]
