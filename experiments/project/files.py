"""What must be known of processes and files to say the truth about a job after any crash; standard library only.

A pid alone says little: it is given again. A process is known by its pid and start time, and a machine's run by its
boot id. Every file that others read is written under a temporary name, synced and renamed. In JSON of others (files,
servers, programs) may stand anything.
"""

from __future__ import annotations

import fcntl
import json
import math
import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Generic, TypeAlias, TypeVar

PROC = Path("/proc")
JsonValue: TypeAlias = bool | int | float | str | list[Any] | dict[str, Any] | None
Read = TypeVar("Read")
_HALF = re.compile(r"\\u[dD][89a-fA-F]|[\ud800-\udfff]")


def inherited(unset: Sequence[str] = ()) -> dict[str, str]:
    """Return what a child process takes over of this one's environment: no empty variable of W&B's, see `unset_empty`.

    Args:
        unset: Variables that are not for the child.
    """
    left_out = {*unset, *_empty()}
    return {name: value for name, value in os.environ.items() if name not in left_out}


def unset_empty() -> None:
    """Unset this process's variables of W&B that are empty, before its SDK reads them.

    It takes an empty variable for a value, and most empty values end the program; whoever emptied it meant that there
    is none.
    """
    for name in _empty():
        del os.environ[name]


def _empty() -> list[str]:
    return [name for name, value in os.environ.items() if name.startswith("WANDB_") and not value]


