"""Ending a run by signal without losing what it has learnt."""

from __future__ import annotations

import signal
from types import FrameType


class Stopped(Exception):  # noqa: N818 - a request, not an error
    """The run was asked to end.

    Attributes:
        exit_code: What the process ends with: 128 + the signal's number.
    """

    def __init__(self, signal_number: int) -> None:
        super().__init__(signal_number)
        self.exit_code = 128 + signal_number


class StopRequest:
    """SIGTERM and SIGINT as a question asked between steps: `check` raises once one has come.

    Attributes:
        can_wait: False while nothing is at stake, as before training: then a signal ends the process at once.
    """

    def __init__(self) -> None:
        self.can_wait = False
        self._number: int | None = None

    def install(self) -> None:
        """Take over the two signals."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._take)

    def check(self) -> None:
        """Raise `Stopped` if a signal has come."""
        if self._number is not None:
            raise Stopped(self._number)

    def _take(self, number: int, _frame: FrameType | None) -> None:
        if not self.can_wait:
            raise SystemExit(128 + number)
        self._number = self._number or number
