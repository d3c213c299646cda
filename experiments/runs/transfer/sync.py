"""Finished offline runs, uploaded to the W&B server by W&B's own `wandb sync`; twice does no harm."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from experiments.project.credentials import find_credentials
from experiments.project.errors import StoreError
from experiments.project.files import inherited, locked, parse_json, write_json
from experiments.project.redaction import mask_text
from experiments.runs.offline.store import OfflineStore
from experiments.runs.transfer.trimming import uploadable

_DEADLINE_S = 1800.0  # for one run
_COMMAND = (sys.executable, "-P", "-m", "wandb", "sync", "--yes")
_MARK = "synced.json"
_URL = re.compile(r"https?://\S+/runs/[^\s/?]+")

SyncState = Literal["synced", "already", "running", "online", "unknown", "busy", "failed"]


@dataclass(frozen=True)
class SyncResult:
    """What became of one run.

    Attributes:
        state: `synced` now; `already` before; `running` still; `online`, logged to the server by itself; `unknown`, no
            W&B file here; `busy`, another process syncs it; `failed`.
        detail: Why it failed, or what W&B said; one line.
        url: Page of the run, where W&B named it.
        note: What is to be known of the rows that were uploaded: how several writers or starts were joined.
    """

    run: str
    state: SyncState
    detail: str = ""
    url: str | None = None
    note: str = ""


@dataclass(frozen=True)
class SyncProgress:
    """Where a sync stands.

    Attributes:
        run: The run in hand.
        done: Runs dealt with.
        total: Runs in all.
        result: What became of `run`; None while it is being uploaded.
    """

    run: str
    done: int
    total: int
    result: SyncResult | None = None


@dataclass(frozen=True)
class _Place:
    """What of a run is uploaded, and where it is noted.

    Attributes:
        home: The folder with W&B's folder: the run's own, or that of a job whose trainer gave W&B another id.
        directories: Those of the run's offline starts, oldest first.
    """

    run: str
    home: Path
    directories: Sequence[Path]

    @classmethod
    def of(cls, store: OfflineStore, run: str) -> _Place:
        offline = [path for path in store.log(run).directories if path.name.startswith("offline-")]
        return cls(run, store.home(run), offline)

    def pending(self) -> list[Path]:
        """Return the directories of which something is not uploaded."""
        uploaded = self.read_mark().get("files")
        known = uploaded if isinstance(uploaded, dict) else {}
        sizes = self.sizes()
        return [
            directory
            for directory in self.directories
            if not _is_marked(directory)
            and any(known.get(name) != size for name, size in sizes.items() if name.startswith(f"{directory.name}/"))
        ]

    def sizes(self) -> dict[str, int]:
        """Return what an upload of the run takes in: a row more changes it."""
        files = [path for directory in self.directories for path in directory.glob("run-*.wandb")]
        return {f"{path.parent.name}/{path.name}": path.stat().st_size for path in files}

    @property
    def _mark(self) -> Path:
        return self.home / (_MARK if self.home.name == self.run else f"synced-{self.run}.json")

    def read_mark(self) -> dict[str, object]:
        try:
            mark = parse_json(self._mark.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return mark if isinstance(mark, dict) else {}

    def write_mark(self, mark: dict[str, object]) -> None:
        write_json(self._mark, mark)


def sync_runs(
    names: Sequence[str] | None = None,
    on_progress: Callable[[SyncProgress], None] | None = None,
    *,
    runs_dir: Path,
    entity: str | None = None,
    project: str | None = None,
) -> list[SyncResult]:
    """Upload the offline runs that ended and are not uploaded yet, one after the other.

    Args:
        names: Run names; all runs of `runs_dir` where None.
        on_progress: Called before and after each run.
        runs_dir: Folder of the runs.
        entity: W&B entity instead of the run's own.
        project: W&B project instead of the run's own.

    Raises:
        StoreError: There is no W&B key.
    """
    store = OfflineStore(runs_dir)
    chosen = list(dict.fromkeys(names)) if names is not None else store.names()
    tell = on_progress or (lambda _: None)
    options = [*(["--entity", entity] if entity else []), *(["--project", project] if project else [])]
    results: list[SyncResult] = []
    for done, run in enumerate(chosen):
        result = _standing(store, run)
        if result is None:
            _need_key()
            tell(SyncProgress(run, done, len(chosen)))
            log, place = store.log(run), _Place.of(store, run)
            with uploadable(log.pieces, place.pending()) as instead:
                result = _sync(place, options, instead)
            result = replace(result, note="; ".join(filter(None, (log.damage_of(has_ended=True), log.note))))
        results.append(result)
        tell(SyncProgress(run, done + 1, len(chosen), result))
    return results


def _need_key() -> None:
    found = find_credentials()
    if found.key is None and not found.identity_token:
        raise StoreError(f"no W&B key for {found.host!r} was found, so nothing was uploaded. Log in first: wandb login")


def _standing(store: OfflineStore, run: str) -> SyncResult | None:
    """Return why a run is not to be uploaded; None where it is."""
    update = store.poll([run], []).get(run) if store.has(run) else None
    if update is None:
        return SyncResult(run, "unknown", f"no W&B file under {str(store.runs_dir / run)!r}")
    if update.info.state == "running":
        return SyncResult(run, "running", "it is uploaded once it has ended")
    place = _Place.of(store, run)
    if not place.directories:
        return SyncResult(run, "online", "it logged to the server by itself")
    if not place.pending():
        url = place.read_mark().get("url")
        return SyncResult(run, "already", url=url if isinstance(url, str) else None)
    return None


def _sync(place: _Place, options: Sequence[str], instead: Mapping[Path, Path]) -> SyncResult:
    run = place.run
    with locked(place.home / "sync.lock", wait_s=0.0) as alone:
        if not alone:
            return SyncResult(run, "busy", "another process uploads it")
        sizes = place.sizes()
        pending = list(dict.fromkeys(instead.get(directory, directory) for directory in place.pending()))
        command = [*_COMMAND, *options, *map(str, pending)]
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_DEADLINE_S,
                check=False,
                env={**inherited(), "WANDB_MODE": "online", "WANDB_SILENT": "false", "WANDB_QUIET": "false"},
                stdin=subprocess.DEVNULL,
            )
        except subprocess.TimeoutExpired:
            return SyncResult(
                run, "failed", f"not done within {_DEADLINE_S:.0f} s; what came through stays. Run it again."
            )
        text = mask_text(done.stdout + done.stderr)
        url = next(iter(_URL.findall(text)), None)
        last = next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")
        # It ends with 0 even where the server refused the key. A whole upload leaves a mark; one of a killed run, whose
        # file has a torn end, only names the run's page.
        said = [line.partition("ERROR")[2].strip() for line in text.splitlines() if "ERROR" in line]
        errors = [line for line in said if "incomplete record" not in line]
        whole = all(_is_marked(directory) for directory in pending)
        if done.returncode or errors or not (whole or url):
            why = errors[0] if errors else last or f"exit code {done.returncode}"
            return SyncResult(run, "failed", f"wandb sync: {why[:300]}", url)
        place.write_mark({"files": sizes, "url": url, "at": time.time()})
        return SyncResult(run, "synced", last[:300], url)


def _is_marked(directory: Path) -> bool:
    """Return whether W&B left its mark of a complete upload."""
    return any(directory.glob("run-*.wandb.synced"))
