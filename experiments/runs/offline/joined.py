"""One run from all its directories: a resumed run leaves one for each start, and so does each writer of several."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

from experiments.runs.cache import HistoryCache
from experiments.runs.offline.places import run_id_of, starts_in
from experiments.runs.offline.starts import Piece, arrange, by_turn, faults, other_ids, remarks, writers
from experiments.runs.packs import Packs
from experiments.runs.wandb_file.facts import ConsoleLine, RunFacts
from experiments.runs.wandb_file.log import RUNTIME, TIMESTAMP, RunLog
from experiments.runs.wandb_file.table import STEP, Media

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd


class JoinedLog:
    """The directories of one run id, oldest first, as one log.

    From the first step of a later start on only its rows count; see `starts`. Where each directory counts its steps
    anew, they are moved behind those before, and `damage` says so. The rows of several that wrote at once are laid into
    each other by step; rows of one step stay apart, in the order in which their writers began.

    Attributes:
        run: The name that it was asked for by.
        shown: Run id of the files that are read; another than `run` where the folder has none of that id.
        others: Run ids of the folder that are not read, sorted.
    """

    def __init__(
        self,
        run: str,
        folders: Sequence[Path],
        cache: HistoryCache | None = None,
        packs: Packs | None = None,
        *,
        is_shared: bool = False,
        named_step: Callable[[], str | None] = lambda: None,
    ) -> None:
        """Make the log of `run` from W&B's folders; in those that are shared, only the directories of its id are its.

        A trainer may give W&B an id of its own: in the folder of a job, that one is read, and of several the newest.

        Args:
            named_step: Returns the counter of steps that the run's trainer names, where it names one.
        """
        self.run = run
        self.folders = tuple(folders)
        self.shown = run
        self.others: tuple[str, ...] = ()
        self._cache, self._packs = cache, packs
        self.named_step = named_step
        self._is_shared = is_shared
        self._parts: list[RunLog] = []
        self._folders_seen: list[int] | None = None
        self._folder_names = [str(folder) for folder in folders]
        self._replaced = 0
        self._epoch_of: tuple[object, int] = (None, 0)
        self._arranged: tuple[object, list[Piece]] = (None, [])

    def find_files(self) -> bool:
        """Look for new directories and return whether the run has any file."""
        changed = [_changed(name) for name in self._folder_names]
        if any(changed) and changed != self._folders_seen:
            there = [name for name, at in zip(self._folder_names, changed, strict=True) if at]
            found, is_whole, unlisted = starts_in(there)
            # Such a folder stands for its file, whose rows are not known; in a shared one it is nobody's.
            files = [*self._chosen(found), *(unlisted if not self._is_shared else ())]
            known = {part.path for part in self._parts}
            if files and (set(files) != known):
                kept = {part.path: part for part in self._parts}
                self._replaced += not known.issubset(files)
                self._parts = [kept.get(path) or RunLog(path, self._cache, self._packs) for path in files]
            # A directory is made before the file in it: look again until each directory has one.
            if is_whole:
                self._folders_seen = changed
        return bool(self._parts)

    def _chosen(self, found: Sequence[Path]) -> list[Path]:
        """Return the files of the run: those of its id, else of the newest id in a folder that is its own."""
        ids = [run_id_of(path) for path in found]
        self.shown = ids[-1] if ids and self.run not in ids and not self._is_shared else self.run
        self.others = tuple(sorted(set(ids) - {self.shown})) if not self._is_shared else ()
        return [path for path, run_id in zip(found, ids, strict=True) if run_id == self.shown]

    def poll(self, *, history: bool = True) -> int:
        """Take in what is new in every directory and return the number of new rows; `history` as for `RunLog`."""
        history = history or len(self._parts) > 1  # joining needs the steps
        rows = sum(part.poll(history=history) for part in self._parts)
        self._sort()
        return rows

    def _sort(self) -> None:
        """Put the starts in the order of time: their names carry the local time of the machine, which may differ."""
        if len(self._parts) > 1:
            before = list(self._parts)
            self._parts.sort(key=lambda part: part.facts.started_at or float("inf"))
            self._replaced += self._parts != before

    @property
    def directories(self) -> list[Path]:
        """W&B's directories of the run, oldest first."""
        return [part.path.parent for part in self._parts]

    @property
    def rows(self) -> int:
        """History rows of all directories, each step once."""
        return self._parts[0].rows if len(self._parts) == 1 else sum(piece.kept for piece in self.pieces)

    @property
    def cursor(self) -> int:
        """A number that stands for the rows taken in so far of these very files."""
        return self._epoch() << 32 | self.rows

    def rows_at(self, cursor: int) -> int | None:
        """Return how many rows `cursor` stands for; None where it was another file's."""
        rows = cursor & 0xFFFFFFFF
        if cursor == 0:
            return 0
        return rows if cursor >> 32 == self._epoch() and rows <= self.rows else None

    def _epoch(self) -> int:
        """Twenty bits that change when rows that were handed out do not count any more.

        They are made of the first directory and its inode, how often files changed, and how the starts were joined.
        """
        if not self._parts:
            return 0
        first = self._parts[0]
        # Arranged before it is counted, for arranging may find a change.
        # A row of one writer may belong before rows of another that were handed out: with each, all count anew.
        several = {piece.turn for turn in by_turn(self.pieces) if len(writers(turn)) > 1 for piece in turn}
        joined = [
            (number, piece.kept) for number, piece in enumerate(self.pieces) if piece.replaced or piece.turn in several
        ]
        key = (first.identity, sum(part.generation for part in self._parts) + self._replaced, joined)
        if self._epoch_of[0] != key:
            named = key if joined else key[:2]
            self._epoch_of = (key, crc32(f"{first.path.parent.name} {named}".encode()) & 0xFFFFF)
        return self._epoch_of[1]

    @property
    def pieces(self) -> list[Piece]:
        """What counts of each start, oldest first."""
        if len(self._parts) == 1:
            return [Piece(self._parts[0], self._parts[0].rows, 0)]
        key = [(id(part), part.version) for part in self._parts]
        if self._arranged[0] != key:
            pieces = arrange(self._parts, self.named_step())
            before = {id(piece.log): piece.shift for piece in self._arranged[1] if piece.kept}
            self._replaced += any(before.get(id(piece.log), piece.shift) != piece.shift for piece in pieces)
            self._arranged = (key, pieces)
        return self._arranged[1]

    def _counter(self) -> str | None:
        # It is read from a file, often, and one start alone is not compared with any.
        return self.named_step() if len(self._parts) > 1 else None

    @property
    def version(self) -> str:
        """A text that changes whenever something was taken in."""
        return "+".join(part.version for part in self._parts)

    @property
    def facts(self) -> RunFacts:
        """Facts of the newest start that has said anything; config and summary are kept from earlier ones."""
        told = [part.facts for part in self._parts if part.facts.run_id] or [part.facts for part in self._parts[-1:]]
        if len(told) == 1:
            return told[0]
        latest = told[-1]
        config: dict[str, Any] = {}
        summary: dict[str, Any] = {}
        for facts in told:
            config.update(facts.config)
            summary.update(facts.summary_tree)
        return replace(latest, config=config, summary_tree=summary, exit_code=self.exit_code)

    @property
    def exit_code(self) -> int | None:
        """What the newest start ended with; None while it runs. Of several writers all must have ended.

        The worst counts: a writer that was killed never says that it has ended.
        """
        if len(self._parts) < 2:
            return self._parts[0].exit_code if self._parts else None
        codes = [piece.log.exit_code for piece in by_turn(self.pieces)[-1]]
        failed = next((code for code in codes if code), None)
        return failed if failed is not None else None if None in codes else 0

    @property
    def created_at(self) -> float | None:
        """Unix seconds of the first start."""
        return next((part.facts.started_at for part in self._parts if part.facts.started_at is not None), None)

    @property
    def modified(self) -> float | None:
        """Unix seconds of the last change of any file."""
        return max((part.modified for part in self._parts if part.modified is not None), default=None)

    @property
    def keys(self) -> list[str]:
        """Names of the metrics, sorted."""
        return sorted({key for part in self._parts for key in part.keys})

    @property
    def has_lost(self) -> bool:
        """Whether rows may be missing because something could not be read."""
        return any(part.has_lost for part in self._parts)

    @property
    def damage(self) -> str:
        """What could not be read and how directories were joined, in words; of the newest start as long as it runs."""
        return self.damage_of(has_ended=False)

    def damage_of(self, *, has_ended: bool) -> str:
        """Return `damage`, knowing whether the run's newest writers have ended, with an exit record or without."""
        others, turns = self.others if self.shown != self.run else (), by_turn(self.pieces)
        return "; ".join([*other_ids(self.shown, others), *faults(turns, has_ended=has_ended, named=self._counter())])

    @property
    def note(self) -> str:
        """What else is to be known of where the rows come from, in words; nothing of it is a fault."""
        named = []
        if self.shown != self.run and not self.others:
            named.append(f"its trainer gave W&B the run id {self.shown!r}")
        elif self.shown == self.run and self.others:
            named.append(f"its folder also has {', '.join(map(repr, self.others))}, of another run id")
        return "; ".join([*named, *remarks(by_turn(self.pieces), self._counter())])

    def history(self, keys: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the rows of all starts, as `RunLog.history`, with ascending `_step`.

        Of writers at once, `_runtime` counts from when the first began.
        """
        if len(self._parts) == 1:
            return self._parts[0].history(keys)
        import pandas as pd

        wanted = self.keys if keys is None else keys
        frames = []
        for turn in by_turn(self.pieces):
            parts = []
            for piece in turn:
                frame = piece.log.history(wanted).iloc[: piece.kept]
                parts.append(frame.assign(**{STEP: frame[STEP] + piece.shift}))
            frames += parts if len(parts) == 1 else [_one_clock(pd.concat(parts)).sort_values(STEP, kind="stable")]
        joined = pd.concat(frames, ignore_index=True)
        own = [key for key in (STEP, TIMESTAMP, RUNTIME) if key in joined]
        return joined[[*own, *(key for key in dict.fromkeys(wanted) if key in joined and key not in own)]]

    def columns(self, keys: Sequence[str]) -> Mapping[str, npt.NDArray[Any]]:
        """Return what `history` does, as arrays that are not to be written to."""
        if len(self._parts) == 1:
            return self._parts[0].columns(keys)
        return {str(key): column.to_numpy() for key, column in self.history(keys).items()}

    def since(self, row: int, keys: Sequence[str]) -> dict[str, list[tuple[int, float]]]:
        """Return (step, value) of each key's numbers in the rows from `row` on; of writers at once all or none."""
        if len(self._parts) == 1:
            return self._parts[0].since(row, keys)
        found: dict[str, list[tuple[int, float]]] = {key: [] for key in keys}
        for turn in by_turn(self.pieces):
            kept = sum(piece.kept for piece in turn)
            if row < kept:
                alone = len(writers(turn)) == 1
                for key, values in _numbers(turn, max(0, row) if alone else 0, keys).items():
                    found[key] += values if alone else sorted(values, key=lambda pair: pair[0])
            row -= kept
        return found

    def console(self, last: int | None = None) -> list[ConsoleLine]:
        """Return what all starts printed, oldest first."""
        lines = [line for part in self._parts for line in part.console()]
        return lines if last is None else lines[-last:] if last > 0 else []

    def media(self, kind: str | None = None) -> list[Media]:
        """Return the files that all starts logged, by row."""
        found: list[Media] = []
        before = 0
        for turn in by_turn(self.pieces):
            for piece, places in zip(turn, _places(turn), strict=True):
                found += [
                    replace(media, step=media.step + piece.shift, row=places[media.row] + before)
                    for media in piece.log.media(kind)
                    if media.row < piece.kept
                ]
            before += sum(piece.kept for piece in turn)
        return sorted(found, key=lambda media: media.row)

    def system_metrics(self) -> pd.DataFrame:
        """Return what W&B measured of the machines of all starts, as `RunLog.system_metrics`."""
        import pandas as pd

        frames = [frame for part in self._parts if len(frame := part.system_metrics())]
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=[TIMESTAMP])


