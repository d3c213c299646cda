"""The durable record of plans and jobs: what was asked for, what was handed to a launcher, and what came of it.

Every change is one SQLite transaction that is on the disk before the next step is taken, so whatever is killed when,
the ledger names every job that may exist. Several processes use it at once.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from experiments.jobs import permits
from experiments.jobs.ledger import budgets
from experiments.jobs.ledger.answers import Annotation, Event, OpenJob, UnreadableJob
from experiments.jobs.ledger.budgeting import LedgerBudgets
from experiments.jobs.ledger.budgets import cost_of_job
from experiments.jobs.ledger.rows import INSERT_JOB, INSERT_PLAN, Kept, job_row, plan_row, record_event
from experiments.jobs.ledger.schema import is_of_before
from experiments.jobs.plan import training_jobs
from experiments.project.errors import LedgerError
from experiments.project.settings import check_state
from experiments.project.workspace import Workspace
from experiments.types import Plan, TrainingJob

__all__ = ["Annotation", "Event", "Ledger", "OpenJob", "UnreadableJob", "bring_up_to_date", "open_ledger"]


class Ledger(LedgerBudgets):
    """The ledger of one state folder; safe to share between threads."""

    def record_plan(
        self,
        plan: Plan,
        *,
        tracker: str = "offline",
        provenance: Mapping[str, Any] | None = None,
        budget: str | None = None,
        why: tuple[str, Mapping[str, Any]] | None = None,
    ) -> bool:
        """Record a plan and its jobs, all of them `planned`; say whether it was not there before.

        Args:
            budget: Name of the budget that its jobs draw on; None where a person asked for each of them.
            why: Kind and data of what led to the plan, an event of it that is recorded with it or not at all.

        Raises:
            LedgerError: It could not be recorded, or not be read back; then no part of it is.
            LaunchError: The budget is not enough, or has ended; then no part of it is, either.
        """
        if self.has_plan(plan.key):
            return False
        self._expire_budgets()
        now = time.time()
        # Before the rows, so that a damaged ledger can be rebuilt with the jobs that nobody started yet.
        kept = Kept(plan, tracker=tracker, provenance=dict(provenance or {}), created_at=now)
        of_plan, jobs = plan_row(kept), [job_row(job, now) for job in training_jobs(plan, tracker=tracker)]
        with self._writing() as execute:
            if execute("SELECT 1 FROM plans WHERE key = ?", [plan.key]).fetchone():
                return False
            if budget is not None:
                budgets.draw(execute, budget, {job.run_name: cost_of_job(job, plan.launcher) for job in plan.jobs})
            self._keep(plan.key[:32], kept.as_json())
            execute(INSERT_PLAN, of_plan)
            for job in jobs:
                execute(INSERT_JOB, job)
            record_event(execute, now, "planned", None, plan.key, {"jobs": len(jobs)})
            if why is not None:
                self._tell(execute, why[0], why[1], plan=plan.key)
        return True

    def add_attempt(self, job: TrainingJob, *, budget: str | None = None) -> bool:
        """Record a further attempt of an arm and seed; say whether it was not there before.

        Args:
            budget: Name of the budget that it draws on; None for that of the attempt before it, where that had one.

        Raises:
            LedgerError: It could not be recorded, or not be read back; then no part of it is.
            LaunchError: The budget is not enough, or has ended.
        """
        self._expire_budgets()
        now = time.time()
        row = job_row(job, now)
        with self._writing() as execute:
            if execute("SELECT 1 FROM jobs WHERE run_name = ?", [job.run_name]).fetchone():
                return False
            cost = cost_of_job(job, job.launcher)
            if budget is None:
                budgets.draw_again(execute, job, cost)
            else:
                budgets.draw(execute, budget, {job.run_name: cost})
            self._keep(job.run_name, {"job": job.model_dump(mode="json"), "created_at": now})
            execute(INSERT_JOB, row)
            record_event(execute, now, "planned", job.run_name, job.plan_key, {"retry_of": job.retry_of})
        return True

    def settle(self, outcomes: Mapping[str, Mapping[str, Any]]) -> None:
        """Record the final status of jobs that have ended, as the fields of a `SchedulerStatus`."""
        with self._writing() as execute:
            now = time.time()
            for name, outcome in outcomes.items():
                query = "UPDATE jobs SET outcome = ? WHERE run_name = ? AND outcome IS NULL"
                if execute(query, [json.dumps(outcome), name]).rowcount:
                    budgets.settle(execute, name, outcome)
                    record_event(execute, now, "ended", name, None, dict(outcome))

    def add_event(self, kind: str, *, run_name: str | None = None, plan_key: str | None = None, **data: object) -> None:
        """Record something that happened to a job or a plan, with `data` as JSON values."""
        with self._writing() as execute:
            self._tell(execute, kind, data, run_name, plan_key)

    def add_events(self, kind: str, run_names: Iterable[str]) -> None:
        """Record the same of several jobs: of all or of none."""
        with self._writing() as execute:
            for name in run_names:
                self._tell(execute, kind, {}, name)

    def annotate(
        self,
        run_names: Iterable[str],
        *,
        note: str | None = None,
        add_tags: Sequence[str] = (),
        remove_tags: Sequence[str] = (),
    ) -> None:
        """Write a note (None leaves it, an empty one removes it) and tags to jobs."""
        data = {"note": note, "added": list(add_tags), "removed": list(remove_tags)}
        with self._writing() as execute:
            for name in run_names:
                self._tell(execute, "annotated", data, name)

    def set_setting(self, name: str, value: str) -> None:
        """Keep a value that every process which uses this ledger should know."""
        if self.setting(name) != value:
            with self._writing() as execute:
                execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", [f"setting.{name}", value])


def bring_up_to_date(workspace: Workspace) -> None:
    """Migrate a ledger of an earlier version for good, where this process may write it.

    Whoever only reads it copies all of it to memory first: half a gigabyte of a hundred thousand jobs, each time.
    """
    if permits.read_only() or not is_of_before(workspace.state):
        return
    with contextlib.suppress(LedgerError):  # of one that is locked or cannot be written a copy is read, as before
        Ledger.open(workspace.state).close()


def open_ledger(workspace: Workspace, *, read_only: bool = False) -> Ledger:
    """Open the ledger of a project; in a read-only process never to write.

    Raises:
        LedgerError: It is locked, damaged or of a later version.
        UsageError: It is to be written, and the state folder cannot be made.
    """
    only_reads = read_only or permits.read_only()
    if not only_reads:
        check_state(workspace.state)
    return Ledger.open(workspace.state, read_only=only_reads)
