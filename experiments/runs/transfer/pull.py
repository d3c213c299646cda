"""Copy what is new of runs from the folder of a cluster (`run_root`) to this machine.

A file appears under its name only when it is whole. Nothing but plain files and folders is followed or copied: a link
could lead anywhere. The launcher's own records of this machine are never taken from elsewhere.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from pathlib import Path

from experiments.project.errors import StoreError, UsageError
from experiments.project.files import second_name, try_lock
from experiments.runs.offline.places import WANDB_FOLDERS

NOT_OURS = frozenset(
    ("job.json", "spec.json", "lock", "cancel", "task.yaml", "events.json", "job.log", "sync.lock", "synced.json")
)
"""Files that this machine writes itself into a run's folder."""

# An online run is read from its server: a copy of its file would only be old. The rest are links that W&B makes.
_LEFT_OUT = tuple(
    f"{folder}/{name}"
    for folder in WANDB_FOLDERS
    for name in ("run-*", "latest-run", "debug*.log", "*/logs/debug-core.log")
)
_CHUNK = 1 << 20
_MARGIN = 64 << 20


@dataclass(frozen=True)
class PullProgress:
    """Where a pull stands.

    Attributes:
        run: The run in hand.
        number: Which of them it is, from 1.
        runs: Runs in all.
        done: Bytes copied of this run.
        total: Bytes of this run to be copied.
    """

    run: str
    number: int
    runs: int
    done: int
    total: int


@dataclass
class Pulled:
    """What became of one run.

    Attributes:
        copied: Files that were copied.
        kept: Files that were here already.
        size: Bytes copied.
        problems: What was not copied and why, one sentence each.
    """

    run: str
    copied: int = 0
    kept: int = 0
    size: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _File:
    """A file of a run.

    Attributes:
        inode: Number of what its name stands for: a replay has a second name in W&B's folder.
        first: The first of the names that stand for it.
    """

    name: str
    size: int
    modified_ns: int
    inode: int
    first: str = ""


def pull_runs(
    names: Sequence[str],
    root: Path,
    runs_dir: Path,
    on_progress: Callable[[PullProgress], None] = lambda _: None,
) -> list[Pulled]:
    """Copy what is new of each run from `root` to `runs_dir`; what is here already stays.

    Args:
        names: Run names.
        root: `run_root` as this machine sees it.
        runs_dir: Folder of the runs here.
        on_progress: Called before, during and after each run.

    Raises:
        UsageError: A name is not a run's, or a run has no folder in `root`; nothing was copied.
        StoreError: There is not enough room; the runs before it were copied.
    """
    for name in names:
        if name in ("", ".", "..") or "/" in name or "\0" in name:
            raise UsageError(f"{name!r} is not the name of a run. List them: uv run experiments status")
        if not stat.S_ISDIR(_mode(root / name)):
            raise UsageError(
                f"run {name!r} has no folder in {str(root)!r}. It may not have started; see uv run experiments status"
            )

    def pull(number: int, name: str) -> Pulled:
        return _pull(
            root / name,
            runs_dir / name,
            lambda done, total: on_progress(PullProgress(name, number, len(names), done, total)),
        )

    return [pull(number, name) for number, name in enumerate(names, 1)]


def runs_in(root: Path) -> list[str]:
    """Return the names of the runs that have a folder in `root`, sorted.

    Raises:
        StoreError: It cannot be read.
    """
    try:
        return sorted(entry.name for entry in os.scandir(root) if entry.is_dir(follow_symlinks=False))
    except OSError as error:
        raise StoreError(
            f"run_root {str(root)!r} cannot be read here ({error.strerror}). Mount it, or name where it is mounted: "
            "uv run experiments pull --all --from DIR"
        ) from None


def _pull(source: Path, target: Path, tell: Callable[[int, int], None]) -> Pulled:
    target.mkdir(parents=True, exist_ok=True)
    if (lock := try_lock(target / ".pull.lock")) is None:
        return Pulled(source.name, problems=["another pull copies it at this moment"])
    try:
        for left in target.rglob(".*.pull"):  # of a pull that was killed
            left.unlink(missing_ok=True)
        return _pull_alone(source, target, tell)
    finally:
        os.close(lock)