def boot_id() -> str:
    """Return a name for the time since this machine was started; empty where the system has none."""
    try:
        return (PROC / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return _output("sysctl", "-n", "kern.bootsessionuuid")


def start_time(pid: int) -> str | None:
    """Return when process `pid` started, in the system's own unit; None where it is gone or only waits to be reaped."""
    try:
        # The command's name stands in brackets and may hold anything, so fields are counted from the last bracket.
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None if (PROC / "self").exists() else _output("ps", "-o", "lstart=", "-p", str(pid)) or None
    return None if fields[0] in "ZX" else fields[19]


def is_alive(process: object) -> bool:
    """Say whether a process recorded as `{"pid": ..., "start": ...}` still runs."""
    if not isinstance(process, dict) or not isinstance(process.get("pid"), int):
        return False
    return process.get("start") == start_time(process["pid"]) is not None


def this_process() -> dict[str, int | str]:
    """Return this process as `is_alive` wants it."""
    pid = os.getpid()
    return {"pid": pid, "start": start_time(pid) or ""}


def try_lock(path: Path) -> int | None:
    """Return the descriptor of the exclusive lock on `path`, or None where someone holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


@contextmanager
def locked(path: Path, *, wait_s: float) -> Iterator[bool]:
    """Hold the lock on `path` during a block; yield False, holding nothing, where others had it for `wait_s`."""
    deadline = time.monotonic() + wait_s
    while (descriptor := try_lock(path)) is None and time.monotonic() < deadline:
        time.sleep(0.005)
    try:
        yield descriptor is not None
    finally:
        if descriptor is not None:
            os.close(descriptor)


def is_locked(path: Path) -> bool:
    """Say whether someone holds the lock on `path`, by taking it for an instant.

    Ask only where nobody needs the lock any more: a claim that comes in that instant would be turned away.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def holders(path: Path) -> Iterator[int]:
    """Yield the processes of this user that hold the exclusive lock on `path`, with all who inherited it.

    Having the file open is not enough: someone who only asks whether it is locked has it open for an instant.
    """
    try:
        wanted = path.stat()
    except FileNotFoundError:
        return
    for entry in PROC.iterdir() if PROC.exists() else ():
        if entry.name.isdigit() and _holds(entry, wanted):
            yield int(entry.name)


def home_folder() -> Path:
    """Return the user's own folder; `/` for who has none, as a container's user without a name."""
    try:
        return Path.home()
    except RuntimeError:
        return Path("/")


def expanded(path: str) -> Path:
    """Return a path with the folder that `~` or `~name` stands for, if there is one."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def write_json(path: Path, value: object, *, indent: int | None = 1) -> None:
    """Write `value` as JSON to `path`; see `write_text`."""
    write_text(path, json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path`; see `write_bytes`."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, data: bytes, *, mode: int = 0o600, lasting: bool = True) -> None:
    """Write `data` to `path` so that readers see the old file or the whole new one.

    Args:
        mode: Who may use the file, less what this process's umask takes away.
        lasting: Whether that also holds after a power cut, which takes the time of the disk.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            if lasting:
                os.fsync(descriptor)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if lasting:
        sync(path.parent)


def sync(path: Path) -> None:
    """Bring the names in a folder, or the content of a file, to the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def second_name(path: Path, name: Path) -> None:
    """Give a file that is whole another name; where the file system knows no links, `name` is a copy."""
    try:
        name.hardlink_to(path)
    except OSError:
        draft = name.with_name(f".{name.name}.{os.getpid()}.tmp")
        try:
            shutil.copy2(path, draft)
            draft.replace(name)
        finally:
            draft.unlink(missing_ok=True)


def read_json(path: Path) -> dict[str, Any] | None:
    """Return the object in `path`, or None where there is no such file.

    Raises:
        ValueError: The file holds something else.
        OSError: It cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    value = parse_json(text)
    if not isinstance(value, dict):
        raise ValueError(f"{path.name} holds {type(value).__name__}, not an object")  # noqa: TRY004 - as json's own
    return value


def _holds(process: Path, wanted: os.stat_result) -> bool:
    try:
        for link in (process / "fd").iterdir():
            found = link.stat()
            if (found.st_ino, found.st_dev) == (wanted.st_ino, wanted.st_dev):
                locks = (process / "fdinfo" / link.name).read_text()
                if re.search(r"^lock:.*FLOCK.*WRITE", locks, re.MULTILINE):
                    return True
    except OSError:  # another user's, or gone meanwhile
        pass
    return False


def _output(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=5).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""


class ReadOnce(Generic[Read]):
    """What was read of a folder, kept for as long as its files are the same.

    Args:
        read: Reads a folder.
        names: Of the files that it reads.
    """

    _FOLDERS = 16

    def __init__(self, read: Callable[[Path], Read], *names: str) -> None:
        self._read, self._names = read, names
        self._known: dict[Path, tuple[object, Read]] = {}

    def read(self, folder: Path) -> Read:
        """Return what the files of a folder say now; the same object where none of them was written since."""
        seen = [stamp_of(folder / name) for name in self._names]
        known = self._known.get(folder)
        if known is not None and known[0] == seen:
            return known[1]
        found = self._read(folder)
        if len(self._known) >= self._FOLDERS:
            self._known.clear()
        self._known[folder] = (seen, found)
        return found


def stamp_of(path: Path) -> tuple[int, int, int] | None:
    """Return what changes whenever a file is written or replaced; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def parse_json(text: str | bytes) -> Any:  # noqa: ANN401 - any JSON
    """Return what a JSON text says, with a replacement sign for each half of a character.

    JSON can spell such a half, but no file, table, page or terminal can hold one. A bare NaN or Infinity is a number,
    as W&B has it.

    Raises:
        ValueError: It is no JSON, or nested too deeply for Python's parser, which itself raises another error.
    """
    try:
        text = text.decode() if isinstance(text, bytes) else text
        found = json.loads(text)
        return _whole(found) if _HALF.search(text) else found
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def real_number(value: float) -> float:
    """Return a number of JSON as a float: one beyond all floats is infinite, as `1e999` is."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def number_or_none(value: object) -> float | None:
    """Return what a tracker or a scheduler told as a number; None for a text, a truth value, NaN and infinities."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None  # an integer that no float can hold


def _whole(value: Any) -> Any:  # noqa: ANN401 - any JSON, returned in kind
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_whole(name): _whole(entry) for name, entry in value.items()}
    return [_whole(entry) for entry in value] if isinstance(value, list) else value
