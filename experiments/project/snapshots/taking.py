"""Taking a snapshot, so that it is whole or not there, whatever happens meanwhile.

git reads the files into an index and a folder of objects of our own. Only when all is checked do the objects go to
the repository, each by a rename, and the ref is written last. A process that is killed leaves at most such a folder
or a few objects without a ref; the next snapshot, or git's own `gc`, takes them away.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from experiments.project.code_tree import MAX_FILES
from experiments.project.errors import LaunchError
from experiments.project.files import locked
from experiments.project.git import DEADLINE_S, GitError, Pushed, ask, pushed
from experiments.project.settings import Settings
from experiments.project.snapshots.changes import Change, changes
from experiments.project.snapshots.listing import GITLINK, Entry, Listing, leaves_out, list_files, shown
from experiments.project.snapshots.objects import blobs, commit_of_tree, move, quarantine
from experiments.project.snapshots.record import Snapshot
from experiments.project.snapshots.refusals import refuse_large, refuse_secret_contents, refuse_secret_names
from experiments.project.snapshots.sharing import push
from experiments.project.snapshots.store import (
    Git,
    Repository,
    code_folder,
    need_git,
    private_store,
    remember,
    repository_around,
)

WAIT_S = 600.0
_INDEX = "index"
_SETTLED_S = 0.1
_READ_AGAIN = 20
_STATUS_OF_HEAD = ("status", "--porcelain=v2", "--branch", "--untracked-files=no", "--ignore-submodules=all")
_ADD = ("update-index", "-z", "--add", "--remove", "--replace", "--stdin")


def take(root: Path, state: Path, settings: Settings) -> Snapshot:
    """Keep the working tree around `root` as it is, and return what it is known by.

    In it are the files that git tracks or would track, as they lie on the disk; not what Experiments itself writes,
    nor caches, nor the folders of `snapshot_links`. The user's index, HEAD, branches, stash and files stay as they are.
    Without a repository the files of `root` are kept in the state folder in the same way.

    Args:
        root: Folder of the project.
        state: Its state folder.
        settings: Whose limits and names count.

    Raises:
        LaunchError: There is no git, files are too large or look like secrets, or the snapshot could not be written.
    """
    need_git()
    root, state = root.resolve(), state.resolve()
    try:
        with locked(code_folder(state) / "lock", wait_s=WAIT_S) as held:
            if not held:
                raise LaunchError(
                    f"another snapshot of {str(root)!r} is being taken for {WAIT_S / 60:g} minutes. Look for the "
                    "process that takes it (ps), end it, and run the command again."
                )
            return _taken(root, state, settings)
    except (GitError, OSError) as error:
        raise LaunchError(
            f"no snapshot of the code in {str(root)!r} could be taken: {error}. Mend that, or run the working tree "
            "itself, which nobody can reproduce: --in-place."
        ) from error


def _taken(root: Path, state: Path, settings: Settings) -> Snapshot:
    at = time.time()
    repository = repository_around(root)
    base = _base(repository)
    found, repository, is_left_out = _listed(root, state, settings, repository, base)
    base = base if repository else None
    top = repository.top if repository else root
    refuse_large(found.files, found.tracked.__contains__, settings)
    store = repository.store if repository else private_store(state)
    private = private_store(state, store.hash)
    with quarantine(store, state) as objects:
        git = Git(private.folder, objects=objects, alternates=(store.objects,), top=top)
        git, names, tree = _written(git, private.folder / _INDEX, objects, found)
        changed = changes(git, base, found, is_left_out)
        refuse_secret_names([name for name, change in changed.items() if change.new], settings)
        refuse_secret_contents(_contents(git, changed))
        commit = commit_of_tree(git, tree)
        move(objects, store)
        _save(objects / _INDEX, private.folder / _INDEX)
    store.keep(tree, commit)
    remember(state, store)
    remote = settings.snapshot_push if repository else None
    not_pushed = push(repository, tree, remote) if repository and remote else None
    return Snapshot(
        id=tree,
        commit=commit,
        base=base,
        pushed=_pushed(repository, base),
        prefix=root.relative_to(top).as_posix(),
        changed={shown(name): change.shown for name, change in list(changed.items())[:MAX_FILES]},
        changed_count=len(changed),
        file_count=len(names),
        size_bytes=sum(found.files[name] for name in names),
        notes=(*found.notes(repository), *([not_pushed] if not_pushed else ())),
        at=at,
    )


def _listed(
    root: Path, state: Path, settings: Settings, repository: Repository | None, base: str | None
) -> tuple[Listing, Repository | None, Callable[[bytes], bool]]:
    """Return the files, and the repository unless it ignores the project, as one of a whole home folder may."""
    if repository is not None:
        private = private_store(state, repository.store.hash)
        is_left_out = leaves_out(repository.top, root, state, settings.snapshot_links)
        found = list_files(repository.top, private, is_left_out, has_git=True, base=base)
        prefix = os.fsencode(root.relative_to(repository.top)) + b"/"
        if prefix == b"./" or any(name.startswith(prefix) for name in found.files):
            return found, repository, is_left_out
    is_left_out = leaves_out(root, root, state, settings.snapshot_links)
    found = list_files(root, private_store(state), is_left_out, has_git=False, base=None)
    return found, None, is_left_out


def _written(git: Git, saved: Path, quarantined: Path, found: Listing) -> tuple[Git, set[bytes], str]:
    """Write the files' blobs and trees, and return git with the index that says so, the names and the tree.

    The index of the last snapshot saves reading what did not change. It counts on objects that the repository may
    have lost since; then all is read.
    """
    git = replace(git, index=quarantined / _INDEX)
    if saved.exists():
        _save(saved, quarantined / _INDEX)
        with contextlib.suppress(GitError):
            return (git, *_indexed(git, found))
        (quarantined / _INDEX).unlink()
    # Each blob was just written or found: git need not look for them once more.
    return (git, *_indexed(git, found, "--missing-ok"))


def _save(index: Path, place: Path) -> None:
    """Copy an index with its time, by which git tells which files may have changed unseen; all of it or nothing."""
    temporary = place.with_name("index.new")
    shutil.copy2(index, temporary)
    temporary.replace(place)


def _indexed(git: Git, found: Listing, *how: str) -> tuple[set[bytes], str]:
    wanted = found.files.keys()
    git.run(*_ADD, stdin=_lines(wanted))
    names = _read_again(git, found.latest)
    if surplus := names - wanted:
        git.run("update-index", "-z", "--force-remove", "--stdin", stdin=_lines(surplus))
    assert git.top is not None
    for name in wanted - names:
        # git leaves out names that it cannot hold and says so to nobody; a file that vanished meanwhile is no loss.
        if os.path.lexists(os.fsencode(git.top) + b"/" + name):
            raise GitError(f"git takes no file named {shown(name)!r}")
    return names & wanted, git.run("write-tree", *how).decode().strip()


def _read_again(git: Git, latest: float) -> set[bytes]:
    """Read once more what was saved while it was read, until nothing is; return all names of the index.

    An editor that empties a file and writes it anew leaves half of it in between. Files whose last change was long
    enough ago are whole; who saves without an end gets what is there at last.
    """
    for _ in range(_READ_AGAIN):
        if time.time() - latest < _SETTLED_S:
            time.sleep(_SETTLED_S)
        listed = git.run("ls-files", "-z", "-t", "--cached", "--modified").split(b"\0")
        differing = {entry[2:] for entry in listed if entry.startswith(b"C ")}
        if not differing:
            break
        git.run(*_ADD, stdin=_lines(differing))
        latest = time.time()
    return {entry[2:] for entry in listed if entry}


def _contents(git: Git, changed: Mapping[bytes, Change]) -> Iterator[tuple[bytes, bytes, Callable[[], bytes]]]:
    """Yield name, content as git stored it and a way to the committed content, of each file that is new or changed."""

    def committed(old: Entry | None) -> Callable[[], bytes]:
        return lambda: next(blobs(git, [old[1]]), b"") if old and old[0] != GITLINK else b""

    new = [(name, change.old, change.new[1]) for name, change in changed.items() if change.new]
    if not new:
        return
    for (name, old, _), content in zip(new, blobs(git, [blob for _, _, blob in new]), strict=True):
        yield name, content, committed(old)


def _base(repository: Repository | None) -> str | None:
    """Return the commit that HEAD names; None where there is none yet.

    Raises:
        GitError: HEAD, or what it names, cannot be read.
    """
    if repository is None:
        return None
    try:
        return ask(repository.top, DEADLINE_S, "rev-parse", "-q", "--verify", "HEAD^{commit}").decode().strip()
    except GitError:
        said = ask(repository.top, DEADLINE_S, *_STATUS_OF_HEAD)
        if b"# branch.oid (initial)\n" in said and b"# branch.head (unknown)\n" not in said:
            return None
        raise GitError("HEAD of the repository names no commit that git can read") from None


def _pushed(repository: Repository | None, base: str | None) -> Pushed:
    if repository is None or base is None:
        return "no remote" if repository is None else "no"
    try:
        return pushed(repository.top, base)
    except GitError:
        return "unknown"


def _lines(names: Iterable[bytes]) -> bytes:
    return b"".join(name + b"\0" for name in sorted(names))
