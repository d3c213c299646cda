"""A W&B directory as it is uploaded where a later start of its run logged its last rows again.

`wandb sync` sends every row of every start, and a server would show the rows of both; see `starts` for which count. The
copy has the same records without those rows; media are not copied, they are linked.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from zlib import crc32

from experiments.runs import records
from experiments.runs.framing import BLOCK, CHUNK_HEADER, HEADER, LogTail
from experiments.runs.starts import Piece

_WHOLE, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4


@contextmanager
def uploadable(pieces: Iterable[Piece]) -> Iterator[dict[Path, Path]]:
    """Give, for each directory with rows that do not count, one to upload in its place while the block lasts."""
    with TemporaryDirectory(prefix="experiments-sync-") as folder:
        made = {}
        for piece in pieces:
            if piece.replaced:
                directory = piece.log.path.parent
                made[directory] = _copied(directory, piece, Path(folder) / directory.name)
        yield made


def _copied(directory: Path, piece: Piece, target: Path) -> Path:
    target.mkdir()
    for entry in directory.iterdir():
        if entry.is_dir():
            (target / entry.name).symlink_to(entry.absolute(), target_is_directory=True)
    with (target / piece.log.path.name).open("wb") as file:
        for chunk in _framed(_counting(piece)):
            file.write(chunk)
    return target


def _counting(piece: Piece) -> Iterator[bytes]:
    """Yield the records of a start; those of rows and summaries only up to its last row that counts."""
    tail = LogTail(piece.log.path)
    tail.changed()
    rows = 0
    while batch := tail.read():
        for record in batch:
            try:
                kind = records.kind_of(record)
            except ValueError:
                continue
            rows += kind == records.HISTORY
            if rows <= piece.kept or kind not in (records.HISTORY, records.SUMMARY):
                yield record


def _framed(whole: Iterable[bytes]) -> Iterator[bytes]:
    """Yield records as a W&B log has them: in chunks that do not cross blocks, each with its checksum."""
    yield HEADER
    at = len(HEADER)
    for record in whole:
        left_over, kind = record, _FIRST
        while True:
            room = BLOCK - at % BLOCK
            if room < CHUNK_HEADER.size:
                yield bytes(room)
                at += room
                continue
            part, left_over = left_over[: room - CHUNK_HEADER.size], left_over[room - CHUNK_HEADER.size :]
            if not left_over:
                kind = _WHOLE if kind == _FIRST else _LAST
            yield struct.pack("<IHB", crc32(bytes([kind]) + part), len(part), kind) + part
            at += CHUNK_HEADER.size + len(part)
            if not left_over:
                break
            kind = _MIDDLE
