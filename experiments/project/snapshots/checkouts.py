"""Checkouts: the files of snapshots on the disk, where jobs run from them; each is made once and shared by its jobs.

    code/<id>/tree/   the files, which nobody may write; folders can be written, for Python keeps its caches in them
    code/<id>/git/    what git finds when it is asked inside: a branch `snapshot` at the snapshot's commit, and clean
    code/<id>/stamp   size and times of each file, by which an edit is noticed

A checkout that was edited by hand is never used: what runs must be what its record says. Files that were added are an
edit where Python could import them; any others are what a program wrote beside its source, and stay: a checkout with
some is never removed here.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shlex
import shutil
import stat
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from experiments.project.errors import LaunchError
from experiments.project.files import locked, write_bytes, write_text
from experiments.project.git import GitError
from experiments.project.snapshots.listing import Entry, parse_tree, shown
from experiments.project.snapshots.record import Snapshot
from experiments.project.snapshots.store import (
    Git,
    Store,
    code_folder,
    expect,
    id_of,
    make_git_dir,
    quoted,
)
from experiments.project.stamps import STAMP, added, stamped, stamps, written

WAIT_S = 600.0
_LOCK = "checkout.lock"
_MAKING = "making-"
_SHOWN = 5
# Nobody may write a file of a checkout; git makes a file as the umask allows.
_READ_ONLY = 0o222


@dataclass(frozen=True)
class Checkout:
    """A checkout that is there.

    Attributes:
        snapshot: Id of its snapshot.
        folder: Where all of it lies.
        size_bytes: Of its files.
        used_at: When a job was last started from it, in Unix seconds.
    """

    snapshot: str
    folder: Path
    size_bytes: int
    used_at: float


def checkout_path(state: Path, snapshot: Snapshot | str) -> Path:
    """Return the folder that `checkout` makes, whether or not it is there."""
    return state.resolve() / "code" / id_of(snapshot) / "tree"


def checkout(state: Path, snapshot: Snapshot | str) -> Path:
    """Return the folder with the files of a snapshot, made where it is missing and checked where it is there.

    Args:
        state: The project's state folder.
        snapshot: It, or its id.

    Raises:
        LaunchError: The snapshot is gone, somebody edited the checkout, or it cannot be written.
    """
    name, tree = id_of(snapshot), checkout_path(state, snapshot)
    folder = tree.parent
    # A checkout may outlive its snapshot; what runs from it could be shown to nobody.
    store = expect(state, name)
    try:
        if not folder.exists():
            with locked(code_folder(state) / _LOCK, wait_s=WAIT_S) as held:
                _refuse_unless(held, name)
                if not folder.exists():
                    _make(state, name, folder, store)
                    return tree
        _check(state, name, folder)
        os.utime(folder)
    except (GitError, OSError) as error:
        raise LaunchError(
            f"the code of snapshot {name[:12]} cannot be checked out in {str(folder)!r}: {error}. Mend that and "
            "run the command again."
        ) from error
    return tree


def checkouts(state: Path) -> list[Checkout]:
    """Return all checkouts of a project, the one that was used longest ago first."""
    found = []
    for folder in (state / "code").glob("*"):
        # One that goes meanwhile is none.
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            size = sum(int(line.split(b" ", 2)[1]) for line in stamped(folder).values())
            if not folder.name.startswith(_MAKING):
                found.append(Checkout(folder.name, folder, size, folder.stat().st_mtime))
    return sorted(found, key=lambda one: one.used_at)


def unneeded(state: Path, needed: Iterable[str], *, over_mb: float = 0) -> list[Checkout]:
    """Return the checkouts that can go, for they are made again when they are wanted.

    The snapshots themselves stay: without them runs of long ago could not be reproduced. One stays as well that a
    program wrote into, see `written_into`.

    Args:
        state: The project's state folder.
        needed: Ids of the snapshots that jobs which have not ended run from.
        over_mb: Keep so much of all checkouts; the ones that were used last stay.
    """
    wanted, there = set(needed), checkouts(state)
    surplus = sum(one.size_bytes for one in there) - over_mb * 1e6
    found = []
    for one in there:
        if surplus > 0 and one.snapshot not in wanted and not written_into(one):
            found.append(one)
            surplus -= one.size_bytes
    return found


def written_into(one: Checkout) -> list[str]:
    """Return the files that programs wrote beside their source, which are nowhere else.

    A relative path leads there where it names a folder of a Python package: a job has that as a link.
    """
    try:
        found = written(stamped(one.folder), stamps(one.folder / "tree"))
    except FileNotFoundError:  # it goes meanwhile
        return []
    return [shown(name) for name in found]


def remove_unneeded(state: Path, needed: Iterable[str]) -> int:
    """Remove what `unneeded` returns, and what killed processes left half made; return the bytes.

    Raises:
        LaunchError: A checkout is being made for ten minutes.
    """
    if not (state / "code").is_dir():
        return 0
    with locked(state / "code" / _LOCK, wait_s=WAIT_S) as held:
        _refuse_unless(held, "")
        return _remove(state, unneeded(state, needed))


def keep_within(state: Path, budget_mb: float, needed: Iterable[str]) -> int:
    """Remove the checkouts that were used longest ago until the others take no more than `budget_mb`.

    One that is needed stays, whatever it takes. While somebody makes a checkout nothing is removed: a launch comes soon
    again.

    Returns:
        The bytes that were removed.
    """
    if not (state / "code").is_dir():
        return 0
    with locked(state / "code" / _LOCK, wait_s=0) as held:
        return _remove(state, unneeded(state, needed, over_mb=budget_mb)) if held else 0


def _remove(state: Path, going: Iterable[Checkout]) -> int:
    removed = 0
    for one in going:
        # Renamed first: whoever looks sees a whole checkout or none.
        one.folder.rename(one.folder.with_name(f"{_MAKING}{one.snapshot}"))
        removed += one.size_bytes
    _remove_half_made(state)
    return removed


def _refuse_unless(held: bool, snapshot: str) -> None:  # noqa: FBT001 - what `locked` yielded
    if not held:
        what = f"snapshot {snapshot[:12]}" if snapshot else "checkouts"
        raise LaunchError(
            f"{what} cannot be got at: another process makes a checkout for {WAIT_S / 60:g} minutes. Look for it (ps) "
            "and run the command again."
        )


def _remove_half_made(state: Path) -> None:
    for left in (state / "code").glob(f"{_MAKING}*"):
        shutil.rmtree(left, ignore_errors=True)  # a git whose process was killed may still write there


def _make(state: Path, snapshot: str, folder: Path, store: Store) -> None:
    """Write the checkout under another name, and rename it."""
    _remove_half_made(state)
    making = Path(tempfile.mkdtemp(prefix=_MAKING, dir=folder.parent))
    try:
        _write(making, store, snapshot)
        making.rename(folder)
    except BaseException:
        shutil.rmtree(making)
        raise


def _write(folder: Path, store: Store, snapshot: str) -> None:
    tree, git_dir = folder / "tree", folder / "git"
    tree.mkdir()
    # Also where git is asked from the working folder of a job, which points here.
    make_git_dir(git_dir, store.hash, [store.objects], tree="../tree")
    git = Git(git_dir, top=tree)
    entries = _entries(git, snapshot)
    # git would make them with the umask of the files, and could then write nothing into them.
    for name in {name.rpartition(b"/")[0] for name in entries}:
        (tree / os.fsdecode(name)).mkdir(parents=True, exist_ok=True)
    git.run("read-tree", "-u", "--reset", snapshot, umask=_READ_ONLY)
    write_text(git_dir / "refs" / "heads" / "snapshot", f"{store.commit_of(snapshot) or snapshot}\n")
    write_text(git_dir / "info" / "exclude", "__pycache__/\n")
    write_text(tree / ".git", "gitdir: ../git\n")
    found = stamps(tree)
    if missing := entries.keys() - found.keys():
        raise GitError(f"git did not write {_listed(dict.fromkeys(missing, 'missing'))}")
    write_bytes(folder / STAMP, b"\0".join(found.values()))


def _check(state: Path, snapshot: str, folder: Path) -> None:
    """Check that the files are as they were written.

    Raises:
        LaunchError: They are not.
    """
    tree = folder / "tree"
    try:
        known, found = stamped(folder), stamps(tree)
    except FileNotFoundError as error:
        raise _edited(folder, f"{os.fsdecode(error.filename)} is missing") from None
    wrong = dict.fromkeys(added(known, found), "added")
    touched = [name for name, line in known.items() if found.get(name) != line]
    if touched:
        # A copied or moved state folder has other times and the same files: the contents decide.
        git = _with_objects(state, snapshot, folder)
        entries = _entries(git, snapshot)
        wrong |= {name: "missing" for name in touched if name not in found}
        wrong |= {name: "changed" for name in touched if name in found and not _is(tree, name, entries[name])}
    if wrong:
        raise _edited(folder, _listed(wrong))
    if touched:
        write_bytes(folder / STAMP, b"\0".join(found[name] for name in known))


def _edited(folder: Path, what: str) -> LaunchError:
    return LaunchError(
        f"the checkout {str(folder / 'tree')!r} was edited by hand: {what}. Jobs run exactly the code of their "
        "snapshot, so it is not used. Take what you need from it and remove it, and it is made again: "
        f"rm -r {shlex.quote(str(folder))}"
    )


def _with_objects(state: Path, snapshot: str, folder: Path) -> Git:
    """Return git inside a checkout, pointed anew at the snapshot's objects: these may have been moved as well."""
    store = expect(state, snapshot)
    write_text(folder / "git" / "objects" / "info" / "alternates", f"{quoted(store.objects)}\n")
    return Git(folder / "git", top=folder / "tree")


def _entries(git: Git, snapshot: str) -> dict[bytes, Entry]:
    return parse_tree(git.run("ls-tree", "-r", "-z", "--full-tree", snapshot))


def _is(tree: Path, name: bytes, entry: Entry) -> bool:
    """Say whether a file is the blob that the snapshot has under its name."""
    mode, blob = entry
    path = Path(os.fsdecode(os.fsencode(tree) + b"/" + name))
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode):
        kind, content = "120000", os.fsencode(path.readlink())
    else:
        kind, content = ("100755" if status.st_mode & 0o100 else "100644"), path.read_bytes()
    digest = hashlib.new("sha1" if len(blob) == 40 else "sha256", b"blob %d\0" % len(content), usedforsecurity=False)
    digest.update(content)
    return (kind, digest.hexdigest()) == (mode, blob)


def _listed(names: dict[bytes, str]) -> str:
    ordered = sorted(names.items())
    more = f" and {len(ordered) - _SHOWN} more" if len(ordered) > _SHOWN else ""
    return ", ".join(f"{ascii(shown(name))[1:-1]} ({what})" for name, what in ordered[:_SHOWN]) + more
