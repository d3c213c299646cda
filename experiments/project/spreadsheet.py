"""CSV files as people open them: in a spreadsheet, which runs a text that begins like a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

from experiments.project.look import printable

# What Excel, LibreOffice and Google's sheets take for a formula's begin, in narrow and in full width.
_FORMULA = re.compile(r"[=@+\-\t\r\n\uff1d\uff20\uff0b\uff0d]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


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
