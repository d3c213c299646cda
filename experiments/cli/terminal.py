"""What commands print: one console, tables and errors in the same words everywhere.

A table fits a terminal of any width: columns are left out in order of worth, and none is cut inside a word. What does
not fit is told by the columns that do; what a row has to say in a sentence stands under it, wrapped.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import re
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from experiments.project.errors import ExperimentsError, LaunchRefused, UsageError
from experiments.project.look import STATES, plain_text, printable

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions
    from rich.segment import Segment
    from rich.text import Text

    from experiments.jobs.permits import Permit

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
_NO_NUMBER = {
    r"invalid literal for int\(\) with base 10:": r"\1 takes a whole number, not \2. Its help:",
    r"could not convert string to float:": r"\1 takes a number, not \2. Its help:",
}
"""What Python says of a word that is no number, and what we say."""
_GAP = 2
_INDENT = "  "


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


def check_word(word: str) -> None:
    """Refuse a word of a command line that is no text.

    Raises:
        UsageError: Says which.
    """
    if "\0" in word:
        raise UsageError(f"argument {word!a} holds a NUL, which no name and no text can. Leave it out.")
    try:
        word.encode()
    except UnicodeEncodeError:
        raise UsageError(
            f"argument {word!a} holds bytes that are no UTF-8 text. Write it as text, or rename the file."
        ) from None


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
        check_word(word)
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
    sentence = " ".join(line if line.endswith((":", ".", ",")) else f"{line}." for line in said)
    for pythons, ours in _NO_NUMBER.items():
        sentence = re.sub(rf"Error parsing (\S+): .*?{pythons} (\S+?)\.? Argument helptext:", ours, sentence)
    return sentence.replace("For full helptext, see", "See")


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


@dataclass(frozen=True)
class FittedColumn:
    """One column.

    Attributes:
        heading: What stands over it.
        is_right: Whether its cells are numbers, which end at one line.
        least: Cells to which it may be shortened, so that more columns fit; then it keeps its end. None: it never is,
            but where the terminal has not even the room for it.
    """

    heading: str
    is_right: bool = False
    least: int | None = None


class FittedTable:
    """Rows of cells that a rich console prints in its own width.

    Args:
        columns: In the order in which they stand.
        worth: Their headings, the one that is left out last first; the first two stay in any width.
    """

    def __init__(self, columns: Sequence[FittedColumn], worth: Sequence[str]) -> None:
        self.columns, self.worth = tuple(columns), tuple(worth)
        self.rows: list[tuple[tuple[Text, ...], str]] = []

    def add(self, *cells: Text | str, note: str = "") -> None:
        """Add a row.

        Args:
            cells: One a column; a text keeps its colour.
            note: A sentence on the row, which stands under it.
        """
        from rich.text import Text

        made = tuple(cell if isinstance(cell, Text) else Text(cell) for cell in cells)
        self.rows.append((made, note))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        from rich.text import Text

        widths = self._widths(options.max_width)
        yield self._line([Text(column.heading, style="dim") for column in self.columns], widths)
        for cells, note in self.rows:
            yield self._line(cells, widths)
            if note:
                room = max(1, options.max_width - len(_INDENT))
                for line in Text(note, style="dim").wrap(console, room):
                    yield Text(_INDENT, style="dim").append_text(line)

    def _widths(self, room: int) -> dict[int, int]:
        """Return the width of each column that is shown, by its place."""
        full = {column.heading: self._width(place) for place, column in enumerate(self.columns)}
        least = {c.heading: min(full[c.heading], full[c.heading] if c.least is None else c.least) for c in self.columns}
        filled = {c.heading for at, c in enumerate(self.columns) if any(row[at].plain for row, _ in self.rows)}
        shown: list[str] = []
        for heading in self.worth:
            if heading not in filled and len(shown) >= 2:
                continue
            wanted = sum(least[each] + _GAP for each in (*shown, heading)) - _GAP
            if len(shown) < 2 or wanted <= room:
                shown.append(heading)
            else:
                break  # what is worth less does not take the place of what is worth more
        spare = room - sum(least[each] + _GAP for each in shown) + _GAP
        widths = {}
        for place, column in enumerate(self.columns):
            if column.heading in shown:
                more = min(max(0, spare), full[column.heading] - least[column.heading])
                spare -= more
                widths[place] = least[column.heading] + more
        if spare < 0 and widths:  # not even two columns fit: the first gives way
            first = min(widths)
            widths[first] = max(1, widths[first] + spare)
        return widths

    def _width(self, place: int) -> int:
        cells = [row[place].cell_len for row, _ in self.rows]
        return max([len(self.columns[place].heading), *cells])

    def _line(self, cells: Sequence[Text], widths: dict[int, int]) -> Text:
        from rich.text import Text

        line = Text(no_wrap=True, end="\n")
        for number, (place, width) in enumerate(widths.items()):
            cell = _end_of(cells[place], width)
            pad = " " * (width - cell.cell_len)
            parts = (pad, cell) if self.columns[place].is_right else (cell, pad)
            line = Text.assemble(line, " " * (_GAP if number else 0), *parts)
        line.rstrip()
        return line


def _end_of(cell: Text, width: int) -> Text:
    """Return a cell that fits; of one that does not, its end."""
    from rich.text import Text

    end = cell
    while end.cell_len > width:
        end = Text("…", style=cell.style).append_text(end[2 if end is not cell else 1 :])
    return end


def ask_a_person(doing: str, warning: str) -> None:
    """Have a person on a terminal agree to what a program must not do by itself.

    Raises:
        LaunchRefused: There is no terminal, or the answer is another than yes.
    """
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise LaunchRefused(
            f"refused to {doing}: only a person does, on a terminal of their own. Type the command there."
        )
    say(f"{warning} Type yes: ", to_stderr=True)
    if sys.stdin.readline().strip() != "yes":
        raise LaunchRefused("nothing was done: the answer was not yes.")


def persons_own(command: str, warning: str) -> Permit:
    """Return the permit of a person who says what others may use; on a terminal where the settings want permits.

    Raises:
        LaunchRefused: See `permits.person_permit` and `ask_a_person`.
    """
    from experiments.jobs.permits import person_permit
    from experiments.project.settings import wants_permits

    permit = person_permit(command)
    if wants_permits():
        ask_a_person(f"run {command!r}", warning)
    return permit
