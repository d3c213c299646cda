"""How much memory a job holds, and how much this machine has for all. Standard library only, for supervisors."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from experiments.jobs.launchers.local.cgroups import most_memory
from experiments.jobs.launchers.local.processes import of_session

_PROC = Path("/proc")
GB = 10**9
RESERVED = "memory_reserved"
"""Key of a job's spec: the bytes that it asks for, which are given to no other job while it runs."""


def over(trainer: int, limit: int) -> int:
    """Return the bytes of memory that a trainer and what it started hold where that is more than a limit; else 0.

    What they share is counted once. Those are the processes of its session, in which its supervisor leads, and all that
    they started. 0 also where nobody can tell, as off Linux.
    """
    try:
        session = os.getsid(trainer)
    except ProcessLookupError:
        return 0
    processes = [_PROC / str(pid) for pid in of_session(session)]
    # To tell what is shared the kernel walks through all pages of a process, which may wait meanwhile.
    if sum(map(_resident, processes)) <= limit:
        return 0
    held = sum(map(_bytes_of, processes))
    return held if held > limit else 0


def _bytes_of(process: Path) -> int:
    """Return the proportional set size of a process; where the kernel does not tell it, the resident set size."""
    with contextlib.suppress(OSError):  # it ended
        for line in (process / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return _resident(process)


def _resident(process: Path) -> int:
    with contextlib.suppress(OSError):
        return int((process / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


def asked(memory: str | None) -> int:
    """Return the bytes that a job asks for, which the machine has to have for it; 0 where it does not say."""
    return int(float(memory.rstrip("+")) * GB) if memory else 0


def of_machine() -> float:
    """Return the bytes of memory of this machine, or of the container that this is; infinite where nobody can tell."""
    found = most_memory()
    with contextlib.suppress(OSError, ValueError, IndexError):
        found = min(found, int((_PROC / "meminfo").read_text().split()[1]) * 1024)
    return found


def limit_of(memory: str | None) -> int | None:
    """Return the bytes that a job may hold which asks for so many GB; None without a limit, as for `32+`."""
    return None if memory is None or memory.endswith("+") else asked(memory)
