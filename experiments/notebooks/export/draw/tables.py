"""Tables as plain HTML: whole, or cut at a row limit that is named; a script makes them sortable and searchable."""

from __future__ import annotations

import html
import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from experiments.notebooks.export.draw.sheet import Sheet
from experiments.project.look import MISSING, STATES, counted, duration, quantity
from experiments.project.standing import chooses

MAX_ROWS = 5_000
MAX_COLUMNS = 200
MAX_CELL_CHARS = 2_000
_SEARCHED_FROM = 8
_WIDE_CHARS = 60
_NAME_CHARS = 32
_PRINTED_ROWS = 200  # as page.css has it

_LABELS = {f"{sign.mark} {state}": state for state, sign in STATES.items()}


@dataclass(frozen=True)
class Grid:
    """A table's content, cut to what a page shows.

    Attributes:
        columns: Headings.
        rows: The first `MAX_ROWS` rows.
        total: Rows that there are.
        total_columns: Columns that there are.
    """

    columns: list[str]
    rows: Sequence[Sequence[Any]]
    total: int
    total_columns: int
    caption: str = ""
    formats: Mapping[str, Any] = field(default_factory=dict)

    def without(self, hidden: Collection[Any]) -> Grid:
        """Return the table without some of its columns."""
        kept = [at for at, name in enumerate(self.columns) if name not in hidden]
        rows = [tuple(row[at] for at in kept) for row in self.rows]
        lost = len(self.columns) - len(kept)
        return replace(
            self, columns=[self.columns[at] for at in kept], rows=rows, total_columns=self.total_columns - lost
        )


def grid_of(value: Any) -> Grid | None:
    """Return the content of anything that is a table (pandas, polars, arrow, lists of dicts), else None."""
    if isinstance(value, Mapping):
        return _of_columns(value)
    if isinstance(value, (list, tuple)):
        return _of_records(value)
    if (frame := _pandas(value)) is not None:
        return frame
    import narwhals.stable.v2 as nw

    try:
        native = nw.from_native(value, eager_only=True)
    except TypeError:
        return None
    frame = native.select(native.columns[:MAX_COLUMNS])
    return Grid(list(map(str, frame.columns)), list(frame.head(MAX_ROWS).rows()), len(native), len(native.columns))


def is_frame(value: object) -> bool:
    """Say whether a value is a table of a library for tables."""
    kind = type(value)
    root = kind.__module__.partition(".")[0]
    return root in {"pandas", "polars", "pyarrow"} and kind.__name__ in {"DataFrame", "Table", "RecordBatch", "Series"}


