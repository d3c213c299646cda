"""The time at which data is said to have been read."""

from __future__ import annotations

import os
import time


def reading_time() -> float:
    """Return Unix seconds now, or those that `SOURCE_DATE_EPOCH` fixes: an export says one time everywhere."""
    fixed = os.environ.get("SOURCE_DATE_EPOCH", "")
    return float(fixed) if fixed.isdecimal() else time.time()
