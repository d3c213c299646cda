"""Mend what of a ledger cannot be read, or make it again from what jobs left in their folders.

A ledger that is made again keeps its identity, so that the same plan still gives the same run names and nothing is
launched twice. What only it held is lost unless it can still be read: its events, notes and tags.

Version 0.1 could write rows that no reader takes. Nothing is lost where these are mended: what stood there is kept as
an event. A row from which no job can be made is taken out, but only once its job has ended: as long as it stands there,
the job can be seen and ended.
"""

from __future__ import annotations

import itertools
import json
import shutil
import sqlite3
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from experiments.jobs.handover import has_ended, statuses
from experiments.jobs.isolation import SNAPSHOT
from experiments.jobs.ledger import told
from experiments.jobs.ledger.answers import DamagedText
from experiments.jobs.ledger.folding import Row, folded
from experiments.jobs.ledger.ledger import Ledger, UnreadableJob, open_ledger
from experiments.jobs.ledger.rows import Kept
from experiments.jobs.ledger.schema import FILE, STARTING, connect, sqlite_errors
from experiments.jobs.plan import training_jobs
from experiments.project.errors import LedgerError, reasons
from experiments.project.files import locked, parse_json, read_json
from experiments.project.values import replaced
from experiments.project.workspace import Workspace
from experiments.types import Arguments, Plan, PlannedJob, TrainingJob

_ARGUMENTS = TypeAdapter(Arguments)
_TOLD = ("command", "env", "unset", "cwd", "grace_s", "max_runtime_s", SNAPSHOT)
"""Of a job's own record, what its launcher was told: what runs still needs its code and its packages."""


@dataclass
class Mending:
    """What was done, in sentences.

    Attributes:
        done: Each thing that can be read now, or was taken out.
        left: Each thing that could not be mended, with what to do.
    """

    done: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def mend(workspace: Workspace) -> Mending:
    """Mend what of the ledger cannot be read.

    Raises:
        LedgerError: It cannot be written.
    """
    result = Mending()
    with open_ledger(workspace) as ledger:
        for text in ledger.damaged_texts():
            _mend_text(ledger, text, result)
        for row in ledger.unreadable():
            _mend_row(ledger, row, workspace, result)
    return result


