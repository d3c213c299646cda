"""Text of a page as lines: a page shows them in a widget that changes in place, a file as HTML."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any, Literal

import marimo as mo

from experiments.notebooks.styles import styled
from experiments.project.look import Sign

Kind = Literal["title", "line", "strong", "fine", "row"]
_CLASSES: dict[Kind, str] = {"title": "text lead", "line": "text", "strong": "text strong", "fine": "text small muted"}


@dataclass(frozen=True)
class Line:
    """One line of text.

    Attributes:
        kind: How it stands out; lines of kind `row` that follow each other are one table.
        label: First column of a row.
        light: Colour of a title on a light page; with `dark` on a dark one.
        muted: Whether a row stands back.
    """

    text: str
    kind: Kind = "line"
    label: str = ""
    light: str = ""
    dark: str = ""
    muted: bool = False

    def trait(self) -> dict[str, Any]:
        """Return the line as `widgets.words.Words` takes it."""
        return {name: value for name, value in asdict(self).items() if value or name == "text"}


def title_of(sign: Sign, word: str) -> Line:
    """Return a state as a line that stands out in its colour."""
    return Line(f"{sign.mark} {word}", "title", light=sign.light, dark=sign.dark)


def lines_html(lines: Sequence[Line]) -> mo.Html | None:
    """Return lines as HTML in which every text is escaped; None where there is no line."""
    if not lines:
        return None
    groups = groupby(lines, key=lambda line: line.kind == "row")
    blocks = (_table(list(group)) if is_row else "".join(map(_paragraph, group)) for is_row, group in groups)
    return styled("".join(blocks))


def _paragraph(line: Line) -> str:
    # Only the state itself decides a colour; everything else is the sheet's.
    colour = f' style="color: light-dark({line.light}, {line.dark})"' if line.light else ""
    return f'<p class="{_CLASSES[line.kind]}"{colour}>{html.escape(line.text)}</p>'


def _table(lines: Sequence[Line]) -> str:
    rows = "".join(
        f'<tr><th scope="row">{html.escape(line.label)}</th>'
        f'<td class="text{" muted" if line.muted else ""}">{html.escape(line.text)}</td></tr>'
        for line in lines
    )
    return f"<table>{rows}</table>"
