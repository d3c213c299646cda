"""What lies in a run's folder: W&B's files, and what the trainer notes at each start of the run.

W&B's are in `wandb`, or `.wandb` where a folder has one, in a directory for each start. The trainer's is a line of
JSON, beside its checkpoints: a run that is started again elsewhere goes on under the same name, and this is how a chart
knows where.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import socket
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from experiments.project.files import parse_json, read_json

WANDB_FOLDERS = ("wandb", ".wandb")
ATTEMPTS = "attempts.jsonl"
METRICS = "metric-roles.json"
"""What the trainer of a job names of what it logs; whoever hands the job over leaves it in the job's folder, where many
trainers write a `metrics.json` of their own."""


def wandb_folders(folder: Path) -> tuple[Path, ...]:
    """Return the places of W&B's directories in a folder; they may not exist."""
    return tuple(folder / name for name in WANDB_FOLDERS)


def named_step(folder: Path) -> str | None:
    """Return the counter of steps that the trainer of a job names; None where it names none, or nobody can tell.

    Args:
        folder: Of the job on the machine that it was launched from.
    """
    try:
        found = (read_json(folder / METRICS) or {}).get("step")
    except (OSError, ValueError):
        return None  # one of those that trainers usually have is looked for
    return found if isinstance(found, str) else None


def author_of(name: str, config: Mapping[str, Any], login: str) -> str:
    """Return who launched an offline run: the config's `user`, else the first part of our run name, else the login."""
    user = config.get("user")
    if isinstance(user, str) and user:
        return user
    parts = name.split(".")
    return parts[0] if len(parts) == 5 else login


def wandb_files(folders: Iterable[Path]) -> list[Path]:
    """Return the `.wandb` files of all starts, those of the newest directory last.

    Its name begins with the time of the start: `offline-run-20260131_235959-<id>`, whatever a trainer let follow.
    """
    return starts_in(map(str, folders)).files


class Starts(NamedTuple):
    """What lies in W&B's folders.

    Attributes:
        files: Those that `wandb_files` returns.
        is_whole: Whether each directory has its file already.
        unlisted: The folders that are there and cannot be listed: what they hold is not known.
    """

    files: list[Path]
    is_whole: bool
    unlisted: list[Path]


def starts_in(folders: Iterable[str]) -> Starts:
    """Return the files of all starts, and what of the folders cannot be told."""
    found: list[tuple[str, str]] = []
    unlisted: list[Path] = []
    is_whole = True
    for folder in folders:
        for start in _names(folder, unlisted):
            if "run-" in start and start != "latest-run":
                held = _names(f"{folder}/{start}", unlisted)
                files = [file for file in held if file.startswith("run-") and file.endswith(".wandb")]
                found += [(start, f"{folder}/{start}/{file}") for file in files]
                is_whole = is_whole and bool(files)
    found.sort(key=lambda pair: pair[0].removeprefix("offline-"))
    return Starts([Path(path) for _, path in found], is_whole and not unlisted, unlisted)


def listed(folder: Path) -> list[Path]:
    """Return what lies in a folder; nothing where it cannot be listed."""
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _names(folder: str, unlisted: list[Path]) -> list[str]:
    """Return what lies in a folder, hidden files left out as by `glob`, which takes three times as long.

    Args:
        unlisted: Takes the folder where it cannot be listed.
    """
    try:
        return [name for name in os.listdir(folder) if not name.startswith(".")]  # noqa: PTH208 - ten thousand at once
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError:
        unlisted.append(Path(folder))
        return []


def run_id_of(path: Path | str) -> str:
    """Return the run id that a `.wandb` file's name carries; its directory's name may have more."""
    return os.path.basename(path).removeprefix("run-").removesuffix(".wandb")  # noqa: PTH119 - ten thousand at once


@dataclass(frozen=True)
class Attempt:
    """One start of a trainer.

    Attributes:
        at: Unix seconds.
        step: Agent-steps that it went on from; 0 at the beginning.
        host: Name of the machine.
    """

    at: float
    step: int
    host: str = ""


def note_attempt(folder: Path, step: int) -> None:
    """Add a start that goes on from `step`; a folder that cannot be written is left alone."""
    line = json.dumps({"at": time.time(), "step": step, "host": socket.gethostname(), "pid": os.getpid()})
    with contextlib.suppress(OSError):
        descriptor = os.open(folder / ATTEMPTS, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        try:
            end = os.lseek(descriptor, 0, os.SEEK_END)
            # A machine that was lost while it wrote may have left half a line.
            torn = end > 0 and os.pread(descriptor, 1, end - 1) != b"\n"
            os.write(descriptor, (("\n" if torn else "") + line + "\n").encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def read_attempts(folder: Path) -> list[Attempt]:
    """Return the starts noted in a run's folder, by time; a line that is not understood is left out."""
    try:
        lines = (folder / ATTEMPTS).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    found = [attempt for line in lines if (attempt := _parsed(line)) is not None]
    return sorted(found, key=lambda attempt: attempt.at)


def _parsed(line: str) -> Attempt | None:
    try:
        entry: Any = parse_json(line)
        at, step = float(entry["at"]), int(entry["step"])
    except (ValueError, TypeError, LookupError, OverflowError):
        return None
    return Attempt(at, step, str(entry.get("host", ""))) if math.isfinite(at) else None
