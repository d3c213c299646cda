"""Write notebook files: whole or not at all, one writer at a time, with a copy of what is overwritten."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from experiments.project.errors import NotebookError


@contextlib.contextmanager
def one_writer(path: Path) -> Iterator[None]:
    """Hold the lock of the file's folder, so that two commands do not lose each other's changes.

    The lock is on the folder itself and leaves no file behind.

    Raises:
        NotebookError: The folder does not exist and cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        # Where a file system has no locks, writing by rename still leaves a whole file.
        with contextlib.suppress(OSError):
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def write_whole(path: Path, text: str) -> None:
    """Write a file under a temporary name in the same folder and rename it.

    Raises:
        NotebookError: The folder is read-only or full; the file is as it was.
    """
    try:
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            temporary.chmod(path.stat().st_mode & 0o777)
        temporary.replace(path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise _unwritable(path, error) from None
        raise


def back_up(path: Path) -> Path:
    """Copy a file to `<name>.bak`, or `.bak.1` and so on where that is taken, and return the copy's path."""
    copies = (path.with_name(f"{path.name}.bak{f'.{n}' if n else ''}") for n in range(sys.maxsize))
    copy = next(candidate for candidate in copies if not candidate.exists())
    try:
        copy.write_bytes(path.read_bytes())
    except OSError as error:
        raise _unwritable(copy, error) from None
    return copy


def check_writable(path: Path) -> None:
    """Refuse a path that no notebook can be written to, before anything is launched for it.

    Raises:
        NotebookError: Not a Python file's name, the name of a standard module, a folder, or not writable.
    """
    if path.suffix != ".py" or path.stem in sys.stdlib_module_names:
        reason = "does not end in .py" if path.suffix != ".py" else "hides a standard module from notebooks beside it"
        raise NotebookError(f"notebook name {path.name!r} {reason}. Name it like 'my_experiment_nb.py'.")
    if path.is_dir():
        raise NotebookError(f"notebook {str(path)!r} is a folder. Name a file, such as {str(path / 'my_nb.py')!r}.")
    if path.exists() and not os.access(path, os.W_OK):
        raise NotebookError(f"notebook {str(path)!r} is read-only. Make it writable: chmod u+w {path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise _unwritable(path, error) from None


def _unwritable(path: Path, error: OSError) -> NotebookError:
    is_file = isinstance(error, (FileExistsError, NotADirectoryError))
    reason = "a part of its path is a file" if is_file else error.strerror
    return NotebookError(f"notebook {str(path)!r} cannot be written: {reason}. Name another folder with --output-dir.")
