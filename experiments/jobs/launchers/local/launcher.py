"""Jobs as processes of this machine, which go on when the terminal or notebook that started them is closed.

To submit is to queue: a job starts when `slots.start_next` finds a free slot, and is claimed by its own supervisor.
What its files say of it is one truthful word, and the reason where the word alone would mislead (`status_of`).
"""

from __future__ import annotations

import functools
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.jobs.launchers.base import Absent, Found, JobSpec, SchedulerStatus, Unknown
from experiments.jobs.launchers.local.hopeless import STOPPED
from experiments.jobs.launchers.local.memory import GB
from experiments.jobs.launchers.local.supervisor import (
    CANCEL,
    HEARTBEAT_S,
    JOB,
    LOCK,
    LOG,
    MEMORY,
    OVER,
    OVER_MEMORY,
    is_claimable,
    left_s,
)
from experiments.project.errors import LaunchError
from experiments.project.files import boot_id, is_alive, is_locked, read_json, try_lock, write_json
from experiments.project.state_words import SCHEDULER_ENDS
from experiments.runs.offline.places import wandb_files, wandb_folders
from experiments.runs.textlog import complete_lines, line_of, seek_last

SUPERVISOR = (sys.executable, "-P", "-m", "experiments.jobs.launchers.local.supervisor")
WAITS = "waits"
"""File of a run with the reason why its job waits, where that is not the number of slots."""

_CLAIM_WAIT_S = 10.0


class LocalLauncher:
    """Where jobs are processes of this machine.

    Attributes:
        batch: How many jobs may be handed over between two writes to the ledger; to queue is instant and harmless.
        at_once: How many threads may hand jobs over at the same time.
    """

    name = "local"
    batch = 1000
    at_once = 1

    def __init__(self, state_dir: Path) -> None:
        self._runs = state_dir / "runs"

    def target(self) -> str:
        """Return the one place there is; a ledger never leaves its machine."""
        return "local"

    def reaches(self, target: str) -> bool:
        """Tell whether a place is the one there is."""
        return target == self.target()

    def prepared(self, job: JobSpec) -> dict[str, Any]:  # noqa: ARG002
        """Return nothing: whoever starts a waiting job has all of it in its spec."""
        return {}

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
        if not self.reaches(target):
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


@dataclass(frozen=True)
class Evidence:
    """What can be observed of a claimed job besides its record.

    Attributes:
        locked: Whether a process of the job holds its lock: it is alive.
        supervisor_alive: Whether the recorded supervisor runs.
        started: Whether a process became the trainer, or was about to.
        same_boot: Whether the machine was not restarted since the claim; None where that cannot be told.
        same_host: Whether the record was made on a machine of this name.
        supervisor_seen_at: Unix seconds of the supervisor's last sign of life.
        output_at: Unix seconds of the trainer's last output; None where it is still alive.
    """

    locked: bool
    supervisor_alive: bool
    started: bool
    same_boot: bool | None
    same_host: bool
    supervisor_seen_at: float | None = None
    output_at: float | None = None


def status_of(run_dir: Path) -> SchedulerStatus | None:
    """Return the status of the local job in `run_dir`; None where there is no such folder."""
    try:
        record = _record(run_dir)
        if record is None:
            return _without_record(run_dir)
        status = _of_record(run_dir, record)
        if status.word in {"LOST", "PENDING"} and (again := _record(run_dir) or record) != record:
            # It started or ended between the two looks; its record says more than "nobody is there".
            status = _of_record(run_dir, again)
    except OSError as error:
        return SchedulerStatus("UNKNOWN", reason=f"{run_dir / JOB} cannot be read: {error}")
    except ValueError as error:
        word = "RUNNING" if is_locked(run_dir / LOCK) else "LOST"
        return SchedulerStatus(word, reason=f"{run_dir / JOB} is damaged ({error}); only its lock says how it is")
    return status


def _record(run_dir: Path) -> Mapping[str, Any] | None:
    """Return what `read_json` does of a job's record; a page asks every second, and few records ever change."""
    path = run_dir / JOB
    try:
        found = os.stat(path)  # noqa: PTH116 - hundreds of these per poll
    except FileNotFoundError:
        return None
    return _read_record(path, (found.st_ino, found.st_size, found.st_mtime_ns))


@functools.lru_cache(maxsize=1024)
def _read_record(path: Path, _stamp: tuple[int, int, int]) -> Mapping[str, Any] | None:
    return read_json(path)


_this_boot = functools.cache(boot_id)


def _without_record(run_dir: Path) -> SchedulerStatus | None:
    if (run_dir / LOG).exists():
        return SchedulerStatus("LOST", reason=f"{JOB} is gone from its folder; how it ended is not known")
    return SchedulerStatus("PENDING", reason=_waits_for(run_dir)) if run_dir.is_dir() else None


def _waits_for(run_dir: Path) -> str:
    try:
        return (run_dir / WAITS).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return "waits for a free slot"


def _of_record(run_dir: Path, record: Mapping[str, Any]) -> SchedulerStatus:
    if record.get("ended_at") is not None:
        return ended(record)
    return unended(record, _observe(run_dir, record))


