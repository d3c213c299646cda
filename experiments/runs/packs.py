"""Ended runs on disk, decoded, many in one file: a page of a thousand of them opens a few files instead of a thousand.

A pack is a parquet file with the rows of its runs one below another, and what their files say beside their rows. It is
never changed: a run is taken from it as long as its `.wandb` file is the very one that was read, to the last byte and
the last change. Deleting any of them, at any time, costs time and nothing else.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeAlias
from zlib import crc32

import numpy as np
import numpy.typing as npt

from experiments.project.files import parse_json
from experiments.runs.cache import CacheGone, as_arrow, values_of
from experiments.runs.wandb_file.columns import Column, LoadedColumns
from experiments.runs.wandb_file.facts import RunFacts
from experiments.runs.wandb_file.records import KeyPath
from experiments.runs.wandb_file.table import STEP, HistoryTable

_FORMAT = 1
_FEWEST = 8
_MOST_PACKS = 16
"""Small ones of an experiment, before they become one."""
_MOST_BYTES = 32 << 20
"""Of the `.wandb` files of runs that wait for their pack, whose columns are in memory until then."""
_MOST_COLUMNS, _MOST_CELLS = 1000, 4 << 20
"""Of a pack: runs that share few metrics would make a file of empty columns, and whoever reads all of one run reads
those of all."""

Stamp: TypeAlias = tuple[int, int, int, int, int]
"""Device, inode, size, and the times of the last change of a file and of its inode, in nanoseconds."""


@dataclass
class Packed:
    """What is kept of a `.wandb` file that was read to its end without a fault.

    Attributes:
        anchor: The last bytes of the file, by which it is known again.
    """

    path: Path
    stamp: Stamp
    anchor: bytes
    facts: RunFacts
    table: HistoryTable


class Packable(Protocol):
    """A run that was read to its end."""

    def packed(self) -> Packed | None:
        """Return what is to be kept of it; None where it has gone on since."""

    def unload(self, packed: Packed) -> None:
        """Take columns from its pack from now on: memory need not hold them."""


class Packs:
    """The packs of one folder, and the runs that are to be in one; for one thread at a time."""

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self._entries: dict[str, dict[str, _Entry]] = {}
        self._opened: dict[Path, _Pack] = {}
        self._offered: dict[Path, Packable] = {}
        self._offered_bytes = 0

    def load(self, path: Path, stamp: Stamp) -> Packed | None:
        """Return what is kept of a `.wandb` file; None where it is in no pack, or has changed since."""
        group = _group_of(path)
        if group not in self._entries:
            self._entries[group] = _entries_of(self._packs(group)[0])
        entry = self._entries[group].get(str(path.absolute()))
        return entry.packed(path) if entry is not None and entry.stamp == stamp else None

    def offer(self, path: Path, run: Packable, size: int) -> None:
        """Take note of a run of so many bytes that was read to its end and is in no pack."""
        if path not in self._offered:
            self._offered_bytes += size
        self._offered[path] = run
        if self._offered_bytes >= _MOST_BYTES:
            self._write_offered()

    def settle(self) -> None:
        """Write the runs that were offered, where they are worth a file of their own."""
        if len(self._offered) >= _FEWEST:
            self._write_offered()

    def _write_offered(self) -> None:
        offered, self._offered, self._offered_bytes = list(self._offered.values()), {}, 0
        found = [(run, packed) for run in offered if (packed := run.packed()) is not None]
        self.save([packed for _, packed in found])
        for run, packed in found:
            held = self.load(packed.path, packed.stamp)
            if held is not None:
                run.unload(held)

    def save(self, runs: Sequence[Packed]) -> None:
        """Write runs that are in no pack yet; a folder that cannot be written is left alone."""
        by_group: dict[str, list[Packed]] = {}
        for run in runs:
            by_group.setdefault(_group_of(run.path), []).append(run)
        for group, members in by_group.items():
            with contextlib.suppress(OSError, CacheGone, ValueError):  # of the last, pyarrow has some
                self._add(group, members)
            self._entries.pop(group, None)  # with what other processes have written

    def _add(self, group: str, runs: Sequence[Packed]) -> None:
        packs, useless = self._packs(group)
        held = _entries_of(packs)
        fresh = {str(run.path.absolute()): run for run in runs}
        fresh = {name: run for name, run in fresh.items() if name not in held or held[name].stamp != run.stamp}
        small = [pack for pack in packs if pack.is_small]
        merged = small if len(small) >= _MOST_PACKS else []
        for name, entry in held.items():
            if entry.pack in merged and name not in fresh and _stamp_now(name) == entry.stamp:
                fresh[name] = entry.packed(Path(name))
        self.folder.mkdir(parents=True, exist_ok=True)
        for members in _divided(list(fresh.values())):
            _write(self.folder, group, members)
        for file in [*useless, *(pack.file for pack in merged)]:
            file.unlink(missing_ok=True)
            self._opened.pop(file, None)

    def _packs(self, group: str) -> tuple[list[_Pack], list[Path]]:
        """Return the packs of a group, the oldest first, and files that are none: damaged, of another version."""
        packs, useless = [], []
        for file in self.folder.glob(f"pack-{group}-*.parquet"):
            try:
                pack = self._opened[file] = self._opened.get(file) or _Pack(file)
                packs.append(pack)
            except Exception:  # noqa: BLE001 - pyarrow and a file made by others have many
                useless.append(file)
        return sorted(packs, key=lambda pack: pack.modified), useless


class _Pack:
    """One file, its columns read when the first of its runs needs them."""

    def __init__(self, file: Path) -> None:
        import pyarrow.parquet as pq

        self.file = file
        self.modified = file.stat().st_mtime_ns
        about_file = pq.read_metadata(file)
        self.is_small = about_file.num_rows * about_file.num_columns < _MOST_CELLS // 4
        kept = about_file.metadata
        text = kept[b"experiments"]
        about = parse_json(text)
        if kept[b"crc"] != str(crc32(text)).encode() or about["format"] != _FORMAT:
            raise CacheGone(file)
        self.columns: list[list[str]] = about["columns"]
        self.shapes = [_Shape.of(shape, self.columns) for shape in about["shapes"]]
        self.entries = {run["path"]: _Entry(self, run) for run in about["runs"]}
        self._read: dict[int, Any] = {}

    def column(self, first: int, rows: int, number: int) -> Column:
        """Return a column in the rows of one run, read when it is needed."""
        name, kind = self.columns[number]
        load = partial(self.values, number, first, rows)
        return Column(load, rows, numeric=kind != "string", is_whole=name == STEP)

    def values(self, number: int, first: int, rows: int) -> tuple[npt.NDArray[np.int32] | None, npt.NDArray[Any]]:
        """Return the rows (None: all) and values of a column in the rows of one run.

        Raises:
            CacheGone: The file is not there any more, or is another one.
        """
        try:
            return values_of(self._column(number).slice(first, rows))
        except Exception as error:
            with contextlib.suppress(OSError):
                self.file.unlink()  # its runs are packed anew
            raise CacheGone(self.file) from error

    def _column(self, number: int) -> Any:  # noqa: ANN401 - pyarrow has no types
        import pyarrow.parquet as pq

        if number not in self._read:
            with pq.ParquetFile(self.file, page_checksum_verification=True) as file:
                read = file.read([f"c{number}"], use_threads=False)
            if read.schema.field(0).metadata[b"name"].decode() != self.columns[number][0]:
                raise CacheGone(self.file)
            self._read[number] = read.column(0).combine_chunks()
        return self._read[number]


class _Shape(NamedTuple):
    """Which columns a run has: their names by path, without `_step`, and their numbers by name."""

    names: Mapping[KeyPath, str]
    numbers: Mapping[str, int]

    @classmethod
    def of(cls, shape: Sequence[tuple[int, Sequence[str]]], columns: Sequence[Sequence[str]]) -> _Shape:
        named = [(tuple(path), number, columns[number][0]) for number, path in shape]
        names = {path: name for path, _, name in named if name != STEP}
        return cls(names, {name: number for _, number, name in named})


class _Entry:
    """One run of a pack."""

    def __init__(self, pack: _Pack, about: Mapping[str, Any]) -> None:
        self.pack = pack
        self.stamp: Stamp = tuple(about["stamp"])
        self._about = about

    def packed(self, path: Path) -> Packed:
        """Return the run, its columns still on disk."""
        about, pack = self._about, self.pack
        facts = parse_json(about["facts"])  # anew each time: whoever reads on changes it
        table = HistoryTable()
        table.rows, table.first_step, table.last_step = about["rows"], about["first_step"], about["last_step"]
        table.renamed = about["renamed"]
        shape = pack.shapes[about["shape"]]
        table.resume(shape.names, LoadedColumns(shape.numbers, partial(pack.column, about["first"], table.rows)))
        facts = RunFacts(**{**facts, "tags": tuple(facts["tags"])})
        return Packed(path, self.stamp, bytes.fromhex(about["anchor"]), facts, table)


def _entries_of(packs: Sequence[_Pack]) -> dict[str, _Entry]:
    return {name: entry for pack in packs for name, entry in pack.entries.items()}


def _group_of(path: Path) -> str:
    """Return what the packs of a run's experiment are called by: they lie together, and those of others stay shut.

    A run lies in `<run name>/wandb/<directory>/`, and the name of one of ours begins with its user and experiment.
    """
    run = path.absolute().parent.parent.parent
    parts = run.name.split(".")
    experiment = ".".join(parts[:2]) if len(parts) == 5 else ""
    return sha256(f"{run.parent}/{experiment}".encode()).hexdigest()[:16]


def _stamp_now(path: str) -> Stamp | None:
    try:
        return stamp_of(os.stat(path))  # noqa: PTH116 - a thousand at once
    except OSError:
        return None


def stamp_of(stat: os.stat_result) -> Stamp:
    """Return what changes with any change of a file."""
    return stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns


def _divided(runs: Sequence[Packed]) -> Iterator[list[Packed]]:
    """Yield the runs in parts of few columns and cells; a run that has too many itself is left out."""
    part: list[Packed] = []
    names: set[str] = set()
    rows = 0
    for run in runs:
        own = set(run.table.columns)
        if _is_too_much(own, run.table.rows):
            continue
        if _is_too_much(names | own, rows + run.table.rows):
            yield part
            part, names, rows = [], set(), 0
        part.append(run)
        names |= own
        rows += run.table.rows
    if part:
        yield part


def _is_too_much(names: set[str], rows: int) -> bool:
    return len(names) > _MOST_COLUMNS or len(names) * rows > _MOST_CELLS


def _write(folder: Path, group: str, runs: Sequence[Packed]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    parts: dict[tuple[str, str], list[tuple[int, Any]]] = {}
    shapes: dict[tuple[Any, ...], int] = {}
    about: list[dict[str, Any]] = []
    first = 0
    numbers: dict[tuple[str, str], int] = {}
    for run in runs:
        shape = []
        paths = {name: path for path, name in run.table.names.items()}
        for name, column in sorted(run.table.columns.items()):
            array = as_arrow(column, run.table.rows)[0]
            key = (name, str(array.type))
            parts.setdefault(key, []).append((first, array))
            shape.append((numbers.setdefault(key, len(numbers)), paths.get(name, (name,))))
        about.append({**_described(run), "first": first, "shape": shapes.setdefault(tuple(shape), len(shapes))})
        first += run.table.rows
    columns = [_joined(held, first) for held in parts.values()]
    # Parquet takes a dot in a name for a path, so the names stand apart.
    fields = [
        pa.field(f"c{number}", column.type, metadata={b"name": name.encode()})
        for number, (column, (name, _)) in enumerate(zip(columns, parts, strict=True))
    ]
    text = json.dumps({"format": _FORMAT, "columns": list(parts), "shapes": list(shapes), "runs": about}).encode()
    schema = pa.schema(fields, {b"experiments": text, b"crc": str(crc32(text)).encode()})
    target = folder / f"pack-{group}-{sha256(text).hexdigest()[:16]}.parquet"
    temporary = folder / f".{target.name}.{os.getpid()}"
    texts = [f"c{number}" for (_, kind), number in numbers.items() if kind == "string"]
    try:
        # As in `cache`: doubles hardly compress, and a bit that a disk lost is no value.
        table = pa.Table.from_arrays(columns, schema=schema)
        pq.write_table(
            *(table, temporary),
            compression="none",
            use_dictionary=texts,
            write_statistics=False,
            write_page_checksum=True,
        )
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _described(run: Packed) -> dict[str, Any]:
    table = run.table
    return {
        "path": str(run.path.absolute()),
        "stamp": run.stamp,
        "anchor": run.anchor.hex(),
        "facts": json.dumps(asdict(run.facts)),
        "rows": table.rows,
        "first_step": table.first_step,
        "last_step": table.last_step,
        "renamed": table.renamed,
    }


def _joined(parts: Sequence[tuple[int, Any]], rows: int) -> Any:  # noqa: ANN401 - pyarrow has no types
    """Return one column of so many rows from arrays that begin at some of them, nothing in between."""
    import pyarrow as pa

    kind, end = parts[0][1].type, 0
    pieces = []
    for first, array in parts:
        pieces += [pa.nulls(first - end, kind), array]
        end = first + len(array)
    return pa.chunked_array([*pieces, pa.nulls(rows - end, kind)], kind)
