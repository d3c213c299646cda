"""What a trainer notes at each start of a run: a line of JSON in the run's folder, beside its checkpoints.

A run that is started again elsewhere goes on under the same name; this is how a chart knows where.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.project.json_text import parse_json

FILE = "attempts.jsonl"


@dataclass(frozen=True)
class Attempt:
    """One start of a trainer.

    Attributes:
        at: Unix seconds.
        step: Agent-steps that it went on from; 0 at the beginning.
        host: Name of the machine.
    """

    at: float
    step: int
    host: str = ""


def note_attempt(folder: Path, step: int) -> None:
    """Add a start that goes on from `step`; a folder that cannot be written is left alone."""
    line = json.dumps({"at": time.time(), "step": step, "host": socket.gethostname(), "pid": os.getpid()})
    with contextlib.suppress(OSError):
        descriptor = os.open(folder / FILE, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        try:
            end = os.lseek(descriptor, 0, os.SEEK_END)
            # A machine that was lost while it wrote may have left half a line.
            torn = end > 0 and os.pread(descriptor, 1, end - 1) != b"\n"
            os.write(descriptor, (("\n" if torn else "") + line + "\n").encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def read_attempts(folder: Path) -> list[Attempt]:
    """Return the starts noted in a run's folder, by time; a line that is not understood is left out."""
    try:
        lines = (folder / FILE).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    found = [attempt for line in lines if (attempt := _parsed(line)) is not None]
    return sorted(found, key=lambda attempt: attempt.at)


def _parsed(line: str) -> Attempt | None:
    try:
        entry: Any = parse_json(line)
        at, step = float(entry["at"]), int(entry["step"])
    except (ValueError, TypeError, LookupError, OverflowError):
        return None
    return Attempt(at, step, str(entry.get("host", ""))) if math.isfinite(at) else None
