"""A table for a terminal of any width: columns are left out in order of worth, and none is cut inside a word.

What does not fit is told by the columns that do; what a row has to say in a sentence stands under it, wrapped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions
    from rich.text import Text

_GAP = 2
_INDENT = "  "


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