def _changed(folder: str) -> int:
    try:
        return os.stat(folder).st_mtime_ns  # noqa: PTH116 - two hundred of these per poll
    except OSError:
        return 0


def _numbers(turn: Sequence[Piece], row: int, keys: Sequence[str]) -> dict[str, list[tuple[int, float]]]:
    found: dict[str, list[tuple[int, float]]] = {key: [] for key in keys}
    for piece in turn:
        last, shift = piece.last_step, piece.shift
        for key, values in piece.log.since(row, keys).items():
            found[key] += [(step + shift, value) for step, value in values if step <= last]
    return found


def _one_clock(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of several writers with `_runtime` since the first of them began, as their times are."""
    if RUNTIME not in rows or TIMESTAMP not in rows:
        return rows
    return rows.assign(**{RUNTIME: rows[TIMESTAMP] - (rows[TIMESTAMP] - rows[RUNTIME]).min()})


def _places(turn: Sequence[Piece]) -> list[list[int]]:
    """Return for each piece where its rows stand among those of its turn."""
    if len(turn) == 1:
        return [list(range(turn[0].kept))]
    steps = [int(step) for piece in turn for step in piece.log.history([])[STEP].iloc[: piece.kept]]
    place = {row: at for at, row in enumerate(sorted(range(len(steps)), key=steps.__getitem__))}
    ends = list(accumulate(piece.kept for piece in turn))
    return [[place[row] for row in range(end - piece.kept, end)] for piece, end in zip(turn, ends, strict=True)]
