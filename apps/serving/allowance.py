"""How much somebody may ask: so much at once, and more again with time."""

from __future__ import annotations

import time
from collections.abc import Callable


class Allowance:
    """An amount that is taken from and fills again.

    Args:
        most: What there is at first, and at most.
        a_second: What comes back in a second.
    """

    def __init__(self, most: float, a_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._a_second, self._clock = most, a_second, clock
        self._left, self._at = most, clock()

    def left(self) -> float:
        """Return what there is now."""
        now = self._clock()
        self._left = min(self._most, self._left + (now - self._at) * self._a_second)
        self._at = now
        return self._left

    def take(self, amount: float) -> None:
        """Take an amount, or what there is of it."""
        self._left = max(0.0, self.left() - amount)
