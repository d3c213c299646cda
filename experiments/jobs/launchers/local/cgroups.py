"""What Linux's control groups say of this process, and one of its own for a job that asks for memory.

Standard library only, for supervisors.
"""

from __future__ import annotations

import contextlib
import math
import os
import time
from collections.abc import Iterator
from pathlib import Path

_OURS = Path("/proc/self/cgroup")
_MOUNTED = Path("/sys/fs/cgroup")
_TRIES = 10
_NOTHING_SAID = ("max", "-1")


def most_cores() -> float:
    """Return how many cores' time this process may use, by the quotas of its groups; infinite without one."""
    found = [math.inf]
    for folder in _folders("cpu"):
        with contextlib.suppress(OSError, ValueError):
            one = (folder / "cpu.max").read_text().split()
            found += [int(one[0]) / int(one[1])] if one[0] not in _NOTHING_SAID else []
        with contextlib.suppress(OSError, ValueError):  # version 1
            quota = (folder / "cpu.cfs_quota_us").read_text().strip()
            period = int((folder / "cpu.cfs_period_us").read_text())
            found += [int(quota) / period] if quota not in _NOTHING_SAID else []
    return min(found)


def most_memory() -> float:
    """Return how many bytes of memory this process and its kin may hold, by their groups; infinite without a limit."""
    found = [math.inf]
    for folder in _folders("memory"):
        for name in ("memory.max", "memory.limit_in_bytes"):
            with contextlib.suppress(OSError, ValueError):  # "max" is no limit
                found.append(int((folder / name).read_text()))
    return min(found)


def group_of(name: str, memory: int) -> Path | None:
    """Make a control group (version 2) that holds no more memory than it may; None where this user may make none.

    Groups are made where whoever runs the machine lets this user make some, as systemd does below a user's own; nothing
    that is there is changed.

    Args:
        name: Of the job that will be in it.
        memory: Bytes.
    """
    for folder in _folders(""):
        with contextlib.suppress(OSError):
            # Who may not move a process out of a group that holds this one cannot move it into another below it.
            if "memory" in (folder / "cgroup.subtree_control").read_text().split() and _may_write(folder):
                group = folder / f"experiments-{name}"
                group.mkdir(exist_ok=True)
                try:
                    (group / "memory.max").write_text(str(memory))
                except OSError:
                    group.rmdir()
                    raise
                for file, value in (("memory.swap.max", "0"), ("memory.oom.group", "1")):
                    with contextlib.suppress(OSError):  # a kernel without swap, or older
                        (group / file).write_text(value)
                return group
    return None


def _may_write(folder: Path) -> bool:
    return os.access(folder, os.W_OK) and os.access(folder / "cgroup.procs", os.W_OK)


def enter(group: Path) -> None:
    """Move this process into a group; it stays where it is where that fails."""
    with contextlib.suppress(OSError):
        (group / "cgroup.procs").write_text("0")


def is_in(pid: int, group: Path) -> bool:
    """Say whether a process is in a group."""
    with contextlib.suppress(OSError, ValueError):
        return str(pid) in (group / "cgroup.procs").read_text().split()
    return False


def held_at_its_end(group: Path) -> int:
    """Return the most bytes that a group held of which the kernel ended processes for their memory; 0 where it did not.

    The group is gone then, unless processes in it go on.
    """
    held = 0
    with contextlib.suppress(OSError, ValueError):
        events = dict(line.split() for line in (group / "memory.events").read_text().splitlines())
        if int(events["oom_kill"]):
            held = int((group / "memory.max").read_text())
            held = int((group / "memory.peak").read_text())  # kernels before 5.19 do not tell it
    for _ in range(_TRIES):
        try:
            group.rmdir()
            break
        except OSError:  # what the kernel ended with the trainer takes a moment to be gone
            time.sleep(0.1)
    return held


def _folders(controller: str) -> Iterator[Path]:
    """Yield the groups that this process is in, the nearest first: of version 2, and of a controller of version 1."""
    try:
        lines = _OURS.read_text().splitlines()
    except OSError:
        return
    for number, names, path in (line.split(":", 2) for line in lines if line.count(":") > 1):
        if number == "0" and (_MOUNTED / "cgroup.controllers").exists():
            root = _MOUNTED
        elif controller and controller in names.split(","):
            root = _MOUNTED / controller
        else:
            continue
        inside = Path(path.lstrip("/"))
        # In a container the path may be the machine's, and is not found below what is mounted.
        yield from (root / each for each in (inside, *inside.parents) if (root / each).is_dir() and ".." not in path)
