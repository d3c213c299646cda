"""The objects of snapshots: put where they belong when all of them are there and checked, and not before."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from experiments.project.files import sync
from experiments.project.git import GitError
from experiments.project.snapshots.store import Git, Store

# With one author, date and text, and no parent, a tree has one commit on every machine.
SIGNATURE = "experiments <> 946684800 +0000"
_FEW = 64
_MESSAGE = "Snapshot of a working tree, from which runs were started"


@contextlib.contextmanager
def quarantine(store: Store, state: Path) -> Iterator[Path]:
    """Yield a folder beside the store's objects, from which they can be moved there; gone with the block.

    The lock of the state folder is held meanwhile. git's own `gc` takes away what begins with `tmp_objdir`, should no
    snapshot of this project ever be taken again.
    """
    token = hashlib.sha256(os.fsencode(state)).hexdigest()[:8]
    prefix = f"tmp_objdir-experiments-{token}-"
    # Whoever holds the lock of this state folder knows that nobody is at work in what is left there under its name,
    # but for a git whose process was killed, and which ends soon.
    for left in store.objects.glob(f"{prefix}*"):
        shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=store.objects))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def move(source: Path, store: Store) -> None:
    """Move new objects from a quarantine to those of a store; the same object may come from several sides at once.

    They are on the disk before anything names them, as the ledger's rows are: a power cut loses no code of a job.
    """
    folders = sorted(path for path in source.iterdir() if path.is_dir())
    _bring_to_disk([file for folder in folders for file in folder.iterdir()])
    for folder in folders:
        place = store.objects / folder.name
        with contextlib.suppress(FileExistsError):
            place.mkdir()
            shutil.copymode(store.objects, place)
        # A pack counts from the moment that its index is there.
        for file in sorted(folder.iterdir(), key=lambda path: path.suffix == ".idx"):
            file.replace(place / file.name)
        sync(place)


def _bring_to_disk(files: Sequence[Path]) -> None:
    if len(files) > _FEW:
        os.sync()  # once for all costs less than once for each
        return
    for file in files:
        sync(file)


def commit_of_tree(git: Git, tree: str) -> str:
    """Write the one commit that a tree has as a snapshot, and return its hash."""
    text = f"tree {tree}\nauthor {SIGNATURE}\ncommitter {SIGNATURE}\n\n{_MESSAGE}\n"
    return git.run("hash-object", "-t", "commit", "-w", "--stdin", stdin=text.encode()).decode().strip()


def blobs(git: Git, hashes: Iterable[str]) -> Iterator[bytes]:
    """Yield the contents of blobs, in their order.

    Raises:
        GitError: One is missing.
    """
    said = git.run("cat-file", "--batch", stdin="".join(f"{one}\n" for one in hashes).encode())
    at = 0
    while at < len(said):
        end = said.index(b"\n", at)
        name, *kind = said[at:end].decode().split()
        if len(kind) != 2:
            raise GitError(f"object {name} is missing")
        size = int(kind[1])
        yield said[end + 1 : end + 1 + size]
        at = end + size + 2
