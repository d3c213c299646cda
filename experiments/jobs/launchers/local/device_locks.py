"""Who has which GPU, for the whole machine: locks that a trainer inherits, as it inherits the lock of its run.

A device is free again exactly when the last process of its job is gone, whoever of starter, supervisor and trainer was
killed before. The files lie where every user, project and clone of the machine finds them; what stands in one is told
to people and trusted by nobody.
"""

from __future__ import annotations

import contextlib
import fcntl
import math
import os
import re
import stat
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from experiments.project.errors import LaunchError

PARTS = 12
"""Into how many parts a device is divided, so that halves, thirds, quarters and sixths of one can be lent."""

PLACE = "EXPERIMENTS_DEVICE_LOCKS"
"""Variable that names another folder for the locks."""

_PLACES = ("/run/lock", "/tmp")  # noqa: S108 - one place for all users of the machine
_TURN, _TURN_S = "turn", 5.0
_TRIES = 5
_OF_ALL = 0o1777
_MOST_TOLD = 400


@dataclass(frozen=True)
class Device:
    """A GPU of this machine.

    Attributes:
        id: Its UUID, which CUDA takes as it is; else what the setting or `CUDA_VISIBLE_DEVICES` calls it.
        name: The model.
        processes: Which compute on it now, whoever started them.
        is_told: Whether anybody tells which do.
    """

    id: str
    name: str = ""
    processes: tuple[int, ...] = ()
    is_told: bool = True


@dataclass
class Taken:
    """Devices that were taken for one job.

    Attributes:
        ids: Of the devices, for `CUDA_VISIBLE_DEVICES`.
        locks: Descriptors of their locks; whoever inherits one holds the device.
    """

    ids: tuple[str, ...] = ()
    locks: list[int] = field(default_factory=list)

    def close(self) -> None:
        """Give up this process's own hold on them."""
        for lock in self.locks:
            os.close(lock)
        self.locks.clear()


def take(usable: Sequence[Device], amount: float, holder: str) -> Taken | None:
    """Take devices for a job; None where too few are free.

    Args:
        usable: Those that may be taken.
        amount: How many; below 1 the part of one that others may share.
        holder: Who takes them, in words for whoever asks.

    Raises:
        LaunchError: The locks cannot be used, so that nobody knows what is free.
    """
    taken = Taken()
    wanted = parts_of(amount)
    try:
        with _turn(fcntl.LOCK_EX):
            # What is shared already comes first, so that whole devices stay free for those who need one.
            order = usable if amount >= 1 else sorted(usable, key=lambda device: not _holders(device))
            for device in order:
                if len(taken.ids) < amount and (locks := _free_parts(device, wanted)):
                    taken = Taken((*taken.ids, device.id), [*taken.locks, *locks])
            if len(taken.ids) < amount:
                taken.close()
                return None
            for lock in taken.locks:
                os.ftruncate(lock, 0)
                # The name of a folder may have bytes that are no text.
                os.pwrite(lock, holder.encode(errors="replace")[:_MOST_TOLD], 0)
    except BaseException as error:
        taken.close()  # who asks may live for long, and would hold them as long
        if isinstance(error, OSError):
            raise _unusable(folder(), error) from None
        raise
    return taken


def parts_of(amount: float) -> int:
    """Return how many parts of each device a job gets that asks for so many devices, or for so much of one."""
    return PARTS if amount >= 1 else max(1, math.ceil(amount * PARTS - 1e-9))


def held_by(device: Device) -> dict[str, int]:
    """Return how many parts of a device each holder has, in the holders' words.

    Raises:
        LaunchError: The locks cannot be used.
    """
    try:
        with _turn(fcntl.LOCK_SH):
            return _holders(device)
    except OSError as error:
        raise _unusable(folder(), error) from None


def in_others_hands(device: Device) -> bool:
    """Say whether programs that are no jobs compute on a device: then no job is put in their way."""
    return bool(device.processes) and not held_by(device)


def of_project(root: Path) -> str:
    """Return what follows the name of a run where it is told that it holds a device: names are of one project only."""
    return f" of {root}"


