"""What keeps a ledger whole and small: rows are mended, a lost one is filled again, old steps are folded."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from experiments.jobs.ledger import folding
from experiments.jobs.ledger.answers import DamagedText, UnreadableJob
from experiments.jobs.ledger.reading import KEYS
from experiments.jobs.ledger.rows import (
    COLUMNS,
    INSERT_EVENT,
    INSERT_JOB,
    INSERT_PLAN,
    Kept,
    job_row,
    plan_row,
    record_event,
)
from experiments.jobs.ledger.writing import LedgerWriter
from experiments.types import TrainingJob


class LedgerUpkeep(LedgerWriter):
    """A ledger with what is done to it as a whole."""

    def mend(self, row: UnreadableJob, job: TrainingJob | None, why: str) -> None:
        """Put `job` in the place of a row that cannot be read, or take the row out; what stood there becomes an event.

        Args:
            row: From `unreadable`.
            job: What can be read of it; None to take it out.
            why: What was changed, in words.
        """
        columns = ", ".join(f"{name} = ?" for name in COLUMNS)
        with self._writing() as execute:
            [old] = execute("SELECT * FROM jobs WHERE run_name = ?", [row.run_name]).fetchall()
            kind = "removed" if job is None else "mended"
            record_event(execute, time.time(), kind, row.run_name, row.plan_key, {"why": why, "row": dict(old)})
            if job is None:
                execute("DELETE FROM jobs WHERE run_name = ?", [row.run_name])
            else:
                values = [*job_row(job, job.created_at), row.run_name]
                execute(f"UPDATE jobs SET {columns} WHERE run_name = ?", values)  # noqa: S608 - our own words

    def mend_text(self, text: DamagedText, new: str | None) -> None:
        """Put `new` in the place of a text that cannot be read; what stood there becomes an event."""
        with self._writing() as execute:
            record_event(execute, time.time(), "mended", None, None, text._asdict())
            query = f"UPDATE {text.table} SET {text.column} = ? WHERE {KEYS[text.table]} = ?"  # noqa: S608 - our own words
            execute(query, [new, text.key])

    def restore(
        self,
        plans: Sequence[Kept],
        jobs: Sequence[TrainingJob],
        claimed: Mapping[str, str | None],
        events: Sequence[tuple[Any, ...]],
    ) -> None:
        """Fill an empty ledger with what `mending` found on disk.

        Args:
            plans: Plans with what was kept beside them.
            jobs: Jobs in the state that is known of them.
            claimed: Of each job that a process claimed once, and which never starts again, its spec as JSON if known.
            events: Rows as `told` has them, of the old ledger and of its file.
        """
        with self._writing() as execute:
            for kept in plans:
                execute(INSERT_PLAN, plan_row(kept))
            for job in jobs:
                execute(INSERT_JOB, job_row(job, job.created_at))
            for event in events:
                execute(INSERT_EVENT, event)
            now = time.time()
            for name, spec in claimed.items():
                execute("UPDATE jobs SET claimed_at = ?, spec = ? WHERE run_name = ?", [now, spec, name])
            record_event(execute, now, "rebuilt", None, None, {"jobs": len(jobs)})

    def fold(self, before: float) -> int:
        """Fold the steps of jobs whose end was noted before some time (Unix seconds); return how many there were.

        Who asks for events gets the same ones.
        """
        number = 0
        while True:
            with self._writing() as execute:
                now = folding.fold(execute, before)
            if not now:
                return number
            number += now
