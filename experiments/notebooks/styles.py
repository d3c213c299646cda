"""How text and HTML of all sections look, by one sheet for marimo's page and the log; and what a failed part says."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any, Literal

import marimo as mo

from experiments.notebooks.sheet import MARIMOS_OWN, SHEET
from experiments.project.look import Sign, printable

Kind = Literal["title", "line", "strong", "fine", "row"]
_CLASSES: dict[Kind, str] = {"title": "text lead", "line": "text", "strong": "text strong", "fine": "text small muted"}


def styled(inner: str) -> mo.Html:
    """Return a section's own HTML with the sheet that its classes are of."""
    return mo.Html(f'<div class="xs"><style>{SHEET}</style>{inner}</div>')


def sentence(text: str) -> mo.Html:
    """Return a text of somebody's as it is, in the letters of the page."""
    return styled(f'<p class="text">{html.escape(text)}</p>')


def typed(text: str) -> mo.Html:
    """Return what somebody types, or a file holds, in the letters of code; a line too wide goes on below."""
    return styled(f"<pre>{html.escape(text)}</pre>")


def heading(text: str, level: int = 2) -> mo.Html:
    """Return the heading of a page (level 1) or of a section; marimo's outline lists it."""
    own = f'<style data-vite-dev-id="experiments">{MARIMOS_OWN}</style>' if level == 1 else ""
    return styled(f"{own}<h{level}>{html.escape(text)}</h{level}>")


def as_markdown(text: str) -> str:
    """Return Markdown that shows a text as it is: a label of marimo's is Markdown, in which much is markup.

    Neither HTML nor an image, which a browser would fetch, nor a formula can stand in it.
    """
    return "".join(
        letter if letter.isalnum() or letter in " .,;:" else f"&#{ord(letter)};" for letter in printable(text)
    )


def warning(error: Exception | str) -> mo.Html:
    """Return what went wrong as a box, its text escaped."""
    return mo.callout(mo.Html(html.escape(str(error))), kind="warn")


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
