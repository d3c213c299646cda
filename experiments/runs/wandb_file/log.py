"""One run from its `.wandb` file, live: what W&B wrote so far, without importing W&B."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from experiments.runs.cache import GROWTH, MIN_BYTES, CacheGone, HistoryCache, Position
from experiments.runs.packs import Packed, Packs, stamp_of
from experiments.runs.wandb_file import batches as vector
from experiments.runs.wandb_file import records
from experiments.runs.wandb_file.columns import Column, as_float
from experiments.runs.wandb_file.facts import ConsoleLine, RunFacts, join_console
from experiments.runs.wandb_file.frames import SharedFrames
from experiments.runs.wandb_file.framing import LogTail
from experiments.runs.wandb_file.table import STEP, HistoryTable, Media, media_of

if TYPE_CHECKING:
    import pandas as pd

# Below this, reading records one by one is quicker than setting up arrays.
_MANY = 20
Answer = TypeVar("Answer")
TIMESTAMP, RUNTIME = "_timestamp", "_runtime"


class RunLog:
    """Reader of one `.wandb` file, of an online or an offline run.

    `poll` takes in what is new; everything else answers from what was taken in.

    Attributes:
        facts: Config, summary, tags and whatever else the records say of the run.
    """

    def __init__(self, path: Path | str, cache: HistoryCache | None = None, packs: Packs | None = None) -> None:
        """Make the reader of a file; what is large is kept in `cache`, what is small and has ended in `packs`."""
        self.path = Path(path)
        self._cache = cache
        self._packs = packs
        self._saved = 0
        self.facts = RunFacts()
        self._file_generation = 0
        self._renamed = 0
        self._tail = LogTail(path)
        self._table = HistoryTable()
        self._keys: vector.KeyTable | None = None
        self._undecodable = 0
        self._reported = 0
        self._is_deep = False
        self._counted = 0
        self._frames = SharedFrames()

    @property
    def rows(self) -> int:
        """History rows so far."""
        return self._table.rows if self._is_deep else self._counted

    @property
    def generation(self) -> int:
        """Grows when the file turned out to be another one, or a metric got another name: drop what was handed out."""
        return self._file_generation + self._renamed + self._table.renamed

    @property
    def version(self) -> str:
        """A text that changes whenever something was taken in, or nothing can be."""
        return f"{self.generation}-{self._tail.offset}{'-unread' * bool(self._tail.damage.reason)}"

    @property
    def exit_code(self) -> int | None:
        """What the run ended with; None while it runs, and for ever where it was killed."""
        return self.facts.exit_code

    @property
    def modified(self) -> float | None:
        """Unix seconds of the file's last change; None before it was seen."""
        return self._tail.modified

    @property
    def identity(self) -> tuple[int, int] | None:
        """Device and inode of the file; None before it was seen."""
        return self._tail.identity

    @property
    def keys(self) -> list[str]:
        """Names of the columns, sorted, without W&B's own (`_step`, ...)."""
        return sorted(key for key in self._table.columns if not key.startswith("_"))

    @property
    def first_step(self) -> int:
        """W&B's step of the first row; 0 where there is none."""
        return self._table.first_step

    @property
    def last_step(self) -> int:
        """W&B's step of the last row; -1 where there is none."""
        return self._table.last_step

    def step_at(self, row: int) -> int:
        """Return W&B's step of a row."""
        return self.last_step if row == self.rows - 1 else self._again(lambda: self._table.step_at(row))

    def first_number(self, key: str) -> float | None:
        """Return the first value of a metric; None where it has none, or not only numbers."""
        return self._again(lambda: self._table.first_number(key))

    def rows_before(self, key: str, limit: float) -> int:
        """Return how many rows come before the first whose number of a metric reaches `limit`."""
        return self.rows if limit == float("inf") else self._again(lambda: self._table.rows_before(key, limit))

    def metrics_since(self, row: int) -> set[str]:
        """Return the names of the columns that have a value in the rows from `row` on."""

        def found() -> set[str]:
            columns = self._table.columns
            return {key for key in self.keys if next(columns[key].since(row), None) is not None}

        return self._again(found)

    @property
    def ended_at(self) -> float | None:
        """Unix seconds until which the file tells of its writer: its last row, or its end; None where it has no time.

        An exit record has seconds since the start, rounded down, on a clock that rows show together with the time.
        """
        first, ran = self.first_number(TIMESTAMP), self.first_number(RUNTIME)
        began = self.facts.started_at if first is None or ran is None else first - ran
        last = self.since(self.rows - 1, [TIMESTAMP])[TIMESTAMP] if first is not None else []
        known = [value for _, value in last]
        if began is not None and self.facts.runtime is not None:
            known.append(began + self.facts.runtime)
        return max(known, default=None)

    @property
    def has_lost(self) -> bool:
        """Whether rows may be missing because something could not be read."""
        return bool(self._broken()) or self._tail.damage.found

    @property
    def is_cut(self) -> bool:
        """Whether the file ends within a record and has no exit record: its writer writes, or was killed."""
        return self.exit_code is None and self._tail.pending > 0

    def _broken(self) -> int:
        return self._table.undecodable + self.facts.undecodable + self._undecodable

    @property
    def damage(self) -> str:
        """What could not be read, in words; empty where all could."""
        broken = self._broken()
        pending = self._tail.pending if self.exit_code is not None else 0
        text = str(replace(self._tail.damage, undecodable=broken)) if broken or self._tail.damage.found else ""
        if pending:
            text += f"{'; ' if text else ''}{pending} bytes at the end are not a whole record"
        return text

    def poll(self, *, history: bool = True) -> int:
        """Take in what was written since the last call and return the number of new history rows.

        A file that is missing or empty has no rows; a record whose end is not written yet waits for the next call.

        Args:
            history: Whether the rows will be wanted. While they are not, they are only counted, which costs neither
                time nor memory; the first call that wants them reads the file again.
        """
        changed = self._tail.changed()
        if changed and self._tail.offset == 0 and self._resume_packed():
            self._reported = self.rows
            return self.rows
        if not self._is_deep and (history or (self._cache is not None and self._tail.size >= MIN_BYTES)):
            self._is_deep = changed = True
            if self._tail.offset:
                self._begin_again()
        if not changed:
            return 0
        if self._cache is not None and self._tail.offset == 0:
            self._resume(self._cache)
        self._read_on()
        if self._cache is not None and self._worth_saving():
            self._save(self._cache)
        if self._packs is not None and self._is_worth_packing():
            self._packs.offer(self.path, self, self._tail.size)
        before, self._reported = self._reported, self.rows
        return self.rows - before

    def history(self, keys: Sequence[str] | None = None) -> pd.DataFrame:
        """Return all rows taken in so far, in the order logged.

        Returns:
            `_step` (int64), `_timestamp` (Unix seconds) and `_runtime` (seconds), float64, where the run has them, then
            one column for each of `keys` (all, sorted, where None). Numbers are float64, NaN where a row lacks the
            key; other values (texts, booleans, lists, integers beyond 2^53) are objects, None where lacking. A key
            that was never logged is no column. The index counts rows from 0.
        """

        def found() -> pd.DataFrame:
            return self._frames.frame(self.rows, ((key, *self._dense(key)) for key in self._shown(keys)))

        return self._again(found)

    def columns(self, keys: Sequence[str]) -> Mapping[str, npt.NDArray[Any]]:
        """Return what `history` does, as arrays that share the columns' memory and are not to be written to."""
        return self._again(lambda: {key: _locked(self._dense(key)[0]) for key in self._shown(keys)})

    def since(self, row: int, keys: Sequence[str]) -> dict[str, list[tuple[int, float]]]:
        """Return (step, value) of each key's numbers in the rows from `row` on; booleans count as 0 and 1."""
        return self._again(lambda: self._table.since(row, keys))

    def _shown(self, keys: Sequence[str] | None) -> list[str]:
        held, own = self._table.columns, (TIMESTAMP, RUNTIME)
        wanted = dict.fromkeys([STEP, *own, *(self.keys if keys is None else keys)])
        return [key for key in wanted if key in held]

    def console(self, last: int | None = None) -> list[ConsoleLine]:
        """Return the lines that the run printed, oldest first; the last may still be growing."""
        lines = join_console(self._records(records.OUTPUT_RAW, records.OUTPUT))
        return lines if last is None else lines[-last:] if last > 0 else []

    def media(self, kind: str | None = None) -> list[Media]:
        """Return the files that the run logged, oldest first, all or those of one W&B type (`html-file`)."""
        return self._again(lambda: media_of(self._table, self.path.parent / "files", kind))

    def system_metrics(self) -> pd.DataFrame:
        """Return what W&B measured of the machine: `_timestamp` (Unix seconds) and one float64 column a measure."""
        import pandas as pd

        rows: list[dict[str, float | None]] = []
        for message in self._records(records.STATS):
            with contextlib.suppress(ValueError):  # a damaged record costs its own row
                parts = [(number, value) for number, value in records.fields(message[1]) if isinstance(value, bytes)]
                time = next((records.timestamp(value) for number, value in parts if number == 2), None)
                row: dict[str, float | None] = {TIMESTAMP: time}
                row.update({path[0]: as_float(value) for path, value in records.items(message[1], 3)})
                rows.append(row)
        return pd.DataFrame(rows, columns=None if rows else [TIMESTAMP])

    def _records(self, *kinds: int) -> Iterator[tuple[int, bytes]]:
        """Yield the records of some kinds from a scan of their own, up to where `poll` has come."""
        tail = LogTail(self.path)
        tail.changed()
        while tail.offset < self._tail.offset and (batch := tail.read()):
            for record in batch:
                try:
                    kind, message = records.content(record)
                except ValueError:
                    continue
                if kind in kinds:
                    yield kind, message

    def _read_on(self) -> None:
        while True:
            batch = self._tail.read()
            if self._file_generation != self._tail.generation:
                self._restart()
            if not batch:
                return
            self._take(batch)

    def _again(self, read: Callable[[], Answer]) -> Answer:
        """Return what `read` returns, decoding the file anew where a cached column is gone."""
        try:
            return read()
        except CacheGone:
            self._cache = self._packs = None
            self._begin_again()
            self._read_on()
            self._reported = self.rows
            return read()

    def _resume(self, cache: HistoryCache) -> None:
        identity = self._tail.identity
        held = cache.load(self.path, identity) if identity and self._tail.size >= MIN_BYTES else None
        if held is not None and held.position.offset <= self._tail.size:
            self.facts, self._table = held.facts, held.table
            self._undecodable = held.position.undecodable
            self._saved = held.position.offset
            self._tail.resume(held.position.offset, held.position.anchor, held.position.places)

    def _resume_packed(self) -> bool:
        """Take a run that has ended from its pack, if it is there and its file is the one that was read for it."""
        tail = self._tail
        if self._packs is None or tail.stat is None or tail.size >= MIN_BYTES:
            return False
        held = self._packs.load(self.path, stamp_of(tail.stat))
        if held is None:
            return False
        tail.resume(tail.size, held.anchor, 0)
        self.unload(held)
        self.facts, self._is_deep = held.facts, True
        return True

    def _is_worth_packing(self) -> bool:
        """Say whether the file was read to its end and nothing more is to come: damage is found anew by each reader."""
        tail = self._tail
        is_whole = self._is_deep and 0 < tail.size < MIN_BYTES and not tail.pending
        return is_whole and self.exit_code is not None and not self.has_lost

    def packed(self) -> Packed | None:
        """Return what a pack is to keep of the run; None where it is not to be in one (any more)."""
        if self._tail.stat is None or not self._is_worth_packing():
            return None
        return Packed(self.path, stamp_of(self._tail.stat), self._tail.anchor, self.facts, self._table)

    def unload(self, packed: Packed) -> None:
        """Take columns from a pack from now on: memory need not hold them."""
        self._table, self._frames, self._keys = packed.table, SharedFrames(), None

    def _worth_saving(self) -> bool:
        fresh = self._tail.offset - self._saved
        enough = fresh > self._saved * GROWTH or (self.exit_code is not None and fresh > 0)
        return self._tail.offset >= MIN_BYTES and enough

    def _save(self, cache: HistoryCache) -> None:
        identity = self._tail.identity
        if identity is not None:
            places = self._tail.damage.places
            undecodable = self._broken()
            position = Position(self._tail.offset, self._tail.anchor, places, undecodable)
            with contextlib.suppress(CacheGone):
                cache.save(self.path, identity, position, replace(self.facts, undecodable=0), self._table)
            self._saved = self._tail.offset
            held = cache.load(self.path, identity)
            if held is not None and held.position == position:  # its columns are on disk: memory need not hold them
                self._table, self._frames = held.table, SharedFrames()
                self._undecodable, self.facts.undecodable = undecodable, 0

    def _begin_again(self) -> None:
        """Read the same file from its start with the next read."""
        self._tail.resume(0, b"", 0)
        self._restart()

    def _restart(self) -> None:
        self._file_generation = self._tail.generation
        self._renamed += self._table.renamed
        self.facts = RunFacts()
        self._table = HistoryTable()
        self._keys = None
        self._undecodable = 0
        self._frames = SharedFrames()
        self._saved = self._reported = self._counted = 0

    def _take(self, batch: Sequence[bytes]) -> None:
        if not self._is_deep:
            batch = self._without_history(batch)
        if len(batch) < _MANY or not vector.supported():
            summaries = []
            for record in batch:
                kind = self._take_other(record)
                if kind == records.HISTORY:
                    self._table.take([record])
                elif kind == records.SUMMARY:
                    summaries.append(record)
            self.facts.take_few_summaries(summaries)
            return
        items = vector.split_items(batch)
        keys = self._keys = self._keys or vector.KeyTable()
        keys.number(items)
        for at in np.flatnonzero(items.kind == 0).tolist():
            items.kind[at] = self._take_other(batch[at])
        for kind, take in ((records.HISTORY, self._table.take), (records.SUMMARY, self.facts.take_summaries)):
            chosen = np.flatnonzero(items.kind == kind).tolist()
            if len(chosen) == len(batch):
                take(batch, items, keys)
            elif chosen:
                take([batch[at] for at in chosen], items.of(kind), keys)

    def _without_history(self, batch: Sequence[bytes]) -> list[bytes]:
        others = []
        for record in batch:
            try:
                is_row = records.kind_of(record) == records.HISTORY
            except ValueError:
                is_row = False
            if is_row:
                self._counted += 1
            else:
                others.append(record)
        return others

    def _take_other(self, record: bytes) -> int:
        """Take in a record that is neither history nor summary; return which of the two it is, else 0."""
        try:
            kind = records.kind_of(record)
        except ValueError:
            self._undecodable += 1
            return 0
        if kind in (records.HISTORY, records.SUMMARY):
            return kind
        self.facts.take(record)
        return 0

    def _dense(self, key: str) -> tuple[npt.NDArray[Any], bool]:
        """Return a value for each row, and whether the array is the column's own."""
        values, own = self._table.columns.get(key, Column()).dense(self.rows)
        return (values.astype(np.int64, copy=False), own) if key == STEP else (values, own)


def _locked(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    view = values.view()
    view.flags.writeable = False
    return view
