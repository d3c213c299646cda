"""Colours and formats that everything a person sees shares: charts, tables, apps and the exported file.

Contrast is at least 4.5 to 1 for text and 3 to 1 for lines and marks against the page, in light and dark.
"""

from __future__ import annotations

import logging
import math
import os
import re
import traceback
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal

# ECMA-48: control sequences (colours, cursor), operating-system commands (titles, links), and single escapes.
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-_])")
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
LONGEST_LINE = 10_000  # characters of a line of a log that are shown; more would push all others out of sight
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

DECISIONS = {
    "confirmed": STATES["succeeded"],
    "rejected": STATES["failed"],
    "undecided": STATES["unknown"],
    "interim": STATES["running"],
}
"""Of each verdict on a hypothesis."""

ACCEPTANCE = {
    "met": STATES["succeeded"],
    "accepted": STATES["succeeded"],
    "excluded": STATES["failed"],
    "undecided": STATES["unknown"],
}
"""Of each criterion of acceptance, and of all together."""

_UNITS = ((1e9, "G"), (1e6, "M"), (1e3, "k"))
_ROUNDS_UP = 1 - 0.5e-3

# From the fifth arm on a pattern helps the colour; the first four are solid.
DASHES: tuple[tuple[int, ...], ...] = ((1, 0), (1, 0), (1, 0), (1, 0), (6, 3), (2, 2), (8, 3, 2, 3), (4, 4))


def without_escapes(text: str) -> str:
    """Return what a program printed without what it told its terminal: colours, titles, moves of the cursor."""
    return _ESCAPES.sub("", text)


def printable(text: str) -> str:
    """Return text with a replacement sign for each character that XML cannot hold or that moves what stands around it.

    These are control characters but tab and newline, lone surrogates, noncharacters, and explicit directions of
    writing, behind which text would read in another order; Hebrew and Arabic need none of them.
    """
    return text if text.isascii() and text.isprintable() else _UNPRINTABLE.sub("\ufffd", text)


def plain_text(text: str) -> str:
    """Return foreign text as it is shown anywhere: what a terminal would leave of it, and nothing that acts on one.

    Escapes are gone, a line that was written over (a progress bar) is in its last state, and whatever else cannot be
    printed is a replacement sign.
    """
    if text.isascii() and text.isprintable():
        return text
    return printable("\n".join(last_state(line) for line in without_escapes(text).split("\n")))


def plain_logger(name: str) -> logging.Logger:
    """Return the logger of a module: what its messages and errors quote of others acts on no terminal."""
    logger = logging.getLogger(name)
    logger.addFilter(_plain_record)
    return logger


def _plain_record(record: logging.LogRecord) -> bool:
    if record.exc_info:
        # A formatter that finds this text makes none of its own.
        record.exc_text = plain_text("".join(traceback.format_exception(*record.exc_info)).rstrip())
    record.msg, record.args = plain_text(record.getMessage()), ()
    return True


def last_state(line: str) -> str:
    """Return what stands behind the last carriage return of a line, which ends in none."""
    return line.rstrip("\r").rpartition("\r")[2]


def shortened(text: str, most: int) -> str:
    """Return a text; one of more than `most` characters without its end."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def without_middle(line: str) -> str:
    """Return a line; one that is longer than is shown with its two ends, and how much of it is not shown."""
    half = LONGEST_LINE // 2
    if len(line) <= LONGEST_LINE:
        return line
    return f"{line[:half]} … [{len(line) - 2 * half:,} characters left out] … {line[-half:]}"


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
    """Return a number with an SI suffix and three significant digits (`1.25M`), or an en dash.

    Every number that was measured is written by this, wherever a person sees it; `widgets/page/js/format.js` says the
    same on pages, digit by digit, with the minus sign of print.
    """
    if value is None or not math.isfinite(value):
        return MISSING
    size = abs(value)
    if size >= 1e12 * _ROUNDS_UP or 0 < size < 1e-4 * _ROUNDS_UP:
        digits = _rounded(value)
        power = digits.adjusted()
        return f"{digits.scaleb(-power).normalize():f}e{power}"
    # What rounds up to the next unit is said in it.
    unit, suffix = next((each for each in _UNITS if size >= each[0] * _ROUNDS_UP), (1.0, ""))
    return f"{_rounded(value / unit + 0.0).normalize():f}{suffix}"


def _rounded(value: float) -> Decimal:
    """Return a number with three significant digits, halves away from zero as browsers round them."""
    exact = Decimal(float(value))
    return exact.quantize(Decimal((0, (1,), exact.adjusted() - 2)), ROUND_HALF_UP)


IN_LOG = "EXPERIMENTS_IN_LOG"
"""Set in the process that writes a log. There the head alone has a time, so that the same data give the same log."""


def size(count: int) -> str:
    """Return a number of bytes in words: `12 kB`, `3.4 MB`."""
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.0f} kB"


def clock_words(at: float) -> str:
    """Return a time of reading in words.

    Args:
        at: Unix seconds.
    """
    return _words(at, "%H:%M:%S")


def minute_words(at: float) -> str:
    """Return a time of reading to the minute: `20:58 UTC`.

    Args:
        at: Unix seconds.
    """
    return _words(at, "%H:%M")


def _words(at: float, form: str) -> str:
    if os.environ.get(IN_LOG) == "1":
        return "the time of this log"
    return f"{datetime.fromtimestamp(at, UTC):{form}} UTC"
