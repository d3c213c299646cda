"""What commands print: one console, tables and errors in the same words everywhere."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import re
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from experiments.project.errors import ExperimentsError, UsageError
from experiments.project.look import STATES, plain_text, printable

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions
    from rich.segment import Segment
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


T = TypeVar("T")
_MAX_NAME, _MAX_PATH = 255, 4096  # bytes


def say(text: str = "", *, to_stderr: bool = False, end: str = "\n", flush: bool = False) -> None:
    """Print a text that may hold what people, trainers, trackers and schedulers wrote: none of it acts on the terminal.

    What the terminal's encoding cannot show is shown as a question mark.
    """
    stream = sys.stderr if to_stderr else sys.stdout
    encoding = stream.encoding or "utf-8"
    stream.write(plain_text(text).encode(encoding, "replace").decode(encoding) + end)
    if flush:
        stream.flush()


def console(*, stderr: bool = False) -> Console:
    """Return a console that neither guesses at numbers in text nor reads markup in names, and prints as `say` does."""
    from rich.console import Console

    class PlainConsole(Console):
        def on_broken_pipe(self) -> None:  # rich would end the process with 1
            raise BrokenPipeError

        def render_str(self, text: str, **options: Any) -> Text:  # noqa: ANN401 - as rich has it
            return super().render_str(plain_text(text), **options)

        def render(self, renderable: Any, options: ConsoleOptions | None = None) -> Iterator[Segment]:  # noqa: ANN401
            for segment in super().render(renderable, options):
                yield segment if segment.control else segment._replace(text=printable(segment.text))

    found = PlainConsole(stderr=stderr, highlight=False, markup=False, emoji=False)
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
    return sys.stdin.isatty() and input(f"{plain_text(question)} [y/N] ").strip().lower() in {"y", "yes"}


def parsed(arguments: Sequence[str], parse: Callable[[], T]) -> T:
    """Return what a parser of tyro's makes of `arguments`; what it refuses is an error of one line, not a box of many.

    Args:
        arguments: The words of a command line.
        parse: Reads them and does nothing else.

    Raises:
        UsageError: The parser refuses them, or a word is no text.
        SystemExit: After `--help`.
    """
    for word in arguments:
        if "\0" in word:
            raise UsageError(f"argument {word!a} holds a NUL, which no name and no text can. Leave it out.")
        try:
            word.encode()
        except UnicodeEncodeError:
            raise UsageError(
                f"argument {word!a} holds bytes that are no UTF-8 text. Write it as text, or rename the file."
            ) from None
    if {"-h", "--help"} & set(arguments):
        try:
            with contextlib.redirect_stderr(io.StringIO()):
                return parse()
        except SystemExit as done:
            if not done.code:
                raise
        # It stands where a value should: what is wrong is said as ever.
    said = io.StringIO()
    with contextlib.redirect_stderr(said), _wide_terminal():
        try:
            return parse()
        except SystemExit:
            text = said.getvalue()
    raise UsageError(_sentence_of(text))


def check_paths(values: Iterable[object]) -> None:
    """Refuse a path among the values of a command line that no file can have, or that is neither file nor folder.

    A pipe or a device answers when it likes, or without end; and what is written by rename would take its place.

    Raises:
        UsageError: A name in it has more than 255 bytes, or all of it more than the system takes; it leads to a pipe, a
            socket or a device, or in a circle.
    """
    for value in values:
        for path in (part for part in (value if isinstance(value, tuple) else [value]) if isinstance(part, Path)):
            longest = max(path.parts, key=lambda part: len(os.fsencode(part)), default="")
            if len(os.fsencode(longest)) > _MAX_NAME or len(os.fsencode(path.absolute())) >= _MAX_PATH:
                raise UsageError(f"path {str(path)[:40]!r}... has a name that is too long for a file. Shorten it.")
            if odd := _odd_kind(path):
                raise UsageError(f"path {str(path)!r} is {odd}. Name a file or a folder.")


def _odd_kind(path: Path) -> str:
    """Return what stands at a path, where that is neither a file nor a folder; empty where there is nothing yet."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        return "a link that leads in a circle" if error.errno == errno.ELOOP else ""
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
        return ""
    return "a socket" if stat.S_ISSOCK(mode) else "a pipe" if stat.S_ISFIFO(mode) else "a device"


def _sentence_of(box: str) -> str:
    """Return what a box of tyro's says: without its title and frame, and without pydantic's address for the error."""
    text = re.sub(r" ?\[type=.*\]|For further information visit \S+", "", box)
    # With a terminal that knows no other signs, the frame is of spaces and dashes.
    lines = [re.sub(r"^[\s│]+|[\s│]+$", "", line) for line in text.splitlines()[1:]]
    said = [line for line in lines if re.search(r"\w", line)]
    # What follows a colon is a list in the box.
    return " ".join(line if line.endswith((":", ".", ",")) else f"{line}." for line in said)


@contextlib.contextmanager
def _wide_terminal() -> Iterator[None]:
    """Have everything think for a moment that the terminal is so wide that no word is broken."""
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "10000"
    try:
        yield
    finally:
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before


def report_error(error: ExperimentsError | OSError) -> int:
    """Print an error that the user can act on and return the exit code; that of the system names its file."""
    if isinstance(error, OSError):
        where = f"{str(error.filename)!r}: " if error.filename else ""
        error = ExperimentsError(f"{where}{error.strerror or error}. Mend it and run the command again.")
    with contextlib.suppress(OSError):  # where nobody can be told, the exit code says it
        say(f"error: {error}", to_stderr=True)
    return error.exit_code
