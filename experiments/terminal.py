"""What commands print: one console, tables and errors in the same words everywhere."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from experiments.errors import ExperimentsError

if TYPE_CHECKING:
    from rich.console import Console

# Word, shape and colour of each verdict; a state is never shown by colour alone.
VERDICT_MARKS = {
    "pending": ("○", "bright_black"),
    "running": ("●", "blue"),
    "recovering": ("◐", "yellow"),
    "succeeded": ("✓", "green"),
    "failed": ("✗", "red"),
    "cancelled": ("▬", "magenta"),
    "unknown": ("?", "bright_black"),
}


def console(*, stderr: bool = False) -> Console:
    """Return a console that neither guesses at numbers in text nor reads markup in names."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, markup=False, emoji=False, soft_wrap=True)


def report_error(error: ExperimentsError) -> int:
    """Print an error that the user can act on and return the exit code."""
    print(f"error: {error}", file=sys.stderr)  # noqa: T201 - a command line talks
    return error.exit_code


def duration(seconds: float | None) -> str:
    """Return seconds as people say them: `2 h 14 m`, `3 m 05 s`, `12 s`; an en dash where there are none."""
    if seconds is None or seconds != seconds or seconds < 0:  # noqa: PLR0124 - NaN is not itself
        return "–"  # noqa: RUF001 - the sign for a missing value
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} m"
    return f"{whole // 60} m {whole % 60:02d} s" if whole >= 60 else f"{whole} s"


def quantity(value: float | None) -> str:
    """Return a count with an SI suffix and three significant digits (`1.25M`), or an en dash."""
    if value is None:
        return "–"  # noqa: RUF001 - the sign for a missing value
    for limit, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= limit:
            return f"{value / limit:.3g}{suffix}"
    return f"{value:.3g}"
