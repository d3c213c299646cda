"""Start jobs of a project that wait for a device or for memory, once those may be free again.

`python -P -m experiments.jobs.launchers.local.watcher STATE_DIR` returns at once; what it leaves behind looks for as
long as such jobs wait. The end of a job starts the next of its own project. Nobody would tell of a device that another
project, another user or a program of somebody else gives back, or that a job had whose supervisor was killed.
Standard library only: it is there for as long as a job waits.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from experiments.jobs.launchers.local.device_locks import held_parts
from experiments.project.errors import LaunchError
from experiments.project.files import is_locked, try_lock, write_text

AWAITED, LOCK = "waiting", "waiting.lock"
"""Files of `live/`: jobs waited for something of this machine when somebody last looked; and who looks meanwhile."""

WATCHER = (sys.executable, "-P", "-m", "experiments.jobs.launchers.local.watcher")
EVERY_S = 0.5
SOON_S, ANEW_S = 2.0, 60.0
"""After so long it is tried again where that failed, or was killed; and whatever is seen, for other programs and the
driver tell nobody."""

_FAILURES = 10


def starter(state: Path) -> list[str]:
    """Return the command that starts the waiting jobs of a project."""
    return [sys.executable, "-P", "-m", "experiments.jobs.launchers.local.slots", str(state)]


def note_waiting(state: Path, *, is_awaited: bool) -> None:
    """Note whether jobs of a project wait for what this machine has not free, and see to it that somebody looks.

    Raises:
        OSError: It cannot be noted.
    """
    path = state / "live" / AWAITED
    if not is_awaited:
        path.unlink(missing_ok=True)
        return
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        write_text(path, "")
    # The note first: who ends his look looks for it once more when his lock is free.
    if not is_locked(path.with_name(LOCK)):
        subprocess.run([*WATCHER, str(state)], check=False, stdin=subprocess.DEVNULL)


def main(arguments: Sequence[str]) -> int:
    """Leave a process behind that looks."""
    live = Path(arguments[0]) / "live"
    if os.fork():
        return 0
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nothing, stream)
    while (live / AWAITED).exists() and (lock := _lock(live / LOCK)) is not None:
        is_done = _watch(live / AWAITED, starter(live.parent))
        os.close(lock)
        if not is_done:
            break
    return 0


def _lock(path: Path) -> int | None:
    with contextlib.suppress(OSError):  # its project is gone
        return try_lock(path)
    return None


def _watch(awaited: Path, command: Sequence[str]) -> bool:
    """Start what can be started until nothing waits any more; False where that fails again and again."""
    held: frozenset[str] = frozenset()
    due, failures = 0.0, 0
    while awaited.exists():
        before, held = held, _held()
        if before - held or time.monotonic() >= due:
            failed = subprocess.run(command, check=False).returncode != 0
            failures = failures + 1 if failed else 0
            if failures == _FAILURES:
                return False
            due = time.monotonic() + (SOON_S if failed else ANEW_S)
        time.sleep(EVERY_S)
    return True


def _held() -> frozenset[str]:
    with contextlib.suppress(LaunchError):
        return held_parts()
    return frozenset()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
