"""The ledger's file: its tables, their migrations, how it is opened, and what SQLite's errors mean to a user."""

from __future__ import annotations

import errno
import shutil
import sqlite3
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Protocol

from experiments.project.errors import UNWRITABLE, LedgerError
from experiments.project.files import locked

FILE = "ledger.sqlite"
STARTING = "start.lock"
"""File beside it whose lock is held while jobs are started: their checkouts are looked at, made, and run from."""
BUSY_S = 15.0
_LITTLE = 64 * 1024
_NOT_KEPT = "This step is not recorded, and nothing is launched without a record."
REBUILD = "experiments doctor --rebuild"
# What SQLite says, by its system, of an index that it cannot make.
_NO_INDEX = frozenset({sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_FULL})

# Of a config that cannot be read there is nothing. A query uses an index over one of these where it says the same.
ARGUMENTS = "CASE WHEN json_valid(config) THEN json_extract(config, '$.additional_args') END"
TASK = (
    "CASE WHEN json_valid(config) THEN json_array(ifnull(json_extract(config, '$.curriculum'), ''), "
    "json_extract(config, '$.trainer.command')) END"
)


class Execute(Protocol):
    """`sqlite3.Connection.execute`."""

    def __call__(self, query: str, values: Sequence[Any] = ..., /) -> sqlite3.Cursor:  # noqa: D102 - the class says it
        ...


MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE plans (
            key TEXT PRIMARY KEY, family TEXT NOT NULL, repeat INTEGER NOT NULL, experiment TEXT NOT NULL,
            content TEXT NOT NULL, provenance TEXT NOT NULL, created_at REAL NOT NULL, UNIQUE (family, repeat)
        ) STRICT""",
        """CREATE TABLE jobs (
            id INTEGER PRIMARY KEY AUTOINCREMENT, run_name TEXT NOT NULL UNIQUE, plan_key TEXT NOT NULL,
            experiment TEXT NOT NULL, arm TEXT NOT NULL, seed INTEGER NOT NULL, attempt INTEGER NOT NULL,
            retry_of TEXT, repeat INTEGER NOT NULL, launcher TEXT NOT NULL, target TEXT NOT NULL, launcher_id TEXT,
            state TEXT NOT NULL, config TEXT NOT NULL, command TEXT NOT NULL, tracker TEXT NOT NULL, error TEXT,
            spec TEXT, claimed_at REAL, outcome TEXT, created_at REAL NOT NULL, UNIQUE (plan_key, arm, seed, attempt)
        ) STRICT""",
        "CREATE INDEX jobs_by_experiment ON jobs (experiment)",
        "CREATE INDEX jobs_by_launcher_id ON jobs (launcher_id)",
        "CREATE INDEX jobs_open ON jobs (launcher, id) WHERE state = 'submitted' AND outcome IS NULL",
        """CREATE TABLE events (
            id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, kind TEXT NOT NULL, run_name TEXT, plan_key TEXT,
            data TEXT NOT NULL
        ) STRICT""",
        "CREATE INDEX events_by_run ON events (run_name)",
        "CREATE TABLE leases (name TEXT PRIMARY KEY, owner TEXT NOT NULL, expires_at REAL NOT NULL) STRICT",
    ),
    # Runs that are no seeds: several of one arm and seed in one plan. SQLite changes no constraint of a table, so the
    # table is made anew; every column of before keeps its place and its values.
    (
        """CREATE TABLE jobs_2 (
            id INTEGER PRIMARY KEY AUTOINCREMENT, run_name TEXT NOT NULL UNIQUE, plan_key TEXT NOT NULL,
            experiment TEXT NOT NULL, arm TEXT NOT NULL, seed INTEGER NOT NULL, attempt INTEGER NOT NULL,
            retry_of TEXT, repeat INTEGER NOT NULL, launcher TEXT NOT NULL, target TEXT NOT NULL, launcher_id TEXT,
            state TEXT NOT NULL, config TEXT NOT NULL, command TEXT NOT NULL, tracker TEXT NOT NULL, error TEXT,
            spec TEXT, claimed_at REAL, outcome TEXT, created_at REAL NOT NULL,
            replicate INTEGER NOT NULL DEFAULT 0 CHECK (replicate >= 0),
            role TEXT NOT NULL DEFAULT 'seed' CHECK (role IN ('seed', 'replicate', 'reproduction', 'fork')),
            parent TEXT, CHECK (role <> 'seed' OR replicate = 0), CHECK (role <> 'replicate' OR replicate > 0),
            UNIQUE (plan_key, arm, seed, replicate, attempt)
        ) STRICT""",
        "INSERT INTO jobs_2 SELECT *, 0, 'seed', NULL FROM jobs",
        "DROP TABLE jobs",
        "ALTER TABLE jobs_2 RENAME TO jobs",
        "CREATE INDEX jobs_by_experiment ON jobs (experiment)",
        "CREATE INDEX jobs_by_launcher_id ON jobs (launcher_id)",
        "CREATE INDEX jobs_open ON jobs (launcher, id) WHERE state = 'submitted' AND outcome IS NULL",
    ),
    # Jobs that evaluate a checkpoint. Again only the constraint differs.
    (
        """CREATE TABLE jobs_3 (
            id INTEGER PRIMARY KEY AUTOINCREMENT, run_name TEXT NOT NULL UNIQUE, plan_key TEXT NOT NULL,
            experiment TEXT NOT NULL, arm TEXT NOT NULL, seed INTEGER NOT NULL, attempt INTEGER NOT NULL,
            retry_of TEXT, repeat INTEGER NOT NULL, launcher TEXT NOT NULL, target TEXT NOT NULL, launcher_id TEXT,
            state TEXT NOT NULL, config TEXT NOT NULL, command TEXT NOT NULL, tracker TEXT NOT NULL, error TEXT,
            spec TEXT, claimed_at REAL, outcome TEXT, created_at REAL NOT NULL,
            replicate INTEGER NOT NULL DEFAULT 0 CHECK (replicate >= 0),
            role TEXT NOT NULL DEFAULT 'seed'
                CHECK (role IN ('seed', 'replicate', 'reproduction', 'fork', 'evaluation')),
            parent TEXT, CHECK (role <> 'seed' OR replicate = 0), CHECK (role <> 'replicate' OR replicate > 0),
            UNIQUE (plan_key, arm, seed, replicate, attempt)
        ) STRICT""",
        "INSERT INTO jobs_3 SELECT * FROM jobs",
        "DROP TABLE jobs",
        "ALTER TABLE jobs_3 RENAME TO jobs",
        "CREATE INDEX jobs_by_experiment ON jobs (experiment)",
        "CREATE INDEX jobs_by_launcher_id ON jobs (launcher_id)",
        "CREATE INDEX jobs_open ON jobs (launcher, id) WHERE state = 'submitted' AND outcome IS NULL",
    ),
    # What goes on by itself draws on a budget: see `budgets`. A draw is a job's reservation until it has ended.
    (
        """CREATE TABLE budgets (
            name TEXT PRIMARY KEY, jobs INTEGER, gpu_hours REAL, usd REAL, until REAL, granted_at REAL NOT NULL,
            granted_by TEXT NOT NULL, ended_at REAL, why TEXT NOT NULL DEFAULT ''
        ) STRICT""",
        """CREATE TABLE draws (
            run_name TEXT PRIMARY KEY, budget TEXT NOT NULL, gpu_hours REAL NOT NULL, usd REAL NOT NULL,
            is_settled INTEGER NOT NULL DEFAULT 0
        ) STRICT""",
        "CREATE INDEX draws_by_budget ON draws (budget)",
    ),
    # With a hundred thousand jobs and a million events nothing that is asked reads a table from end to end.
    (
        "CREATE INDEX events_by_plan ON events (plan_key) WHERE plan_key IS NOT NULL",
        "CREATE INDEX events_by_kind ON events (kind)",
        "CREATE INDEX jobs_unfinished ON jobs (id) WHERE state IN ('planned', 'submitting')",
        f"CREATE INDEX jobs_by_arguments ON jobs ({ARGUMENTS})",
        f"CREATE INDEX jobs_by_task ON jobs ({TASK}, seed)",
        # Steps of jobs that ended long ago: see `folding`. None where what stood there could not be read.
        "CREATE TABLE folded (run_name TEXT PRIMARY KEY, steps TEXT) STRICT",
    ),
    # What was launched and is still to be handed over: see `outbox`.
    ("CREATE TABLE outbox (run_name TEXT PRIMARY KEY, plan_key TEXT NOT NULL, experiment TEXT NOT NULL) STRICT",),
)
"""Statements from each version of the schema to the next; the number of entries is the version of today."""


def connect(state_dir: Path, *, ledger_id: str | None = None) -> sqlite3.Connection:
    """Open the ledger of a state folder for writing; make or migrate it where needed.

    Args:
        state_dir: The folder `.experiments`.
        ledger_id: Identity of a ledger that is made; a random one where None.

    Raises:
        LedgerError: It is locked, damaged, of a later version, or gone while its runs are there.
    """
    path = state_dir / FILE
    with sqlite_errors(path):
        # To make the file and turn it to WAL is the one thing that SQLite's own waiting does not cover.
        with locked(state_dir / "ledger.lock", wait_s=BUSY_S) as mine:
            if not mine:
                raise LedgerError(_busy_text(path))
            if ledger_id is None and not path.exists():
                _refuse_second(state_dir)  # now: to open a connection makes a file, which would stay without tables
            connection = _connection(str(path))
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                # A commit must outlast a power cut: what follows it may cost money.
                connection.execute("PRAGMA synchronous = FULL")
                _migrate(connection, state_dir, ledger_id)
            except BaseException:
                connection.close()
                raise
        return connection


def connect_read_only(state_dir: Path) -> sqlite3.Connection:
    """Open the ledger of a state folder so that nothing can be written; an empty one where there is none yet.

    A file without tables is none yet: whoever makes a ledger makes the file first, and its tables before any job. One
    of an earlier version is read as a copy in memory that is brought up to date; the file stays as it is.

    Raises:
        LedgerError: It is damaged, of a later version, or empty or gone though jobs were recorded.
    """
    path = state_dir / FILE
    with sqlite_errors(path):
        is_there = path.exists() or _appeared(path)
        connection = _reading(path) if is_there else _connection(":memory:")
        try:
            if not is_there:
                _create(connection, ledger_id="")
            elif not _version(connection):
                connection = _empty(connection, state_dir)
            version = _version(connection)
            _check_version(path, version)
            if version < len(MIGRATIONS):
                connection = _migrated_copy(connection, version)
            connection.execute("PRAGMA query_only = ON")
        except BaseException:
            connection.close()
            raise
        return connection


def _reading(path: Path) -> sqlite3.Connection:
    """Open a ledger for reading, also on a disk that is full or cannot be written.

    Even to read a file with a write-ahead log SQLite wants an index in shared memory beside it, which it makes anew
    when nobody else has the file open; where it cannot, a copy in memory is read.
    """
    connection = _connection(f"{path.absolute().as_uri()}?mode=ro")
    try:
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.OperationalError as error:
        connection.close()
        if error.sqlite_errorcode & 0xFF not in _NO_INDEX:
            raise
        return _copied(path)
    return connection


def _copied(path: Path) -> sqlite3.Connection:
    """Return a copy in memory of a ledger and of what its log holds beside it."""
    copy = _connection(":memory:")
    try:
        with tempfile.TemporaryDirectory(prefix="experiments-") as folder:
            log = path.with_name(f"{path.name}-wal")
            if log.exists() and log.stat().st_size:
                # The log first: what comes into the file after it is in the log as well.
                for part in (log, path):
                    shutil.copyfile(part, Path(folder) / part.name)
                source = _connection(f"{(Path(folder) / path.name).as_uri()}?mode=rw")
            else:
                source = _connection(f"{path.absolute().as_uri()}?immutable=1")
            with closing(source):
                source.backup(copy)
    except BaseException:
        copy.close()
        raise
    return copy


@contextmanager
def sqlite_errors(path: Path) -> Iterator[None]:
    """Turn what SQLite says of the file at `path` into one sentence with the next command.

    Raises:
        LedgerError: In place of any `sqlite3.DatabaseError` or `OSError`; where SQLite quotes what is no text, as well.
    """
    try:
        yield
    except UnicodeDecodeError:
        raise LedgerError(_explanation(path, ValueError("malformed: it holds what is no text"))) from None
    except (sqlite3.DatabaseError, OSError) as error:
        raise LedgerError(_explanation(path, error)) from error


def _explanation(path: Path, error: Exception) -> str:
    text = str(error)
    if "locked" in text or "busy" in text:
        return _busy_text(path)
    is_refused = isinstance(error, OSError) and error.errno in UNWRITABLE - {errno.ENOSPC, errno.EDQUOT}
    if "readonly" in text or "read-only" in text or is_refused:
        return (
            f"ledger {str(path)!r} is open for reading only ({text}), so nothing was recorded or launched. "
            "Use a command line or `marimo edit` of a user who may write it."
        )
    # On a full disk SQLite may fail to grow its shared memory, which it calls an I/O error.
    if "full" in text or "No space" in text or ("disk I/O" in text and shutil.disk_usage(path.parent).free < _LITTLE):
        return f"ledger {str(path)!r} cannot grow: the disk is full. {_NOT_KEPT} Free space and run again."
    if "malformed" in text or "not a database" in text or "no such" in text:
        return f"ledger {str(path)!r} is damaged ({text}). Rebuild it from its runs: {REBUILD}"
    return f"ledger {str(path)!r} cannot be used: {text}. {_NOT_KEPT} Check it: experiments doctor"


def _busy_text(path: Path) -> str:
    return (
        f"ledger {str(path)!r} was locked by another process for more than {BUSY_S:g} s. "
        f"{_NOT_KEPT} Try again; if it stays so, end the process that holds it: experiments doctor"
    )


def _connection(address: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        address, timeout=BUSY_S, isolation_level=None, check_same_thread=False, uri=address.startswith("file:")
    )
    connection.row_factory = sqlite3.Row
    # One text that is no UTF-8 would otherwise keep its whole table from being read.
    connection.text_factory = lambda content: content.decode("utf-8", "replace")
    return connection


def _migrate(connection: sqlite3.Connection, state_dir: Path, ledger_id: str | None) -> None:
    version = _version(connection)
    if version == len(MIGRATIONS):
        return
    if version:
        _check_version(state_dir / FILE, version)
    connection.execute("BEGIN IMMEDIATE")
    try:
        if version == 0:
            if ledger_id is None:
                _refuse_second(state_dir)
            _create(connection, ledger_id=ledger_id or uuid.uuid4().hex)
        else:
            _apply(connection, version)
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _create(connection: sqlite3.Connection, *, ledger_id: str) -> None:
    connection.execute("CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT")
    connection.execute("INSERT INTO meta VALUES ('ledger_id', ?)", (ledger_id,))
    _apply(connection, 0)


def _apply(connection: sqlite3.Connection, version: int) -> None:
    for statements in MIGRATIONS[version:]:
        for statement in statements:
            connection.execute(statement)
    connection.execute("INSERT OR REPLACE INTO meta VALUES ('schema_version', ?)", (str(len(MIGRATIONS)),))


def _version(connection: sqlite3.Connection) -> int:
    """Return the schema's version; 0 where the file is empty."""
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables:
        return 0
    row = connection.execute("SELECT value FROM meta WHERE name = 'schema_version'").fetchone()
    if row is None:
        raise sqlite3.DatabaseError("malformed: it says no schema_version")
    return int(row[0])


