"""How plans, jobs and events are written: the rows of the ledger, each looked at before it is kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from experiments.jobs.ledger.answers import UnreadableJob
from experiments.jobs.ledger.reading import JOB_COLUMNS, read_job
from experiments.jobs.ledger.schema import Execute
from experiments.project.errors import LedgerError
from experiments.project.standing import standing
from experiments.types import Plan, TrainingJob


@dataclass(frozen=True)
class Kept:
    """A plan with what is recorded beside it, as `plans/*.json` keeps it in case the ledger is damaged."""

    plan: Plan
    tracker: str
    provenance: Mapping[str, Any]
    created_at: float

    def as_json(self) -> dict[str, Any]:
        """Return the content of the file."""
        return {**vars(self), "plan": self.plan.model_dump(mode="json")}


COLUMNS = tuple(name.strip() for name in JOB_COLUMNS.split(","))
INSERT_JOB = f"INSERT INTO jobs ({JOB_COLUMNS}) VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608 - our own words
INSERT_EVENT = "INSERT INTO events (at, kind, run_name, plan_key, data) VALUES (?, ?, ?, ?, ?)"
INSERT_PLAN = "INSERT INTO plans VALUES (?, ?, ?, ?, ?, ?, ?)"


def plan_row(kept: Kept) -> list[Any]:
    """Return the row of a plan.

    Raises:
        LedgerError: The plan could not be read back from it.
    """
    plan = kept.plan
    try:
        content = plan.model_dump_json()
        Plan.model_validate_json(content)
    except ValueError as error:
        raise _not_recorded(f"plan {plan.key[:16]} of {plan.experiment!r}", str(error)) from error
    provenance = json.dumps(kept.provenance)
    return [plan.key, plan.family, plan.repeat, plan.experiment, content, provenance, kept.created_at]


def job_row(job: TrainingJob, now: float) -> list[Any]:
    """Return the row of a job.

    Raises:
        LedgerError: The job could not be read back from it: a row like that would be seen by nobody who looks.
    """
    try:
        values = job.model_dump(mode="json")
    except ValueError as error:
        raise _not_recorded(f"job {job.run_name!r}", str(error)) from error
    values |= {"config": json.dumps(values["config"]), "command": json.dumps(values["command"]), "created_at": now}
    values |= standing(job)  # JSON leaves out what a seed is
    row = {name: values[name] for name in COLUMNS}
    if isinstance(found := read_job(row), UnreadableJob):
        raise _not_recorded(f"job {job.run_name!r}", found.problem)
    return list(row.values())


def _not_recorded(what: str, problem: str) -> LedgerError:
    problem = " ".join(problem.split())
    return LedgerError(f"{what} is not recorded, since it could not be read back: {problem}. Nothing was launched.")


def record_event(
    execute: Execute, at: float, kind: str, run_name: str | None, plan_key: str | None, data: Mapping[str, Any]
) -> None:
    """Record that something happened to a plan or a job."""
    execute(INSERT_EVENT, [at, kind, run_name, plan_key, json.dumps(data)])
