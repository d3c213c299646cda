"""Decoded history on disk, so that a large run is decoded once: a parquet file for each `.wandb` file and offset.

A cache file is written under a temporary name, renamed and never changed again: one that reaches further has another
name, so readers need no lock. Deleting any of them, at any time, costs time and nothing else.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict, dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import numpy.typing as npt

from experiments.project.files import parse_json
from experiments.runs.wandb_file.columns import Column
from experiments.runs.wandb_file.facts import RunFacts
from experiments.runs.wandb_file.table import STEP, HistoryTable

_FORMAT = 5
_HEAD = 4096
# Smaller files are read faster than they are looked up.
MIN_BYTES = 2 << 20
GROWTH = 0.25


class CacheGone(Exception):  # noqa: N818 - not an error: the file is read again
    """A cache file that columns were to come from is no longer there, or is damaged."""


@dataclass(frozen=True)
class Position:
    """How far a `.wandb` file was read.

    Attributes:
        offset: Behind the last whole record.
        anchor: The bytes before the offset, by which the file is known again.
        places: Damaged places passed over.
        undecodable: Records not understood.
    """

    offset: int
    anchor: bytes
    places: int
    undecodable: int


@dataclass(frozen=True)
class Cached:
    """What a cache file holds, its columns still on disk."""

    position: Position
    facts: RunFacts
    table: HistoryTable


class HistoryCache:
    """Cache files of one folder."""

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)

    def load(self, path: Path, identity: tuple[int, int]) -> Cached | None:
        """Return what is cached of a `.wandb` file, the furthest first; None where there is nothing usable."""
        key = _key(path, identity)
        for file in sorted(self.folder.glob(f"{key}-*.parquet"), key=_offset_in, reverse=True):
            with contextlib.suppress(Exception):
                return _read(file, path)
        return None

    def save(
        self, path: Path, identity: tuple[int, int], position: Position, facts: RunFacts, table: HistoryTable
    ) -> None:
        """Write what was read so far and drop what it replaces; a folder that cannot be written is left alone."""
        key = _key(path, identity)
        target = self.folder / f"{key}-{position.offset}.parquet"
        temporary = self.folder / f".{target.name}.{os.getpid()}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            _write(temporary, path, position, facts, table)
            temporary.replace(target)
            for file in self.folder.glob(f"{key}-*.parquet"):
                if _offset_in(file) < position.offset:
                    file.unlink(missing_ok=True)
        except OSError:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)


def _key(path: Path, identity: tuple[int, int]) -> str:
    name = json.dumps([_FORMAT, str(path.absolute()), *identity])
    return sha256(name.encode()).hexdigest()[:24]


def _offset_in(file: Path) -> int:
    text = file.stem.rpartition("-")[2]
    return int(text) if text.isdecimal() else -1


def _head_crc(path: Path) -> int:
    with path.open("rb") as file:
        return crc32(file.read(_HEAD))


def _write(target: Path, path: Path, position: Position, facts: RunFacts, table: HistoryTable) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    # Two processes may write the same file at once: it has to be the same one.
    names = sorted(table.columns)
    paths = {name: path for path, name in table.names.items()}
    arrays, texts = [], []
    for column in map(table.columns.__getitem__, names):
        array, is_text = as_arrow(column, table.rows)
        arrays.append(array)
        if is_text:
            texts.append(f"c{len(arrays) - 1}")
    about = {
        "position": {**asdict(position), "anchor": position.anchor.hex()},
        "head": _head_crc(path) if position.offset >= _HEAD else None,
        "facts": asdict(facts),
        "rows": table.rows,
        "first_step": table.first_step,
        "last_step": table.last_step,
        "renamed": table.renamed,
        "names": names,
        "paths": [paths.get(name, (name,)) for name in names],
        "texts": texts,
    }
    # Parquet takes a dot in a name for a path, so the names stand apart.
    fields = [
        pa.field(f"c{index}", array.type, metadata={b"name": name.encode()})
        for index, (name, array) in enumerate(zip(names, arrays, strict=True))
    ]
    made = pa.Table.from_arrays(arrays, schema=pa.schema(fields))
    text = json.dumps(about).encode()
    made = made.replace_schema_metadata({b"experiments": text, b"crc": str(crc32(text)).encode()})
    # Doubles hardly compress; uncompressed they are read at the speed of memory. A bit that a disk lost is no value.
    pq.write_table(
        made, target, compression="none", use_dictionary=texts, write_statistics=False, write_page_checksum=True
    )


def as_arrow(column: Column, rows: int) -> tuple[Any, bool]:
    """Return a column as an arrow array, null where a row lacks it, and whether it holds JSON texts."""
    import pyarrow as pa

    places, values = column.sparse()
    if column.numeric:
        if len(places) == rows:
            return pa.array(values), False
        dense = np.zeros(rows)
        dense[places] = values
    else:
        dense = np.full(rows, None, object)
        dense[places] = [json.dumps(value) for value in values.tolist()]
    missing = np.ones(rows, np.bool_)
    missing[places] = False
    kind = pa.float64() if column.numeric else pa.string()
    return pa.array(dense, kind, mask=missing, from_pandas=False), not column.numeric


def _read(file: Path, path: Path) -> Cached:
    """Return what a cache file says, if it is of this very `.wandb` file."""
    import pyarrow.parquet as pq

    metadata = pq.read_metadata(file)
    text = metadata.metadata[b"experiments"]
    if metadata.metadata[b"crc"] != str(crc32(text)).encode():
        raise CacheGone(file)
    about = parse_json(text)
    position = Position(**{**about["position"], "anchor": bytes.fromhex(about["position"]["anchor"])})
    if about["head"] is not None and about["head"] != _head_crc(path):
        raise CacheGone(file)
    facts = RunFacts(**{**about["facts"], "tags": tuple(about["facts"]["tags"])})
    table = HistoryTable()
    table.rows, table.first_step, table.last_step = about["rows"], about["first_step"], about["last_step"]
    table.renamed = about["renamed"]
    texts = set(about["texts"])
    reader = _Reader(file)
    columns = {
        name: Column(
            partial(reader.column, index, name), table.rows, numeric=f"c{index}" not in texts, is_whole=name == STEP
        )
        for index, name in enumerate(about["names"])
    }
    named = zip(about["paths"], about["names"], strict=True)
    table.resume({tuple(parts): name for parts, name in named if name != STEP}, columns)
    return Cached(position, facts, table)


class _Reader:
    """Columns of one cache file, read when they are first needed."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def column(self, index: int, name: str) -> tuple[npt.NDArray[np.int32] | None, npt.NDArray[Any]]:
        """Return the rows (None: all) and values of a column.

        Raises:
            CacheGone: The file is not there any more, or is another one.
        """
        try:
            array, found = self._array(index)
            if found == name:
                return values_of(array)
        except Exception as error:
            raise CacheGone(self._file) from error
        raise CacheGone(self._file)

    def _array(self, index: int) -> tuple[Any, str]:
        import pyarrow.parquet as pq

        # Not mapped into memory: where somebody cuts such a file short, the process that reads it ends at once.
        with pq.ParquetFile(self._file, page_checksum_verification=True) as file:
            read = file.read([f"c{index}"], use_threads=False)
        return read.column(0).combine_chunks(), read.schema.field(0).metadata[b"name"].decode()


def values_of(array: Any) -> tuple[npt.NDArray[np.int32] | None, npt.NDArray[Any]]:  # noqa: ANN401 - pyarrow has no types
    """Return the rows (None: all) and values of an arrow array as `as_arrow` makes them."""
    rows = None
    if array.null_count:
        rows = np.flatnonzero(np.asarray(array.is_valid())).astype(np.int32)
        array = array.drop_null()
    if str(array.type) != "string":
        return rows, array.to_numpy(zero_copy_only=False)
    values = np.empty(len(array), object)
    for row, text in enumerate(array.to_pylist()):
        values[row] = parse_json(text)
    return rows, values
