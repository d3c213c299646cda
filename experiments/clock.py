"""The time at which data was read, as pages say it."""

from __future__ import annotations

import os
from datetime import UTC, datetime

IN_LOG = "EXPERIMENTS_IN_LOG"
"""Set in the process that writes a log. There the head alone has a time, so that the same data give the same log."""


def clock_words(at: float) -> str:
    """Return a time of reading in words.

    Args:
        at: Unix seconds.
    """
    if os.environ.get(IN_LOG) == "1":
        return "the time of this log"
    return f"{datetime.fromtimestamp(at, UTC):%H:%M:%S} UTC"
