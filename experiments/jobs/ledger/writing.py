"""How the ledger is written: each change is one transaction that is on the disk before the next step is taken."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from experiments.jobs.ledger import told
from experiments.jobs.ledger.reading import LedgerReader
from experiments.jobs.ledger.rows import INSERT_EVENT
from experiments.jobs.ledger.schema import FILE, Execute, connect, connect_read_only, sqlite_errors
from experiments.project.errors import LedgerError
from experiments.project.files import write_json


class LedgerWriter(LedgerReader):
    """A ledger that can be written, unless it was opened for reading only."""

    def __init__(self, state_dir: Path, connection: sqlite3.Connection, *, read_only: bool) -> None:
        super().__init__(state_dir, connection)
        self.read_only = read_only

    @classmethod
    def open(cls, state_dir: Path, *, read_only: bool = False) -> Self:
        """Open the ledger in `state_dir`, making it where there is none.

        Raises:
            LedgerError: It is locked, damaged or of a later version.
        """
        connection = connect_read_only(state_dir) if read_only else connect(state_dir)
        return cls(state_dir, connection, read_only=read_only)

    def close(self) -> None:
        """Close the file; nothing is lost without it."""
        with self._lock:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _tell(
        self, execute: Execute, kind: str, data: Mapping[str, object], run: str | None = None, plan: str | None = None
    ) -> None:
        """Record an event that has no other trace, in the file beside the ledger, too."""
        row = (time.time(), kind, run, plan, json.dumps(data))
        told.append(self.state_dir, [row])
        execute(INSERT_EVENT, row)

    def _keep(self, name: str, content: Mapping[str, Any]) -> None:
        folder = self.state_dir / "plans"
        folder.mkdir(exist_ok=True)
        write_json(folder / f"{name}.json", {"ledger_id": self.id, **content}, indent=None)

    @contextmanager
    def _writing(self) -> Iterator[Execute]:
        """Hold SQLite's write lock during a block; all of the block's changes are kept, or none."""
        if self.read_only:
            raise LedgerError(
                f"ledger {str(self.state_dir / FILE)!r} is open for reading only, so nothing was recorded or launched. "
                "Use a command line or `marimo edit`."
            )
        with self._lock, sqlite_errors(self.state_dir / FILE):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection.execute
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
