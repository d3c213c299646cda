"""Where logs lie, and how one is put there: whole or not at all, and never in the place of another one in silence.

`experiments/log/NAME.html` is the newest log of an experiment. When something changed since, the log before stays
beside it as `NAME.2026-11-22T140501Z.html`, named by the time at which it was written.
"""

from __future__ import annotations

import contextlib
import glob
import os
import re
from datetime import UTC, datetime
from pathlib import Path

from experiments.notebooks.export.record import read_record
from experiments.project.errors import NotebookError, UsageError
from experiments.project.files import second_name, sync

LOG_FOLDER = Path("experiments") / "log"
LOGBOOK = "index.html"


def log_folder(root: Path) -> Path:
    """Return the folder of a project's logs."""
    return root / LOG_FOLDER


def target_of(root: Path, experiment: str, output: Path | None) -> Path:
    """Return the file that a log is written to.

    Args:
        experiment: Its name; that of the notebook's file where no recipe made it.
        output: What the user asked for; None for the log folder.

    Raises:
        UsageError: `output` is a folder, or no HTML file by its name.
    """
    if output is None:
        stem = experiment if f"{experiment}.html" != LOGBOOK else f"{experiment}-log"
        return log_folder(root) / f"{stem}.html"
    output = output.absolute()
    if output.is_dir():
        raise UsageError(f"--output {str(output)!r} is a folder. Name a file in it: -o {output / f'{experiment}.html'}")
    if output.suffix.lower() not in {".html", ".htm"}:
        raise UsageError(f"--output {str(output)!r} does not end in .html. Try: -o {output.with_suffix('.html')}")
    return output


def check_writable(folder: Path) -> None:
    """Make a folder and try to write to it, before minutes go into running a notebook.

    Raises:
        NotebookError: It cannot be made or written.
    """
    probe = folder / f".probe.{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise NotebookError(_no_place(folder, error)) from None


def draft_of(path: Path) -> Path:
    """Return the name under which a log is written before it gets its own."""
    return path.with_name(f".{path.name}.{os.getpid()}.tmp")


def write_draft(draft: Path, page: bytes) -> None:
    """Write a page down to the disk.

    Raises:
        NotebookError: The folder is full or cannot be written; nothing is left behind.
    """
    try:
        with draft.open("wb") as file:
            file.write(page)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        _drop(draft)
        raise NotebookError(_no_place(draft.parent, error)) from None


def drop_drafts(path: Path) -> None:
    """Remove what exports of `path` left that were killed; call it only while no other writes there."""
    for draft in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
        _drop(draft)


def put_in_place(draft: Path, path: Path, *, keep_old: bool) -> Path | None:
    """Give a finished draft its name.

    Args:
        keep_old: Keep the file that has the name now.

    Returns:
        What that file is called from now on; None where there was none or it was not to be kept.

    Raises:
        NotebookError: It could not be done; the old file is still there under its name.
    """
    kept = None
    try:
        if keep_old and path.exists():
            kept = kept_name(path)
            second_name(path, kept)
        draft.replace(path)
        sync(path.parent)
    except OSError as error:
        _drop(draft)
        raise NotebookError(_no_place(path.parent, error)) from None
    return kept


def kept_name(path: Path) -> Path:
    """Return the name under which the log at `path` is kept when another takes its place."""
    record = read_record(path)
    moment = (record.moment if record else None) or datetime.fromtimestamp(path.stat().st_mtime, UTC)
    stem = f"{path.stem}.{moment:%Y-%m-%dT%H%M%SZ}"
    names = (f"{stem}{f'-{number}' if number > 1 else ''}{path.suffix}" for number in range(1, 1_000_000))
    return next(found for name in names if not (found := path.with_name(name)).exists())


def is_kept_name(path: Path) -> bool:
    """Say whether a file is an earlier log by its name."""
    return re.search(r"\.\d{4}-\d\d-\d\dT\d{6}Z(-\d+)?$", path.stem) is not None


def _drop(draft: Path) -> None:
    """Remove what there is of a draft; only ever a plain file."""
    with contextlib.suppress(OSError):
        if draft.is_file() and not draft.is_symlink():
            draft.unlink()


def _no_place(folder: Path, error: OSError) -> str:
    reason = error.strerror or str(error)
    return (
        f"the log cannot be written into {str(folder)!r} ({reason}). Earlier logs are as they were. "
        "Write it elsewhere: experiments export NOTEBOOK -o FILE.html"
    )
