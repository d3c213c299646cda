"""Which processes belong to a local job, also those that its trainer gave sessions of their own, as torchrun does.

Standard library only, for supervisors.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path

from experiments.project.files import is_alive, start_time

_PROC = Path("/proc")
_ENDS_WITHIN_S = 2.0


def of_session(session: int) -> list[int]:
    """Return the processes of a session without its leader, and all that they started; none off Linux."""
    started: dict[int, list[int]] = {}
    found: list[int] = []
    for process in _PROC.iterdir() if _PROC.exists() else ():
        if process.name.isdigit():
            with contextlib.suppress(OSError):
                # The name of a program, in brackets, may itself hold brackets and blanks.
                fields = (process / "stat").read_text(errors="replace").rpartition(")")[2].split()
                pid, parent, its_session = int(process.name), int(fields[1]), int(fields[3])
                started.setdefault(parent, []).append(pid)
                if its_session == session != pid:
                    found.append(pid)
    for pid in found:  # grows while it is gone through
        found += [child for child in started.get(pid, ()) if child not in found]
    return found


def of_trainer(trainer: int) -> dict[int, str | None]:
    """Return the processes of a trainer's job by id, with when each was started, which tells it from a later one."""
    with contextlib.suppress(ProcessLookupError):
        session = os.getsid(trainer)
        return {pid: start_time(pid) for pid in of_session(session)}
    return {}


def end_all(processes: Mapping[int, str | None], deadline: float) -> None:
    """Wait until processes have ended; kill those that have not by then.

    What follows its trainer on its own, such as the one that writes W&B's files, has until then for it.

    Args:
        processes: As `of_trainer` returns them.
        deadline: Of `time.monotonic`.
    """
    deadline = max(deadline, time.monotonic())
    while living := [pid for pid, start in processes.items() if start and is_alive({"pid": pid, "start": start})]:
        if time.monotonic() > deadline + _ENDS_WITHIN_S:
            return  # what the kernel does not let go of
        if time.monotonic() > deadline:
            for pid in living:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
        time.sleep(0.1)