def _pull_alone(source: Path, target: Path, tell: Callable[[int, int], None]) -> Pulled:
    result = Pulled(source.name)
    files = list(_with_first_names(_files(source, "", result)))
    wanted = [file for file in files if not _is_here(target / file.name, file)]
    result.kept = len(files) - len(wanted)
    total = sum(file.size for file in wanted if file.first == file.name)
    _need_room(source.name, target, total)
    tell(0, total)
    for file in wanted:
        try:
            size = 0 if _named_again(target, file) else _copy(source, target, file)
        except FileNotFoundError:
            continue  # old checkpoints go as the trainer writes new ones
        except OSError as error:
            result.problems.append(f"{file.name}: {error.strerror or error}")
            continue
        result.copied += 1
        result.size += size
        tell(result.size, total)
    return result


def _files(folder: Path, prefix: str, result: Pulled) -> Iterator[_File]:
    """Yield the plain files below a folder, by their path in it."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        result.problems.append(f"{prefix or '.'}: {error.strerror}")
        return
    for entry in entries:
        name = f"{prefix}{entry.name}"
        # A name with a leading dot is a file that is being written, or W&B's folder.
        is_hidden = entry.name.startswith(".") and (prefix or entry.name not in WANDB_FOLDERS)
        if is_hidden or (not prefix and _is_ours(name)) or _is_left_out(name):
            continue
        found = entry.stat(follow_symlinks=False)
        if entry.is_symlink():
            result.problems.append(f"{name}: a link, not followed")
        elif stat.S_ISDIR(found.st_mode):
            yield from _files(folder / entry.name, f"{name}/", result)
        elif stat.S_ISREG(found.st_mode):
            yield _File(name, found.st_size, found.st_mtime_ns, found.st_ino)
        else:
            result.problems.append(f"{name}: not a plain file")


def _with_first_names(files: Iterable[_File]) -> Iterator[_File]:
    first: dict[tuple[int, int, int], str] = {}
    for file in files:
        yield replace(file, first=first.setdefault((file.inode, file.size, file.modified_ns), file.name))


def _named_again(target: Path, file: _File) -> bool:
    """Give what is here under the file's first name this one, too, and return whether that could be done."""
    path, known = target / file.name, target / file.first
    if file.first == file.name or not _is_here(known, file):
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    second_name(known, path)
    return True


def _is_ours(name: str) -> bool:
    return name in NOT_OURS or fnmatch(name, "synced-*.json")


def _is_left_out(name: str) -> bool:
    return any(fnmatch(name, pattern) for pattern in _LEFT_OUT)


def _is_here(path: Path, file: _File) -> bool:
    try:
        found = path.lstat()
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and (found.st_size, found.st_mtime_ns) == (file.size, file.modified_ns)


def _copy(source: Path, target: Path, file: _File) -> int:
    """Copy one file as far as it reaches now; return its bytes."""
    path = target / file.name
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.pull")
    descriptor = _open(source, file.name)
    try:
        # For its owner only, as the log of a local job is: what a trainer prints may be private.
        copy = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "rb") as reader, os.fdopen(copy, "wb") as writer:
            before = os.fstat(reader.fileno())
            left = before.st_size
            while left and (data := reader.read(min(left, _CHUNK))):
                writer.write(data)
                left -= len(data)
            writer.flush()
            os.fsync(writer.fileno())
        # The time of the very bytes that were read: a file that grew meanwhile differs at the next pull.
        os.utime(temporary, ns=(before.st_mtime_ns, before.st_mtime_ns))
        temporary.replace(path)
        return before.st_size - left
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def _open(folder: Path, name: str) -> int:
    """Open a file for reading without following a link anywhere on the way to it from `folder`."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(folder, flags | os.O_DIRECTORY)
    *inner, last = name.split("/")
    for part, more in [*((part, os.O_DIRECTORY) for part in inner), (last, os.O_NONBLOCK)]:
        try:
            following = os.open(part, flags | more, dir_fd=descriptor)
        finally:
            os.close(descriptor)
        descriptor = following
    return descriptor


def _need_room(run: str, target: Path, size: int) -> None:
    place = next(parent for parent in [target, *target.parents] if parent.exists())
    free = shutil.disk_usage(place).free
    if size + _MARGIN > free:
        raise StoreError(
            f"run {run!r} needs {size / 1e9:.1f} GB and {str(place)!r} has {free / 1e9:.1f} GB left. "
            "See what could go: uv run experiments gc"
        )


def _mode(path: Path) -> int:
    try:
        return path.lstat().st_mode
    except OSError:
        return 0