def table_html(sheet: Sheet, grid: Grid) -> str:
    """Return a table with its heads as buttons to be, and a sentence where rows or columns are left out."""
    if not grid.columns:
        return '<p class="quiet">An empty table.</p>'
    columns = list(zip(*grid.rows, strict=True)) if grid.rows else [()] * len(grid.columns)
    numeric = [bool(column) and all(_is_number(value) or _is_missing(value) for value in column) for column in columns]
    formats = [grid.formats.get(name) for name in grid.columns]
    shown = [_shown_column(sheet, column, form) for column, form in zip(columns, formats, strict=True)]
    heads = "".join(
        f'<th scope="col"{_kind(is_number)}>{sheet.text(name)}</th>'
        for name, is_number in zip(grid.columns, numeric, strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(_cell(text, value, numeric[at]) for at, (text, value) in enumerate(zip(texts, row, strict=True)))
        + "</tr>"
        for texts, row in zip(zip(*shown, strict=True), grid.rows, strict=True)
    )
    caption = f"<caption>{sheet.text(grid.caption)}</caption>" if grid.caption else ""
    tall = " data-search" if len(grid.rows) >= _SEARCHED_FROM else ""
    table = f"<table{tall}>{caption}<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"
    long = " long" if len(grid.rows) > _PRINTED_ROWS else ""
    region = f'<div class="table{long}" tabindex="0" role="region" aria-label="table">'
    return f"{region}{table}</div>{_limits(sheet, grid)}"


def _limits(sheet: Sheet, grid: Grid) -> str:
    said = []
    if grid.total > len(grid.rows):
        said.append(f"the first {len(grid.rows):,} of {grid.total:,} rows")
    if grid.total_columns > len(grid.columns):
        said.append(f"the first {len(grid.columns):,} of {grid.total_columns:,} columns")
    if said:
        return sheet.note(f"A table shows {' and '.join(said)}, which is as many as a log holds.")
    return "" if grid.rows else '<p class="quiet">No rows.</p>'


def _shown_column(sheet: Sheet, values: Iterable[Any], form: Any) -> list[str]:
    """Return the cells of a column as HTML."""
    formatted = [_formatted(value, form) for value in values]
    texts = sheet.cleaner.texts([value if isinstance(value, str) else "" for value in formatted])
    return [
        (_labelled(text) if isinstance(value, str) else sheet.draw(value))
        for text, value in zip(texts, formatted, strict=True)
    ]


def _labelled(text: str) -> str:
    """Return a text as HTML; the label of a state with its colour, and a shortened name, each in one line."""
    state = _LABELS.get(text)
    shown = html.escape(text, quote=True)
    if state is not None:
        return f'<span class="state {state}">{shown}</span>'
    is_name = text.startswith("…") and len(text) <= _NAME_CHARS and " " not in text
    return f'<span class="name">{shown}</span>' if is_name else shown


def _cell(shown: str, value: object, is_number: bool) -> str:  # noqa: FBT001 - one of two kinds of column
    if is_number:
        sort = "" if _is_missing(value) else f' data-v="{float(value):.17g}"'  # type: ignore[arg-type]
        return f'<td class="n"{sort}>{shown}</td>'
    is_wide = "<" not in shown and (len(shown) > _WIDE_CHARS or "\n" in shown)
    return f'<td class="w">{shown}</td>' if is_wide else f"<td>{shown}</td>"


def _kind(is_number: bool) -> str:  # noqa: FBT001 - one of two kinds of column
    return ' class="n"' if is_number else ""


def _formatted(value: Any, form: Any) -> Any:
    """Return a cell as text, or as one of marimo's small drawings."""
    try:
        if callable(form):
            made = form(value)
            return made if _is_drawing(made) else _short(str(made))
        if isinstance(form, str):
            return _short(form.format(value))
    except Exception:  # noqa: BLE001 - the user's own function; the value itself is shown
        return _short(str(value))
    return value if _is_drawing(value) else _cell_text(value)


def _is_drawing(value: object) -> bool:
    return hasattr(value, "_mime_") and isinstance(getattr(value, "text", None), str)


def _cell_text(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return MISSING if _is_missing(value) else _short(str(value))
    return number(value) if isinstance(value, float) or abs(value) >= 10**18 else f"{value:,}"


def number(value: float) -> str:
    """Return a number with six significant digits and its thousands separated."""
    if not math.isfinite(value):
        return MISSING if math.isnan(value) else ("∞" if value > 0 else "−∞")  # noqa: RUF001 - the minus sign
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.6g}" if 1e-4 <= abs(value) < 1e6 else f"{value:.6g}"


def _short(text: str) -> str:
    return text if len(text) <= MAX_CELL_CHARS else f"{text[:MAX_CELL_CHARS]}… ({len(text):,} characters)"


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_missing(value: object) -> bool:
    return (
        value is None
        or type(value).__name__ in {"NAType", "NaTType"}
        or (isinstance(value, float) and math.isnan(value))
    )


def _pandas(value: Any) -> Grid | None:
    if type(value).__module__.partition(".")[0] != "pandas":
        return None
    import pandas as pd

    if isinstance(value, pd.Series):
        value = value.to_frame()
    if not isinstance(value, pd.DataFrame):
        return None
    total_columns = value.shape[1]
    cut = value.iloc[:MAX_ROWS, :MAX_COLUMNS]
    if not isinstance(value.index, pd.RangeIndex):
        index = [str(name) if name is not None else "" for name in value.index.names]
        columns = index + list(map(_heading, cut.columns))
        keys = [key if isinstance(key, tuple) else (key,) for key in cut.index.tolist()]
        rows = [
            (*map(_plain, key), *map(_plain, row))
            for key, row in zip(keys, cut.itertuples(index=False, name=None), strict=True)
        ]
        return Grid(columns, rows, len(value), total_columns + len(index))
    rows = [tuple(map(_plain, row)) for row in cut.itertuples(index=False, name=None)]
    return Grid(list(map(_heading, cut.columns)), rows, len(value), total_columns)


def _heading(name: object) -> str:
    return " / ".join(map(str, name)) if isinstance(name, tuple) else str(name)


def _plain(value: Any) -> Any:
    """Return numpy's numbers as Python's own."""
    return value.item() if type(value).__module__ == "numpy" and getattr(value, "ndim", 1) == 0 else value


def _of_columns(value: Mapping[Any, Any]) -> Grid | None:
    lists = [list(column) for column in value.values() if isinstance(column, (list, tuple))]
    if not lists or len(lists) != len(value) or len({len(column) for column in lists}) != 1:
        return None
    rows = list(zip(*lists[:MAX_COLUMNS], strict=True))
    return Grid(list(map(str, value))[:MAX_COLUMNS], rows[:MAX_ROWS], len(rows), len(value))


def _of_records(value: Sequence[Any]) -> Grid | None:
    if not value:
        return Grid([], [], 0, 0)
    if all(isinstance(row, Mapping) for row in value):
        names = list(dict.fromkeys(name for row in value for name in row))
        rows = [tuple(row.get(name) for name in names[:MAX_COLUMNS]) for row in value[:MAX_ROWS]]
        return Grid(list(map(str, names))[:MAX_COLUMNS], rows, len(value), len(names))
    return Grid(["value"], [(row,) for row in value[:MAX_ROWS]], len(value), 1)


def jobs_html(
    sheet: Sheet, rows: Sequence[Mapping[str, Any]], problems: Iterable[str] = (), empty: str = "", as_of: float = 0.0
) -> str:
    """Return a table of jobs; those of a search are folded by trial, of which there may be hundreds.

    Args:
        rows: As `widgets.jobs.JobTable` takes them.
        problems: Sentences shown above the table.
        empty: What is said where there is no job.
        as_of: Unix seconds up to which the time of running jobs counts.
    """
    said = "".join(f'<aside class="callout warn">{sheet.text(problem)}</aside>' for problem in problems)
    if not rows:
        return f'{said}<p class="quiet">{sheet.text(empty)}</p>'
    trials: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        if chooses(int(row.get("seed") or 0)):
            trials.setdefault(str(row.get("arm", "")), []).append(row)
    others = [row for row in rows if not chooses(int(row.get("seed") or 0))]
    parts = [said, _jobs_table(sheet, others, as_of) if others else ""]
    if trials:
        inner = "".join(_jobs_table(sheet, of_one, as_of, arm) for arm, of_one in trials.items())
        of_all = [row for of_one in trials.values() for row in of_one]
        counts = _counts(sheet, counted(len(trials), "trial"), of_all)
        parts.append(f"<details><summary>{counts}</summary>{inner}</details>")
    return "".join(parts)


def _jobs_table(sheet: Sheet, rows: Sequence[Mapping[str, Any]], as_of: float, trial: str = "") -> str:
    """Return a table of jobs, folded where they are many or of a trial."""
    if len(rows) <= _SEARCHED_FROM and not trial:
        return _region(sheet, rows, as_of)
    return f"<details><summary>{_counts(sheet, trial, rows)}</summary>{_region(sheet, rows, as_of)}</details>"


def _counts(sheet: Sheet, name: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """Return how many jobs are in which state: `trial-3, 2 jobs: 1 succeeded, 1 failed`."""
    states = Counter(str(row.get("state", "unknown")) for row in rows)
    counts = ", ".join(f"{number} {sheet.text(state)}" for state, number in states.items())
    return f"{sheet.text(name)}{', ' if name else ''}{counted(len(rows), 'job')}: {counts}"


def _region(sheet: Sheet, rows: Sequence[Mapping[str, Any]], as_of: float) -> str:
    heads = ("Run", "State", "Agent steps", "Steps/s", "Reward", "Time", "Reason")
    numeric = {"Agent steps", "Steps/s", "Reward", "Time"}
    head = "".join(f'<th scope="col"{" class=n" if name in numeric else ""}>{name}</th>' for name in heads)
    body = "".join(_job_row(sheet, row, as_of) for row in rows)
    search = " data-search" if len(rows) > _SEARCHED_FROM else ""
    table = f"<table{search}><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="table" tabindex="0" role="region" aria-label="jobs">{table}</div>'


def state_html(sheet: Sheet, state: str, words: str = "") -> str:
    """Return a job's state: its shape, its word, and what scheduler and tracker say on hover."""
    known = state if state in STATES else "unknown"
    title = f' title="{sheet.text(words)}"' if words else ""
    mark = f'<span aria-hidden="true">{STATES[known].mark}</span>'
    return f'<span class="state {known}"{title}>{mark} {sheet.text(state)}</span>'


def _job_row(sheet: Sheet, row: Mapping[str, Any], as_of: float) -> str:
    step, total = row.get("step"), row.get("total")
    of = f" of {quantity(total)}" if total else ""
    seconds = _seconds(row, as_of)
    cells = [
        f"<td>{sheet.text(row.get('run', ''))}</td>",
        f"<td>{state_html(sheet, str(row.get('state', 'unknown')), str(row.get('words') or ''))}</td>",
        _number(step, f"{quantity(step)}{of}" if step is not None else MISSING),
        _number(row.get("sps"), quantity(row.get("sps"))),
        _number(row.get("reward"), quantity(row.get("reward"))),
        _number(seconds, duration(seconds)),
        f"<td class=w>{sheet.text(row['reason'])}</td>" if row.get("reason") else "<td></td>",
    ]
    return f"<tr>{''.join(cells)}</tr>"


def _seconds(row: Mapping[str, Any], as_of: float) -> float | None:
    start = row.get("started_at")
    end = row.get("ended_at") or (as_of if row.get("state") == "running" else None)
    return end - start if start is not None and end else None


def _number(value: float | None, text: str) -> str:
    return f'<td class="n" data-v="{value:.17g}">{text}</td>' if value is not None else f'<td class="n">{text}</td>'
