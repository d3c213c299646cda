"""The head of a log: what it is about, who made it when from which code, and how its jobs are.

All of it comes from the notebook that was just run, the ledger, one poll of the sources and the code's provenance.
What cannot be read is left out; a log never fails because its head could not be complete.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import json
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from experiments.errors import ExperimentsError
from experiments.look import quantity
from experiments.notebooks.context import NotebookContext
from experiments.notebooks.export.freeze import LoggedJob, LoggedMetric, LogRecord, changes_between
from experiments.notebooks.export.model import CellRecord, Head, JobRow
from experiments.notebooks.header import hash_of
from experiments.provenance import Provenance, capture
from experiments.redaction import mask_json, mask_text
from experiments.runs.store import RunUpdate
from experiments.snapshots import Snapshot, reason_of
from experiments.types import BaseExperimentConfig, JobRef, JobStatus
from experiments.verdicts import REWARD_KEY, STEP_KEY
from experiments.workspace import Workspace

_METRIC_NAME = "return per agent"
_POLL_S = 10.0


@dataclass
class _Found:
    """What there is to say of a notebook.

    Attributes:
        updates: What the run stores have of each run.
        problems: What could not be read, in sentences.
    """

    workspace: Workspace
    experiment: str
    config: BaseExperimentConfig | None = None
    jobs: Sequence[JobRef] = ()
    context: NotebookContext | None = None
    snapshot: Snapshot = field(default_factory=Snapshot)
    updates: dict[str, RunUpdate] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def statuses(self) -> list[JobStatus]:
        known = {status.run_name: status for status in self.snapshot.jobs}
        unknown = {job.run: JobStatus(run_name=job.run, arm=job.arm, seed=job.seed) for job in self.jobs}
        return [known.get(job.run, unknown[job.run]) for job in self.jobs]


def describe(
    cells: Sequence[CellRecord],
    values: Mapping[str, Any],
    *,
    notebook: Path,
    experiment: str,
    created: datetime,
    who: str,
    previous: tuple[str, LogRecord] | None = None,
    deadline: str = "",
) -> tuple[Head, LogRecord]:
    """Return the head of a log and the record kept in its file.

    Args:
        values: What the cells defined.
        notebook: The notebook's file.
        experiment: Name of the experiment, or of the file where no recipe made it.
        created: When the log is written.
        who: Who writes it.
        previous: The log before: the name that its file will have, and its record.
        deadline: Why the notebook did not run to its end; empty where it did.
    """
    found = _find(values, notebook, experiment)
    record = _record(found, cells, notebook, created=created, who=who)
    if previous is not None:
        record = _compared(record, *previous)
    statuses = found.statuses()
    head = Head(
        title=record.title,
        experiment=experiment,
        hypothesis=record.hypothesis,
        verdict=record.verdict,
        key_metric=(record.key_metric.name, record.key_metric.text) if record.key_metric else None,
        who=record.who,
        created=f"{created.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
        commit=record.commit,
        dirty=record.dirty,
        command=f"uv run experiments export {found.workspace.shown(notebook)}",
        config=_config_rows(found.config),
        jobs=tuple(_job_row(status) for status in statuses),
        versions=tuple(record.packages.items()),
        data_digest=record.data,
        sources=tuple(_sources(found)),
        changes=record.changes,
        previous=record.previous,
        deadline=deadline,
    )
    return head, record


def _find(values: Mapping[str, Any], notebook: Path, experiment: str) -> _Found:
    context = values.get("experiment")
    context = context if isinstance(context, NotebookContext) else None
    workspace = context.workspace if context else Workspace.find(notebook)
    found = _Found(workspace, experiment, context=context)
    config = values.get("config")
    found.config = config if isinstance(config, BaseExperimentConfig) else None
    jobs = values.get("tracked_jobs", values.get("jobs", ()))
    if isinstance(jobs, (list, tuple)):
        found.jobs = [job for job in jobs if isinstance(job, JobRef)]
    if found.jobs:
        _poll(found)
    return found


def _poll(found: _Found) -> None:
    from experiments.monitoring import poll_once
    from experiments.wandb_utils import default_store

    runs = [job.run for job in found.jobs]
    try:
        found.snapshot = poll_once(found.workspace.state, refs=found.jobs, deadline_s=_POLL_S)
        store = found.context.store if found.context else default_store(found.workspace.root)
        found.updates = store.poll(runs, [REWARD_KEY, STEP_KEY])
    except (ExperimentsError, OSError) as error:
        found.problems.append(reason_of(error))


def _record(found: _Found, cells: Sequence[CellRecord], notebook: Path, *, created: datetime, who: str) -> LogRecord:
    code = _provenance(found)
    statuses = found.statuses()
    texts = _texts(cells)
    return LogRecord(
        title=mask_text(texts.get("title") or found.experiment),
        experiment=found.experiment,
        created=created.astimezone(UTC).isoformat(timespec="seconds"),
        who=mask_text(who),
        notebook=notebook.name,
        hypothesis=mask_text(texts.get("hypothesis", "")),
        verdict=mask_text(texts.get("verdict", "")),
        key_metric=_key_metric(statuses),
        config=mask_json(_changed(found.config)),
        jobs=tuple(
            LoggedJob(
                run=status.run_name,
                arm=status.arm,
                seed=status.seed,
                state=status.verdict,
                step=status.step,
                reward=status.reward,
            )
            for status in statuses
        ),
        code=_hashes(cells),
        packages=code.packages | ({"python": code.python} if code.python else {}),
        commit=code.commit or "",
        dirty=code.file_count > 0 if code.commit else None,
        data=_digest(found.updates),
        problems=tuple(f"{cell.name}: {reason_of(cell.error)}" for cell in cells if cell.error is not None),
    )


def _compared(record: LogRecord, name: str, before: LogRecord) -> LogRecord:
    if record.says_the_same(before):
        # Written again, nothing else: it has the place of that log in the row of logs.
        return record.model_copy(update={"changes": before.changes, "previous": before.previous})
    return record.model_copy(update={"changes": changes_between(before, record), "previous": name})


def _provenance(found: _Found) -> Provenance:
    """Return where the code of the newest jobs comes from; without any, where the code lies now."""
    launched = found.context.provenance(found.jobs) if found.context and found.jobs else None
    return launched or capture(found.workspace.root, command=())


def _key_metric(statuses: Iterable[JobStatus]) -> LoggedMetric | None:
    rewards = sorted(status.reward for status in statuses if status.reward is not None)
    if not rewards:
        return None
    mean = sum(rewards) / len(rewards)
    spread = f", {quantity(rewards[0])} to {quantity(rewards[-1])}" if len(rewards) > 1 else ""
    runs = "1 run" if len(rewards) == 1 else f"mean of {len(rewards)} runs"
    return LoggedMetric(name=_METRIC_NAME, value=mean, text=f"{quantity(mean)} ({runs}{spread})")


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


def _job_row(status: JobStatus) -> JobRow:
    words = ", ".join(word for word in (status.scheduler, status.tracker, status.reason) if word)
    ended = status.ended_at or (status.as_of if status.verdict == "running" else None)
    took = ended - status.started_at if ended and status.started_at else None
    return JobRow(
        run=status.run_name,
        arm=status.arm,
        seed=status.seed,
        state=status.verdict,
        words=mask_text(words),
        step=status.step,
        total=status.total_steps,
        reward=status.reward,
        duration_s=took,
    )


def _sources(found: _Found) -> Iterable[tuple[str, str]]:
    """Say of each tracker how new its data is and whether it answered; times are absolute, for the log stays."""
    for tracker in dict.fromkeys(job.tracker for job in found.jobs):
        runs = [job.run for job in found.jobs if job.tracker == tracker]
        updates = [found.updates[run] for run in runs if run in found.updates]
        rows = sum(update.total or 0 for update in updates)
        words = [f"{rows:,} rows of {len(updates)} of {len(runs)} runs"]
        newest = [update.info.heartbeat_at for update in updates if update.info.heartbeat_at]
        words += [f"newest {datetime.fromtimestamp(max(newest), UTC):%Y-%m-%d %H:%M} UTC"] if newest else []
        words += [f"damaged: {update.info.name}: {update.damage}" for update in updates if update.damage]
        yield mask_text(tracker), mask_text("; ".join(words))
    for source in found.snapshot.sources:
        if source.problem:
            yield mask_text(source.name), f"did not answer: {source.problem}"
    yield from (("not read", problem) for problem in found.problems)


def _digest(updates: Mapping[str, RunUpdate]) -> str:
    """Return a hash of what the run stores have of the runs: latest values, and the whole curve of the return."""
    if not updates:
        return ""
    data = [
        [run, dict(update.info.summary), {key: list(map(list, rows)) for key, rows in update.rows.items()}]
        for run, update in sorted(updates.items())
    ]
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _hashes(cells: Sequence[CellRecord]) -> dict[str, str]:
    found: dict[str, str] = {}
    for index, cell in enumerate(cells):
        name = cell.name if cell.name != "_" and cell.name not in found else f"cell {index + 1}"
        found[name] = hash_of(textwrap.indent(cell.code, "    "))
    return found


_PARAGRAPH = re.compile(r"\*\*(?P<word>\w[\w ]*)\.\*\*(?P<text>.*?)(?=\n\s*\n|\Z)", re.DOTALL)
_TITLE = re.compile(r"^#\s+(?P<text>\S.*)$", re.MULTILINE)


def _texts(cells: Sequence[CellRecord]) -> dict[str, str]:
    """Return title, hypothesis and verdict as the notebook's texts have them; questions of the template are no text."""
    found: dict[str, str] = {}
    for cell in cells:
        for text in _markdown(cell.code):
            if (title := _TITLE.search(text)) is not None:
                found.setdefault("title", title["text"].strip())
            for match in _PARAGRAPH.finditer(text):
                words = " ".join(match["text"].split())
                if words and not words.endswith("?"):
                    found.setdefault(match["word"].lower(), words)
    return found


def _markdown(code: str) -> Iterable[str]:
    with contextlib.suppress(SyntaxError, ValueError):
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "md":
                yield from (
                    textwrap.dedent(argument.value)
                    for argument in node.args
                    if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
                )
