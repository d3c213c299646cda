"""Runs of this machine: W&B's own files under the state folder, read live."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from experiments.project.errors import StoreError
from experiments.project.files import parse_json
from experiments.runs.cache import HistoryCache
from experiments.runs.evaluations import evaluations_in, is_of_evaluations, signature, with_evaluations
from experiments.runs.filters import matches, ordered, server_filter
from experiments.runs.offline.joined import JoinedLog
from experiments.runs.offline.places import author_of, listed, named_step, run_id_of, wandb_files, wandb_folders
from experiments.runs.offline.replays import replays_of
from experiments.runs.offline.starts import Start, by_turn
from experiments.runs.packs import Packs
from experiments.runs.store import Origin, ReplayFile, RunInfo, RunQuery, RunUpdate, absent_from, nan_steps_of
from experiments.runs.wandb_file.facts import user_in_files
from experiments.runs.wandb_file.frames import copies_on_write
from experiments.runs.wandb_file.log import RUNTIME, TIMESTAMP
from experiments.runs.wandb_file.table import STEP

if TYPE_CHECKING:
    import pandas as pd

    from experiments.project.trainers.value import Metrics

# Without an exit record, a run that wrote nothing for so long is taken for dead, as W&B's server does.
SILENT_S = 300.0
_MOST_HELD = 50_000  # rows of a frame that is handed out again; a larger one is not kept in memory for it
_DIRECTORY = re.compile(r"(?:offline-)?run-\d{8}_\d{6}-(.+)$")


class OfflineStore:
    """RunStore over `<runs_dir>/<run name>/wandb/*run-*/run-<id>.wandb`, of offline and online runs alike.

    `runs_dir` may also be a `wandb` folder, or one that holds it; `.wandb` is one too. It may be used from several
    threads. A run in the folder of another, under an id of its own, is a run like any other.
    `run_root` is where clusters write theirs: a run that has W&B files there is read there, live, also where a copy of
    it was pulled to `runs_dir`.
    Large histories are decoded once: `cache_dir` keeps them (`cache/history` of the state folder for its own runs,
    nothing for another `runs_dir`).
    """

    name = "offline"

    def __init__(
        self, runs_dir: Path | str, cache_dir: Path | str | None = None, *, run_root: Path | None = None
    ) -> None:
        self.runs_dir = Path(runs_dir)
        self.run_root = run_root
        state = self.runs_dir.parent
        if cache_dir is None and self.runs_dir.name == "runs" and (state / "live").is_dir():
            cache_dir = state / "cache" / "history"
        self._cache = HistoryCache(cache_dir) if cache_dir is not None else None
        self._packs = Packs(cache_dir) if cache_dir is not None else None
        self._lock = threading.RLock()
        self._logs: dict[str, JoinedLog] = {}
        self._rooted: dict[str, JoinedLog] = {}
        self._frames: dict[str, tuple[object, pd.DataFrame, dict[str, tuple[int, ...]]]] = {}
        self._columns: dict[str, tuple[object, Mapping[str, npt.NDArray[Any]], dict[str, tuple[int, ...]]]] = {}
        self._infos: dict[str, tuple[str, RunInfo]] = {}
        self._jobs: dict[str, tuple[tuple[int, int], bool]] = {}
        self._job_paths: dict[str, str] = {}
        self._shared_of: tuple[object, tuple[Path, ...]] = (None, ())
        self._guests: dict[str, str] = {}

    def names(self) -> list[str]:
        """Return the names of all runs that have a W&B file, sorted.

        The folder of a job has the job's name, whatever id its trainer gave W&B; other ids in it are runs beside it.
        """
        with self._lock:
            own, others = self._folders_and_guests()
            shared = {run_id_of(path) for path in wandb_files(self._shared())}
            return sorted(name for name in own | others | shared if self._log(name) is not None)

    def _folders_and_guests(self) -> tuple[set[str], set[str]]:
        """Return the names of the folders that have W&B files, and the other run ids in them that no folder shows."""
        folders = [self.runs_dir, *([self.run_root] if self.run_root else [])]
        names = {path.name for folder in folders for path in listed(folder) if not _DIRECTORY.match(path.name)}
        own = {name for name in names if self._log(name) is not None}
        others: set[str] = set()
        for name in own - self._guests.keys():
            log = self._log(name)
            if log is not None and (log.others or log.shown != name):
                others.update(log.others)
                self._guests.update((run, name) for run in (*log.others, log.shown) if run not in own)
        return own, others

    def has(self, run: str) -> bool:
        """Return whether a run of this name or id has a W&B file here."""
        with self._lock:
            return self._found(run) is not None

    def find(self, query: RunQuery) -> list[RunInfo]:
        """Return the runs that match, in the query's order."""
        with self._lock:
            self.settle()
            names = self.names() if query.names is None else dict.fromkeys(query.names)
            condition = server_filter(replace(query, names=None))  # each is looked up by its name
            found = []
            for name in names:
                log = self._found(name)
                if log is not None:
                    log.poll(history=False)
                    info = self._info(name, log)
                    if matches(condition, info):
                        found.append(info)
            return ordered(query, found)

    def poll(
        self, runs: Sequence[str], keys: Sequence[str], since: Mapping[str, int] | None = None
    ) -> dict[str, RunUpdate]:
        """Return what is new in each run that exists."""
        with self._lock:
            self.settle()
            updates: dict[str, RunUpdate] = {}
            for name in runs:
                log = self._log(name)
                if log is None:
                    continue
                log.poll(history=bool(keys))
                cursor = (since or {}).get(name, 0)
                start = log.rows_at(cursor)
                updates[name] = RunUpdate(
                    info=self._info(name, log),
                    rows=log.since(start or 0, keys),
                    cursor=log.cursor,
                    version=log.version + "".join(map(signature, self.folders(name))),
                    reset=start is None,
                    damage=self._damage(name, log),
                    total=log.rows,
                )
            return updates

    def settle(self) -> None:
        """Pack the ended runs that were read since the last time, where they are many."""
        with self._lock:
            if self._packs is not None:
                self._packs.settle()

    def history(self, run: str, keys: Sequence[str] | None = None) -> tuple[pd.DataFrame, Origin]:
        """Return all rows of a run; see `RunStore.history`.

        A job of this machine whose trainer never opened W&B's files has no rows, and that is known; it is no run that
        cannot be read.

        Raises:
            StoreError: There is no such run here.
        """
        with self._lock:
            if self._found(run) is None and self._wrote_nothing(run):
                return _no_rows(keys, self.folders(run))
            log = self.log(run)
            frame, nan_steps, notes = with_evaluations(
                keys, self.folders(run), lambda wanted: self._read(run, log, wanted)
            )
            return frame, self._origin(run, log, len(frame), absent_from(frame.columns, keys), nan_steps, notes)

    def columns(self, run: str, keys: Sequence[str]) -> tuple[Mapping[str, npt.NDArray[Any]], Origin]:
        """Return the same as `history`, see `runs.store.columns_of`."""
        with self._lock:
            log = None if any(map(is_of_evaluations, keys)) else self._found(run)
            if log is None:
                frame, origin = self.history(run, keys)
                return {str(key): column.to_numpy() for key, column in frame.items()}, origin
            log.poll()
            asked = (id(log), log.version, tuple(keys))
            held = self._columns.get(run)
            if held is None or held[0] != asked:
                columns = log.columns(keys)
                shown = ((key, columns[key]) for key in dict.fromkeys(keys) if key in columns)
                with_gaps = [key for key, values in shown if values.dtype == float and np.isnan(values).any()]
                held = (asked, columns, nan_steps_of(log.since(0, with_gaps)) if with_gaps else {})
                self._columns.pop(run, None)
                if log.rows <= _MOST_HELD:
                    self._columns[run] = held
            return held[1], self._origin(run, log, len(held[1][STEP]), absent_from(held[1], keys), held[2])

    def _origin(
        self,
        run: str,
        log: JoinedLog,
        rows: int,
        absent: tuple[str, ...],
        nan_steps: Mapping[str, tuple[int, ...]],
        notes: Sequence[str] = (),
    ) -> Origin:
        total, complete = None if log.has_lost else rows, not log.has_lost
        note = "; ".join(filter(None, [log.note, *notes]))
        return Origin("offline", rows, total, complete, time.time(), self._damage(run, log), absent, note, nan_steps)

    def _read(
        self, run: str, log: JoinedLog, keys: Sequence[str] | None
    ) -> tuple[pd.DataFrame, dict[str, tuple[int, ...]]]:
        """Return all rows, and where a metric is NaN in them; read once for all parts of a page that show the same."""
        asked = (id(log), log.version, keys if keys is None else tuple(keys))
        held = self._frames.get(run)
        if held is None or held[0] != asked:
            frame = log.history(keys)
            shown = (
                [str(key) for key in frame] if keys is None else [key for key in dict.fromkeys(keys) if key in frame]
            )
            columns = ((key, frame[key].to_numpy()) for key in shown)
            with_gaps = [key for key, values in columns if values.dtype == float and np.isnan(values).any()]
            held = (asked, frame, nan_steps_of(log.since(0, with_gaps)) if with_gaps else {})
            self._frames.pop(run, None)
            if len(frame) <= _MOST_HELD:
                self._frames[run] = held
        # Its own frame for each: what one writes to it the others must not see.
        return held[1].copy(deep=not copies_on_write()), held[2]

    def logs(self, run: str, *, last: int | None = None) -> list[str]:
        """Return the lines of the run's `train.log`, else of W&B's console record, oldest first."""
        with self._lock:
            from experiments.runs.textlog import read_lines

            for folder in self.folders(run):
                lines = read_lines(folder / "train.log", last=last)
                if lines is not None:
                    return lines
            log = self._log(run)
            if log is None:
                return []
            log.poll()
            return [line.text for line in log.console(last)]

    def replays(self, run: str, metrics: Metrics | None = None) -> list[ReplayFile]:
        """Return the replays of the run, by step: its `replays` folder, what it stored with W&B, links it logged."""
        keys, forms = (metrics.replays, metrics.replay_links) if metrics is not None else ((), ())
        with self._lock:
            log = self._log(run)
            if log is not None:
                log.poll()
            return replays_of(self.folders(run), log, keys, forms)

    def folders(self, run: str) -> list[Path]:
        """Return the folders that may hold the run's files, the one that is written to first; none for a bad name."""
        if not _is_name(run):
            return []
        return [*([self.run_root / run] if self.run_root else []), self.runs_dir / run]

    def starts(self, run: str) -> list[Start]:
        """Return the starts of a run that have a W&B file here, oldest first; writers at once are one."""
        with self._lock:
            log = self._log(run)
            if log is None:
                return []
            log.poll()
            named = log.named_step()
            return [Start.of(turn, named) for turn in by_turn(log.pieces)]

    def log(self, run: str) -> JoinedLog:
        """Return the reader of a run with all there is now, for what the protocol lacks (console times, media, system).

        Raises:
            StoreError: There is no such run here.
        """
        with self._lock:
            log = self._need(run)
            log.poll()
            return log

    def _need(self, run: str) -> JoinedLog:
        log = self._found(run)
        if log is None:
            raise StoreError(
                f"run {run!r} has no W&B file under {str(self.runs_dir)!r}. The runs here: experiments runs"
            )
        return log

    def _wrote_nothing(self, run: str) -> bool:
        """Say whether a job of this machine has left W&B nothing at all: files that were deleted leave their folder."""
        for folder in self.folders(run):
            if (folder / "job.json").is_file():
                return not any(place.exists() for place in wandb_folders(folder))
        return False

    def _found(self, run: str) -> JoinedLog | None:
        """Return the log of a run, looking for it in the folders of all others where it has none."""
        log = self._log(run)
        if log is None and _is_name(run) and not any(folder.exists() for folder in self.folders(run)):
            self._folders_and_guests()
            log = self._log(run)
        return log

    def _log(self, run: str) -> JoinedLog | None:
        if not _is_name(run):
            return None
        if self.run_root is not None:
            rooted = self._rooted.get(run)
            if rooted is None:
                rooted = self._rooted[run] = self._joined(run, self.run_root / run)
            if rooted.find_files():
                return rooted
        log = self._logs.get(run)
        if log is not None and log.find_files():
            return log
        log = self._logs[run] = self._joined(run, self.runs_dir / run)
        if log.find_files():
            return log
        log = self._logs[run] = self._elsewhere(run, log)
        return log if log.find_files() else None

    def _elsewhere(self, run: str, log: JoinedLog) -> JoinedLog:
        """Return the log of a run in another's folder, else in a folder of several runs, else its own empty one."""
        host = self._guests.get(run)
        if host is not None:
            places = [place for folder in self.folders(host) for place in wandb_folders(folder)]
            return JoinedLog(run, places, self._cache, self._packs, is_shared=True)
        shared = self._shared()
        return JoinedLog(run, shared, self._cache, self._packs, is_shared=True) if shared else log

    def _joined(self, run: str, folder: Path) -> JoinedLog:
        own = self.runs_dir / run
        return JoinedLog(run, wandb_folders(folder), self._cache, self._packs, named_step=lambda: named_step(own))

    def _shared(self) -> tuple[Path, ...]:
        """Return the folders with W&B's directories of several runs, where `runs_dir` is one or holds one."""
        folders = (self.runs_dir, *wandb_folders(self.runs_dir))
        seen = tuple(folder.stat().st_mtime_ns if folder.is_dir() else 0 for folder in folders)
        if self._shared_of[0] != seen:
            held = (path for path in folders if any(_DIRECTORY.match(inner.name) for inner in listed(path)))
            self._shared_of = (seen, tuple(held))
        return self._shared_of[1]

    def home(self, run: str) -> Path:
        """Return the folder under `runs_dir` that holds W&B's folder of a run: its own, another's, or `runs_dir`."""
        with self._lock:
            log = self._found(run)
            places = log.folders if log is not None else ()
            own = (self.runs_dir / name for name in (run, self._guests.get(run)) if name is not None)
            return next((folder for folder in own if set(wandb_folders(folder)) & set(places)), self.runs_dir)

    def _damage(self, name: str, log: JoinedLog) -> str:
        return log.damage_of(has_ended=self._state(name, log) != "running")

    def _info(self, name: str, log: JoinedLog) -> RunInfo:
        evaluated = " ".join(filter(None, map(signature, self.folders(name))))
        state, version = self._state(name, log), f"{log.version} {log.others} {evaluated}"
        held = self._infos.get(name)
        if held is not None and held[0] == version and held[1].state == state:
            return held[1]
        facts = log.facts
        info = RunInfo(
            name=name,
            state=state,
            display_name=facts.display_name or name,
            user=author_of(name, facts.config, facts.user or user_in_files(log.directories)),
            group=facts.group,
            tags=facts.tags,
            notes=facts.notes,
            created_at=log.created_at,
            heartbeat_at=log.modified,
            config=facts.config,
            summary={**(evaluations_in(self.folders(name)).latest() if evaluated else {}), **facts.summary},
            exit_code=facts.exit_code,
            note="; ".join(filter(None, (self._damage(name, log), log.note))),
            run_id=log.shown if log.shown != name else "",
            place=f"{facts.entity}/{facts.project}" if facts.project else "",
        )
        self._infos[name] = (version, info)
        return info

    def _state(self, name: str, log: JoinedLog) -> str:
        """W&B's word: of the exit record, else `running` until the launcher or a long silence says otherwise."""
        code = log.exit_code
        if code is not None:
            return "failed" if code else "finished"
        ended = self._ended(name)
        if ended is not None:
            return "crashed" if ended else "running"
        return "running" if time.time() - (log.modified or 0.0) < SILENT_S else "crashed"

    def _ended(self, name: str) -> bool | None:
        """Return whether the launcher's record says that the job is over; None where there is no record."""
        path = self._job_paths.get(name)
        if path is None:
            path = self._job_paths[name] = str(self.runs_dir / self._guests.get(name, name) / "job.json")
        try:
            stat = os.stat(path)  # noqa: PTH116 - a hundred of these per poll
            held = self._jobs.get(name)
            if held is None or held[0] != (stat.st_mtime_ns, stat.st_size):
                job = parse_json(Path(path).read_bytes())
                ended = isinstance(job, dict) and (job.get("ended_at") or job.get("exit_code")) is not None
                held = self._jobs[name] = ((stat.st_mtime_ns, stat.st_size), ended)
        except (OSError, ValueError):
            return None
        return held[1]


def _no_rows(keys: Sequence[str] | None, folders: Sequence[Path]) -> tuple[pd.DataFrame, Origin]:
    """Return the history of a job that has left W&B nothing: it has no rows but those of its evaluations."""
    import pandas as pd

    nothing = pd.DataFrame({name: pd.Series(dtype=float) for name in (STEP, TIMESTAMP, RUNTIME)})
    frame, nan_steps, notes = with_evaluations(keys, folders, lambda _: (nothing, {}))
    note, absent = "; ".join(["no W&B file is in its folder", *notes]), absent_from(frame.columns, keys)
    number, now = len(frame), time.time()
    return frame, Origin("offline", number, number, True, now, absent=absent, note=note, nan_steps=nan_steps)


def _is_name(run: str) -> bool:
    return run not in ("", ".", "..") and "/" not in run and "\0" not in run
