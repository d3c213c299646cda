"""Tables for other programs, in which nothing of a run's name is ever a command: LaTeX, and CSV.

People open CSV files in a spreadsheet, which runs a text that begins like a formula.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

from experiments.project.look import printable

_ESCAPES = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "_": r"\_",
    "%": r"\%",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "–": "--",  # noqa: RUF001 - the sign for a missing value
    "−": "$-$",  # noqa: RUF001 - the sign that people paste
}
# What Excel, LibreOffice and Google's sheets take for a formula's begin, in narrow and in full width.
_FORMULA = re.compile(r"[=@+\-\t\r\n\uff1d\uff20\uff0b\uff0d]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def escaped(text: object) -> str:
    """Return text as LaTeX that prints it: on one line, without characters that no font has."""
    line = " ".join(str(text).split())
    return "".join(_ESCAPES.get(letter, letter) for letter in line if letter.isprintable())


def latex_table(
    headings: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    numeric: Sequence[bool] = (),
    caption: str = "",
    label: str = "",
) -> str:
    """Return a `table` in the style of booktabs, which the paper has to load, as well as fontenc with T1.

    Args:
        headings: One a column.
        rows: Cells as text; a cell is printed as it is, whatever it holds.
        numeric: Which columns are numbers, set to the right.
        caption: Printed under the table; where the numbers come from belongs here.
        label: To refer to it by; letters, digits, `:` and `-` only; others are left out.
    """
    sides = "".join("r" if at < len(numeric) and numeric[at] else "l" for at in range(len(headings)))
    lines = [r"\begin{table}", r"  \centering", rf"  \begin{{tabular}}{{{sides}}}", r"    \toprule"]
    lines += [f"    {_row(headings)}", r"    \midrule"]
    lines += [f"    {_row(row)}" for row in rows]
    lines += [r"    \bottomrule", r"  \end{tabular}"]
    if caption:
        lines.append(rf"  \caption{{{escaped(caption)}}}")
    name = "".join(letter for letter in label if letter.isascii() and (letter.isalnum() or letter in ":-"))
    if name:
        lines.append(rf"  \label{{{name}}}")
    return "\n".join([*lines, r"\end{table}", ""])


def _row(cells: Sequence[object]) -> str:
    return " & ".join(escaped(cell) for cell in cells) + r" \\"


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """Return rows as a CSV file in which every text is a text and every number a number with all its digits."""
    out = io.StringIO()
    csv.writer(out).writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue()


def _cell(value: object) -> object:
    """Return a value as no spreadsheet runs it: a text that begins like a formula gets a quotation mark before it."""
    if not isinstance(value, str):
        return value
    is_formula = _FORMULA.match(value) and not _NUMBER.fullmatch(value)
    return f"'{printable(value)}" if is_formula else printable(value)
