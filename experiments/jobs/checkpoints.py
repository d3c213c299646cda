"""The checkpoints that a run's trainer saved: which there are, what is in them, and how a trainer goes on from one."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import uuid
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from experiments.jobs.isolation import LEFT
from experiments.project.errors import UsageError
from experiments.project.files import read_json
from experiments.project.trainers.template import filled
from experiments.project.trainers.value import Trainer

_ARCHIVES = frozenset({".npz", ".zip", ".pt", ".pth", ".ckpt"})


@dataclass(frozen=True)
class Saved:
    """One file or folder that a trainer saved its state in.

    Attributes:
        step: By its name; None where names say none.
    """

    path: Path
    step: int | None


def folder_of_checkpoints(trainer: Trainer, run_dir: Path, run: str) -> Path | None:
    """Return where a run's checkpoints lie; None where nobody said where the trainer saves them."""
    if trainer.checkpoints is None:
        return None
    place = Path(filled(trainer.checkpoints.folder, {"run_dir": str(run_dir.absolute()), "run": run}))
    # By a relative path a trainer means the folder that it works in.
    return place if place.is_absolute() else _worked_in(run_dir) / place


def _worked_in(run_dir: Path) -> Path:
    """Return the folder that a job's trainer was started in: as its record says, else the one that it would be."""
    with contextlib.suppress(OSError, ValueError):  # a record that is gone or damaged says nothing
        if isinstance(said := (read_json(run_dir / "job.json") or {}).get("cwd"), str):
            return Path(said)
    return run_dir / LEFT


def saved_by(trainer: Trainer, run_dir: Path, run: str) -> list[Saved]:
    """Return a run's checkpoints, oldest first: by their steps where names say them, else by their time."""
    folder = folder_of_checkpoints(trainer, run_dir, run)
    if folder is None or trainer.checkpoints is None or not folder.is_dir():
        return []
    of = trainer.checkpoints
    paths = [path for path in folder.glob(of.glob) if not path.name.startswith(".")]
    found = [Saved(path, of.step_of(path.relative_to(folder).as_posix())) for path in paths]
    if "{step}" in of.pattern:
        return sorted((each for each in found if each.step is not None), key=lambda each: each.step or 0)
    return sorted(found, key=lambda each: each.path.stat().st_mtime)


def going_on(trainer: Trainer, run_dir: Path, run: str, newest: Saved | None) -> tuple[str, ...]:
    """Return the words by which a trainer goes on from a run; none where it has no argument for it."""
    if trainer.resume is None:
        return ()
    values = {"run": run, "run_dir": str(run_dir), "checkpoint": str(newest.path) if newest else ""}
    return trainer.argument(trainer.resume, filled(trainer.resume_value, values))


def damage(path: Path) -> str:
    """Return why a file cannot be read whole; empty where it can, as far as its kind can tell."""
    try:
        if not path.stat().st_size:
            return "file is empty"
        if path.suffix not in _ARCHIVES and not zipfile.is_zipfile(path):
            return ""
        with zipfile.ZipFile(path) as archive:
            broken = archive.testzip()
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        # Of these suffixes only .npz and .zip have to be archives.
        return f"file cannot be read: {error}" if isinstance(error, OSError) or path.suffix in {".npz", ".zip"} else ""
    return f"file is damaged at {broken}" if broken else ""


def files_in(checkpoint: Path) -> list[Path]:
    """Return the files that a checkpoint consists of: itself, or those in its folder."""
    return sorted(path for path in checkpoint.rglob("*") if path.is_file()) if checkpoint.is_dir() else [checkpoint]


def content_of(checkpoint: Path) -> str:
    """Return the sha256 of a checkpoint: of its bytes, or of names and bytes of the files in its folder.

    Raises:
        OSError: It cannot be read.
    """
    if not checkpoint.is_dir():
        return _sha256(checkpoint)
    digest = hashlib.sha256()
    for path in files_in(checkpoint):
        digest.update(f"{_sha256(path)} {path.relative_to(checkpoint).as_posix()}\n".encode())
    return digest.hexdigest()


def keep_copy(checkpoint: Path, folder: Path, sha256: str) -> Path:
    """Copy a checkpoint into a folder under its hash, whole or not at all, and return the copy.

    Its trainer may drop or overwrite it at any time.

    Raises:
        UsageError: It is not what the hash was taken of any more.
        OSError: It cannot be read or copied.
    """
    kept = folder / sha256[:16]
    if kept.exists() and content_of(kept / checkpoint.name) != sha256:
        shutil.rmtree(kept)  # what a power cut left
    if not kept.exists():
        temporary = folder / f".{uuid.uuid4().hex}"
        temporary.mkdir(parents=True)
        try:
            copy = temporary / checkpoint.name
            (shutil.copytree if checkpoint.is_dir() else shutil.copyfile)(checkpoint, copy)
            if content_of(copy) != sha256:
                raise UsageError(
                    f"checkpoint {str(checkpoint)!r} changed while it was read: its trainer is writing it. Run the "
                    "command again when it is whole."
                )
            with contextlib.suppress(OSError):  # somebody else was faster: the copy that is there has the same content
                temporary.rename(kept)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    return kept / checkpoint.name


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
