"""Lines of a text log: the last of a large one are found from its end, and of a progress bar its last state is kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from experiments.project.errors import StoreError
from experiments.project.look import last_state

_STEP = 1 << 16


def read_lines(path: Path, *, last: int | None = None) -> list[str] | None:
    """Return the lines of a text file without their newlines, all or the last few; None where there is no such file.

    What a carriage return overwrote is left out, and bytes that are not UTF-8 are shown as replacement characters.

    Raises:
        StoreError: It cannot be read, which does not mean that it holds nothing.
    """
    try:
        with path.open("rb") as file:
            seek_last(file, last)
            torn = bytearray()
            lines = list(complete_lines(file, torn))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise StoreError(f"the log {str(path)!r} cannot be read ({error.strerror})") from error
    lines += [line_of(torn)] if torn else []
    # It may have grown since its last lines were found.
    return lines if last is None else lines[-last:] if last > 0 else []


def seek_last(file: BinaryIO, last: int | None) -> None:
    """Go to where the last lines of a file begin, of which one may lack its newline; None: to the first.

    What is on the way is counted and not kept, so a log of any size takes the memory of one step.
    """
    if last is None:
        return
    at = file.seek(0, 2)
    if last <= 0 or at == 0:
        return
    file.seek(at - 1)
    wanted = last + (file.read(1) == b"\n")
    while at > 0:
        start = max(0, at - _STEP)
        file.seek(start)
        step = file.read(at - start)
        found = step.count(b"\n")
        if found >= wanted:
            behind = step.split(b"\n", found - wanted + 1)[-1]
            file.seek(at - len(behind))
            return
        wanted, at = wanted - found, start
    file.seek(0)


def complete_lines(file: BinaryIO, torn: bytearray) -> Iterator[str]:
    """Yield the lines from here on that have ended; what stands behind them is left in `torn`, and goes on next time.

    Of a line that is written over again and again only the newest state is held.
    """
    while piece := file.readline(_STEP):
        begin = max(0, len(torn) - 1)
        torn += piece
        if piece.endswith(b"\n"):
            yield line_of(torn)
            torn.clear()
            continue
        end = len(torn)
        while end > begin and torn[end - 1] == 0x0D:
            end -= 1
        del torn[: torn.rfind(b"\r", begin, end) + 1]


def line_of(data: bytes | bytearray) -> str:
    """Return the text of a line as a terminal leaves it, without its newline."""
    return last_state(data.decode("utf-8", errors="replace").removesuffix("\n"))
