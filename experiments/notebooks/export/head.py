"""The head of a log: what it is about, who made it when from which code, and how its jobs are."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from experiments.notebooks.export.facts import Facts, find_facts, hashes_of, labels_of
from experiments.notebooks.export.freeze import LoggedJob, LogRecord, changes_between
from experiments.notebooks.export.model import CellRecord, Head, JobRow
from experiments.notebooks.export.privacy import Cleaner
from experiments.redaction import mask_json, mask_text
from experiments.snapshots import reason_of
from experiments.types import BaseExperimentConfig, JobStatus


def describe(
    cells: Sequence[CellRecord],
    values: Mapping[str, Any],
    *,
    notebook: Path,
    experiment: str,
    created: datetime,
    who: str,
    deadline: str = "",
) -> tuple[Head, LogRecord]:
    """Return the head of a log and the record kept in its file.

    Args:
        values: What the cells defined.
        notebook: The notebook's file.
        experiment: Name of the experiment, or of the file where no recipe made it.
        created: When the log is written.
        who: Who writes it.
        deadline: Why the notebook did not run to its end; empty where it did.
    """
    facts = find_facts(values, cells, notebook, experiment)
    record = _record(facts, cells, notebook, created=created, who=who)
    head = Head(
        title=record.title,
        experiment=experiment,
        hypothesis=record.hypothesis,
        verdict=record.verdict,
        key_metric=(record.key_metric.name, record.key_metric.text) if record.key_metric else None,
        who=record.who,
        created=f"{created.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
        commit=record.commit or ("not recorded when the jobs were launched" if facts.jobs else ""),
        dirty=record.dirty,
        command=f"uv run experiments export {facts.workspace.shown(notebook)}",
        config=_config_rows(facts.config),
        jobs=tuple(map(_job_row, facts.statuses())),
        versions=tuple(record.packages.items()),
        data_digest=record.data,
        sources=tuple(_sources(facts)),
        deadline=deadline,
    )
    return head, record


def set_against(head: Head, record: LogRecord, before: LogRecord, name: str) -> tuple[Head, LogRecord]:
    """Return head and record with what changed since the log before.

    Args:
        before: The record of the log before.
        name: What the file of that log will be called.
    """
    if record.says_the_same(before):
        # Written again, nothing else: it has the place of that log in the row of logs.
        changes, previous = before.changes, before.previous
    else:
        changes, previous = changes_between(before, record), name
    changed = record.model_copy(update={"changes": changes, "previous": previous})
    return replace(head, changes=changes, previous=previous), changed


def _record(facts: Facts, cells: Sequence[CellRecord], notebook: Path, *, created: datetime, who: str) -> LogRecord:
    code = facts.code()
    record = LogRecord(
        title=facts.texts.get("title") or facts.experiment,
        experiment=facts.experiment,
        created=created.astimezone(UTC).isoformat(timespec="seconds"),
        who=who,
        notebook=notebook.name,
        hypothesis=facts.texts.get("hypothesis", ""),
        verdict=facts.texts.get("verdict", ""),
        key_metric=facts.metric,
        config=_changed(facts.config),
        jobs=tuple(map(_logged, facts.statuses())),
        code=hashes_of(cells),
        packages=code.packages | ({"python": code.python} if code.python else {}),
        commit=code.commit or "",
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


def _changed(config: BaseExperimentConfig | None) -> dict[str, Any]:
    if config is None:
        return {}
    names = config.changed()
    return {name: value for name, value in config.model_dump(mode="json").items() if name in names}


def _config_rows(config: BaseExperimentConfig | None) -> tuple[tuple[str, str], ...]:
    if config is None:
        return ()
    values = mask_json(config.model_dump(mode="json"))
    changed = config.changed()
    names = sorted(values, key=lambda name: name not in changed)
    shown = {name: value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}
    return tuple((name, shown[name] + ("" if name in changed else " (default)")) for name in names)


def _logged(status: JobStatus) -> LoggedJob:
    return LoggedJob(
        run=status.run_name,
        arm=status.arm,
        seed=status.seed,
        state=status.verdict,
        step=status.step,
        reward=status.reward,
    )


def _job_row(status: JobStatus) -> JobRow:
    words = ", ".join(word for word in (status.scheduler, status.tracker, status.reason) if word)
    ended = status.ended_at or (status.as_of if status.verdict == "running" else None)
    return JobRow(
        run=status.run_name,
        arm=status.arm,
        seed=status.seed,
        state=status.verdict,
        words=mask_text(words),
        step=status.step,
        total=status.total_steps,
        reward=status.reward,
        duration_s=ended - status.started_at if ended and status.started_at else None,
    )


def _sources(facts: Facts) -> Iterable[tuple[str, str]]:
    """Say of each tracker how new its data is and whether it is whole; times are absolute, for the log stays."""
    for tracker in dict.fromkeys(job.tracker for job in facts.jobs):
        runs = [job.run for job in facts.jobs if job.tracker == tracker]
        updates = [facts.updates[run] for run in runs if run in facts.updates]
        rows = sum(update.total or 0 for update in updates)
        words = [f"{rows:,} rows of {len(updates)} of {len(runs)} runs"]
        newest = [update.info.heartbeat_at for update in updates if update.info.heartbeat_at]
        words += [f"newest {datetime.fromtimestamp(max(newest), UTC):%Y-%m-%d %H:%M} UTC"] if newest else []
        words += [f"damaged: {update.info.name}: {update.damage}" for update in updates if update.damage]
        yield mask_text(tracker), mask_text("; ".join(words))
    for source in facts.snapshot.sources:
        if source.problem:
            yield mask_text(source.name), f"did not answer: {source.problem}"
    yield from (("not read", problem) for problem in facts.problems)
