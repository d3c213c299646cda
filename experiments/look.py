"""Colours and formats that everything a person sees shares: charts, tables, apps and the exported file.

Contrast is at least 4.5 to 1 for text and 3 to 1 for lines and marks against the page, in light and dark.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# ECMA-48: control sequences (colours, cursor), operating-system commands (titles, links), and single escapes.
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-_])")
MISSING = "–"  # noqa: RUF001 - the sign for a missing value


@dataclass(frozen=True)
class Palette:
    """The colours of one theme, as CSS hex values."""

    page: str
    raised: str
    text: str
    muted: str
    hairline: str
    accent: str
    arms: tuple[str, ...]


LIGHT = Palette(
    page="#ffffff",
    raised="#f6f8fa",
    text="#1c2128",
    muted="#57606a",
    hairline="#d0d7de",
    accent="#0072b2",
    arms=("#0072b2", "#d55e00", "#008a62", "#b5477d", "#8a6d00", "#5a5fc8", "#3f8f9b", "#7a4b2a"),
)
DARK = Palette(
    page="#14171c",
    raised="#1c2128",
    text="#e6edf3",
    muted="#a0a8b3",
    hairline="#30363d",
    accent="#56b4e9",
    arms=("#56b4e9", "#ff9248", "#2fc79a", "#e58fbc", "#e6c84f", "#9ba2ff", "#74cbd6", "#c9966f"),
)


@dataclass(frozen=True)
class Sign:
    """How a word is shown: a mark, so that colour alone says nothing, and its colours on light and on dark pages."""

    mark: str
    light: str
    dark: str

    @property
    def css(self) -> str:
        """The colour that follows the page."""
        return f"light-dark({self.light}, {self.dark})"


STATES = {
    "pending": Sign("○", LIGHT.muted, DARK.muted),
    "running": Sign("●", "#1f6feb", "#6cb0ff"),
    "recovering": Sign("◐", "#9a6700", "#e3b341"),
    "succeeded": Sign("✓", "#1a7f37", "#4ac26b"),
    "failed": Sign("✕", "#c62828", "#ff8a80"),
    "cancelled": Sign("▬", "#6e5494", "#c3a6ff"),
    "unknown": Sign("?", "#5b5f66", "#b1b7c0"),
}
"""Of each verdict on a job."""

DECISIONS = {"confirmed": STATES["succeeded"], "rejected": STATES["failed"], "undecided": STATES["unknown"]}
"""Of each verdict on a hypothesis."""

# From the fifth arm on a pattern helps the colour; the first four are solid.
DASHES: tuple[tuple[int, ...], ...] = ((1, 0), (1, 0), (1, 0), (1, 0), (6, 3), (2, 2), (8, 3, 2, 3), (4, 4))


def without_escapes(text: str) -> str:
    """Return what a program printed without what it told its terminal: colours, titles, moves of the cursor."""
    return _ESCAPES.sub("", text)


def duration(seconds: float | None) -> str:
    """Return seconds as people say them: `2 h 14 m`, `3 m 05 s`, `12 s`; an en dash where there are none."""
    if seconds is None or not 0 <= seconds < float("inf"):
        return MISSING
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} m"
    return f"{whole // 60} m {whole % 60:02d} s" if whole >= 60 else f"{whole} s"


def counted(number: int, noun: str) -> str:
    """Return `1 seed`, `2,000 seeds`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def quantity(value: float | None) -> str:
    """Return a number with an SI suffix and three significant digits (`1.25M`), or an en dash."""
    if value is None or value != value:  # noqa: PLR0124 - NaN is not itself
        return MISSING
    for limit, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= limit:
            return f"{value / limit:.3g}{suffix}"
    return f"{value:.3g}"