def held_parts() -> frozenset[str]:
    """Return which parts of devices are held by now, whoever has them; no more than that is known of them.

    Raises:
        LaunchError: The locks cannot be used.
    """
    try:
        with _turn(fcntl.LOCK_SH):
            return frozenset(path.name for path in folder().glob("[!.]*.*") if _holder(path) is not None)
    except OSError as error:
        raise _unusable(folder(), error) from None


@contextlib.contextmanager
def _turn(how: int) -> Iterator[None]:
    """Let one at a time take devices, and nobody look meanwhile.

    Two that take at once would each get a part of one device and leave it again; and who looks whether a lock is held
    has it for an instant. Who waits for too long goes on: what is lent is decided by the locks of the devices alone.
    """
    lock = _opened(folder() / _TURN)
    deadline = time.monotonic() + _TURN_S
    try:
        while True:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(lock, how | fcntl.LOCK_NB)
                break
            if time.monotonic() > deadline:
                break
            time.sleep(0.002)
        yield
    finally:
        os.close(lock)


def _holders(device: Device) -> dict[str, int]:
    found: dict[str, int] = {}
    for path in _files(device):
        if (who := _holder(path)) is not None:
            found[who] = found.get(who, 0) + 1
    return found


def _free_parts(device: Device, wanted: int) -> list[int]:
    if device.processes and not _holders(device):
        return []
    taken: list[int] = []
    try:
        for path in _files(device):
            if len(taken) < wanted and (lock := _lock(path)) is not None:
                taken.append(lock)
    finally:
        if len(taken) < wanted:
            for lock in taken:
                os.close(lock)
    return taken if len(taken) == wanted else []


def _lock(path: Path) -> int | None:
    for _ in range(_TRIES):
        lock = _opened(path)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return None
        if _is_there(path, lock):
            return lock
        os.close(lock)  # somebody tidied up: a lock of a file that has no name any more keeps nobody out
    return None


def _is_there(path: Path, lock: int) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(path.lstat(), os.fstat(lock))
    return False


def _opened(path: Path) -> int:
    how = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    with contextlib.suppress(FileNotFoundError):
        # Linux lets nobody make what is another user's in a folder of all users, not even where it is there.
        return os.open(path, how)
    # Under its name it is there for every user or not at all, also where this process is killed.
    unnamed = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    unnamed.unlink(missing_ok=True)
    lock = os.open(unnamed, how | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.fchmod(lock, 0o666)
        path.hardlink_to(unnamed)
    except FileExistsError:
        os.close(lock)
        return os.open(path, how)
    except OSError:
        os.close(lock)
        raise
    finally:
        unnamed.unlink(missing_ok=True)
    return lock


def _holder(path: Path) -> str | None:
    """Return who holds a part, in its own words; None where nobody does."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        told = os.pread(file, _MOST_TOLD, 0).decode("utf-8", "replace")
        return "".join(letter for letter in told if letter.isprintable())  # anybody of the machine may have written it
    finally:
        os.close(file)
    return None


def _files(device: Device) -> list[Path]:
    name = re.sub(r"[^\w-]", "_", device.id)[:80]
    return [folder() / f"{name}.{part}" for part in range(PARTS)]


def folder() -> Path:
    """Return the folder of the locks, made for every user of the machine where it is missing.

    Raises:
        LaunchError: It cannot be made, or is no folder.
    """
    # The same for root as for everyone: what only root can write is no place.
    places = [os.environ[PLACE]] if os.environ.get(PLACE) else [each for each in _PLACES if _is_for_all(each)]
    path = Path(places[0] if places else _PLACES[-1]) / "experiments-devices"
    try:
        with contextlib.suppress(FileExistsError):
            path.mkdir()
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode):
            raise NotADirectoryError(f"{path} is no folder")
        if stat.S_IMODE(found.st_mode) != _OF_ALL and found.st_uid == os.geteuid():  # whoever made it was killed then
            path.chmod(_OF_ALL)
    except OSError as error:
        raise _unusable(path, error) from None
    return path


def _is_for_all(place: str) -> bool:
    with contextlib.suppress(OSError):
        return Path(place).stat().st_mode & _OF_ALL == _OF_ALL
    return False


def _unusable(path: Path, error: OSError) -> LaunchError:
    return LaunchError(
        f"the locks of this machine's GPUs cannot be kept in {str(path)!r}: {error}. Name another folder that all "
        f"users of the machine can write: {PLACE}=DIR"
    )
