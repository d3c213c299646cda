"""The head of a log: what it is about, who made it when from which code, and how its jobs are.

`gather` finds it, `top_html` and `tail_html` draw it. What a cell tells already is not told again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import marimo as mo

from experiments.jobs.watch.snapshots import reason_of
from experiments.notebooks.export.draw.sheet import Sheet, words
from experiments.notebooks.export.draw.tables import jobs_html
from experiments.notebooks.export.facts import Facts, find_facts, hashes_of, labels_of
from experiments.notebooks.export.privacy import Cleaner
from experiments.notebooks.export.record import LoggedJob, LogRecord, changes_between
from experiments.notebooks.monitoring import job_row
from experiments.project.look import counted
from experiments.project.provenance import KEPT_ALONE
from experiments.project.redaction import MASK, is_telling, mask_json, mask_text
from experiments.project.values import replaced
from experiments.types import BaseExperimentConfig

if TYPE_CHECKING:
    from experiments.notebooks.export.run.running import CellRecord

_OPEN_UP_TO = 6


@dataclass(frozen=True)
class Head:
    """What a page says of its log beside what its cells show. All but the record may be missing.

    Attributes:
        record: What is also kept in the file in numbers.
        code: What must be said of the code that the jobs ran, such as that an arm ran two; empty where nothing.
        command: What makes this log again.
        config: Rows (name, value), differences from the defaults first.
        jobs: Rows of a `JobTable`.
        as_of: Unix seconds of what is known of the jobs.
        sources: Rows (source, how old its data is and whether it is whole).
        deadline: Why the notebook did not run to its end; empty where it did.
    """

    record: LogRecord
    code: str = ""
    command: str = ""
    config: tuple[tuple[str, str], ...] = ()
    jobs: tuple[Mapping[str, Any], ...] = ()
    as_of: float = 0.0
    sources: tuple[tuple[str, str], ...] = ()
    deadline: str = ""


def gather(
    cells: Sequence[CellRecord],
    values: Mapping[str, Any],
    *,
    notebook: Path,
    experiment: str,
    created: datetime,
    who: str,
    deadline: str = "",
) -> Head:
    """Return the head of a log.

    Args:
        values: What the cells defined.
        notebook: The notebook's file.
        experiment: Name of the experiment, or of the file where no recipe made it.
        created: When the log is written.
        who: Who writes it.
        deadline: Why the notebook did not run to its end; empty where it did.
    """
    facts = find_facts(values, cells, notebook, experiment)
    return Head(
        record=_record(facts, cells, notebook, created=created, who=who),
        code="; ".join(facts.code_words()),
        command=f"uv run experiments export {facts.workspace.shown(notebook)}",
        config=_config_rows(facts.config),
        jobs=tuple(map(job_row, facts.statuses())),
        as_of=facts.snapshot.as_of or 0.0,
        sources=tuple(_sources(facts)),
        deadline=deadline,
    )


def set_against(head: Head, before: LogRecord, name: str) -> Head:
    """Return a head with what changed since the log before.

    Args:
        before: The record of the log before.
        name: What the file of that log will be called.
    """
    if head.record.says_the_same(before):
        # Written again, nothing else: it has the place of that log in the row of logs.
        changes, previous = before.changes, before.previous
    else:
        changes, previous = changes_between(before, head.record), name
    return replace(head, record=replaced(head.record, changes=changes, previous=previous))


def top_html(sheet: Sheet, head: Head, shown: str) -> str:
    """Return what stands above the cells.

    Args:
        shown: What the cells show.
    """
    record, told = head.record, " ".join(words(shown).split())
    hypothesis = _paragraph(sheet, "Hypothesis", record.hypothesis, told)
    verdict = _paragraph(sheet, "Verdict", record.verdict, told)
    # A verdict that the cells tell has told the number that decides, too.
    number = record.key_metric if verdict or not record.verdict else None
    moment = f"{record.moment:%Y-%m-%d %H:%M} UTC" if record.moment else record.created
    named = record.experiment if record.experiment != record.title else ""
    line = " · ".join(sheet.text(part) for part in (named, record.who, moment, _commit(head)) if part)
    parts = [
        f"<h1>{sheet.text(record.title)}</h1>",
        f'<p class="quiet">{line}</p>',
        hypothesis,
        verdict,
        _stat(sheet, number.name, number.text) if number else "",
        f'<aside class="callout warn">{sheet.text(head.deadline)}</aside>' if head.deadline else "",
        _changes(sheet, record),
    ]
    return "\n".join(part for part in parts if part)


def tail_html(sheet: Sheet, head: Head) -> str:
    """Return what stands below the cells: all that is needed to believe them or to do it again."""
    record = head.record
    pairs = (
        ("Code", sheet.text(head.code)),
        ("Again by", f"<code>{sheet.text(head.command)}</code>" if head.command else ""),
        ("Data", f"<code>{sheet.text(record.data)}</code>" if record.data else ""),
    )
    facts = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in pairs if value)
    parts = [
        jobs_html(sheet, head.jobs, as_of=head.as_of) if head.jobs and "jobs" not in sheet.told else "",
        f'<dl class="facts-list">{facts}</dl>' if facts else "",
        _rows(sheet, "Config", head.config),
        _rows(sheet, "Sources of the data", head.sources),
        _rows(sheet, "Package versions", tuple(record.packages.items())),
    ]
    return sheet.heading(2, "How this was made") + "\n".join(parts) if any(parts) else ""


def contents_html(sheet: Sheet) -> str:
    """Return the table of contents of the headings drawn so far."""
    if len(sheet.headings) < 2:
        return ""
    lines = "".join(
        f'<li{" class=sub" if level > 2 else ""}><a href="#{anchor}">{sheet.text(text)}</a></li>'
        for level, anchor, text in sheet.headings
    )
    return f'<nav aria-label="Contents"><ol>{lines}</ol></nav>'


def _record(facts: Facts, cells: Sequence[CellRecord], notebook: Path, *, created: datetime, who: str) -> LogRecord:
    code, config = facts.code(), facts.config
    changed = config.changed() if config else ()
    record = LogRecord(
        title=facts.texts.get("title") or facts.experiment,
        experiment=facts.experiment,
        created=created.astimezone(UTC).isoformat(timespec="seconds"),
        who=who,
        notebook=notebook.name,
        hypothesis=facts.texts.get("hypothesis", ""),
        verdict=facts.texts.get("verdict", ""),
        key_metric=facts.metric,
        config={name: value for name, value in _values(config).items() if name in changed},
        jobs=tuple(
            LoggedJob(run=job.run_name, arm=job.arm, seed=job.seed, state=job.verdict, step=job.step, reward=job.reward)
            for job in facts.statuses()
        ),
        code=hashes_of(cells),
        packages=code.packages | ({"python": code.python} if code.python else {}),
        commit=code.commit or "",
        snapshot=(code.tree.snapshot or "") if code.tree is not None and not code.commit else "",
        dirty=code.file_count > 0 if code.commit else None,
        data=facts.digest(),
        problems=tuple(
            f"{label}: {reason_of(cell.error)}"
            for label, cell in zip(labels_of(cells), cells, strict=True)
            if cell.error is not None
        ),
    )
    # The record is in the file as it is, so it is held to what the page may carry.
    return LogRecord.model_validate(Cleaner(facts.workspace.root).json(record.model_dump(mode="json")))


def _values(config: BaseExperimentConfig | None) -> dict[str, Any]:
    return config.model_dump(mode="json") if config else {}


def _config_rows(config: BaseExperimentConfig | None) -> tuple[tuple[str, str], ...]:
    values, changed = mask_json(_values(config)), config.changed() if config else ()
    names = sorted(values, key=lambda name: name not in changed)
    shown = {name: value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}
    return tuple((name, shown[name] + ("" if name in changed else " (default)")) for name in names)


def _sources(facts: Facts) -> Iterable[tuple[str, str]]:
    """Say of each tracker how new its data is and whether it is whole; times are absolute, for the log stays."""
    for tracker in dict.fromkeys(job.tracker for job in facts.jobs):
        runs = [job.run for job in facts.jobs if job.tracker == tracker]
        updates = [facts.updates[run] for run in runs if run in facts.updates]
        rows = sum(update.total or 0 for update in updates)
        told = [f"{counted(rows, 'row')} of {len(updates)} of {counted(len(runs), 'run')}"]
        newest = [update.info.heartbeat_at for update in updates if update.info.heartbeat_at]
        told += [f"newest {datetime.fromtimestamp(max(newest), UTC):%Y-%m-%d %H:%M} UTC"] if newest else []
        told += [
            f"{'damaged: ' if update.damage else ''}{update.info.name}: {update.info.note or update.damage}"
            for update in updates
            if update.damage or update.info.note
        ]
        yield mask_text(tracker), mask_text("; ".join(told))
    for source in facts.snapshot.sources:
        if source.problem:
            yield mask_text(source.name), f"did not answer: {source.problem}"
    yield from (("not read", problem) for problem in facts.problems)


def _paragraph(sheet: Sheet, name: str, text: str, told: str) -> str:
    """Return a text of the journal, which is Markdown; nothing where the cells have told it."""
    if not text.strip():
        return ""
    inner = sheet.draw(mo.md(text))
    # A verdict begins with its word, which the cells show apart.
    bare = " ".join(words(inner).split())
    bare = bare.partition(". ")[2] or bare if name == "Verdict" else bare
    return "" if bare in told else f'<div class="verdict"><small>{name}</small>{inner}</div>'


def _stat(sheet: Sheet, name: str, value: str) -> str:
    return f'<div class="stat"><small>{sheet.text(name)}</small><b>{sheet.text(value)}</b></div>'


def _commit(head: Head) -> str:
    record = head.record
    if record.snapshot:
        return f"code {KEPT_ALONE} {record.snapshot[:10]}"
    if not record.commit:
        return "the code that ran is in no commit that is known" if head.jobs else ""
    return f"commit {record.commit[:10]}{', with changes that are in no commit' if record.dirty else ''}"


def _changes(sheet: Sheet, record: LogRecord) -> str:
    if record.changes is None:
        return ""
    since = f" since {sheet.text(record.previous)}" if record.previous else " since the last log"
    if not record.changes:
        return f"<p>Nothing changed{since}.</p>"
    lines = "".join(f"<li>{sheet.text(change)}</li>" for change in record.changes)
    state = " open" if len(record.changes) <= _OPEN_UP_TO else ""
    return f"<details{state}><summary>What changed{since}</summary><ul>{lines}</ul></details>"


def _rows(sheet: Sheet, name: str, rows: Iterable[tuple[str, str]]) -> str:
    body = "".join(
        f'<tr><th scope="row">{sheet.text(key)}</th>'
        f"<td>{sheet.text(MASK if value and is_telling(key) else value)}</td></tr>"
        for key, value in rows
    )
    table = f'<div class="table"><table><tbody>{body}</tbody></table></div>'
    return f"<details><summary>{name}</summary>{table}</details>" if body else ""
