"""Start jobs of a project that wait for a device, memory or a slot, once these may be free again.

`python -P -m experiments.jobs.launchers.local.watcher STATE_DIR` returns at once; what it leaves behind looks for as
long as such jobs wait. The end of a job starts the next of its own project, and carries on what goes on by itself.
Nobody would tell of a device that another project, another user or a program of somebody else gives back, nor of the
end of a job whose supervisor was killed.
Standard library only: it is there for as long as a job waits.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from experiments.jobs.launchers.local.device_locks import held_parts
from experiments.jobs.launchers.local.supervisor import JOB
from experiments.jobs.launchers.local.supervisor import LOCK as RUN_LOCK
from experiments.project.errors import LaunchError
from experiments.project.files import is_locked, read_json, try_lock, write_text

AWAITED, LOCK = "waiting", "waiting.lock"
"""Files of `live/`: what jobs waited for when somebody last looked; and who looks meanwhile."""

MACHINE, OWN = "machine", "own"
"""What the file says: for something of which nobody tells, or only for the end of jobs of the project."""

WATCHER = (sys.executable, "-P", "-m", "experiments.jobs.launchers.local.watcher")
EVERY_S = 0.5
SOON_S, ANEW_S, OWN_ANEW_S = 2.0, 60.0, 600.0
"""After so long it is tried again where that failed, or was killed; whatever is seen, for other programs and the driver
tell nobody; and where only jobs of the project are waited for."""

_FAILURES = 10
_SCAN_S = 2.0


def starter(state: Path) -> list[str]:
    """Return the command that starts the waiting jobs of a project."""
    return [sys.executable, "-P", "-m", "experiments.jobs.launchers.local.slots", str(state)]


@contextlib.contextmanager
def waiting_noted(state: Path, what: str | None) -> Iterator[None]:
    """Note what jobs of a project wait for, and see to it that somebody looks; the block goes on meanwhile.

    What cannot be noted is not: the end of each job starts the next all the same.

    Args:
        what: `MACHINE`, `OWN`, or None where nothing is waited for.
    """
    leaving = None
    with contextlib.suppress(OSError):
        leaving = _note(state / "live" / AWAITED, what)
    try:
        yield
    finally:
        if leaving is not None:
            leaving.wait()  # it ends as soon as it has left the watcher behind


def _note(path: Path, what: str | None) -> subprocess.Popen[bytes] | None:
    if what is None:
        path.unlink(missing_ok=True)
        return None
    if _read(path) != what:
        path.parent.mkdir(exist_ok=True)
        write_text(path, what)
    # The note first: who ends his look looks for it once more when his lock is free.
    if is_locked(path.with_name(LOCK)):
        return None
    return subprocess.Popen([*WATCHER, str(path.parent.parent)], stdin=subprocess.DEVNULL)


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
    ours = _Ours(awaited.parent.parent / "runs")
    began, due, failures = time.monotonic(), 0.0, 0
    while (what := _read(awaited)) is not None:
        before, held = held, _held() if what == MACHINE else frozenset()
        orphaned = ours.has_lost_one()
        pause = ANEW_S if what == MACHINE else OWN_ANEW_S
        if before - held or orphaned or time.monotonic() >= (due or began + (0 if what == MACHINE else pause)):
            failed = subprocess.run(command, check=False).returncode != 0
            failures = failures + 1 if failed else 0
            if failures == _FAILURES:
                return False
            due = time.monotonic() + (SOON_S if failed else pause)
        time.sleep(EVERY_S)
    return True


def _read(awaited: Path) -> str | None:
    try:
        return awaited.read_text()
    except OSError:
        return None


class _Ours:
    """The jobs of the project that run, as their locks tell."""

    def __init__(self, runs: Path) -> None:
        self._runs, self._running, self._over = runs, set[str](), set[str]()
        self._due = 0.0

    def has_lost_one(self) -> bool:
        """Tell whether a job has ended whose supervisor did not see it: that starts no other, and takes no step."""
        if time.monotonic() >= self._due:
            self._due = time.monotonic() + _SCAN_S
            with contextlib.suppress(OSError):
                for run in self._runs.iterdir():
                    if run.name not in self._over and (run / JOB).exists() and not self._has_ended(run.name):
                        self._running.add(run.name)
        ended = {name for name in self._running if self._has_ended(name)}
        self._running -= ended
        return any(not self._has_recorded_its_end(name) for name in ended)

    def _has_ended(self, name: str) -> bool:
        if is_locked(self._runs / name / RUN_LOCK):
            return False
        self._over.add(name)
        return True

    def _has_recorded_its_end(self, name: str) -> bool:
        with contextlib.suppress(OSError, ValueError):
            return bool((read_json(self._runs / name / JOB) or {}).get("ended_at"))
        return False


def _held() -> frozenset[str]:
    with contextlib.suppress(LaunchError):
        return held_parts()
    return frozenset()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
