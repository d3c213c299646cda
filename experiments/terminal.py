"""What commands print: one console, tables and errors in the same words everywhere."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from experiments.errors import ExperimentsError
from experiments.look import STATES

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

# A terminal has colours of its own.
_STATE_COLOURS = {
    "pending": "bright_black",
    "running": "blue",
    "recovering": "yellow",
    "succeeded": "green",
    "failed": "red",
    "cancelled": "magenta",
    "unknown": "bright_black",
}


def console(*, stderr: bool = False) -> Console:
    """Return a console that neither guesses at numbers in text nor reads markup in names."""
    from rich.console import Console

    found = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not found.is_terminal:
        # Nobody's window limits a file or a pipe; tables are then as wide as they need to be.
        found.width = 240
    return found


def state_text(state: str) -> Text:
    """Return a job's state as a word with its mark and colour."""
    from rich.text import Text

    return Text(f"{STATES[state].mark} {state}", style=_STATE_COLOURS[state])


def agrees(question: str) -> bool:
    """Ask a person, who says yes by `y` or `yes`; nobody says yes where there is no terminal to ask at."""
    return sys.stdin.isatty() and input(f"{question} [y/N] ").strip().lower() in {"y", "yes"}


def report_error(error: ExperimentsError) -> int:
    """Print an error that the user can act on and return the exit code."""
    print(f"error: {error}", file=sys.stderr)  # noqa: T201 - a command line talks
    return error.exit_code
