"""Make a damaged or lost ledger again from what lies beside it: `plans/*.json` and `runs/*/job.json`.

The identity of the old ledger is kept, so that the same plan still gives the same run names and nothing is launched
twice. What only the ledger held is lost unless it can still be read: its events, notes and tags.
"""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from experiments.errors import LedgerError
from experiments.ledger import Kept, Ledger
from experiments.ledger_schema import FILE, connect, sqlite_errors
from experiments.planning import training_jobs
from experiments.processes import locked, read_json
from experiments.types import Plan, TrainingJob

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
    claimed: set[str] = field(default_factory=set)
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
    with sqlite_errors(path), locked(state_dir / "start.lock", wait_s=_WAIT_S) as mine:
        if not mine:
            raise LedgerError(f"ledger {str(path)!r} is in use. Close what launches jobs, then run the command again.")
        ledger_id = found.ledger_ids.most_common(1)[0][0] if found.ledger_ids else None
        events = _readable_events(path)
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
            if "plan" in content:
                kept = _kept(content)
                found.plans[kept.plan.key] = kept
                for job in training_jobs(kept.plan, tracker=kept.tracker):
                    found.jobs.setdefault(job.run_name, job.model_copy(update={"created_at": kept.created_at}))
            else:
                job = TrainingJob.model_validate({**content["job"], "created_at": content["created_at"]})
                found.jobs[job.run_name] = job
        except (ValidationError, KeyError, TypeError) as error:
            found.problems.append(f"{path}: {error}")
    for path, content in _readable(state_dir, "runs/*/job.json", found):
        found.claimed.add(path.parent.name)
        if "job" in content:
            try:
                found.jobs[path.parent.name] = TrainingJob.model_validate(content["job"])
            except ValidationError as error:
                found.problems.append(f"{path}: {error}")
    found.claimed |= {path.parent.name for path in state_dir.glob("runs/*/job.json")}
    return found


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


def _as_known(job: TrainingJob, claimed: set[str]) -> TrainingJob:
    """Return a job in the state that can be known without the old ledger.

    What a process of this machine did not claim was not started. What another launcher may have is in doubt.
    """
    if job.run_name in claimed:
        return job.model_copy(update={"state": "submitted", "launcher_id": job.run_name, "error": None})
    state = "planned" if job.launcher == "local" else "submitting"
    return job.model_copy(update={"state": state, "launcher_id": None, "error": None})


def _readable_events(path: Path) -> list[tuple[Any, ...]]:
    """Return the events of the old ledger, as far as they can be read."""
    events: list[tuple[Any, ...]] = []
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    except sqlite3.DatabaseError:
        return events
    try:
        events.extend(connection.execute("SELECT at, kind, run_name, plan_key, data FROM events ORDER BY id"))
    except sqlite3.DatabaseError:
        pass  # what was read before the damage is kept
    finally:
        connection.close()
    return events


def _move_away(path: Path) -> Path | None:
    """Move the old ledger aside with its journal, which must never be applied to the new file."""
    kept_as = path.with_name(time.strftime(f"{path.stem}.damaged-%Y%m%d-%H%M%S{path.suffix}"))
    for suffix in ("-wal", "-shm", ""):
        old = path.with_name(path.name + suffix)
        if old.exists():
            old.replace(kept_as.with_name(kept_as.name + suffix))
    return kept_as if kept_as.exists() else None
