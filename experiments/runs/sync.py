"""Finished offline runs, uploaded to the W&B server by W&B's own `wandb sync`; twice does no harm."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from experiments.errors import StoreError
from experiments.redaction import mask_text
from experiments.runs.credentials import find_credentials
from experiments.runs.offline import OfflineStore
from experiments.runs.trimming import uploadable

DEADLINE_S = 1800.0
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
    """

    run: str
    state: SyncState
    detail: str = ""
    url: str | None = None


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


def sync_runs(
    names: Sequence[str] | None = None,
    on_progress: Callable[[SyncProgress], None] | None = None,
    *,
    runs_dir: Path,
    entity: str | None = None,
    project: str | None = None,
    deadline_s: float = DEADLINE_S,
) -> list[SyncResult]:
    """Upload the offline runs that ended and are not uploaded yet, one after the other.

    Args:
        names: Run names; all runs of `runs_dir` where None.
        on_progress: Called before and after each run.
        runs_dir: Folder of the runs.
        entity: W&B entity instead of the run's own.
        project: W&B project instead of the run's own.
        deadline_s: Seconds that one run may take.

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
            with uploadable(store.log(run).pieces) as instead:
                result = _sync(runs_dir / run, options, deadline_s, instead)
        results.append(result)
        tell(SyncProgress(run, done + 1, len(chosen), result))
    return results


def _need_key() -> None:
    found = find_credentials()
    if found.key is None and not found.identity_token:
        raise StoreError(f"no W&B key for {found.host!r} was found, so nothing was uploaded. Log in first: wandb login")


def _standing(store: OfflineStore, run: str) -> SyncResult | None:
    """Return why a run is not to be uploaded; None where it is."""
    update = store.poll([run], []).get(run)
    if update is None:
        return SyncResult(run, "unknown", f"no W&B file under {str(store.runs_dir / run)!r}")
    if update.info.state == "running":
        return SyncResult(run, "running", "it is uploaded once it has ended")
    folder = store.runs_dir / run
    if not _directories(folder):
        return SyncResult(run, "online", "it logged to the server by itself")
    if not _pending(folder):
        url = _read_mark(folder).get("url")
        return SyncResult(run, "already", url=url if isinstance(url, str) else None)
    return None


def _sync(folder: Path, options: Sequence[str], deadline_s: float, instead: Mapping[Path, Path]) -> SyncResult:
    run = folder.name
    with _alone(folder) as alone:
        if not alone:
            return SyncResult(run, "busy", "another process uploads it")
        sizes = _sizes(folder)
        pending = [instead.get(directory, directory) for directory in _pending(folder)]
        command = [*_COMMAND, *options, *map(str, pending)]
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=deadline_s,
                check=False,
                env={**os.environ, "WANDB_MODE": "online", "WANDB_SILENT": "false", "WANDB_QUIET": "false"},
                stdin=subprocess.DEVNULL,
            )
        except subprocess.TimeoutExpired:
            return SyncResult(
                run, "failed", f"not done within {deadline_s:.0f} s; what came through stays. Run it again."
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
        _write_mark(folder, {"files": sizes, "url": url, "at": time.time()})
        return SyncResult(run, "synced", last[:300], url)


def _directories(folder: Path) -> list[Path]:
    """Return the directories of the run's offline starts, oldest first."""
    files = (folder / "wandb").glob("offline-run-*/run-*.wandb")
    return sorted({path.parent for path in files}, key=lambda path: path.name)


def _pending(folder: Path) -> list[Path]:
    """Return the directories of which something is not uploaded."""
    uploaded = _read_mark(folder).get("files")
    known = uploaded if isinstance(uploaded, dict) else {}
    sizes = _sizes(folder)
    return [
        directory
        for directory in _directories(folder)
        if not _is_marked(directory)
        and any(known.get(name) != size for name, size in sizes.items() if name.startswith(f"{directory.name}/"))
    ]


def _is_marked(directory: Path) -> bool:
    """Return whether W&B left its mark of a complete upload."""
    return any(directory.glob("run-*.wandb.synced"))


def _sizes(folder: Path) -> dict[str, int]:
    """Return what an upload of the run takes in: a row more changes it."""
    found = {}
    for directory in _directories(folder):
        for path in directory.glob("run-*.wandb"):
            found[f"{directory.name}/{path.name}"] = path.stat().st_size
    return found


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    with (folder / "sync.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            yield True


def _read_mark(folder: Path) -> dict[str, object]:
    try:
        mark = json.loads((folder / _MARK).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return mark if isinstance(mark, dict) else {}


def _write_mark(folder: Path, mark: dict[str, object]) -> None:
    temporary = folder / f".{_MARK}.{os.getpid()}"
    temporary.write_text(json.dumps(mark), encoding="utf-8")
    temporary.replace(folder / _MARK)
