"""The logbook: one page of all logs of a folder, `experiments/log/index.html`, made from what the log files say.

It needs no server and no network. A file that is damaged, or that is none of ours, is named and never read as one.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from experiments.notebooks.export.assets import script_hash, static_text, style_sheet
from experiments.notebooks.export.placing import LOGBOOK, draft_of, is_kept_name, put_in_place, write_draft
from experiments.notebooks.export.record import LogRecord, read_record
from experiments.project.look import DECISIONS, MISSING, counted, printable, shortened

_OURS = '<meta name="generator" content="experiments logbook">'
_HEADINGS = ("log", "verdict", "hypothesis", "key metric", "jobs", "when")


@dataclass(frozen=True)
class Log:
    """One log file.

    Attributes:
        file: Its name in the folder.
        earlier: Another log of the same experiment took its place.
    """

    file: str
    record: LogRecord
    earlier: bool


def write_logbook(folder: Path) -> Path:
    """Make the logbook of a folder again from the files that lie in it.

    A page of another origin with the logbook's name is kept under another.

    Raises:
        NotebookError: The folder cannot be written; the logbook is as it was.
    """
    path = folder / LOGBOOK
    page = logbook_page(folder).encode()
    if _bytes_of(path) == page:
        return path
    draft = draft_of(path)
    write_draft(draft, page)
    put_in_place(draft, path, keep_old=path.exists() and not _is_ours(path))
    return path


def read_logs(folder: Path) -> tuple[list[Log], list[str]]:
    """Return the logs of a folder, the newest first, and the names of the HTML files that are none."""
    logs, others = [], []
    for path in sorted(folder.glob("*.htm*")):
        if path.name == LOGBOOK or path.name.startswith("."):
            continue
        record = read_record(path) if path.is_file() else None
        if record is None:
            others.append(path.name)
        else:
            logs.append(Log(path.name, record, is_kept_name(path)))
    logs.sort(key=lambda log: (log.record.moment or _NEVER, log.file), reverse=True)
    return logs, others


def logbook_page(folder: Path) -> str:
    """Return the page of all logs in a folder; the same files give the same page."""
    logs, others = read_logs(folder)
    style = style_sheet() + static_text("logbook.css")
    script = "".join(map(static_text, ("theme.js", "tables.js", "page.js", "logbook.js")))
    policy = (
        f"default-src 'none'; style-src {script_hash(style)}; script-src {script_hash(script)}; base-uri 'none'; "
        "form-action 'none'"
    )
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            '<head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            _OURS,
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>Logbook</title><style>{style}</style></head>",
            '<body><header class="top"><h1>Logbook</h1><button id="theme" type="button">Dark</button></header><main>',
            f'<p class="quiet">{_summary(logs)}</p>',
            *(_table(logs) if logs else [_EMPTY]),
            *(_others(others) if others else []),
            f"</main><script>{script}</script></body></html>",
            "",
        ]
    )


_NEVER = datetime.min.replace(tzinfo=UTC)
_EMPTY = '<p class="empty">No log yet. Write one: <code>uv run experiments export NOTEBOOK</code></p>'


def _table(logs: Sequence[Log]) -> list[str]:
    heads = "".join(f'<th scope="col">{name}</th>' for name in _HEADINGS)
    earlier = sum(log.earlier for log in logs)
    switch = f'<label><input type="checkbox" id="earlier"> show {counted(earlier, "earlier log")}</label>'
    return [
        switch if earlier else "",
        f'<div class="table"><table class="logs" data-search="logs"><thead><tr>{heads}</tr></thead><tbody>',
        *map(_row, logs),
        "</tbody></table></div>",
    ]


def _row(log: Log) -> str:
    record = log.record
    metric = record.key_metric
    cells = [
        _cell(_title(log)),
        _cell(_verdict(record), "verdict"),
        _cell(_text(record.hypothesis, 400), "hypothesis"),
        _cell(_metric(record), "metric n", metric.value if metric else None),
        _cell(_jobs(record), "jobs n", len(record.jobs) or None),
        _cell(_when(record), "when"),
    ]
    return f"<tr{' class=earlier' if log.earlier else ''}>{''.join(cells)}</tr>"


_NONE = f'<span class="none quiet">{MISSING}</span>'


def _cell(content: str, name: str = "", value: float | None = None) -> str:
    sort = "" if value is None else f' data-v="{value!r}"'
    return f'<td class="{name}"{sort}>{content or _NONE}</td>'


def _title(log: Log) -> str:
    record = log.record
    link = f'<a href="./{quote(log.file, errors="surrogateescape")}">{_text(record.title, 120)}</a>'
    apart = f'<div class="quiet">{_text(record.experiment, 60)}</div>' if record.title != record.experiment else ""
    failed = f'<div class="rejected">{counted(len(record.problems), "cell")} failed</div>' if record.problems else ""
    return link + apart + failed


def _verdict(record: LogRecord) -> str:
    word, reason = record.decision, record.verdict.strip().partition(" ")[2]
    if not word:
        return _text(record.verdict, 200)
    why = f'<div class="quiet">{_text(reason, 200)}</div>' if reason else ""
    return f'<span class="{word}">{DECISIONS[word].mark} <strong>{word.capitalize()}</strong></span>{why}'


def _metric(record: LogRecord) -> str:
    found = record.key_metric
    return f'{_text(found.text, 80)}<div class="quiet">{_text(found.name, 80)}</div>' if found else ""


def _jobs(record: LogRecord) -> str:
    states: dict[str, int] = {}
    for job in record.jobs:
        states[job.state] = states.get(job.state, 0) + 1
    return "<br>".join(f"{number} {_text(state, 20)}" for state, number in states.items())


def _when(record: LogRecord) -> str:
    who = f'<div class="quiet">{_text(record.who, 60)}</div>' if record.who else ""
    return f"{record.moment:%Y-%m-%d %H:%M} UTC{who}" if record.moment else _text(record.created, 40) + who


def _others(names: Sequence[str]) -> list[str]:
    links = ", ".join(f'<a href="./{quote(name, errors="surrogateescape")}">{_text(name, 200)}</a>' for name in names)
    return [f'<p class="files quiet">Also here, but no log that can be read: {links}</p>']


def _summary(logs: Sequence[Log]) -> str:
    if not logs:
        return ""
    experiments = len({log.record.experiment for log in logs})
    first = logs[0].record
    newest = f"{first.moment:%Y-%m-%d}" if first.moment else _text(first.created, 40)
    return f"{counted(experiments, 'experiment')}, {counted(len(logs), 'log')}, the newest of {newest}"


def _text(text: str, limit: int) -> str:
    return html.escape(printable(shortened(text, limit)))


def _bytes_of(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _is_ours(path: Path) -> bool:
    return _OURS.encode() in (_bytes_of(path) or b"")[:4096]
