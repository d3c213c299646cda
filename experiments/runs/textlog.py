"""Lines of a text log, from its end: a day's log is large and the last hundred lines are wanted."""

from __future__ import annotations

from pathlib import Path

_STEP = 1 << 16


def read_lines(path: Path, *, last: int | None = None) -> list[str] | None:
    """Return the lines of a text file without their newlines, all or the last few; None where it cannot be read.

    What a carriage return overwrote is left out, and bytes that are not UTF-8 are shown as replacement characters.
    """
    try:
        with path.open("rb") as file:
            if last is None:
                data = file.read()
            else:
                data, at = b"", file.seek(0, 2)
                while at > 0 and data.count(b"\n") <= last:
                    step = min(at, _STEP)
                    at = file.seek(at - step)
                    data = file.read(step) + data
    except OSError:
        return None
    lines = data.decode("utf-8", errors="replace").split("\n")
    if lines and not lines[-1]:
        lines.pop()
    shown = [line.rstrip("\r").rpartition("\r")[2] for line in lines]
    return shown if last is None else shown[-last:] if last > 0 else []
