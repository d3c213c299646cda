"""Reading the ledger: jobs, plans, events and how jobs ended.

A row that cannot be read costs that row only: it is named, and what stands in its plain columns is still told, so that
its job can be seen and ended.
"""

from __future__ import annotations

import functools
import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict, Unpack

from pydantic import ValidationError

from experiments.jobs.ledger.answers import MEND, Annotation, Called, DamagedText, Event, OpenJob, Repeat, UnreadableJob
from experiments.jobs.ledger.folding import STEPS, Row, folded
from experiments.jobs.ledger.migrations import ARGUMENTS, TASK
from experiments.jobs.ledger.schema import FILE, sqlite_errors
from experiments.project.errors import LedgerError, reasons
from experiments.project.files import parse_json
from experiments.project.standing import Role, trains
from experiments.types import Plan, Trainer, TrainingJob, TrainingJobConfig

JOB_COLUMNS = (
    "run_name, plan_key, experiment, arm, seed, attempt, retry_of, repeat, launcher, target, launcher_id, state, "
    "config, command, tracker, error, created_at, replicate, role, parent"
)
_NAMES = tuple(JOB_COLUMNS.split(", "))
KEYS = {"plans": "key", "jobs": "run_name", "events": "id", "folded": "run_name"}
"""Column by which each table's rows are known."""

_TOLD = (
    "FROM jobs WHERE role IN ('seed', 'replicate', 'reproduction') "
    "AND state NOT IN ('planned', 'refused', 'cancelled') AND (?1 IS NULL OR created_at < ?1 "
    "OR plan_key IN (SELECT plan_key FROM events WHERE kind = 'planned' "
    "AND id < (SELECT min(id) FROM events WHERE kind = 'journal' AND plan_key = ?2)))"
)
"""Jobs that told something of their seeds before a journal was recorded, at some time with some plan."""
_RECENT = (
    "SELECT id FROM jobs WHERE state IN ('planned', 'submitting') "
    "UNION SELECT id FROM jobs WHERE state = 'submitted' AND outcome IS NULL "
    "UNION SELECT id FROM (SELECT id FROM jobs ORDER BY id DESC LIMIT ?)"
)
_OR_OF = "UNION SELECT id FROM jobs WHERE experiment = ?"
_TEXTS = (("plans", "provenance"), ("jobs", "spec"), ("jobs", "outcome"), ("events", "data"), ("folded", "steps"))


class JobFilter(TypedDict, total=False):
    """What jobs of the ledger can be asked for; all that is given must hold.

    The jobs of an experiment are its runs: evaluations of their checkpoints, which have its name, are none. `named` is
    what people call jobs: run names and launchers' ids.
    """

    experiment: str | None
    plan_key: str | None
    run_names: Iterable[str] | None
    named: Iterable[str] | None
    state: str | None
    launcher: str | None
    role: Role | None


