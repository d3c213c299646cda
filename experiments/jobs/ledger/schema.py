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

from experiments.jobs.ledger.migrations import MIGRATIONS
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


class Execute(Protocol):
    """`sqlite3.Connection.execute`."""

    def __call__(self, query: str, values: Sequence[Any] = ..., /) -> sqlite3.Cursor:  # noqa: D102 - the class says it
        ...


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
            version = _version(connection)
            if not version:
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


def is_of_before(state_dir: Path) -> bool:
    """Tell whether a state folder's ledger is of an earlier version; not of one that is not there or cannot be read."""
    path = state_dir / FILE
    if not path.exists():
        return False
    try:
        with sqlite_errors(path), closing(_reading(path)) as connection:
            return 0 < _version(connection) < len(MIGRATIONS)
    except LedgerError:
        return False


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
