"""How text and HTML of all sections look, by one sheet for marimo's page and the log; and what a failed part says."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any, Literal

import marimo as mo

from experiments.project import look
from experiments.project.look import Sign, printable

_HAIRLINE = f"light-dark({look.LIGHT.hairline}, {look.DARK.hairline})"
_ACCENT = f"light-dark({look.LIGHT.accent}, {look.DARK.accent})"
_MUTED = f"color: light-dark({look.LIGHT.muted}, {look.DARK.muted})"
SHEET = f"""
:root {{ --marimo-text-font: system-ui, sans-serif; --marimo-heading-font: system-ui, sans-serif; }}
.markdown.prose :is(h1, h2, h3) {{ font-weight: 600; }}
.markdown.prose h1 {{ font-size: 28px; line-height: 36px; }}
.markdown.prose h2 {{ font-size: 20px; line-height: 28px; }}
.markdown.prose h3 {{ font-size: 16px; line-height: 24px; }}
.xs {{ font: 14px/20px system-ui, sans-serif; font-variant-numeric: tabular-nums; }}
.xs p {{ margin: 4px 0; }}
.xs h1 {{ margin: 0; font-size: 28px; line-height: 36px; font-weight: 600; }}
.xs h2 {{ margin: 0; font-size: 20px; line-height: 28px; font-weight: 600; }}
.xs h3 {{ margin: 0; font-size: 16px; line-height: 24px; font-weight: 600; }}
.xs h4 {{ margin: 12px 0 4px; font: inherit; font-weight: 600; }}
.xs .muted {{ {_MUTED}; font-weight: normal; }}
.xs .text {{ max-width: 100ch; white-space: pre-wrap; overflow-wrap: anywhere; }}
.xs .text:where(p, div) {{ font-size: 16px; line-height: 24px; }}
.xs .small {{ font-size: 12px; line-height: 18px; max-width: 100ch; overflow-wrap: anywhere; }}
.xs .lead {{ font-size: 20px; line-height: 28px; font-weight: 600; }}
.xs .pair {{ margin-right: 16px; }}
.xs .wide {{ overflow-x: auto; }}
.xs table {{ border-collapse: collapse; }}
.xs :is(th, td) {{ padding: 2px 16px 2px 0; text-align: left; vertical-align: top; font-weight: normal; }}
.xs th {{ {_MUTED}; white-space: nowrap; }}
.xs td {{ overflow-wrap: anywhere; white-space: normal; max-width: none; }}
.xs :is(th, td).number {{ text-align: right; }}
.xs thead th {{ border-bottom: 1px solid {_HAIRLINE}; }}
.xs pre {{ margin: 4px 0; white-space: pre-wrap; overflow-wrap: anywhere; }}
.xs .log {{ display: flex; flex-direction: column-reverse; max-height: 360px; overflow: auto; padding: 4px 12px; }}
.xs .log {{ border: 1px solid {_HAIRLINE}; }}
.xs .frame {{ width: 100%; height: 80vh; border: 0; }}
.xs .strong {{ font-weight: 600; }}
.xs ul {{ list-style: none; margin: 0; padding: 0; }}
.xs li {{ padding: 12px 0; border-top: 1px solid {_HAIRLINE}; }}
.xs a {{ color: {_ACCENT}; text-decoration: underline; text-underline-offset: 3px; }}
"""
"""Sizes 12, 14, 20 and 28 and steps of 4 px, as the look has them; marimo's own parts take the same type family.

The export writes it into its own page.
"""
Kind = Literal["title", "line", "strong", "fine", "row"]
_CLASSES: dict[Kind, str] = {"title": "text lead", "line": "text", "strong": "text strong", "fine": "text small muted"}


def styled(inner: str) -> mo.Html:
    """Return a section's own HTML with the sheet that its classes are of."""
    return mo.Html(f'<div class="xs"><style>{SHEET}</style>{inner}</div>')


def sentence(text: str) -> mo.Html:
    """Return a text of somebody's as it is, in the letters of the page."""
    return styled(f'<p class="text">{html.escape(text)}</p>')


def heading(text: str, level: int = 2) -> mo.Html:
    """Return the heading of a page (level 1) or of a section; marimo's outline lists it."""
    return styled(f"<h{level}>{html.escape(text)}</h{level}>")


def as_markdown(text: str) -> str:
    """Return Markdown that shows a text as it is: a label of marimo's is Markdown, in which much is markup.

    Neither HTML nor an image, which a browser would fetch, nor a formula can stand in it.
    """
    return "".join(
        letter if letter.isalnum() or letter in " .,;:" else f"&#{ord(letter)};" for letter in printable(text)
    )


def warning(error: Exception) -> mo.Html:
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
