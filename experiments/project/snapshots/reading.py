"""What is in snapshots, and what differs between two of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from experiments.project.errors import LaunchError
from experiments.project.git import GitError
from experiments.project.snapshots.listing import Entry, parse_tree, shown
from experiments.project.snapshots.objects import blobs
from experiments.project.snapshots.record import Snapshot
from experiments.project.snapshots.store import Git, expect, hash_of, id_of, private_store

MOST_OF_A_DIFF = 200_000
_AT_ONCE = 200
# Whoever shows a difference must start no program that a file of the tree or a setting names.
_DIFF = ("diff-tree", "-r", "--find-renames", "--no-color", "--no-ext-diff", "--no-textconv")


def files(state: Path, snapshot: Snapshot | str) -> Iterator[tuple[bytes, str, bytes]]:
    """Yield name, mode (`100644`, `100755`, `120000` for a link) and content of each file, in the order of names.

    Of a link the content is its target.

    Args:
        state: The project's state folder.
        snapshot: It, or its id.

    Raises:
        LaunchError: The snapshot is gone, or its repository is damaged.
    """
    name = id_of(snapshot)
    try:
        git = _git(state, name)
        entries = list(_entries(git, name).items())
        for at in range(0, len(entries), _AT_ONCE):
            some = entries[at : at + _AT_ONCE]
            contents = blobs(git, [blob for _, (_, blob) in some])
            for (path, (mode, _)), content in zip(some, contents, strict=True):
                yield path, mode, content
    except GitError as error:
        raise _unreadable(name, error) from error


def blob_names(state: Path, snapshot: Snapshot | str) -> dict[str, str]:
    """Return git's hash of the content of each file, by name; undecodable bytes of a name are escaped.

    Args:
        state: The project's state folder.
        snapshot: It, or its id.

    Raises:
        LaunchError: The snapshot is gone, or its repository is damaged.
    """
    name = id_of(snapshot)
    try:
        return {shown(path): blob for path, (_, blob) in _entries(_git(state, name), name).items()}
    except GitError as error:
        raise _unreadable(name, error) from error


def changed_between(state: Path, old: Snapshot | str, new: Snapshot | str) -> list[str]:
    """Return the files that differ between two snapshots; undecodable bytes of a name are escaped.

    Args:
        state: The project's state folder.
        old: It, or its id.
        new: It, or its id.

    Raises:
        LaunchError: One of them is gone, or its repository is damaged.
    """
    before, after = id_of(old), id_of(new)
    try:
        said = _git(state, before, after).run("diff-tree", "-r", "-z", "--name-only", "--no-renames", before, after)
    except GitError as error:
        raise _unreadable(f"{before[:12]} or {after}", error) from error
    return [shown(name) for name in said.split(b"\0") if name]


def diff_text(
    state: Path, old: Snapshot | str, new: Snapshot | str, names: Sequence[str] = (), *, most: int = MOST_OF_A_DIFF
) -> str:
    """Return how two snapshots differ, as `git diff` shows it; secrets are masked by whoever shows it.

    Args:
        state: The project's state folder.
        old: It, or its id.
        new: It, or its id.
        names: Only these files or folders; all where empty.
        most: Characters that are returned; a last line says what was cut.

    Raises:
        LaunchError: One of them is gone, or its repository is damaged.
    """
    before, after = id_of(old), id_of(new)
    only = [f":(literal){name}" for name in names]
    try:
        said = _git(state, before, after).run(*_DIFF, "-p", "--stat", before, after, "--", *only)
    except GitError as error:
        raise _unreadable(f"{before[:12]} or {after}", error) from error
    text = said.decode("utf-8", "backslashreplace")
    return text if len(text) <= most else f"{text[:most]}\n# Cut: {most:,} of {len(text):,} characters are shown.\n"


def _entries(git: Git, snapshot: str) -> dict[bytes, Entry]:
    return parse_tree(git.run("ls-tree", "-r", "-z", "--full-tree", snapshot))


def _git(state: Path, *snapshots: str) -> Git:
    """Return git with the objects of some snapshots, which may lie in several repositories."""
    places = {expect(state, snapshot).objects for snapshot in snapshots}
    return Git(private_store(state, hash_of(snapshots[0])).folder, alternates=tuple(places))


def _unreadable(snapshot: str, error: Exception) -> LaunchError:
    return LaunchError(
        f"snapshot {snapshot[:40]} cannot be read: {error}. Look at its repository (git fsck), or get it again from "
        "another folder that has it."
    )
