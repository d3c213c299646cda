"""The job table as plain HTML: every state with its word and its shape, never by colour alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from experiments.look import MISSING, STATES, duration, quantity
from experiments.notebooks.export.sheet import Sheet


def jobs_html(sheet: Sheet, rows: Sequence[Mapping[str, Any]], problems: Iterable[str] = (), empty: str = "") -> str:
    """Return a table of jobs.

    Args:
        rows: As `widgets.jobs.JobTable` takes them.
        problems: Sentences shown above the table.
        empty: What is said where there is no job.
    """
    said = "".join(f'<aside class="callout warn">{sheet.text(problem)}</aside>' for problem in problems)
    if not rows:
        return f'{said}<p class="quiet">{sheet.text(empty)}</p>'
    heads = ("Run", "State", "Agent steps", "Steps/s", "Reward", "Time", "Reason")
    numeric = {"Agent steps", "Steps/s", "Reward", "Time"}
    head = "".join(f'<th scope="col"{" class=n" if name in numeric else ""}>{name}</th>' for name in heads)
    body = "".join(_row(sheet, row) for row in rows)
    table = (
        f"<table{' data-search' if len(rows) > 8 else ''}><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )
    return f'{said}<div class="table" tabindex="0" role="region" aria-label="jobs">{table}</div>'


def state_html(sheet: Sheet, state: str, words: str = "") -> str:
    """Return a job's state: its shape, its word, and what scheduler and tracker say on hover."""
    known = state if state in STATES else "unknown"
    title = f' title="{sheet.text(words)}"' if words else ""
    mark = f'<span aria-hidden="true">{STATES[known].mark}</span>'
    return f'<span class="state {known}"{title}>{mark} {sheet.text(state)}</span>'


def _row(sheet: Sheet, row: Mapping[str, Any]) -> str:
    step, total = row.get("step"), row.get("total")
    of = f" of {quantity(total)}" if total else ""
    seconds = _seconds(row)
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


def _seconds(row: Mapping[str, Any]) -> float | None:
    if row.get("duration_s") is not None:
        return float(row["duration_s"])
    start, end = row.get("started_at"), row.get("ended_at")
    return end - start if start is not None and end is not None else None


def _number(value: float | None, text: str) -> str:
    return f'<td class="n" data-v="{value:.17g}">{text}</td>' if value is not None else f'<td class="n">{text}</td>'
