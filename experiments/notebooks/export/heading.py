"""The head of a log: what was asked, what came out, and everything that is needed to believe it or to do it again."""

from __future__ import annotations

from collections.abc import Iterable

from experiments.notebooks.export.elements import markup_html
from experiments.notebooks.export.job_rows import jobs_html
from experiments.notebooks.export.model import Head, JobRow
from experiments.notebooks.export.sheet import Sheet
from experiments.redaction import MASK, is_telling

_FOLDED_FROM = 6


def head_html(sheet: Sheet, head: Head) -> str:
    """Return the head of a log; what is not known is left out."""
    facts = _facts(sheet, head)
    parts = [
        f"<h1>{sheet.text(head.title)}</h1>",
        _text(sheet, "Hypothesis", head.hypothesis),
        _text(sheet, "Verdict", head.verdict),
        _key_metric(sheet, head),
        f'<dl class="facts-list">{facts}</dl>' if facts else "",
        f'<aside class="callout warn">{sheet.text(head.deadline)}</aside>' if head.deadline else "",
        _changes(sheet, head),
        _jobs(sheet, head.jobs),
        _rows(sheet, "Config", head.config),
        _rows(sheet, "Sources of the data", head.sources),
        _rows(sheet, "Package versions", head.versions),
    ]
    return "\n".join(part for part in parts if part)


def contents_html(sheet: Sheet) -> str:
    """Return the table of contents of the headings drawn so far."""
    if len(sheet.headings) < 2:
        return ""
    lines = "".join(
        f'<li{" class=sub" if level > 2 else ""}><a href="#{anchor}">{sheet.text(text)}</a></li>'
        for level, anchor, text in sheet.headings
    )
    return f'<nav aria-label="Contents"><ol>{lines}</ol></nav>'


def _text(sheet: Sheet, name: str, text: str) -> str:
    if not text.strip():
        return ""
    import marimo as mo

    return f'<div class="verdict"><small>{name}</small>{markup_html(sheet, mo.md(text).text)}</div>'


def _key_metric(sheet: Sheet, head: Head) -> str:
    if head.key_metric is None:
        return ""
    name, value = head.key_metric
    return f'<div class="stat"><small>{sheet.text(name)}</small><b>{sheet.text(value)}</b></div>'


def _facts(sheet: Sheet, head: Head) -> str:
    dirty = {True: ", with changes that are in no commit", False: "", None: ""}[head.dirty]
    pairs = (
        ("Experiment", head.experiment),
        ("Who", head.who),
        ("When", head.created),
        ("Commit", f"{head.commit}{dirty}" if head.commit else ""),
        ("Again by", head.command),
        ("Data", head.data_digest),
    )
    return "".join(f"<dt>{name}</dt><dd>{_value(sheet, name, value)}</dd>" for name, value in pairs if value)


def _value(sheet: Sheet, name: str, value: str) -> str:
    return f"<code>{sheet.text(value)}</code>" if name in {"Again by", "Data"} else sheet.text(value)


def _changes(sheet: Sheet, head: Head) -> str:
    if head.changes is None:
        return ""
    since = f" since {sheet.text(head.previous)}" if head.previous else " since the last log"
    if not head.changes:
        return f"<p>Nothing changed{since}.</p>"
    lines = "".join(f"<li>{sheet.text(change)}</li>" for change in head.changes)
    return f"<details open><summary>What changed{since}</summary><ul>{lines}</ul></details>"


def _jobs(sheet: Sheet, jobs: Iterable[JobRow]) -> str:
    rows = [
        {
            "run": job.run,
            "state": job.state,
            "words": job.words,
            "reason": "",
            "step": job.step,
            "total": job.total,
            "sps": None,
            "reward": job.reward,
            "duration_s": job.duration_s,
        }
        for job in jobs
    ]
    if not rows:
        return ""
    folded = "" if len(rows) <= _FOLDED_FROM * 4 else f"<summary>{len(rows)} jobs</summary>"
    table = jobs_html(sheet, rows)
    return f"<details>{folded}{table}</details>" if folded else table


def _rows(sheet: Sheet, name: str, rows: tuple[tuple[str, str], ...]) -> str:
    if not rows:
        return ""
    body = "".join(
        f'<tr><th scope="row">{sheet.text(key)}</th><td>{sheet.text(_unless_telling(key, value))}</td></tr>'
        for key, value in rows
    )
    state = " open" if len(rows) <= _FOLDED_FROM else ""
    table = f'<div class="table"><table><tbody>{body}</tbody></table></div>'
    return f"<details{state}><summary>{name}</summary>{table}</details>"


def _unless_telling(name: str, value: str) -> str:
    return MASK if value and is_telling(name) else value