def ended(record: Mapping[str, Any]) -> SchedulerStatus:
    """Return the status of a job whose end its supervisor recorded."""
    code = record.get("exit_code")
    word, reason = "FAILED", ""
    if record.get("cancelled"):
        word, reason = "CANCELLED", _cancel_reason(record)
    elif record.get(OVER):
        word, reason = "TIMED_OUT", _time_words(record)
    elif record.get(STOPPED):
        word, reason = "STOPPED", f"stopped by its stop_when: {record[STOPPED]}"
    elif record.get(OVER_MEMORY):
        held, limit = (f"{record[key] / GB:.3g}" for key in (OVER_MEMORY, MEMORY))
        at = f"held {held} GB, over" if record[OVER_MEMORY] > record[MEMORY] else "was about to hold more than"
        word, reason = "OUT_OF_MEMORY", f"ended when it {at} its memory of {limit} GB"
    elif record.get("error"):
        reason = str(record["error"])
    elif code == 0:
        word = "SUCCEEDED"
    elif code is not None and code < 0:
        word, reason = "KILLED", f"the trainer was killed by {_signal_name(-code)}"
    else:
        reason = f"the trainer ended with exit code {code}"
    return _status(record, word, reason)


def unended(record: Mapping[str, Any], seen: Evidence) -> SchedulerStatus:
    """Return the status of a claimed job without a recorded end, from what can be observed."""
    last = f"last seen at {_clock(seen.supervisor_seen_at)}"
    if not seen.same_host and not seen.same_boot:
        word, reason = "UNKNOWN", f"it was started on {record.get('host')!r}; only that machine can say how it is"
    elif not seen.started and seen.locked:
        word, reason = "STARTING", ""
    elif not seen.started:
        word, reason = "PENDING", f"its supervisor was killed before it started the trainer ({last})"
    elif seen.same_boot is False:
        word, reason = "RESTARTED", f"the machine was restarted while the job ran ({last})"
    elif seen.locked and seen.supervisor_alive:
        word, reason = "RUNNING", ""
    elif seen.locked:
        word, reason = "RUNNING", f"its supervisor was killed ({last}), so its exit code will not be known"
        limit = "; its max_runtime_hours holds only while somebody looks at the jobs"
        reason += limit if record.get("max_runtime_s") is not None else ""
    else:
        word, reason = "LOST", _how_lost(record, seen, last)
    return _status(record, word, reason)


def _how_lost(record: Mapping[str, Any], seen: Evidence, last: str) -> str:
    if not record.get("trainer"):
        return f"its supervisor was killed as it started the trainer ({last}), whose exit code is unknown"
    seen_at, output_at = seen.supervisor_seen_at, seen.output_at
    if seen_at is not None and output_at is not None and output_at > seen_at + 2 * HEARTBEAT_S:
        return f"its supervisor was killed ({last}); the trainer went on and ended unseen, exit code unknown"
    return f"supervisor and trainer ended without a record ({last}): both were killed, or the trainer soon after"


def _observe(run_dir: Path, record: Mapping[str, Any]) -> Evidence:
    boot, recorded = _this_boot(), record.get("boot_id")
    # The lock first: a supervisor that ends after this look has then at worst recorded its end already.
    locked = is_locked(run_dir / LOCK)
    return Evidence(
        locked=locked,
        supervisor_alive=is_alive(record.get("supervisor")),
        started=bool(record.get("trainer")) or (run_dir / LOG).exists(),
        same_boot=boot == recorded if boot and recorded else None,
        same_host=record.get("host") == socket.gethostname(),
        supervisor_seen_at=_modified(run_dir / LOCK),
        # Of a job that is alive nobody asks, and a run's folders take long to look through.
        output_at=None if locked else max((at for path in _outputs(run_dir) if (at := _modified(path))), default=None),
    )


def _cancel_reason(record: Mapping[str, Any]) -> str:
    if not record.get("supervisor"):
        return "cancelled before it started"
    if record.get("started_at") and record.get("exit_code") is None:
        return "its supervisor had been killed, so its exit code is not known"
    return ""


def _time_words(record: Mapping[str, Any]) -> str:
    text = f"ended after {record['max_runtime_s'] / 3600:g} h, its max_runtime_hours"
    return text if record.get("exit_code") is not None else f"{text}; its supervisor had been killed"


def needs_a_look(status: SchedulerStatus) -> bool:
    """Say whether a local job may start, or runs without a supervisor, perhaps past its time."""
    return status.word == "PENDING" or (status.word == "RUNNING" and bool(status.reason))


def is_overdue(run_dir: Path) -> bool:
    """Say whether a job runs past its `max_runtime_hours` because its supervisor, which would end it, was killed."""
    try:
        record = read_json(run_dir / JOB) or {}
    except (OSError, ValueError):
        return False  # only its lock says anything; what cannot be read sets no limit
    if record.get("ended_at") is not None or record.get("boot_id") != boot_id() or left_s(record) > 0:
        return False
    return is_locked(run_dir / LOCK) and not is_alive(record.get("supervisor"))


def _outputs(run_dir: Path) -> list[Path]:
    return [run_dir / LOG, *wandb_files(wandb_folders(run_dir))]


def _status(record: Mapping[str, Any], word: str, reason: str) -> SchedulerStatus:
    return SchedulerStatus(
        word,
        reason=reason,
        started_at=record.get("started_at"),
        ended_at=record.get("ended_at"),
        exit_code=record.get("exit_code"),
    )


def _modified(path: Path) -> float | None:
    try:
        return path.stat().st_mtime
    except OSError:
        return None


def _clock(at: float | None) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at)) if at is not None else "an unknown time"


def _signal_name(number: int) -> str:
    try:
        name = signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
    return f"signal {number} ({name})" + (": out of memory?" if name == "SIGKILL" else "")
