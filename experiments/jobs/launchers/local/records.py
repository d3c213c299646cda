"""What a local job's files say of it: one truthful word, and the reason where the word alone would mislead."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.jobs.launchers.base import SchedulerStatus
from experiments.jobs.launchers.local.supervisor import HEARTBEAT_S, JOB, LOCK, LOG, OVER, left_s
from experiments.project.files import boot_id, is_alive, is_locked, read_json
from experiments.runs.offline.places import wandb_files, wandb_folders


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
        record = read_json(run_dir / JOB)
        if record is None:
            return _without_record(run_dir)
        status = _of_record(run_dir, record)
        if status.word in {"LOST", "PENDING"} and (again := read_json(run_dir / JOB) or record) != record:
            # It started or ended between the two looks; its record says more than "nobody is there".
            status = _of_record(run_dir, again)
    except OSError as error:
        return SchedulerStatus("UNKNOWN", reason=f"{run_dir / JOB} cannot be read: {error}")
    except ValueError as error:
        word = "RUNNING" if is_locked(run_dir / LOCK) else "LOST"
        return SchedulerStatus(word, reason=f"{run_dir / JOB} is damaged ({error}); only its lock says how it is")
    return status


def _without_record(run_dir: Path) -> SchedulerStatus | None:
    if (run_dir / LOG).exists():
        return SchedulerStatus("LOST", reason=f"{JOB} is gone from its folder; how it ended is not known")
    return SchedulerStatus("PENDING", reason="waits for a free slot") if run_dir.is_dir() else None


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
        word, reason = "LOST", f"the machine was restarted while the job ran ({last})"
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
    boot, recorded = boot_id(), record.get("boot_id")
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
