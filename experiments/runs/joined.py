"""One run from all its directories: a resumed run leaves one for each start."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

from experiments.runs.cache import HistoryCache
from experiments.runs.console import ConsoleLine
from experiments.runs.history_table import STEP
from experiments.runs.run_facts import RunFacts
from experiments.runs.starts import Piece, arrange
from experiments.runs.wandb_log import TIMESTAMP, Media, RunLog, run_id_of

if TYPE_CHECKING:
    import pandas as pd


class JoinedLog:
    """The directories of one run id, oldest first, as one log.

    From the first step of a later start on only its rows count; see `starts`. Where each directory counts its steps
    anew, they are moved behind those before, and `damage` says so.
    """

    def __init__(self, run: str, folder: Path, cache: HistoryCache | None = None, *, is_shared: bool = False) -> None:
        """Make the log of `run` from W&B's folder; in one that is shared, only the directories of its id are its."""
        self.run = run
        self.folder = folder
        self._folder_name = str(folder)
        self._cache = cache
        self._is_shared = is_shared
        self._parts: list[RunLog] = []
        self._folder_seen: int | None = None
        self._replaced = 0
        self._epoch_of: tuple[object, int] = (None, 0)
        self._arranged: tuple[object, list[Piece]] = (None, [])

    def find_files(self) -> bool:
        """Look for new directories and return whether the run has any file."""
        try:
            changed = os.stat(self._folder_name).st_mtime_ns  # noqa: PTH116 - a hundred of these per poll
        except OSError:
            return bool(self._parts)
        if changed != self._folder_seen:
            known = {part.path for part in self._parts}
            files = sorted(self._files(), key=lambda path: path.parent.name.removeprefix("offline-"))
            if files and (set(files) != known):
                kept = {part.path: part for part in self._parts}
                self._replaced += not known.issubset(files)
                self._parts = [kept.get(path) or RunLog(path, self._cache) for path in files]
            # A directory is made before the file in it: look again until each directory has one.
            if self._complete(files):
                self._folder_seen = changed
        return bool(self._parts)

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
        joined = [(number, piece.kept) for number, piece in enumerate(self.pieces) if piece.replaced]
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
        key = [(id(part), part.generation, part.rows) for part in self._parts]
        if self._arranged[0] != key:
            pieces = arrange(self._parts)
            before = {id(piece.log): piece.shift for piece in self._arranged[1] if piece.kept}
            self._replaced += any(before.get(id(piece.log), piece.shift) != piece.shift for piece in pieces)
            self._arranged = (key, pieces)
        return self._arranged[1]

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
        return replace(latest, config=config, summary_tree=summary)

    @property
    def exit_code(self) -> int | None:
        """What the newest start ended with; None while it runs."""
        return self._parts[-1].exit_code if self._parts else None

    @property
    def config(self) -> dict[str, Any]:
        """Nested JSON values."""
        return self.facts.config

    @property
    def summary(self) -> dict[str, Any]:
        """Latest value of each key, flattened with dots."""
        return self.facts.summary

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
        """What could not be read and how directories were joined, in words."""
        if len(self._parts) == 1:
            return self._parts[0].damage
        notes = []
        for number, piece in enumerate(self.pieces, 1):
            if piece.log.damage:
                notes.append(f"{piece.log.path.parent.name}: {piece.log.damage}")
            if piece.shift:
                notes.append(f"start {number} of {len(self._parts)} counts its steps anew: shown {piece.shift} later")
        return "; ".join(notes)

    def history(self, keys: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the rows of all starts, as `RunLog.history`, with ascending `_step`."""
        if len(self._parts) == 1:
            return self._parts[0].history(keys)
        import pandas as pd

        wanted = self.keys if keys is None else keys
        frames = []
        for piece in self.pieces:
            frame = piece.log.history(wanted).iloc[: piece.kept]
            frames.append(frame.assign(**{STEP: frame[STEP] + piece.shift}))
        return pd.concat(frames, ignore_index=True)

    def since(self, row: int, keys: Sequence[str]) -> dict[str, list[tuple[int, float]]]:
        """Return (step, value) of each key's numbers in the rows from `row` on."""
        if len(self._parts) == 1:
            return self._parts[0].since(row, keys)
        found: dict[str, list[tuple[int, float]]] = {key: [] for key in keys}
        for piece in self.pieces:
            if row < piece.kept:
                last, shift = piece.last_step, piece.shift
                for key, values in piece.log.since(max(0, row), keys).items():
                    found[key] += [(step + shift, value) for step, value in values if step <= last]
            row -= piece.kept
        return found

    def console(self, last: int | None = None) -> list[ConsoleLine]:
        """Return what all starts printed, oldest first."""
        lines = [line for part in self._parts for line in part.console()]
        return lines if last is None else lines[-last:] if last > 0 else []

    def media(self, kind: str | None = None) -> list[Media]:
        """Return the files that all starts logged, oldest first."""
        found: list[Media] = []
        before = 0
        for piece in self.pieces:
            found += [
                replace(media, step=media.step + piece.shift, row=media.row + before)
                for media in piece.log.media(kind)
                if media.row < piece.kept
            ]
            before += piece.kept
        return found

    def system_metrics(self) -> pd.DataFrame:
        """Return what W&B measured of the machines of all starts, as `RunLog.system_metrics`."""
        import pandas as pd

        frames = [frame for part in self._parts if len(frame := part.system_metrics())]
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=[TIMESTAMP])

    def _files(self) -> list[Path]:
        found = [path for path in self.folder.glob("*run-*/run-*.wandb") if path.parent.name != "latest-run"]
        named = [path for path in found if run_id_of(path) == self.run]
        return named or ([] if self._is_shared else found)

    def _complete(self, files: Sequence[Path]) -> bool:
        with_file = {path.parent.name for path in files}
        try:
            names = [name for name in os.listdir(self.folder) if "run-" in name and name != "latest-run"]  # noqa: PTH208
        except OSError:
            return False
        return with_file.issuperset(names)
