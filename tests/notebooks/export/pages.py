"""Pages drawn in this process, for the tests of their parts."""

from __future__ import annotations

from experiments.notebooks.export.model import CellRecord, Head
from experiments.notebooks.export.page import render_page
from experiments.notebooks.export.privacy import Cleaner
from experiments.notebooks.export.sheet import Sheet
from experiments.notebooks.export.values import value_html

HEAD = Head(title="A log", experiment="arena", created="2026-11-22 14:05 UTC")


def sheet(root=None):
    return Sheet(Cleaner(root), cell="shown")


def drawn(value):
    """Return a value's HTML with every piece in its place, and what was noted."""
    made = sheet()
    html = value_html(made, value)
    return made.fill(html, {piece.number: piece.html for piece in made.pieces}), made.notes


def page_of(*outputs, head=HEAD, **options):
    cells = [CellRecord(name=f"cell{at}", output=output) for at, output in enumerate(outputs)]
    return render_page(head, cells, **options)
