"""What the HTML of several sections shares: muted text, lines between rows, and what a failed part says of itself."""

from __future__ import annotations

import html

import marimo as mo

from experiments import look

MUTED = f"color: light-dark({look.LIGHT.muted}, {look.DARK.muted})"
HAIRLINE = f"border-bottom: 1px solid light-dark({look.LIGHT.hairline}, {look.DARK.hairline})"


def warning(error: Exception) -> mo.Html:
    """Return what went wrong as a box, its text escaped."""
    return mo.callout(mo.Html(html.escape(str(error))), kind="warn")
