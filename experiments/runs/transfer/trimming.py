"""A W&B directory as it is uploaded where a later start logged its last rows again, or where several wrote at once.

`wandb sync` sends every row of every start, and a server would show the rows of both; see `starts` for which count. The
copy has the same records without those rows; media are not copied, they are linked.

Of several writers there is one copy: what one file holds had there been one writer. A server that is sent one after the
other gets steps that go back, and the last writer's summary for the run's. Rows of one step become one row, unless two
of them have different values of a metric: those follow each other, and W&B's client gives the second the next step.
"""

from __future__ import annotations

import heapq
import os
import struct
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from zlib import crc32

from experiments.project.files import JsonValue
from experiments.runs.offline.starts import Piece, by_turn, writers
from experiments.runs.wandb_file import records
from experiments.runs.wandb_file.framing import BLOCK, CHUNK_HEADER, HEADER, LogTail

_HEADER, _CONFIG_OF_RUN = 21, 4
# Each writer has its own clock, and of one row the server wants one.
_OWN = frozenset({("_step",), ("_timestamp",), ("_runtime",)})


@dataclass
class _Row:
    """A row of one writer, with the records before it; the last has no row."""

    step: float
    others: list[bytes] = field(default_factory=list)
    message: bytes | None = None


def merged(writers: Sequence[Iterable[bytes]]) -> Iterator[bytes]:
    """Yield the records of all writers: each kind in its writer's order, rows by step.

    The run's record is the first writer's, with the config of all. An exit record comes last, and only if each has one:
    that of a writer that failed, if one did.
    """
    exits: list[list[bytes]] = [[] for _ in writers]
    streams = [_rows(writer, exits[number], is_first=number == 0) for number, writer in enumerate(writers)]
    held: list[_Row] = []
    for row in heapq.merge(*streams, key=lambda row: row.step):
        if held and row.step != held[0].step:
            yield from _joined(held)
            held = []
        held.append(row)
    yield from _joined(held)
    if all(exits):
        last = [of_writer[-1] for of_writer in exits]
        yield next((record for record in last if _code(record)), last[0])


def _rows(writer: Iterable[bytes], exits: list[bytes], *, is_first: bool) -> Iterator[_Row]:
    row, step = _Row(-1), -1
    for record in writer:
        try:
            kind, message = records.content(record)
            told = _step(message) if kind == records.HISTORY else None
        except ValueError:
            kind, message, told = 0, b"", None  # passed on as it is: whoever reads it says so
        if kind == records.HISTORY:
            step = step + 1 if told is None else told
            row.step, row.message = step, message
            yield row
            row = _Row(step)
        elif kind == records.EXIT:
            exits.append(record)
        elif kind == records.RUN and not is_first:
            configs = [value for number, value in records.fields(message) if number == _CONFIG_OF_RUN]
            row.others += [records.made(records.CONFIG, value) for value in configs if isinstance(value, bytes)]
        elif kind != _HEADER or is_first:
            row.others.append(record)
    row.step = float("inf")
    yield row


def _step(message: bytes) -> int | None:
    told = dict(records.items(message)).get(("_step",))
    return int(told) if isinstance(told, (int, float)) else records.history_step(message)


def _joined(rows: Sequence[_Row]) -> Iterator[bytes]:
    """Yield the records of rows of one step, those without conflict as one row."""
    values: dict[records.KeyPath, JsonValue] = {}
    messages: list[bytes] = []
    for row in rows:
        yield from row.others
        if row.message is None:
            continue
        found = {path: value for path, value in records.items(row.message) if path not in _OWN}
        if any(path in values and values[path] != value for path, value in found.items()):
            yield records.made(records.HISTORY, b"".join(messages))
            values, messages = {}, []
        values.update(found)
        messages.append(row.message)
    if messages:
        # One protobuf message behind another is the message with the items of both.
        yield records.made(records.HISTORY, b"".join(messages))


def _code(record: bytes) -> int:
    found = dict(records.fields(records.content(record)[1])).get(1, 0)
    return found if isinstance(found, int) else 0


_WHOLE, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4


@contextmanager
def uploadable(pieces: Sequence[Piece], pending: Collection[Path] = ()) -> Iterator[dict[Path, Path]]:
    """Give, for each directory that is not uploaded as it is, one to upload in its place while the block lasts.

    Args:
        pieces: What counts of the run's starts.
        pending: Directories that are to be uploaded. Writers of which one was uploaded before are not merged with it.
    """
    with TemporaryDirectory(prefix="experiments-sync-") as folder:
        made: dict[Path, Path] = {}
        for turn in by_turn(pieces):
            directories = [piece.log.path.parent for piece in writers(turn)]
            if len(directories) > 1 and set(directories) <= set(pending):
                streams = [_counting(piece) for piece in writers(turn)]
                target = Path(folder) / directories[0].name
                made |= dict.fromkeys(
                    directories, _written(target, turn[0].log.path.name, directories, merged(streams))
                )
                continue
            for piece in turn:
                if piece.replaced:
                    directory = piece.log.path.parent
                    target = Path(folder) / directory.name
                    made[directory] = _written(target, piece.log.path.name, [directory], _counting(piece))
        yield made


def _written(target: Path, name: str, directories: Sequence[Path], whole: Iterable[bytes]) -> Path:
    target.mkdir()
    for directory in directories:
        _link(directory, target)
    with (target / name).open("wb") as file:
        for chunk in _framed(whole):
            file.write(chunk)
    return target


def _link(directory: Path, target: Path) -> None:
    """Link the files in a directory's folders, not those beside them; of equal names the first stays."""
    for folder, _, files in os.walk(directory):
        place = target / Path(folder).relative_to(directory)
        place.mkdir(exist_ok=True)
        for name in files if place != target else ():
            if not (place / name).exists():
                (place / name).symlink_to(Path(folder, name).absolute())


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
