"""Reading the ledger: jobs, plans, events and how jobs ended."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.ledger_schema import FILE, sqlite_errors
from experiments.types import Plan, TrainingJob

JOB_COLUMNS = (
    "run_name, plan_key, experiment, arm, seed, attempt, retry_of, repeat, launcher, target, launcher_id, state, "
    "config, command, tracker, error, created_at"
)


@dataclass(frozen=True)
class Event:
    """One thing that happened to a plan or a job.

    Attributes:
        at: Unix seconds.
        kind: `planned`, `intent`, `accepted`, `refused`, `returned`, `claimed`, `ended`, `cancel`, `annotated`, ...
        data: What belongs to it, as JSON values.
    """

    at: float
    kind: str
    run_name: str | None
    plan_key: str | None
    data: Mapping[str, Any]


@dataclass(frozen=True)
class OpenJob:
    """A job that its launcher has and whose end nobody noted yet.

    Attributes:
        claimed: Whether a process was seen to have claimed it.
    """

    run_name: str
    claimed: bool


@dataclass(frozen=True)
class Annotation:
    """What people wrote to a job.

    Attributes:
        note: The latest note; empty where there is none.
        tags: In the order in which they were added.
    """

    note: str = ""
    tags: tuple[str, ...] = ()


class LedgerReader:
    """What can be asked of a ledger; safe to share between threads."""

    def __init__(self, state_dir: Path, connection: sqlite3.Connection) -> None:
        self.state_dir = state_dir
        self._connection = connection
        self._lock = threading.RLock()
        self.id = str(self._rows("SELECT value FROM meta WHERE name = 'ledger_id'")[0]["value"])

    def jobs(
        self,
        *,
        experiment: str | None = None,
        plan_key: str | None = None,
        run_names: Iterable[str] | None = None,
        launcher_ids: Iterable[str] | None = None,
        state: str | None = None,
    ) -> list[TrainingJob]:
        """Return the jobs that match all that is given, oldest first."""
        where, values = ["1"], []
        for column, value in (("experiment", experiment), ("plan_key", plan_key), ("state", state)):
            if value is not None:
                where.append(f"{column} = ?")
                values.append(value)
        for column, names in (("run_name", run_names), ("launcher_id", launcher_ids)):
            if names is not None:
                where.append(f"{column} IN (SELECT value FROM json_each(?))")  # noqa: S608 - our own words
                values.append(json.dumps(list(names)))
        query = f"SELECT {JOB_COLUMNS} FROM jobs WHERE {' AND '.join(where)} ORDER BY id"  # noqa: S608 - our own words
        return [_job(row) for row in self._rows(query, values)]

    def experiments(self) -> list[str]:
        """Return the names of the experiments that have jobs, the one launched last first."""
        rows = self._rows("SELECT experiment FROM jobs GROUP BY experiment ORDER BY max(id) DESC")
        return [row["experiment"] for row in rows]

    def plan(self, key: str) -> Plan | None:
        """Return the plan of this key, or None."""
        rows = self._rows("SELECT content FROM plans WHERE key = ?", [key])
        return Plan.model_validate_json(rows[0]["content"]) if rows else None

    def provenance(self, plan_key: str) -> dict[str, Any]:
        """Return what was recorded beside the plan at its first launch; empty where there is no such plan."""
        rows = self._rows("SELECT provenance FROM plans WHERE key = ?", [plan_key])
        return dict(json.loads(rows[0]["provenance"])) if rows else {}

    def latest_repeat(self, family: str) -> Plan | None:
        """Return the plan with the highest repeat among those that differ in nothing else, or None."""
        rows = self._rows("SELECT content FROM plans WHERE family = ? ORDER BY repeat DESC LIMIT 1", [family])
        return Plan.model_validate_json(rows[0]["content"]) if rows else None

    def events(self, *, run_name: str | None = None, plan_key: str | None = None) -> list[Event]:
        """Return what happened to a job or a plan, or everything, oldest first."""
        rows = self._rows(
            "SELECT * FROM events WHERE (?1 IS NULL OR run_name = ?1) AND (?2 IS NULL OR plan_key = ?2) ORDER BY id",
            [run_name, plan_key],
        )
        return [
            Event(row["at"], row["kind"], row["run_name"], row["plan_key"], json.loads(row["data"])) for row in rows
        ]

    def annotations(self, run_names: Iterable[str]) -> dict[str, Annotation]:
        """Return the note and tags of each job that people wrote something to."""
        rows = self._rows(
            "SELECT run_name, data FROM events WHERE kind = 'annotated' AND run_name IN "
            "(SELECT value FROM json_each(?)) ORDER BY id",
            [json.dumps(list(run_names))],
        )
        found: dict[str, Annotation] = {}
        for row in rows:
            old, data = found.get(row["run_name"], Annotation()), json.loads(row["data"])
            kept = [tag for tag in old.tags if tag not in data["removed"]]
            note = old.note if data["note"] is None else data["note"]
            found[row["run_name"]] = Annotation(note, tuple(dict.fromkeys([*kept, *data["added"]])))
        return found

    def outcomes(self, run_names: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Return the final status of each job whose end was noted, as the fields of a `SchedulerStatus`."""
        rows = self._rows(
            "SELECT run_name, outcome FROM jobs WHERE outcome IS NOT NULL AND run_name IN "
            "(SELECT value FROM json_each(?))",
            [json.dumps(list(run_names))],
        )
        return {row["run_name"]: json.loads(row["outcome"]) for row in rows}

    def open_jobs(self, launcher: str) -> list[OpenJob]:
        """Return the jobs that `launcher` has and whose end was not noted, oldest first."""
        rows = self._rows(
            "SELECT run_name, claimed_at FROM jobs WHERE launcher = ? AND state = 'submitted' AND outcome IS NULL "
            "ORDER BY id",
            [launcher],
        )
        return [OpenJob(row["run_name"], row["claimed_at"] is not None) for row in rows]

    def spec(self, run_name: str) -> dict[str, Any] | None:
        """Return what the launcher was told of a job, as recorded with the intent; None before one."""
        rows = self._rows("SELECT spec FROM jobs WHERE run_name = ?", [run_name])
        return json.loads(rows[0]["spec"]) if rows and rows[0]["spec"] else None

    def setting(self, name: str) -> str | None:
        """Return a value that `set_setting` keeps, or None."""
        rows = self._rows("SELECT value FROM meta WHERE name = ?", [f"setting.{name}"])
        return rows[0]["value"] if rows else None

    def _rows(self, query: str, values: Sequence[Any] = ()) -> list[sqlite3.Row]:
        with self._lock, sqlite_errors(self.state_dir / FILE):
            return self._connection.execute(query, values).fetchall()


def _job(row: sqlite3.Row) -> TrainingJob:
    values = dict(row)
    return TrainingJob.model_validate(
        {**values, "config": json.loads(values["config"]), "command": json.loads(values["command"])}
    )