def _migrated_copy(connection: sqlite3.Connection, version: int) -> sqlite3.Connection:
    copy = _connection(":memory:")
    try:
        with closing(connection):
            connection.backup(copy)
        _apply(copy, version)
    except BaseException:
        copy.close()
        raise
    return copy


def _check_version(path: Path, version: int) -> None:
    if version > len(MIGRATIONS):
        raise LedgerError(
            f"ledger {str(path)!r} was written by a later version (schema {version}; this one knows up to "
            f"{len(MIGRATIONS)}). Nothing was changed. Update Experiments: uv sync"
        )


def _empty(connection: sqlite3.Connection, state_dir: Path) -> sqlite3.Connection:
    """Return an empty ledger in place of one without tables, or the same one where these were made just now.

    Raises:
        LedgerError: Jobs were recorded: to show none would be to say that there were none.
    """
    try:
        _refuse_second(state_dir)
    except LedgerError:
        # Looked at after the files that are written after it: it may have been made in between.
        if _version(connection):
            return connection
        raise
    connection.close()
    empty = _connection(":memory:")
    _create(empty, ledger_id="")
    return empty


def _appeared(path: Path) -> bool:
    """Say of a ledger that was not there whether it is now; that it was never there is known where no job left a file.

    Raises:
        LedgerError: It is gone.
    """
    try:
        _refuse_second(path.parent)
    except LedgerError:
        # Looked at after the files that are written after it: it may have been made in between.
        if not path.exists():
            raise
    return path.exists()


def _refuse_second(state_dir: Path) -> None:
    """Refuse a new ledger where one was: its identity would give the same plan other run names, so a second launch.

    Raises:
        LedgerError: Files that only a ledger's jobs leave behind are there.
    """
    for pattern in ("plans/*.json", "runs/*/job.json"):
        if found := next(state_dir.glob(pattern), None):
            raise LedgerError(
                f"ledger {str(state_dir / FILE)!r} is empty or gone, but {str(found.relative_to(state_dir))!r} is "
                f"there. Rebuild it from its runs: {REBUILD}"
            )
