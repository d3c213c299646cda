"""Jobs that train as far as anybody can tell: real files, locks that are held, and rows when a test says so."""

from __future__ import annotations

import contextlib
import json
import math
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from experiments.jobs.leases import tenure
from experiments.jobs.ledger import open_ledger
from experiments.project.files import boot_id, this_process, try_lock
from experiments.project.workspace import Workspace
from experiments.types import JobRef
from tests.fakes.launching import plan_in, workspace_at
from tests.fakes.wandb_files import LogWriter, exit_record, offline_run
from tests.fakes.wandb_files import run as run_record


@dataclass
class Going:
    """Jobs of the local launcher in a project of their own, which run for as long as this process holds their locks.

    Attributes:
        writers: By run name; what they write is what the run has logged.
        locks: The descriptors of their locks.
    """

    workspace: Workspace
    jobs: list[JobRef]
    writers: dict[str, LogWriter]
    locks: dict[str, int]

    def log(self, rows: int = 1, *, runs: Sequence[str] | None = None) -> None:
        """Have runs, by default all, log so many more rows."""
        for number, (run, writer) in enumerate(self.writers.items()):
            if runs is None or run in runs:
                writer.log(*(_row(writer.step + more, number) for more in range(rows)))

    def end(self, run: str, code: int = 0) -> None:
        """Have a job end."""
        self.writers[run].write(exit_record(code))
        path = self.workspace.runs / run / "job.json"
        done = {"exit_code": code, "ended_at": time.time()}
        _rewrite(path, json.loads(path.read_text()) | done)
        os.close(self.locks.pop(run))

    def end_all(self) -> None:
        """Let go of what is held."""
        while self.locks:
            os.close(self.locks.popitem()[1])


@contextlib.contextmanager
def going(folder: Path, *, arms: Sequence[str] = ("base",), seeds: int = 3, rows: int = 50) -> Iterator[Going]:
    """Yield jobs that train in the project at `folder`, each with some rows already."""
    workspace = workspace_at(folder)
    plan = plan_in(workspace, seeds=range(seeds), arms=arms)
    with open_ledger(workspace) as ledger, tenure() as owner:
        ledger.record_plan(plan, tracker="offline", provenance={})
        wanted = {job.run_name: {} for job in plan.jobs}
        ledger.conclude(owner, accepted={name: name for name in ledger.intend(wanted, "local", owner)})
        jobs = [job.ref() for job in ledger.jobs()]
    found = Going(workspace, jobs, {}, {})
    for job in jobs:
        path = workspace.runs / job.run
        path.mkdir(parents=True, exist_ok=True)
        lock = try_lock(path / "lock")
        assert lock is not None
        found.locks[job.run] = lock
        who = this_process()
        record = {"run_name": job.run, "boot_id": boot_id(), "host": os.uname().nodename, "started_at": time.time()}
        _rewrite(path / "job.json", {**record, "supervisor": who, "trainer": who})
        found.writers[job.run] = offline_run(workspace.runs, job.run, began=time.time())
        found.writers[job.run].write(run_record(job.run, {"trainer": {"total_timesteps": 10_000_000}}))
    found.log(rows)
    try:
        yield found
    finally:
        found.end_all()


def _row(at: int, number: int) -> dict[str, float]:
    reward = (1 - math.exp(-at / 80)) * (1 + number % 4 / 4) + 0.1 * math.sin(at * (number + 1))
    return {"metric/agent_step": 1000 * (at + 1), "overview/reward": reward, "overview/sps": 4000.0}


def _rewrite(path: Path, record: dict[str, object]) -> None:
    draft = path.with_suffix(".tmp")
    draft.write_text(json.dumps(record))
    draft.replace(path)
