"""Pages drawn in this process, for the tests of their parts."""

from __future__ import annotations

import re

from experiments.notebooks.export.draw.sheet import words
from experiments.notebooks.export.draw.values import new_sheet
from experiments.notebooks.export.head import Head
from experiments.notebooks.export.page import render_page
from experiments.notebooks.export.record import LogRecord
from experiments.notebooks.export.run.running import CellRecord


def head(title="A log", *, code="", command="", config=(), jobs=(), sources=(), **fields):
    """Return the head of a log whose record has these fields."""
    record = LogRecord(**{"title": title, "experiment": "arena", "created": "2026-11-22T14:05:00+00:00", **fields})
    return Head(record, code=code, command=command, config=config, jobs=jobs, sources=sources)


def sheet(root=None):
    return new_sheet(root, cell="shown")


def drawn(value):
    """Return a value's HTML with every piece in its place, and what was noted."""
    made = sheet()
    html = made.draw(value)
    return made.fill(html, {piece.number: piece.html for piece in made.pieces}), made.notes


def cells(html):
    """Return the texts of a table's cells."""
    return [words(cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", html, re.DOTALL)]


def page_of(*outputs, head=head(), **options):  # noqa: B008 - it is frozen
    return render_page(
        head, [CellRecord(name=f"cell{at}", output=output) for at, output in enumerate(outputs)], **options
    )
