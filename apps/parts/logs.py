"""The exported logs of a project: found, searched, opened."""

from __future__ import annotations

import html
import os
from collections.abc import Sequence
from urllib.parse import quote

import marimo as mo

from apps.parts.links import has_words
from apps.serving.environment import is_clean
from apps.serving.files import why_odd
from experiments.notebooks.export.logbook import Log, read_logs
from experiments.notebooks.export.placing import log_folder
from experiments.notebooks.styles import sentence, styled, warning
from experiments.project.look import DECISIONS, counted, printable, shortened
from experiments.project.workspace import Workspace

_LONGEST_QUOTE = 240


def logs_of(workspace: Workspace) -> tuple[list[Log], list[str]]:
    """Return the project's logs, the newest first, and the names of HTML files that are none."""
    folder = log_folder(workspace.root)
    logs, others = read_logs(folder) if folder.is_dir() else ([], [])
    odd = {log.file: reason for log in logs if (reason := why_odd(folder / log.file))}
    left_out = [f"{printable(file)} ({reason})" for file, reason in odd.items()]
    return [log for log in logs if log.file not in odd], [*map(printable, others), *left_out]


def matching(logs: Sequence[Log], words: str) -> list[Log]:
    """Return the logs in which every word occurs: in title, text, arms, runs, metric, author, commit or problems."""
    return [log for log in logs if has_words(_text(log), words)]


def log_list(logs: Sequence[Log], words: str, others: Sequence[str]) -> mo.Html:
    """Return the logs that match, each with what it says of itself."""
    if not logs:
        return sentence("No log yet. Export a notebook, and its page appears here: experiments export NOTEBOOK")
    found = matching(logs, words)
    if not found:
        return sentence("No log has all these words. Change or clear the search.")
    items = "".join(_entry(log) for log in found)
    more = f"<p>No logs of ours: {html.escape(', '.join(others[:20]))}</p>" if others else ""
    heading = f"<p>{len(found)} of {counted(len(logs), 'log')}</p>"
    return styled(f"{heading}<ul>{items}</ul>{more}")


def file_dropdown(logs: Sequence[Log], asked: str) -> mo.ui.dropdown | None:
    """Return the choice of a log to open on this page; None where the server has an address for each."""
    if is_clean(os.environ) or not logs:
        return None
    options = {f"{log.record.title or log.file} ({log.record.created[:10]})": log.file for log in logs}
    first = next((text for text, file in options.items() if file == asked), None)
    return mo.ui.dropdown(options, value=first, label="Open", searchable=True)


def log_frame(workspace: Workspace, logs: Sequence[Log], file: str | None) -> mo.Html | None:
    """Return a log inside the page, as a stranger to it; None where none is chosen."""
    if file not in {log.file for log in logs}:
        return None
    try:
        page = (log_folder(workspace.root) / str(file)).read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        return warning(error)
    title = html.escape(str(file), quote=True)
    inner = html.escape(page, quote=True)
    return styled(f'<iframe title="{title}" sandbox="allow-scripts" class="frame" srcdoc="{inner}"></iframe>')


def _entry(log: Log) -> str:
    record = log.record
    title = html.escape(record.title or record.experiment or log.file)
    if is_clean(os.environ):
        title = f'<a href="/log/{quote(log.file)}" target="_blank">{title}</a>'
    metric = record.key_metric
    facts = [
        record.created[:16].replace("T", " ") + " UTC",
        record.who,
        counted(len(record.jobs), "job") if record.jobs else "",
        f"{metric.name} {metric.text}" if metric is not None else "",
        f"commit {record.commit[:10]}" if record.commit else "",
        "superseded" if log.earlier else "",
        f"{counted(len(record.problems), 'cell')} failed" if record.problems else "",
    ]
    line = " · ".join(html.escape(fact) for fact in facts if fact)
    quotes = [shortened(text, _LONGEST_QUOTE) for text in (record.hypothesis, record.verdict) if text.strip()]
    said = "".join(f"<p>{html.escape(text)}</p>" for text in quotes)
    mark = f"{DECISIONS[record.decision].mark} " if record.decision else ""
    return f'<li><b>{mark}{title}</b>{said}<div class="small muted">{line}</div></li>'


def _text(log: Log) -> str:
    record = log.record
    parts = [log.file, record.model_dump_json(include={"title", "experiment", "who", "notebook", "hypothesis"})]
    parts += [record.verdict, record.commit, record.created, *record.problems, *map(str, record.config.values())]
    parts += [job.model_dump_json() for job in record.jobs]
    return " ".join(parts)
