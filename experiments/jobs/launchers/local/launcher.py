"""Jobs as processes of this machine, which go on when the terminal or notebook that started them is closed.

To submit is to queue: a job starts when `slots.start_next` finds a free slot, and is claimed by its own supervisor.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from experiments.jobs.launchers.base import Absent, Found, JobSpec, SchedulerStatus, Unknown
from experiments.jobs.launchers.local.records import status_of
from experiments.jobs.launchers.local.supervisor import CANCEL, JOB, LOCK, LOG, is_claimable
from experiments.project.errors import LaunchError
from experiments.project.files import is_alive, is_locked, read_json, try_lock, write_json
from experiments.project.state_words import SCHEDULER_ENDS
from experiments.runs.textlog import complete_lines, line_of, seek_last

SUPERVISOR = (sys.executable, "-P", "-m", "experiments.jobs.launchers.local.supervisor")
_CLAIM_WAIT_S = 10.0


class LocalLauncher:
    """Where jobs are processes of this machine.

    Attributes:
        batch: How many jobs may be handed over between two writes to the ledger; to queue is instant and harmless.
    """

    name = "local"
    batch = 1000

    def __init__(self, state_dir: Path) -> None:
        self._runs = state_dir / "runs"

    def target(self) -> str:
        """Return the one place there is; a ledger never leaves its machine."""
        return "local"

    def submit(self, job: JobSpec) -> str:
        """Make the run's folder; the job waits in the ledger for a slot.

        Raises:
            LaunchError: The folder cannot be made.
        """
        try:
            job.run_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LaunchError(f"run folder {str(job.run_dir)!r} cannot be made: {error.strerror}.") from error
        return job.run_name

    def find(self, run_name: str, target: str) -> Found | Absent | Unknown:
        """Say whether a process ever claimed the job."""
        if target != self.target():
            return Unknown(f"it was launched to {target!r}, which is not a place of the local launcher")
        return Found(run_name) if (self._runs / run_name / JOB).exists() else Absent()

    def poll(self, jobs: Mapping[str, str]) -> dict[str, SchedulerStatus]:
        """Return the status of each job that has a folder."""
        found = {name: status_of(self._runs / name) for name in jobs}
        return {name: status for name, status in found.items() if status is not None}

    def cancel(self, jobs: Sequence[tuple[str, str]]) -> None:
        """End each job: one that waits never starts, one that runs gets TERM and, after a grace, KILL.

        Raises:
            LaunchError: A job's folder cannot be written; the other jobs were cancelled.
        """
        failed = []
        for run_name, _ in jobs:
            try:
                self._cancel(self._runs / run_name)
            except OSError as error:
                failed.append(f"{run_name!r} cannot be cancelled: {error}")
        if failed:
            raise LaunchError("; ".join(failed) + ". See its processes: experiments status")

    def logs(
        self,
        run_name: str,
        job_id: str,  # noqa: ARG002 - one id here
        *,
        follow: bool = False,
        last: int | None = None,
    ) -> Iterator[str]:
        """Yield the lines of `train.log`; with `follow`, until the job has ended."""
        run_dir = self._runs / run_name
        while follow and not (run_dir / LOG).exists() and not self._has_ended(run_dir):
            time.sleep(0.2)
        try:
            file = (run_dir / LOG).open("rb")
        except FileNotFoundError:
            return
        with file:
            seek_last(file, last)
            torn = bytearray()
            while True:
                last_look = not follow or self._has_ended(run_dir)
                yield from complete_lines(file, torn)
                if last_look:
                    break
                time.sleep(0.2)
            if torn:
                yield line_of(torn)

    def _has_ended(self, run_dir: Path) -> bool:
        status = status_of(run_dir)
        return status is None or status.word in SCHEDULER_ENDS

    def _cancel(self, run_dir: Path) -> None:
        if self._claim_cancelled(run_dir):
            return
        write_json(run_dir / CANCEL, {"asked_at": time.time()})
        try:
            record = read_json(run_dir / JOB) or {}
        except ValueError:
            record = {}
        supervisor = record.get("supervisor")
        if supervisor is not None and is_alive(supervisor):
            os.kill(supervisor["pid"], signal.SIGTERM)
        elif record.get("ended_at") is None and is_locked(run_dir / LOCK):
            subprocess.run([*SUPERVISOR, "--end", str(run_dir)], check=False, start_new_session=True)

    def _claim_cancelled(self, run_dir: Path) -> bool:
        """Claim a job that was not started, so that nobody can start it; False where it was, or has ended."""
        run_dir.mkdir(parents=True, exist_ok=True)
        deadline = time.monotonic() + _CLAIM_WAIT_S
        while (lock := try_lock(run_dir / LOCK)) is None:
            if (run_dir / LOG).exists() or time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        try:
            if not is_claimable(run_dir):
                return False
            now = time.time()
            record = read_json(run_dir / JOB) or {"run_name": run_dir.name, "claimed_at": now}
            write_json(run_dir / JOB, {**record, "supervisor": None, "cancelled": True, "ended_at": now})
        finally:
            os.close(lock)
        return True
