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

    found = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not found.is_terminal:
        # Nobody's window limits a file or a pipe; tables are then as wide as they need to be.
        found.width = 240
    return found


def agrees(question: str) -> bool:
    """Ask a person, who says yes by `y` or `yes`; nobody says yes where there is no terminal to ask at."""
    return sys.stdin.isatty() and input(f"{question} [y/N] ").strip().lower() in {"y", "yes"}


def report_error(error: ExperimentsError) -> int:
    """Print an error that the user can act on and return the exit code."""
    print(f"error: {error}", file=sys.stderr)  # noqa: T201 - a command line talks
    return error.exit_code
