"""Where a run is: points along it, and the line that says so."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping


def crossed(before: int, now: int, total: int, count: int) -> bool:
    """Return whether a run of `total` steps has come past one of `count` evenly spread points, the last at its end."""
    return min(now, total) * count // total > before * count // total


def late_points(total: int, count: int, share: float) -> list[int]:
    """Return `count` evenly spread steps of the last `share` of a run of `total` steps, the last at its end."""
    return [total - round(total * share * (count - number) / count) for number in range(1, count + 1)]


class Progress:
    """Says about once a second how far a run is."""

    def __init__(self, total: int, say: Callable[[str], None], *, start: int = 0) -> None:
        self._total, self._say, self._start = total, say, start
        self._began = time.monotonic()
        self._said_at = float("-inf")
        self._last: dict[str, float] = {}

    def report(self, agent_step: int, row: Mapping[str, float]) -> None:
        """Take the metrics of a row; the first row, the last, and one a second become lines."""
        self._last.update(row)
        if time.monotonic() - self._said_at < 1 and agent_step < self._total:
            return
        self._said_at = time.monotonic()
        self._say(self.line(agent_step))

    def line(self, agent_step: int) -> str:
        """Return the line for this step: steps, speed, returns and the time left."""
        part = min(agent_step / self._total, 1)
        texts = [f"{agent_step:>{len(f'{self._total:,}')},} of {self._total:,} agent-steps {part:>4.0%}"]
        sps = self._last.get("overview/sps")
        if sps:
            texts.append(f"{sps:>7,.0f} SPS")
        texts += [
            f"{label} {self._last[key]:.2f}"
            for label, key in (("reward", "overview/reward"), ("held-out", "eval/reward"))
            if key in self._last
        ]
        done, elapsed = agent_step - self._start, time.monotonic() - self._began
        if done and agent_step < self._total:
            minutes, seconds = divmod(round(elapsed / done * (self._total - agent_step)), 60)
            texts.append(f"{minutes}:{seconds:02} left")
        return "  ".join(texts)
