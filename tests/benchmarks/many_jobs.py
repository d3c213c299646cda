"""A project with as many ended jobs as a lab has in a year."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from experiments.jobs.leases import tenure
from experiments.jobs.ledger import open_ledger
from experiments.jobs.ledger.schema import FILE
from experiments.project.files import boot_id
from experiments.project.workspace import Workspace
from tests.fakes.launching import plan_in, workspace_at
from tests.fakes.wandb_files import exit_record, offline_run, run

_A_PLAN = 1_000


def project_of(folder: Path, jobs: int, *, with_files: int = 0, further: int = 0) -> Workspace:
    """Return a project whose ledger has so many local jobs that succeeded, the newest of them with their files.

    Args:
        further: Events of each job beside the three that every one has.
    """
    folder.mkdir()
    (folder / "pyproject.toml").write_text("[tool.experiments]\n")
    workspace = workspace_at(folder)
    names: list[str] = []
    for first in range(0, jobs, _A_PLAN):
        plan = plan_in(workspace, seeds=range(first, min(jobs, first + _A_PLAN)))
        names += [job.run_name for job in plan.jobs]
        with open_ledger(workspace) as ledger, tenure() as owner:
            ledger.record_plan(plan, tracker="offline", provenance={})
            wanted = {job.run_name: {} for job in plan.jobs}
            ledger.conclude(owner, accepted={name: name for name in ledger.intend(wanted, "here", owner)})
            ledger.settle(dict.fromkeys(wanted, _ended() | {"word": "SUCCEEDED"}))
    with closing(sqlite3.connect(workspace.state / FILE)) as ledger, ledger:
        for number in range(further):
            query = "INSERT INTO events (at, kind, run_name, data) SELECT created_at, ?, run_name, ? FROM jobs"
            ledger.execute(query, [f"further_{number}", json.dumps({"id": "2979", "user": "ada"})])
    for name in names[len(names) - with_files :]:
        _write_files(workspace.runs, name)
    return workspace


def _ended() -> dict[str, float]:
    now = time.time()
    return {"exit_code": 0, "started_at": now - 100, "ended_at": now - 10}


def _write_files(runs: Path, name: str) -> None:
    log = offline_run(runs, name).write(run(name))
    log.log(*({"_step": step, "overview/reward": step * 0.1, "metric/agent_step": step * 10} for step in range(10)))
    log.write(exit_record(0))
    who = {"supervisor": {"pid": 1, "start": "1"}, "trainer": {"pid": 1, "start": "1"}}
    record = {"run_name": name, "boot_id": boot_id(), "host": os.uname().nodename, **who, **_ended()}
    (runs / name / "job.json").write_text(json.dumps(record))
