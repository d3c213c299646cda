"""Snapshots from elsewhere and to elsewhere: another folder's, those of an archive, and a remote of the user's choice.

A clone of a repository does not get the refs of snapshots, and nothing is pushed that the user did not ask for.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from experiments.project.errors import LaunchError
from experiments.project.files import locked
from experiments.project.git import GitError, ask
from experiments.project.redaction import mask_text
from experiments.project.snapshots.objects import SIGNATURE, commit_of_tree, move, quarantine
from experiments.project.snapshots.record import Snapshot
from experiments.project.snapshots.store import (
    REFS,
    Git,
    Repository,
    Store,
    code_folder,
    hash_of,
    holder,
    id_of,
    need_git,
    private_store,
    remember,
    repository_around,
    stores,
)

WAIT_S = 600.0
PUSH_DEADLINE_S = 120.0
_BRANCH = "refs/heads/restored"


def fetch(state: Path, snapshot: Snapshot | str, other: Path) -> None:
    """Get a snapshot from another folder on this machine; what comes is checked against the id.

    Args:
        state: The project's state folder.
        snapshot: It, or its id.
        other: Another project, its state folder, or a repository, which may be bare.

    Raises:
        LaunchError: The other folder does not have it, has it damaged, or it cannot be written here.
    """
    need_git()
    name = id_of(snapshot)
    if holder(state, name) is not None:
        return
    try:
        source = next((place for place in _places(other, hash_of(name)) if place.commit_of(name) is not None), None)
        if source is None:
            raise LaunchError(
                f"{str(other)!r} does not have snapshot {name[:12]}: neither its repository nor its state folder has "
                f"the ref {REFS}{name}. Name the folder or the bundle that the runs were started from."
            )
        target = _target(state, name)
        private = private_store(state, target.hash)
        with _quarantined(state, target) as objects:
            # Not `git fetch`, which would start programs under the settings of the other repository.
            git = Git(private.folder, objects=source.objects)
            pack = git.run("pack-objects", "--revs", "--stdout", "-q", stdin=f"{source.commit_of(name)}\n".encode())
            git = Git(private.folder, objects=objects)
            git.run("index-pack", "--stdin", "--strict", stdin=pack)
            _keep(state, git, name, objects, target)
    except (GitError, OSError) as error:
        raise LaunchError(
            f"snapshot {name[:12]} cannot be had from {str(other)!r}: {error}. Look at that repository (git fsck), or "
            "name another folder or bundle that has it."
        ) from error


def restore(state: Path, snapshot: Snapshot | str, files: Iterable[tuple[bytes, str, bytes]]) -> None:
    """Keep a snapshot whose files come from an archive, as `files` yields them; they are checked against the id.

    Args:
        state: The project's state folder.
        snapshot: It, or its id.
        files: Name, mode and content of each.

    Raises:
        LaunchError: They are not the files of that snapshot, or it cannot be written.
    """
    need_git()
    name = id_of(snapshot)
    if holder(state, name) is not None:
        return
    try:
        target = _target(state, name)
        private = private_store(state, target.hash)
        with _quarantined(state, target) as objects:
            git = Git(private.folder, objects=objects)
            git.run("fast-import", "--quiet", "--force", stdin=b"".join(_import(files)))
            found = git.run("rev-parse", f"{_BRANCH}^{{tree}}").decode().strip()
            git.run("update-ref", "-d", _BRANCH)
            if found != name:
                raise LaunchError(
                    f"the files are not those of snapshot {name[:12]}: they are {found[:12]}. Somebody changed them; "
                    "get them again from where they were first."
                )
            _keep(state, git, name, objects, target)
    except (GitError, OSError) as error:
        raise LaunchError(
            f"snapshot {name[:12]} cannot be kept: {error}. Mend that and run the command again."
        ) from error


def push(repository: Repository, snapshot: str, remote: str) -> str | None:
    """Push a snapshot to a remote of the user's repository; return why it did not get there, or None."""
    ref = f"{REFS}{snapshot}"
    try:
        ask(
            repository.top,
            PUSH_DEADLINE_S,
            "-c",
            "core.hooksPath=/dev/null",
            "push",
            "-q",
            "--",
            remote,
            f"{ref}:{ref}",
        )
    except GitError as error:
        return mask_text(f"The snapshot was not pushed to {remote}: {error}.")
    return None


def _places(other: Path, hash_: str) -> Iterator[Store]:
    for state in (other / ".experiments", other):
        if (state / "code").is_dir():
            yield from stores(state, hash_)
    if (other / "HEAD").is_file() and (other / "objects").is_dir():
        yield Store(other.resolve(), other.resolve() / "objects", hash_)
    elif other.is_dir() and (around := repository_around(other)) is not None:
        yield around.store


def _target(state: Path, snapshot: str) -> Store:
    code_folder(state)
    around = repository_around(state)
    kind = hash_of(snapshot)
    return around.store if around is not None and around.store.hash == kind else private_store(state, kind)


@contextlib.contextmanager
def _quarantined(state: Path, target: Store) -> Iterator[Path]:
    with locked(code_folder(state) / "lock", wait_s=WAIT_S) as held:
        if not held:
            raise LaunchError(
                f"a snapshot is being taken for {WAIT_S / 60:g} minutes in {str(state)!r}. Look for it (ps) and run "
                "the command again."
            )
        with quarantine(target, state.resolve()) as objects:
            yield objects


def _keep(state: Path, git: Git, snapshot: str, objects: Path, target: Store) -> None:
    """Keep a snapshot whose objects have come, once all of them are there."""
    git.run("rev-list", "--objects", "--quiet", snapshot)
    # Refuses names that climb out of the tree, or into a `.git`: such a tree has an id like any other.
    replace(git, index=objects / "index").run("read-tree", snapshot)
    commit = commit_of_tree(git, snapshot)
    move(objects, target)
    target.keep(snapshot, commit)
    remember(state, target)


def _import(files: Iterable[tuple[bytes, str, bytes]]) -> Iterator[bytes]:
    """Yield the files as `git fast-import` reads them."""
    lines = []
    yield f"reset {_BRANCH}\n".encode()  # a process that was killed may have left it
    for mark, (name, mode, content) in enumerate(files, start=1):
        yield b"blob\nmark :%d\ndata %d\n%b\n" % (mark, len(content), content)
        quoted = name.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
        lines.append(b'M %b :%d "%b"\n' % (mode.encode(), mark, quoted))
    yield f"commit {_BRANCH}\ncommitter {SIGNATURE}\ndata 0\n".encode()
    yield from lines
