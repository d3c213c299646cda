"""Whether a job is hopeless by its `stop_when`: asked now and then, in a process of its own, for it reads metrics.

Standard library only, for supervisors.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from typing import Any

from experiments.project.files import parse_json

STOP_WHEN, CHECK, CHECK_EVERY_S = "stop_when", "check", "check_every_s"
"""Keys of a job's spec: its rules, the command that looks, and how often."""

STOPPED = "stopped"
"""Key of `job.json`: why its trainer was ended as hopeless; and kind of the ledger's event of a cluster's job that is,
for the `reason` in its data."""


LATE_S = 600.0
"""After so long a look counts as failed."""


def stood_still(minutes: float | None, silent_s: float) -> str:
    """Return that a job made no step for too long; empty where it did, or nobody set how long is too long."""
    return f"no step for {minutes:g} minutes" if minutes is not None and silent_s >= 60 * minutes else ""


class Hope:
    """What is known of a job's progress, for one supervisor.

    Args:
        spec: Of the job.
        now: Monotonic seconds of its start.
    """

    def __init__(self, spec: Mapping[str, Any], now: float) -> None:
        self._spec, self._rules = spec, spec.get(STOP_WHEN) or {}
        self._asked: subprocess.Popen[bytes] | None = None
        self._next = now
        self._step: object = None
        self._since = now

    @property
    def is_watched(self) -> bool:
        """Whether the job has any rule."""
        return bool(self._rules)

    def lost(self, now: float) -> str:
        """Return why the job is hopeless; empty while nobody says so. It asks in the background and returns at once."""
        if not self._rules:
            return ""
        if self._asked is None:
            if now >= self._next:
                self._next = now + self._spec[CHECK_EVERY_S]
                self._ask()
            return ""
        if self._asked.poll() is None:
            if now >= self._next + LATE_S:  # a store that hangs must not keep the next look from being made
                self.close()
                self._asked, self._since = None, now
            return ""
        said, self._asked = _said_by(self._asked), None
        try:
            answer = parse_json(said)
            step, is_told, reason = answer["step"], answer["is_told"], str(answer["reason"])
        except (ValueError, KeyError, TypeError):
            self._since = now  # nobody can tell, which is no standing still
            return ""
        if not is_told:
            self._since = now
        elif step != self._step:
            self._step, self._since = step, now
        return reason or stood_still(self._rules.get("idle_minutes"), now - self._since)

    def close(self) -> None:
        """End a look that is under way."""
        if self._asked is not None:
            self._asked.kill()
            self._asked.wait()
            _said_by(self._asked)

    def _ask(self) -> None:
        try:
            self._asked = subprocess.Popen(
                self._spec[CHECK],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # the memory of the trainer's session is the trainer's
            )
        except OSError:  # its environment is gone: nobody can tell any more
            self._asked = None


def _said_by(asked: subprocess.Popen[bytes]) -> bytes:
    """Return what a process printed that has ended; what it left behind may hold its output open for long."""
    assert asked.stdout is not None
    with asked.stdout as output:
        os.set_blocking(output.fileno(), False)
        return output.read() or b""
