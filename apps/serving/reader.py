"""The one process of a server that may log in: it polls, reads W&B and raises alerts, and listens to no network.

It is read-only as the server is: the latch is on before anything is imported. It polls only while somebody looks, or
always where an alert command is set, since alerts are for when nobody looks.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

from experiments.jobs.watch.alerting import watch_of
from experiments.jobs.watch.monitor import READERS, Subscription
from experiments.monitoring import Monitor, monitor_for
from experiments.project.workspace import Workspace
from experiments.runs.relay import serve_relay
from experiments.runs.store import RunStore

_SET_DUMPABLE = 4
_LOOK_S = 0.25
_VALID_S = 30.0


def main() -> None:
    """Serve until standard input ends, which it does with the server; the argument is the socket's path."""
    keep_memory_private()
    # Ctrl-C reaches every process of the terminal; this one ends when the server has drained.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    path = Path(sys.argv[1])
    workspace = Workspace.find(Path.cwd())
    threading.Thread(target=serve_relay, args=(path, stores_of(workspace)), name="relay", daemon=True).start()
    threading.Thread(target=poll_while_wanted, args=(workspace,), name="wanted", daemon=True).start()
    with contextlib.suppress(OSError):
        while os.read(0, 1):
            pass
    shutil.rmtree(path.parent, ignore_errors=True)
    os._exit(0)


def keep_memory_private() -> None:
    """Keep other processes of this user, the server first, from reading this one's environment and memory by /proc.

    Source: prctl(2), PR_SET_DUMPABLE. It does not hold against root, nor on other systems than Linux.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_DUMPABLE, 0, 0, 0, 0)


def stores_of(workspace: Workspace) -> functools._lru_cache_wrapper[RunStore]:
    """Return what gives the online store of an `entity/project`, the same one each time."""

    @functools.lru_cache(maxsize=32)
    def store_of(name: str) -> RunStore:
        from experiments.runs.server.store import OnlineStore

        entity, _, project = name.partition("/")
        return OnlineStore(entity or None, project or None, cache_dir=workspace.state / "cache" / "replays")

    return store_of


def poll_while_wanted(workspace: Workspace) -> None:
    """Watch the jobs for as long as some other process does, or for ever where there is an alert command."""
    monitor = monitor_for(workspace.state)
    status = monitor.live / "status.json"

    def told() -> None:
        # Whoever follows the file reads it again, and the alerts with it.
        with contextlib.suppress(OSError):
            os.utime(status)

    watch = watch_of(workspace, told)
    subscription: Subscription | None = None
    while True:
        if workspace.settings.alert_command or somebody_watches(monitor):
            subscription = subscription or monitor.subscribe(watch.take)
        elif subscription is not None:
            subscription.close()
            subscription = None
        time.sleep(_LOOK_S)


def somebody_watches(monitor: Monitor) -> bool:
    """Say whether another process has announced within half a minute that it watches."""
    own = f"{os.getpid()}.json"
    for path in (monitor.live / READERS).glob("*.json"):
        with contextlib.suppress(OSError):
            if path.name != own and time.time() - path.stat().st_mtime < _VALID_S:
                return True
    return False


if __name__ == "__main__":
    main()
