"""Files that are sent as they are: plain ones of this project, in pieces, and never more than is said."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from experiments.project.look import printable, size

MOST_BYTES = 200_000_000
"""The largest log that is sent; what an export writes is a thousandth to a tenth of it."""

PIECE = 262_144


class OddFileError(Exception):
    """A file that is not sent; the message says why, for a reader of the page."""


@dataclass(frozen=True)
class PlainFile:
    """An open file.

    Attributes:
        length: Bytes that are sent, also where the file grows meanwhile.
    """

    descriptor: int
    length: int

    def pieces(self) -> Iterator[bytes]:
        """Yield the content; it may end early where the file was cut meanwhile."""
        left = self.length
        while left > 0 and (piece := os.read(self.descriptor, min(PIECE, left))):
            left -= len(piece)
            yield piece


def why_odd(path: Path) -> str:
    """Return why a file is not shown, looking only at its name and kind; nothing where it is plain.

    A name that is not UTF-8 has no address; a pipe or a device answers when it likes; a second name of a file (a link)
    can lead to what nobody meant to show.
    """
    try:
        path.name.encode()
        found = path.lstat()
    except UnicodeEncodeError:
        return "its name is not UTF-8"
    except OSError as error:
        return error.strerror or "it cannot be read"
    return _why_odd(found)


@contextmanager
def opened(path: Path) -> Iterator[PlainFile]:
    """Open a plain file to send it.

    Raises:
        OddFileError: It is none, or is too large.
        OSError: It is not there.
    """
    # Without O_NONBLOCK, to open a pipe is to wait for whoever writes to it.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = os.fstat(descriptor)
        reason = _why_odd(found)
        if reason:
            raise OddFileError(f"{printable(path.name)} is not shown: {reason}.")
        yield PlainFile(descriptor, found.st_size)
    finally:
        os.close(descriptor)


def _why_odd(found: os.stat_result) -> str:
    if not stat.S_ISREG(found.st_mode):
        return "it is no regular file"
    if found.st_nlink > 1:
        return "it is a hard link, which can lead anywhere"
    if found.st_size > MOST_BYTES:
        return f"it has {size(found.st_size)}, and at most {size(MOST_BYTES)} are sent"
    return ""