def without_bad_arguments(config: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return a job's config as JSON values without the arguments that are none, and those.

    No other value is left out: its default would say of the job what was not asked for.
    """
    given = config.get("additional_args", ())
    bad = [argument for argument in given if not _is_argument(argument)]
    return {**config, "additional_args": [argument for argument in given if argument not in bad]}, bad


def _is_argument(value: object) -> bool:
    try:
        _ARGUMENTS.validate_python((value,))
    except ValidationError:
        return False
    return True


def _mend_text(ledger: Ledger, text: DamagedText, result: Mending) -> None:
    new: str | None = "{}" if text.table == "plans" else None
    if text.column == "content":
        new = _mended_plan(text.text)
        if new is None:
            result.left.append(f"plan {text.key!r} stays as it is ({text.problem}): its jobs cannot be retried")
            return
    elif text.table == "events":
        new = json.dumps({"unreadable": text.text})
    ledger.mend_text(text, new)
    result.done.append(f"{text.column} of {text.key!r} in {text.table}: {text.problem}; kept as an event")


def _mended_plan(content: str) -> str | None:
    try:
        plan = parse_json(content)
        for job in plan["jobs"]:
            job["config"], _ = without_bad_arguments(job["config"])
        return Plan.model_validate(plan).model_dump_json()
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _mend_row(ledger: Ledger, row: UnreadableJob, workspace: Workspace, result: Mending) -> None:
    columns = ledger.columns(row.run_name)
    job, why = _from_row(columns)
    if job is None:
        job, why = _from_plan(ledger, columns, row), "config and command are those of its plan"
    if job is not None:
        ledger.mend(row, job, why)
        result.done.append(f"job {row.run_name!r}: {why}")
    elif _may_live(ledger, row, workspace):
        result.left.append(
            f"job {row.run_name!r} stays as it is ({row.problem}): it may still run. "
            f"End it, then mend again: experiments cancel {row.run_name}"
        )
    else:
        ledger.mend(row, None, row.problem)
        result.done.append(f"job {row.run_name!r}: taken out of the ledger ({row.problem}); its run's files stay")


def _from_row(columns: Mapping[str, Any]) -> tuple[TrainingJob | None, str]:
    """Return the job without the arguments that are none, and what was left out; None where more is wrong with it."""
    try:
        config, bad = without_bad_arguments(parse_json(columns["config"]))
        values = {**columns, "config": config, "command": parse_json(columns["command"])}
        job = TrainingJob.model_validate(values)
    except (ValueError, TypeError, AttributeError):
        return None, ""
    shown = ", ".join(map(repr, bad))
    return job, f"left out of its config what is no 'key=value' argument: {shown}. Its command line still has it"


def _from_plan(ledger: Ledger, columns: Mapping[str, Any], row: UnreadableJob) -> TrainingJob | None:
    """Return the job with the config and command of its plan; None where the plan does not have it."""
    try:
        plan = ledger.plan(row.plan_key)
        [planned] = [job for job in plan.jobs if job.run_name == row.run_name] if plan else [None]
    except (LedgerError, ValueError):
        return None
    return _joined(columns, planned) if planned else None


def _joined(columns: Mapping[str, Any], planned: PlannedJob) -> TrainingJob | None:
    try:
        return TrainingJob.model_validate({**columns, "config": planned.config, "command": planned.command})
    except ValidationError:
        return None


def _may_live(ledger: Ledger, row: UnreadableJob, workspace: Workspace) -> bool:
    if row.state in {"planned", "refused", "cancelled"}:
        return False
    status = statuses([row], ledger, workspace).get(row.run_name)
    return status is None or not has_ended(status)


_WAIT_S = 10.0


@dataclass
class Rebuilt:
    """What a rebuild found.

    Attributes:
        jobs: How many jobs the ledger holds now.
        waiting: Run names of jobs that had not started; launching their plan again starts them.
        kept_as: Where the old file is now; None where there was none.
        problems: Files that could not be read, in words.
    """

    jobs: int = 0
    waiting: list[str] = field(default_factory=list)
    kept_as: Path | None = None
    problems: list[str] = field(default_factory=list)


@dataclass
class _Found:
    ledger_ids: Counter[str] = field(default_factory=Counter)
    plans: dict[str, Kept] = field(default_factory=dict)
    jobs: dict[str, TrainingJob] = field(default_factory=dict)
    claimed: dict[str, str | None] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def rebuild(state_dir: Path) -> Rebuilt:
    """Make the ledger of `state_dir` again; the old file is kept beside it under another name.

    Raises:
        LedgerError: Another process uses the ledger, or the new one cannot be written; then the old one is as it was.
    """
    found = _search(state_dir)
    jobs = [_as_known(job, found.claimed) for job in found.jobs.values()]
    jobs.sort(key=lambda job: job.created_at)
    path = state_dir / FILE
    with sqlite_errors(path), locked(state_dir / STARTING, wait_s=_WAIT_S) as mine:
        if not mine:
            raise LedgerError(f"ledger {str(path)!r} is in use. Close what launches jobs, then run the command again.")
        ledger_id = found.ledger_ids.most_common(1)[0][0] if found.ledger_ids else None
        events = _events(path, found)
        fresh = state_dir / "ledger.rebuild"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
        with Ledger(fresh, connect(fresh, ledger_id=ledger_id), read_only=False) as ledger:
            ledger.restore(list(found.plans.values()), jobs, found.claimed, events)
        kept_as = _move_away(path)
        (fresh / FILE).replace(path)
        shutil.rmtree(fresh)
    waiting = [job.run_name for job in jobs if job.state == "planned"]
    return Rebuilt(jobs=len(jobs), waiting=waiting, kept_as=kept_as, problems=found.problems)


def _search(state_dir: Path) -> _Found:
    found = _Found()
    for path, content in _readable(state_dir, "plans/*.json", found):
        try:
            for job in [content.get("job"), *content.get("plan", {}).get("jobs", ())]:
                _leave_out_bad_arguments(path, job, found)
            if "plan" in content:
                kept = _kept(content)
                found.plans[kept.plan.key] = kept
                for job in training_jobs(kept.plan, tracker=kept.tracker):
                    found.jobs.setdefault(job.run_name, replaced(job, created_at=kept.created_at))
            else:
                job = TrainingJob.model_validate({**content["job"], "created_at": content["created_at"]})
                found.jobs[job.run_name] = job
        except (ValidationError, KeyError, TypeError, AttributeError) as error:
            found.problems.append(_problem(path, error))
    for path, content in _readable(state_dir, "runs/*/job.json", found):
        found.claimed[path.parent.name] = json.dumps({name: content[name] for name in _TOLD if name in content})
        if "job" in content:
            try:
                _leave_out_bad_arguments(path, content["job"], found)
                found.jobs[path.parent.name] = TrainingJob.model_validate(content["job"])
            except (ValidationError, KeyError, TypeError, AttributeError) as error:
                found.problems.append(_problem(path, error))
    for path in state_dir.glob("runs/*/job.json"):  # also one that cannot be read
        found.claimed.setdefault(path.parent.name)
    return found


def _leave_out_bad_arguments(path: Path, job: dict[str, Any] | None, found: _Found) -> None:
    """Take out of a job what version 0.1 recorded though no reader takes it; the job itself can be told."""
    if job is not None:
        job["config"], bad = without_bad_arguments(job["config"])
        if bad:
            found.problems.append(f"{path}: {job['run_name']}: left out of its config: {', '.join(map(repr, bad))}")


def _problem(path: Path, error: Exception) -> str:
    return f"{path}: {reasons(error) if isinstance(error, ValidationError) else f'{type(error).__name__}: {error}'}"


def _readable(state_dir: Path, pattern: str, found: _Found) -> Iterator[tuple[Path, dict[str, Any]]]:
    for path in sorted(state_dir.glob(pattern)):
        try:
            content = read_json(path) or {}
        except (OSError, ValueError) as error:
            found.problems.append(f"{path}: {error}")
            continue
        if ledger_id := content.get("ledger_id"):
            found.ledger_ids[str(ledger_id)] += 1
        yield path, content


def _kept(content: dict[str, Any]) -> Kept:
    return Kept(
        plan=Plan.model_validate(content["plan"]),
        tracker=str(content["tracker"]),
        provenance=dict(content["provenance"]),
        created_at=float(content["created_at"]),
    )


def _as_known(job: TrainingJob, claimed: Collection[str]) -> TrainingJob:
    """Return a job in the state that can be known without the old ledger.

    What a process of this machine did not claim was not started. What another launcher may have is in doubt.
    """
    if job.run_name in claimed:
        return replaced(job, state="submitted", launcher_id=job.run_name, error=None)
    state = "planned" if job.launcher == "local" else "submitting"
    return replaced(job, state=state, launcher_id=None, error=None)


def _events(path: Path, found: _Found) -> list[tuple[Any, ...]]:
    """Return what the old ledger and the file beside it tell, each thing once and in the order of the records."""
    old = _readable_events(path)
    rows, problems = told.read(path.parent)
    found.problems += problems
    known = {tuple(row[:4]) for row in old}
    more = [row for row in _by_latest(rows) if row[1][:4] not in known]
    return [row for _, row in sorted([*_by_latest(old), *more], key=lambda item: item[0])]


def _by_latest(rows: Sequence[tuple[Any, ...]]) -> list[tuple[float, tuple[Any, ...]]]:
    """Return rows, each behind the latest time up to it: where a clock was set back, what came later stays later."""
    latest = itertools.accumulate((row[0] for row in rows), max)
    return list(zip(latest, rows, strict=True))


def _readable_events(path: Path) -> list[tuple[Any, ...]]:
    """Return the events of the old ledger, as far as they can be read, also the steps that were folded."""
    events: list[Row] = []
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    except sqlite3.DatabaseError:
        return []
    try:
        events.extend(map(Row._make, connection.execute(f"SELECT {', '.join(Row._fields)} FROM events ORDER BY id")))  # noqa: S608 - our own words
        events.extend(folded(connection.execute))
    except sqlite3.DatabaseError:
        pass  # what was read before the damage is kept
    finally:
        connection.close()
    return [event[1:] for event in sorted(events, key=lambda event: event.id)]


def _move_away(path: Path) -> Path | None:
    """Move the old ledger aside with its journal, which must never be applied to the new file."""
    kept_as = path.with_name(time.strftime(f"{path.stem}.damaged-%Y%m%d-%H%M%S{path.suffix}"))
    for suffix in ("-wal", "-shm", ""):
        old = path.with_name(path.name + suffix)
        if old.exists():
            old.replace(kept_as.with_name(kept_as.name + suffix))
    return kept_as if kept_as.exists() else None
