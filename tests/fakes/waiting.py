"""Waiting for what has to come about, and no longer; a test fails where it does not."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

Found = TypeVar("Found")


def wait_until(condition: Callable[[], Found], *, timeout_s: float = 30.0) -> Found:
    """Return what the condition gives once that counts as true."""
    return _waited(condition, time.sleep, 0.01, timeout_s)


def wait_on(page: Any, condition: Callable[[], Found], timeout_s: float = 60.0) -> Found:
    """Do the same while a browser's page goes on."""
    return _waited(condition, lambda seconds: page.wait_for_timeout(1000 * seconds), 0.05, timeout_s)


def _waited(
    condition: Callable[[], Found], pause: Callable[[float], object], least_s: float, timeout_s: float
) -> Found:
    asked = time.monotonic()
    deadline = asked + timeout_s
    while not (found := condition()):
        assert time.monotonic() < deadline, f"it did not come about within {timeout_s:g} s"
        # Twice as long as it took to ask, up to a second: what is waited for may need this very core.
        pause(max(least_s, min(1.0, 2 * (time.monotonic() - asked))))
        asked = time.monotonic()
    return found
