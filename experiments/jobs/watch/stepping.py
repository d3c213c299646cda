"""Steps of what goes on by itself, taken by whoever watches: jobs of a cluster have no supervisor here that takes one.

The hand-over of jobs goes on in the same way: where its process died, whoever watches starts another.

A step is a child of the installed package. It may launch because a person did, when what goes on was opened; so only a
process in which a person could launch starts one, and a page that is read or exported never does. One runs at a time in
a project, and one that failed is told on every page and comes again ever later.
"""

from __future__ import annotations

import math
import os
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

from experiments.jobs import outbox
from experiments.jobs.permits import may_go_on, read_only
from experiments.jobs.sweeps.going_on import LastStep, last_step, marked_command, record_step
from experiments.jobs.watch.snapshots import Snapshot
from experiments.project.files import try_lock
from experiments.project.look import plain_logger
from experiments.project.settings import load_settings
from experiments.project.workspace import Workspace

EVERY_S, MOST_S = 60.0, 3600.0
HANDING_EVERY_S = 5.0
"""How often somebody looks whether a process hands over what waits to be."""
GRACE_S = 3.0
"""A supervisor whose job has ended takes the step itself; it gets so long."""

_LOOK_S = 0.5
_LOCK = "stepping.lock"
_log = plain_logger(__name__)


class Stepper:
    """Takes the steps of one state folder; made where its Monitor is, by a person's page or command or not.

    Args:
        ticks: Seconds that never jump.
    """

    def __init__(self, state: Path, root: Path, *, ticks: Callable[[], float] = time.monotonic) -> None:
        self._state, self._root, self._ticks = state, root, ticks
        self._may = may_go_on()
        self._due = self._handing_due = -math.inf
        self._ended: frozenset[str] | None = None
        self._news_at = self._stepped_at = -math.inf
        self._last: LastStep | None = None
        self._busy = threading.Lock()

    def take(self, snapshot: Snapshot) -> None:
        """Look at a snapshot, and start a step in the background where one is worth it; returns at once."""
        now = self._ticks()
        if now < self._due or read_only():
            return
        self._due = now + _LOOK_S
        # A page asks for leave in a cell, which may come after the thread that made its Monitor.
        self._may = self._may or may_go_on()
        if self._may and any(each.is_handing for each in snapshot.ongoing) and now >= self._handing_due:
            self._handing_due = now + HANDING_EVERY_S
            threading.Thread(target=self._see_to_outbox, name="outbox", daemon=True).start()
        if not self._may or (command := marked_command(self._state)) is None or not self._is_due(snapshot, now):
            return
        if self._busy.acquire(blocking=False):
            self._stepped_at = now
            threading.Thread(target=self._step, args=(command,), name="step", daemon=True).start()

    def _see_to_outbox(self) -> None:
        try:
            outbox.see_to_it(Workspace(self._root, self._state, load_settings(self._root)))
        except Exception:  # noqa: BLE001 - the next look tries again
            _log.exception("what is to be handed over could not be looked at")

    def _is_due(self, snapshot: Snapshot, now: float) -> bool:
        """Tell whether something has ended since the last step, whoever took it, or none was taken for long."""
        if (ended := frozenset(snapshot.ended)) != self._ended:
            self._ended, self._news_at = ended, now
        if (last := last_step(self._state) or LastStep()) != self._last:
            # What ended while it was at work it may not have seen. A clock that was set back makes no step of the past.
            self._stepped_at = max(self._stepped_at, now - max(0.0, time.time() - last.at))
            self._last = last
        pause = min(EVERY_S * 2**last.failures, MOST_S)
        has_news = self._news_at > self._stepped_at and now - self._news_at >= GRACE_S
        return has_news or now - max(self._stepped_at, self._news_at) >= pause

    def _step(self, command: list[str]) -> None:
        try:
            lock = try_lock(self._state / _LOCK)
            if lock is None:
                return  # of another process, which tells of it
            try:
                self._run(command, lock)
            finally:
                os.close(lock)
        except Exception:  # noqa: BLE001 - the next look tries again
            _log.exception("a step could not be started")
        finally:
            self._busy.release()

    def _run(self, command: list[str], lock: int) -> None:
        before = last_step(self._state)
        # Its lock outlives this process, as the step does.
        done = subprocess.run(
            [*command, "while somebody watched"],
            cwd=self._root,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            pass_fds=(lock,),
            start_new_session=True,
            check=False,
        )
        if done.returncode and last_step(self._state) == before:  # it ended before it could say anything itself
            said = done.stderr.strip().splitlines()
            why = said[-1] if said else f"exit code {done.returncode}"
            record_step(self._state, {"": [f"a step could not be taken: {why}"]}, time.time())
