"""What an online store keeps of a run's metrics, so that a chart drawn again costs no request or a small one."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.runs.fetching import Fetched, Points
from experiments.runs.queries import TERMINAL_STATES

TIME_KEYS = ("_timestamp", "_runtime")
NOT_METRICS = frozenset({"_step", *TIME_KEYS})
FRESH_S = 5.0
WANTED_S = 120.0


class KeptHistory:
    """The metrics of one run that were asked for, and when.

    Attributes:
        points: (step, number) of each metric, by step.
        sampled: Metrics of which the server once sent a choice.
        fetched: The newest answer; None where the run does not exist or was not asked about.
        at: Ticks of the newest answer or attempt.
        as_of: Unix seconds of the newest answer.
        problem: Why the newest attempt failed; empty where it did not.
    """

    def __init__(self) -> None:
        self.points: dict[str, Points] = {}
        self.sampled: set[str] = set()
        self.fetched: Fetched | None = None
        self.at: float | None = None
        self.as_of = 0.0
        self.problem = ""
        self._keys = dict.fromkeys(TIME_KEYS)
        self._asked_at = 0.0
        self._has_ended = False

    def ask(self, keys: Sequence[str], now: float) -> None:
        """Note that these metrics are wanted."""
        fresh = [key for key in keys if key not in NOT_METRICS and key not in self._keys]
        if fresh:
            self._keys.update(dict.fromkeys(fresh))
            self.at, self._has_ended = None, False
        self._asked_at = now

    def is_stale(self, now: float) -> bool:
        """Return whether the server may know more than is kept."""
        return self.at is None or (now - self.at >= FRESH_S and not self._has_ended)

    def is_wanted(self, now: float) -> bool:
        """Return whether it is worth refreshing along with another run."""
        return self.is_stale(now) and now - self._asked_at < WANTED_S

    def next_steps(self) -> dict[str, int]:
        """Return the first step of each metric that is not kept."""
        return {key: self.points[key][-1][0] + 1 if self.points.get(key) else 0 for key in self._keys}

    def take(self, fetched: Fetched | None, now: float, clock: float) -> None:
        """Add an answer; None where there is no such run."""
        self.at, self.as_of, self.problem = now, clock, ""
        if fetched is None:
            return
        for key, points in fetched.points.items():
            self.points.setdefault(key, []).extend(points)
        self.sampled |= fetched.sampled
        self._has_ended = fetched.info.state in TERMINAL_STATES and not any(fetched.points.values())
        self.fetched = fetched