class LedgerReader:
    """What can be asked of a ledger; safe to share between threads."""

    def __init__(self, state_dir: Path, connection: sqlite3.Connection) -> None:
        self.state_dir = state_dir
        self._connection = connection
        self._lock = threading.RLock()
        self.id = str(self._rows("SELECT value FROM meta WHERE name = 'ledger_id'")[0]["value"])

    def jobs(self, **wanted: Unpack[JobFilter]) -> list[TrainingJob]:
        """Return the jobs that match all that is given and can be read, oldest first; see `rows` for the others."""
        return [row for row in self._each(wanted) if isinstance(row, TrainingJob)]

    def unreadable(self, **wanted: Unpack[JobFilter]) -> list[UnreadableJob]:
        """Return the rows that match all that is given and cannot be read, oldest first."""
        return [row for row in self._each(wanted) if isinstance(row, UnreadableJob)]

    def rows(self, **wanted: Unpack[JobFilter]) -> list[TrainingJob | UnreadableJob]:
        """Return every job that matches all that is given, oldest first, whether its row can be read or not."""
        return list(self._each(wanted))

    def _each(self, wanted: JobFilter) -> Iterator[TrainingJob | UnreadableJob]:
        """Yield them one by one: of a hundred thousand, those that nobody keeps need no memory."""
        where, values = ["1"], []
        for column in ("experiment", "plan_key", "state", "launcher", "role"):
            if (value := wanted.get(column)) is not None:
                where.append(f"{column} = ?")
                values.append(value)
        if (names := wanted.get("run_names")) is not None:
            where.append("run_name IN (SELECT value FROM json_each(?))")
            values.append(json.dumps(list(names)))
        if (called := wanted.get("named")) is not None:
            # Each by its own index, which an OR over both columns would not use.
            names = "SELECT value FROM json_each(?)"
            by_either = (f"SELECT id FROM jobs WHERE {column} IN ({names})" for column in ("run_name", "launcher_id"))  # noqa: S608 - our own words
            where.append(f"id IN ({' UNION '.join(by_either)})")
            values += [json.dumps(list(called))] * 2
        query = f"SELECT {JOB_COLUMNS} FROM jobs WHERE {' AND '.join(where)} ORDER BY id"  # noqa: S608 - our own words
        with self._lock, sqlite_errors(self.state_dir / FILE):
            for row in self._connection.execute(query, values):
                job = _job(tuple(row))
                if wanted.get("experiment") is None or trains(job.role):
                    yield job

    def recent(self, number: int, experiment: str | None = None) -> tuple[list[TrainingJob | UnreadableJob], int]:
        """Return the newest jobs and all whose end nobody noted, oldest first, and how many others there are.

        Args:
            experiment: All that have its name are among them, evaluations too.
        """
        query = f"SELECT {JOB_COLUMNS} FROM jobs WHERE id IN ({_RECENT} {_OR_OF}) ORDER BY id"  # noqa: S608 - our own words
        found = [_job(tuple(row)) for row in self._rows(query, [number, experiment])]
        return found, self._number() - len(found)

    def recent_names(self, number: int) -> tuple[list[str], int]:
        """Return the run names of the jobs that `recent` returns, and how many others there are."""
        query = f"SELECT run_name FROM jobs WHERE id IN ({_RECENT}) ORDER BY id"  # noqa: S608 - our own words
        found = [row["run_name"] for row in self._rows(query, [number])]
        return found, self._number() - len(found)

    def _number(self) -> int:
        found: int = self._rows("SELECT count(*) AS n FROM jobs")[0]["n"]
        return found

    def seeds_told(
        self, arguments: Sequence[str], before: tuple[float, str] | None = None
    ) -> list[tuple[str, str, int]]:
        """Return run name, plan and seed of what was launched with these arguments, oldest first.

        A run beside a seed's own one, such as a replicate, tells as much of the seed.

        Args:
            before: Time and plan of a journal that was recorded after the launch; None for any launch. Earlier is what
                has an earlier time or was recorded earlier: a clock can be set back.
        """
        query = f"SELECT run_name, plan_key, seed {_TOLD} AND {ARGUMENTS} = json(?3) ORDER BY id"
        return [tuple(row) for row in self._rows(query, [*(before or (None, None)), json.dumps(list(arguments))])]

    def seeds_of_trainer(self, config: TrainingJobConfig, before: tuple[float, str]) -> set[int]:
        """Return the seeds that a trainer had run of a curriculum, whatever its arguments, as `seeds_told` has them."""
        command = list(config.trainer.command) if isinstance(config.trainer, Trainer) else None
        query = f"SELECT DISTINCT seed {_TOLD} AND {TASK} = json_array(?3, json(?4))"
        told = [*before, config.curriculum, None if command is None else json.dumps(command)]
        return {row["seed"] for row in self._rows(query, told)}

    def was_told_first(self, kind: str, plan_key: str) -> bool:
        """Tell whether an event of a plan was recorded before its jobs; where that is not known, nothing denies it.

        By the order of the records: a clock that was set back makes what is written after the data look older.
        """
        kinds = [event.kind for event in self.events(plan_key=plan_key, kind={kind, "planned"})]
        return kind in kinds and ("planned" not in kinds or kinds.index(kind) < kinds.index("planned"))

    def called(self, wanted: str, newest: int | None = None) -> tuple[list[Called], int]:
        """Return the jobs that were more than planned and have a part of their name that begins so, and their number.

        Args:
            wanted: Beginning of the name, or of what follows a dot in it; of a hundred thousand the index finds it.
            newest: At most so many, the newest ones; all where None. Oldest first in any case.
        """
        named = "SELECT id FROM jobs WHERE substr(run_name, 1, length(?1)) = ?1 OR instr(run_name, '.' || ?1)"
        where = f"id IN ({named})" if wanted else "?1 = ''"  # every name begins with nothing
        counts = f"SELECT count(*) AS n FROM jobs WHERE state <> 'planned' AND {where}"  # noqa: S608 - our own words
        query = f"SELECT {', '.join(Called._fields)} FROM jobs WHERE state <> 'planned' AND {where} ORDER BY id DESC"  # noqa: S608 - our own words
        text = wanted.encode(errors="replace").decode()
        rows = self._rows(f"{query} LIMIT ?2", [text, -1 if newest is None else newest])
        return [Called(*row) for row in reversed(rows)], self._rows(counts, [text])[0]["n"]

    def attempts(self, job: TrainingJob) -> list[TrainingJob | UnreadableJob]:
        """Return all attempts of what a job is in its plan, itself among them, oldest first."""
        place = (job.arm, job.seed, job.replicate)
        rows = self.rows(plan_key=job.plan_key)
        return [other for other in rows if (other.arm, other.seed, other.replicate) == place]

    def columns(self, run_name: str) -> dict[str, Any]:
        """Return the row of a job as it stands there; empty where there is none."""
        rows = self._rows(f"SELECT {JOB_COLUMNS} FROM jobs WHERE run_name = ?", [run_name])  # noqa: S608 - our own words
        return dict(rows[0]) if rows else {}

    def newest_jobs(self, launcher: str, limit: int) -> list[TrainingJob]:
        """Return the jobs that `launcher` was handed last and that can be read, newest first."""
        query = f"SELECT {JOB_COLUMNS} FROM jobs WHERE launcher = ? AND state = 'submitted' ORDER BY id DESC LIMIT ?"  # noqa: S608 - our own words
        found = (_job(tuple(row)) for row in self._rows(query, [launcher, limit]))
        return [row for row in found if isinstance(row, TrainingJob)]

    def experiments(self) -> list[str]:
        """Return the names of the experiments that have jobs, the one launched last first."""
        rows = self._rows("SELECT experiment FROM jobs GROUP BY experiment ORDER BY max(id) DESC")
        return [row["experiment"] for row in rows]

    def plan(self, key: str) -> Plan | None:
        """Return the plan of this key, or None where there is none.

        Raises:
            LedgerError: Its row cannot be read.
        """
        rows = self._rows("SELECT content FROM plans WHERE key = ?", [key])
        try:
            return Plan.model_validate_json(rows[0]["content"]) if rows else None
        except ValidationError as error:
            raise _damaged(f"plan {key[:16]}", reasons(error)) from error

    def has_plan(self, key: str) -> bool:
        """Say whether a plan is recorded, also one that cannot be read."""
        return bool(self._rows("SELECT 1 FROM plans WHERE key = ?", [key]))

    def provenance(self, plan_key: str) -> dict[str, Any]:
        """Return what was recorded beside the plan at its first launch; empty where there is no such plan.

        Raises:
            LedgerError: It cannot be read.
        """
        rows = self._rows("SELECT provenance FROM plans WHERE key = ?", [plan_key])
        return _object(rows[0]["provenance"], f"the code of plan {plan_key[:16]}") if rows else {}

    def latest_repeat(self, family: str) -> Repeat | None:
        """Return the highest repeat among the plans that differ in nothing else, or None where there is none."""
        rows = self._rows("SELECT repeat, key FROM plans WHERE family = ? ORDER BY repeat DESC LIMIT 1", [family])
        return Repeat(rows[0]["repeat"], rows[0]["key"]) if rows else None

    def events(
        self,
        *,
        run_name: str | Iterable[str] | None = None,
        plan_key: str | Iterable[str] | None = None,
        kind: str | Iterable[str] | None = None,
    ) -> list[Event]:
        """Return what happened to jobs or plans, or everything, as it was recorded; of some kinds where given.

        Args:
            run_name: One or several; with `plan_key`, what happened to any of either.
            plan_key: Likewise.
        """
        of, values = [], []
        runs, plans, kinds = (None if each is None else _listed(each) for each in (run_name, plan_key, kind))
        for column, names in (("run_name", runs), ("plan_key", plans)):
            if names is not None:
                # Each by its own index, which an OR over both columns would not use.
                of.append(f"SELECT id FROM events WHERE {column} IN (SELECT value FROM json_each(?))")  # noqa: S608 - our own words
                values.append(json.dumps(names))
        where = [f"id IN ({' UNION '.join(of)})"] if of else []
        if kinds is not None:
            where.append(
                "+kind IN (SELECT value FROM json_each(?))" if of else "kind IN (SELECT value FROM json_each(?))"
            )
            values.append(json.dumps(kinds))
        query = f"SELECT {', '.join(Row._fields)} FROM events WHERE {' AND '.join(where or ['1'])} ORDER BY id"  # noqa: S608 - our own words
        with self._lock, sqlite_errors(self.state_dir / FILE):
            rows = [Row(*row) for row in self._connection.execute(query, values)]
            if (runs is not None or plans is None) and (kinds is None or not STEPS.isdisjoint(kinds)):
                steps = folded(self._connection.execute, None if runs is None else json.dumps(runs))
                rows += [step for step in steps if kinds is None or step.kind in kinds]
                rows.sort(key=lambda row: row.id)
        return [Event(row.at, row.kind, row.run_name, row.plan_key, _data(row.data)) for row in rows]

    def latest_events(self, kind: str, run_names: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Return the data of the newest event of a kind, by run name."""
        return {run: _data(text) for run, text in self.latest_texts(kind, run_names).items()}

    def latest_texts(self, kind: str, run_names: Iterable[str]) -> dict[str, str]:
        """Return the same as it stands there, for whoever keeps what was read of it: JSON, or damaged."""
        rows = self._rows(
            # By the index of runs: there may be as many of a kind as there are jobs.
            "SELECT run_name, data FROM events WHERE +kind = ? AND run_name IN (SELECT value FROM json_each(?)) "
            "ORDER BY id",
            [kind, json.dumps(list(run_names))],
        )
        return {row["run_name"]: row["data"] for row in rows}

    def annotations(self, run_names: Iterable[str]) -> dict[str, Annotation]:
        """Return the note and tags of each job that people wrote something to."""
        rows = self._rows(
            "SELECT run_name, data FROM events WHERE +kind = 'annotated' AND run_name IN "
            "(SELECT value FROM json_each(?)) ORDER BY id",
            [json.dumps(list(run_names))],
        )
        found: dict[str, Annotation] = {}
        for row in rows:
            old, data = found.get(row["run_name"], Annotation()), _data(row["data"])
            removed, note = _texts(data.get("removed")), data.get("note")
            kept = [tag for tag in old.tags if tag not in removed]
            found[row["run_name"]] = Annotation(
                old.note if note is None else str(note),
                tuple(dict.fromkeys([*kept, *_texts(data.get("added"))])),
                problem=f"a note or tag cannot be read ({data['unreadable']})" if "unreadable" in data else old.problem,
            )
        return found

    def standing_by(self, given: str, taken: str) -> set[str]:
        """Return the runs of which the newest of two kinds of events is `given`, which `taken` takes back."""
        query = "SELECT run_name, kind FROM events WHERE kind IN (?, ?) AND run_name IS NOT NULL ORDER BY id"
        newest = {row["run_name"]: row["kind"] for row in self._rows(query, [given, taken])}
        return {run for run, kind in newest.items() if kind == given}

    def outcomes(self, run_names: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Return the final status of each job whose end was noted, as the fields of a `SchedulerStatus`.

        One that cannot be read is left out, so that the job's launcher is asked.
        """
        rows = self._rows(
            "SELECT run_name, outcome FROM jobs WHERE outcome IS NOT NULL AND run_name IN "
            "(SELECT value FROM json_each(?))",
            [json.dumps(list(run_names))],
        )
        found = {row["run_name"]: _data(row["outcome"]) for row in rows}
        return {name: outcome for name, outcome in found.items() if isinstance(outcome.get("word"), str)}

    def open_jobs(self, launcher: str) -> list[OpenJob]:
        """Return the jobs that `launcher` has and whose end was not noted, oldest first."""
        rows = self._rows(
            "SELECT run_name, claimed_at FROM jobs WHERE launcher = ? AND state = 'submitted' AND outcome IS NULL "
            "ORDER BY id",
            [launcher],
        )
        return [OpenJob(row["run_name"], row["claimed_at"] is not None) for row in rows]

    def snapshots_in_use(self) -> set[str]:
        """Return the ids of the snapshots that jobs run from which were handed over and whose end nobody noted."""
        return self._in_use("$.snapshot.id")

    def programs_in_use(self) -> set[str]:
        """Return the first words of the commands of the same jobs, and the interpreters of their environments.

        What `uv run` starts is known by the environment alone.
        """
        homes = self._in_use("$.env.VIRTUAL_ENV")
        return self._in_use("$.command[0]") | {f"{home}/bin/python" for home in homes}

    def _in_use(self, path: str) -> set[str]:
        rows = self._rows(
            "SELECT DISTINCT json_extract(spec, ?) AS value FROM jobs "
            "WHERE state IN ('submitting', 'submitted') AND outcome IS NULL AND json_valid(spec)",
            [path],
        )
        return {row["value"] for row in rows if isinstance(row["value"], str)}

    def spec(self, run_name: str) -> dict[str, Any] | None:
        """Return what the launcher was told of a job, as recorded with the intent; None before one.

        Raises:
            LedgerError: It cannot be read.
        """
        rows = self._rows("SELECT spec FROM jobs WHERE run_name = ?", [run_name])
        return _object(rows[0]["spec"], f"what to start for job {run_name!r}") if rows and rows[0]["spec"] else None

    def damaged_texts(self) -> list[DamagedText]:
        """Return what cannot be read beside the rows of jobs (`unreadable` names those)."""
        found = []
        for row in self._rows("SELECT key, content FROM plans ORDER BY created_at"):
            try:
                Plan.model_validate_json(row["content"])
            except ValidationError as error:
                found.append(DamagedText("plans", "content", row["key"], row["content"], reasons(error)))
        for table, column in _TEXTS:
            kind = f"CASE WHEN json_valid({column}) THEN json_type({column}) END"
            query = f"SELECT {KEYS[table]}, {column} FROM {table} WHERE {column} IS NOT NULL AND {kind} IS NOT 'object'"  # noqa: S608 - our own words
            found += [DamagedText(table, column, key, text, "it is no JSON object") for key, text in self._rows(query)]
        return found

    def setting(self, name: str) -> str | None:
        """Return a value that `set_setting` keeps, or None."""
        rows = self._rows("SELECT value FROM meta WHERE name = ?", [f"setting.{name}"])
        return rows[0]["value"] if rows else None

    def _rows(self, query: str, values: Sequence[Any] = ()) -> list[sqlite3.Row]:
        with self._lock, sqlite_errors(self.state_dir / FILE):
            return self._connection.execute(query, values).fetchall()


@functools.lru_cache(maxsize=2048)
def _job(values: tuple[Any, ...]) -> TrainingJob | UnreadableJob:
    """Read the columns of a job once: a page asks for its study's jobs with each part, and they hardly change."""
    return read_job(dict(zip(_NAMES, values, strict=True)))


def read_job(columns: Mapping[str, Any]) -> TrainingJob | UnreadableJob:
    """Return the job that a row of the ledger describes, by column."""
    values = dict(columns)
    try:
        parts = {name: parse_json(values[name]) for name in ("config", "command")}
        return TrainingJob.model_validate(values | parts)
    except ValidationError as error:
        problem = reasons(error)
    except ValueError as error:
        problem = f"it holds no JSON: {error}"
    plain = UnreadableJob.__dataclass_fields__.keys() - {"problem"}
    return UnreadableJob(**{name: values[name] for name in plain}, problem=problem)


def _listed(names: str | Iterable[str]) -> list[str]:
    return [names] if isinstance(names, str) else sorted(names)


def _object(text: str, what: str) -> dict[str, Any]:
    found = _data(text)
    if set(found) == {"unreadable"}:
        raise _damaged(what, found["unreadable"])
    return found


def _data(text: str) -> dict[str, Any]:
    """Return a JSON object of the ledger; where it is none, one that says so."""
    try:
        found = parse_json(text)
    except ValueError as error:
        return {"unreadable": str(error)}
    return found if isinstance(found, dict) else {"unreadable": f"it is a {type(found).__name__}, not an object"}


def _texts(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []


def _damaged(what: str, problem: str) -> LedgerError:
    return LedgerError(f"{what} cannot be read in the ledger ({problem}). Mend it: {MEND}")
