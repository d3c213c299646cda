"""How far a long search through cases goes: a part of it by default, all of it with FULL=1 as `just full` has it."""

from __future__ import annotations

import os

IS_FULL = os.environ.get("FULL") == "1"


def share(whole: int, part: int) -> int:
    """Return `whole` where everything is asked for, else `part`."""
    return whole if IS_FULL else part
